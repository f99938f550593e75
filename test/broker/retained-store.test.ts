import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Memory } from "../../src/broker/pool/memory";
import { Message } from "../../src/broker/pool/message";
import { RetainedStore } from "../../src/broker/topics/retained-store";
import type { QoS } from "../../src/mqtt/constants";
import { decodeUTF8, utf8 } from "../../src/mqtt/utf8";

/** A store of `bytes` bytes, and a receive area for messages behind it. */
function storeOf(records: number, bytes: number) {
	const memory = new Memory(bytes, 100);
	const { receiveStart: start } = memory;
	/** Writes a text to the receive area; returns its end. */
	const place = (text: string): number => {
		const encoded = utf8(text);
		memory.bytes.set(encoded, start);
		return start + encoded.length;
	};
	const message = (
		topic: string,
		payload: string,
		retain: boolean,
		receivedAt = 0,
		qos: QoS = 0,
	): Message => {
		const result = new Message(memory.bytes);
		result.topicStart = start;
		result.payloadEnd = place(`${topic}${payload}`);
		result.topicEnd = start + utf8(topic).length;
		result.propertiesStart = result.propertiesEnd = result.payloadStart = result.topicEnd;
		return Object.assign(result, { retain, arrivedAtMs: receivedAt, qos });
	};
	const store = new RetainedStore(memory, records, bytes);
	const get = (topic: string): number => store.get(start, place(topic));
	return { store, message, get };
}

function contents(store: RetainedStore, current: boolean): Map<string, string> {
	const result = new Map<string, string>();
	const value = new Message(new Uint8Array(0));
	for (let record = 1; record <= store.records; record++) {
		if (!store.isInitialValue(record, current, 0)) continue;
		store.messages.readInto(record, value);
		const topic = decodeUTF8(value.bytes, value.topicStart, value.topicEnd);
		assert.ok(!result.has(topic), "one value a topic");
		result.set(
			topic,
			`${decodeUTF8(value.bytes, value.payloadStart, value.payloadEnd)} ${value.retain} ${value.arrivedAtMs}`,
		);
	}
	return result;
}

test("random values with ample room: the store agrees with a model", () => {
	const put = fc.record({
		topic: fc.constantFrom("a", "b", "a/b", "a/b/c", "ü"),
		payload: fc.string({ maxLength: 12 }).map((s) => s.replaceAll(/[^ -~]/g, "")),
		retain: fc.boolean(),
	});
	fc.assert(
		fc.property(fc.array(put, { maxLength: 60 }), (puts) => {
			const { store, message } = storeOf(10, 400);
			const retained = new Map<string, string>();
			const current = new Map<string, string>();
			let time = 0;
			for (const { topic, payload, retain } of puts) {
				const value = `${payload} ${retain} ${++time}`;
				assert.ok(store.put(message(topic, payload, retain, time)));
				if (retain && payload === "") {
					retained.delete(topic);
					current.delete(topic);
				} else {
					if (retain) retained.set(topic, value);
					current.set(topic, value);
				}
				assert.deepEqual(contents(store, false), retained);
				assert.deepEqual(contents(store, true), current);
				assert.equal(store.retainedCount, retained.size);
			}
		}),
	);
});

test("[MQTT-3.1.1:3.3.1-7] little room: retained values stay; refused QoS 0 clears its topic", () => {
	const put = fc.record({
		topic: fc.integer({ min: 0, max: 12 }).map((n) => `t/${n}`),
		length: fc.integer({ min: 0, max: 60 }),
		retain: fc.boolean(),
		qos: fc.constantFrom<QoS>(0, 1, 2),
	});
	fc.assert(
		fc.property(fc.array(put, { maxLength: 80 }), (puts) => {
			const { store, message } = storeOf(6, 160);
			const retained = new Map<string, string>();
			for (const [time, { topic, length, retain, qos }] of puts.entries()) {
				const before = contents(store, true);
				const payload = "x".repeat(length);
				const stored = store.put(message(topic, payload, retain, time, qos));
				const after = contents(store, true);
				if (!stored) {
					assert.ok(retain);
					if (qos === 0) {
						before.delete(topic);
						retained.delete(topic);
					}
					assert.deepEqual(after, before);
				} else if (retain && length === 0) retained.delete(topic);
				else if (retain) retained.set(topic, `${payload} true ${time}`);
				assert.deepEqual(contents(store, false), retained);
				if (!retain && store.lastRecord !== 0) assert.equal(after.get(topic), `${payload} false ${time}`);
				// another topic keeps its value, or has the retained one again if the later one was evicted
				for (const [name, value] of after)
					if (name !== topic) assert.ok(value === before.get(name) || value === retained.get(name));
			}
			for (const topic of retained.keys()) store.put(message(topic, "", true));
			assert.equal(store.retainedCount, 0);
		}),
	);
});

test("get(): finds the retained value by the topic name", () => {
	const { store, message, get } = storeOf(4, 200);
	store.put(message("a", "1", true));
	store.put(message("a", "2", false));
	const value = new Message(new Uint8Array(0));
	store.messages.readInto(get("a"), value);
	assert.equal(value.bytes[value.payloadStart], 0x31);
	assert.equal(get("b"), 0);
});

test("a value that finds no room: an older one that is not retained does not look current", () => {
	for (const retainedBytes of [0, 48]) {
		const { store, message } = storeOf(4, 64);
		if (retainedBytes > 0) store.put(message("other", "r".repeat(43), true));
		store.put(message("t", "old", false, 1));
		assert.deepEqual(contents(store, true).get("t"), "old false 1");
		assert.ok(store.put(message("t", "n".repeat(80), false, 2)));
		assert.equal(store.lastRecord, 0);
		assert.equal(contents(store, true).get("t"), undefined);
	}
	// a retained one stays, with the time at which it arrived
	const { store, message } = storeOf(4, 64);
	store.put(message("t", "kept", true, 1));
	store.put(message("t", "later", false, 2));
	store.put(message("t", "n".repeat(80), false, 3));
	assert.equal(contents(store, true).get("t"), "kept true 1");
	// a refused one changes nothing with QoS 1, and clears the topic with QoS 0
	store.put(message("t", "later", false, 4));
	assert.ok(!store.put(message("t", "n".repeat(80), true, 5, 1)));
	assert.equal(contents(store, true).get("t"), "later false 4");
	assert.ok(!store.put(message("t", "n".repeat(80), true, 6, 0)));
	assert.deepEqual([contents(store, true).size, contents(store, false).size], [0, 0]);
});

test("a store without room: keeps nothing, put() returns false for retained messages", () => {
	const { store, message } = storeOf(0, 0);
	assert.ok(store.put(message("a", "1", false)));
	assert.ok(!store.put(message("a", "1", true)));
	assert.equal(store.count, 0);
});
