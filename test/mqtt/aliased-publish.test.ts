import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type IPublishPacket, parser } from "mqtt-packet";
import { Encoder } from "../../src/mqtt/encoder";
import { PropertyWriter } from "../../src/mqtt/property-writer";
import { utf8 } from "../../src/mqtt/utf8";

/** What mqtt-packet reads in the bytes. */
function parse(bytes: Uint8Array): IPublishPacket {
	const packets: IPublishPacket[] = [];
	const decoder = parser({ protocolVersion: 5 });
	decoder.on("packet", (packet) => packets.push(packet as IPublishPacket));
	decoder.on("error", (error) => {
		throw error;
	});
	decoder.parse(Buffer.from(bytes));
	assert.equal(packets.length, 1);
	return packets[0];
}

test("a PUBLISH header with a topic alias, with and without topic and properties: as mqtt-packet reads it", () => {
	const text = fc.string({ unit: "grapheme", maxLength: 80 }).filter((value) => !/[\0+#]/.test(value));
	fc.assert(
		fc.property(
			text,
			fc.integer({ min: 1, max: 65_535 }),
			fc.integer({ min: 0, max: 2 }),
			fc.integer({ min: 1, max: 65_535 }),
			fc.option(fc.record({ contentType: text, messageExpiryInterval: fc.nat(0xffff_ffff) })),
			fc.uint8Array({ maxLength: 300 }),
			(topic, topicAlias, qos, messageId, values, payload) => {
				const encoder = new Encoder({ size: 2000 });
				const properties = values === null ? undefined : new PropertyWriter(500);
				if (values !== null)
					properties
						?.contentType(utf8(values.contentType))
						.messageExpiryInterval(values.messageExpiryInterval);
				const bytes = utf8(topic);
				const header = encoder.aliasedPublishHeader(
					bytes,
					0,
					bytes.length,
					payload.length,
					qos << 1,
					messageId,
					properties,
					topicAlias,
				);
				assert.equal(encoder.length, header);
				encoder.payload(payload, 0, payload.length);
				const packet = parse(encoder.seal());
				assert.equal(packet.topic, topic);
				assert.equal(packet.qos, qos);
				if (qos > 0) assert.equal(packet.messageId, messageId);
				assert.deepEqual(new Uint8Array(Buffer.from(packet.payload)), payload);
				assert.deepEqual({ ...packet.properties }, { topicAlias, ...values });
			},
		),
		{ numRuns: 300 },
	);
});

test("a topic alias in MQTT 3.1.1, or beside a property that PUBLISH may not have: MQTTError", () => {
	const topic = utf8("a/b");
	const stage = (version: 4 | 5, properties?: PropertyWriter): number =>
		new Encoder({ size: 100, version }).aliasedPublishHeader(topic, 0, 3, 0, 0, 0, properties, 1);
	assert.equal(stage(5), 2 + 2 + 3 + 1 + 3);
	assert.throws(() => stage(4), { name: "MQTTError" });
	assert.throws(() => stage(5, new PropertyWriter(5).receiveMaximum(1)), { name: "MQTTError" });
});
