import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Encoder } from "../../src/mqtt/encoder";
import { PropertyWriter } from "../../src/mqtt/property-writer";
import { validTopicFilter, validTopicName } from "../../src/mqtt/topics";

const LONGEST_TOPIC = new Uint8Array(65_535).fill(0x61);
const TOO_LONG_TOPIC = new Uint8Array(65_536).fill(0x61);

describe("strings", () => {
	it("[MQTT-4.7.3-3] topic names and filters above 65,535 bytes: rejected", () => {
		for (const [topic, allowed] of [
			[LONGEST_TOPIC, true],
			[TOO_LONG_TOPIC, false],
		] as const) {
			assert.equal(validTopicName(topic, 0, topic.length), allowed);
			assert.equal(validTopicFilter(topic, 0, topic.length), allowed);
			for (const version of [4, 5] as const) {
				const encoder = new Encoder({ size: 70_000, version });
				const publish = () => encoder.publish(topic, new Uint8Array(0), 0, 0, 0);
				const subscribe = () => encoder.subscribe(1, [{ filter: topic, options: 0 }]);
				if (allowed) assert.ok(publish() > 0);
				else assert.throws(publish);
				encoder.reset();
				if (allowed) assert.ok(subscribe() > 0);
				else assert.throws(subscribe);
			}
		}
	});

	it("[MQTT-1.5.4-1] [MQTT-1.5.4-2] [MQTT-1.5.7-1] [MQTT-3.3.2-13] [MQTT-3.3.2-19] ill-formed strings to be sent: encoding throws", () => {
		for (const bad of [Uint8Array.of(0xff), Uint8Array.of(0), Uint8Array.of(0xed, 0xa0, 0x80)]) {
			const writer = new PropertyWriter(64);
			const good = Uint8Array.of(0x61);
			for (const write of [
				() => writer.contentType(bad),
				() => writer.responseTopic(bad),
				() => writer.userProperty(bad, good),
				() => writer.userProperty(good, bad),
				() => new Encoder({ size: 64 }).connect({ clientId: bad, keepAlive: 0, cleanStart: true }),
				() => new Encoder({ size: 64 }).publish(bad, good, 1, 0, 0),
			])
				assert.throws(write);
		}
	});
});
