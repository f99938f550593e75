import assert from "node:assert/strict";
import { test } from "node:test";
import { PUBACK, PUBCOMP, type Version } from "../../src/mqtt/constants";
import { decodeShortAcknowledgement } from "../../src/mqtt/decode/acknowledgement";
import { decodeBody } from "../../src/mqtt/decode/body";
import { checkFirstByte } from "../../src/mqtt/decode/fixed-header";
import { Packet } from "../../src/mqtt/packet";

test("decodeShortAcknowledgement(), each first byte: takes what the two other functions take, and as they do", () => {
	const bytes = new Uint8Array(8);
	for (const version of [4, 5] as readonly Version[])
		for (let first = 0; first < 256; first++)
			for (const id of [0, 1, 255, 256, 0x1234, 65_535]) {
				const type = first >> 4;
				bytes[3] = id >> 8;
				bytes[4] = id & 255;
				const whole = new Packet(true, bytes);
				whole.version = version;
				whole.type = type;
				whole.flags = first & 15;
				const isAcknowledgement = type >= PUBACK && type <= PUBCOMP;
				const valid =
					isAcknowledgement &&
					checkFirstByte(whole, first, true, version) === 0 &&
					decodeBody(whole, bytes, 3, 5, true) === 0;
				const short = new Packet(true, bytes);
				short.packetId = 77;
				short.reasonCode = 0x10;
				assert.equal(decodeShortAcknowledgement(short, first, bytes, 3), valid, `${first}, ${id}`);
				assert.deepEqual(
					[short.packetId, short.reasonCode],
					valid ? [whole.packetId, whole.reasonCode] : [77, 0x10],
				);
			}
});
