import assert from "node:assert/strict";
import { test } from "node:test";
import { generate, type Packet } from "mqtt-packet";
import { LocalLink } from "../../src/bridge/local-link";

const long = { userProperties: { padding: "x".repeat(200) } };
const longer = { userProperties: { padding: "x".repeat(20_000) } };

/** What the link has noted of an answer of the broker. */
function noted(packet: Packet): readonly number[] {
	const link = new LocalLink(512, 0, 8, () => {});
	link.write(generate(packet, { protocolVersion: 5 }));
	return [link.answerType, link.answerId, link.answerReason];
}

for (const [size, properties] of [
	["short", {}],
	["128 bytes and more", long],
	["16 KiB and more", longer],
] as const)
	test(`answers of the broker, ${size}: type, identifier and reason are read where they are`, () => {
		// Its identifier is flags and reason code
		const accepted = noted({ cmd: "connack", sessionPresent: true, reasonCode: 0, properties });
		assert.deepEqual(accepted.slice(0, 2), [2, 0x100]);
		const refused = noted({ cmd: "connack", sessionPresent: false, reasonCode: 0x97, properties });
		assert.deepEqual(refused.slice(0, 2), [2, 0x97]);
		const id = { messageId: 0x1234, reasonCode: 0x10, properties };
		assert.deepEqual(noted({ cmd: "puback", ...id }), [4, 0x1234, 0x10]);
		assert.deepEqual(noted({ cmd: "pubrec", ...id }), [5, 0x1234, 0x10]);
		assert.deepEqual(
			noted({ cmd: "pubcomp", messageId: 0x1234, reasonCode: 0x92, properties }),
			[7, 0x1234, 0x92],
		);
		assert.deepEqual(
			noted({ cmd: "suback", messageId: 0x1234, granted: [0x87], properties }),
			[9, 0x1234, 0x87],
		);
	});

test("a PUBREL of 128 bytes and more waits under its identifier", () => {
	const link = new LocalLink(512, 0, 8, () => {});
	link.write(
		generate({ cmd: "pubrel", messageId: 0x1234, reasonCode: 0, properties: long }, { protocolVersion: 5 }),
	);
	assert.deepEqual([link.releases.count, link.releases.packetId], [1, 0x1234]);
});
