import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
	CONNACK,
	DISCONNECT,
	DUP,
	PUBACK,
	QOS1,
	QOS2,
	RETAIN,
	type ReasonCode,
} from "../../src/mqtt/constants";
import { Encoder } from "../../src/mqtt/encoder";
import { MQTTError } from "../../src/mqtt/error";
import { PropertyWriter } from "../../src/mqtt/property-writer";
import { connackReasonCode, connackReturnCode, reasonAllowed } from "../../src/mqtt/reasons";
import { utf8 } from "../../src/mqtt/utf8";
import { packets } from "./arbitrary";
import { bytes } from "./notation";
import { encodePlain } from "./plain-packet";

const TOPIC = utf8("a/b");
const NOTHING = new Uint8Array(0);
const HELLO = utf8("hello");

/** Asserts that `act` throws this reason code and stages nothing. */
function assertRefused(encoder: Encoder, reasonCode: number, act: () => unknown): void {
	const { length } = encoder;
	assert.throws(act, (error) => error instanceof MQTTError && error.reasonCode === reasonCode);
	assert.equal(encoder.length, length);
}

function stagedBytes(encoder: Encoder): Buffer {
	return Buffer.from(Uint8Array.from(encoder.seal()));
}

describe("staging", () => {
	it("appends packets until one does not fit", () => {
		const encoder = new Encoder({ size: 30, version: 4 });
		assert.equal(encoder.room, 30);
		assert.equal(encoder.publish(TOPIC, HELLO, 5, QOS1, 1), 14);
		assert.equal(encoder.publish(TOPIC, HELLO, 5, QOS1, 2), 14);
		assert.equal(encoder.publish(TOPIC, HELLO, 5, QOS1, 3), 0);
		assert.equal(encoder.length, 28);
		assert.equal(encoder.pingreq(), 2);
		assert.equal(encoder.room, 0);
		assert.equal(encoder.pingreq(), 0);
		assert.deepEqual(
			stagedBytes(encoder),
			Buffer.from(bytes("32 { s'a/b' 0001 'hello' } 32 { s'a/b' 0002 'hello' } c000")),
		);
	});

	it("returns 0 exactly where a packet does not fit, and keeps the staged bytes", () => {
		for (const version of [4, 5] as const) {
			const any = fc.oneof(
				...Object.values(packets(version, "client")),
				...Object.values(packets(version, "broker")),
			);
			fc.assert(
				fc.property(
					any,
					fc.integer({ min: 0, max: 5 }),
					fc.integer({ min: 0, max: 4 }),
					(packet, spare, pings) => {
						const first = new Encoder({ size: 4096, version });
						const length = encodePlain(first, packet);
						const raw = stagedBytes(first);
						assert.equal(raw.length, length);
						const encoder = new Encoder({ size: Math.max(16, length + spare), version });
						for (let i = 0; i < pings; i++) encoder.pingreq();
						const before = encoder.length;
						const fits = encoder.room >= length;
						assert.equal(encodePlain(encoder, packet), fits ? length : 0);
						assert.equal(encoder.length, fits ? before + length : before);
						assert.deepEqual(
							stagedBytes(encoder),
							Buffer.concat([Buffer.from("c000".repeat(before / 2), "hex"), ...(fits ? [raw] : [])]),
						);
					},
				),
				{ numRuns: 100 },
			);
		}
	});

	it("throws 0x95 for a packet larger than the buffer", () => {
		const encoder = new Encoder({ size: 16, version: 4 });
		encoder.pingreq();
		assertRefused(encoder, 0x95, () => encoder.publish(TOPIC, new Uint8Array(10), 10, 0, 0));
		assertRefused(encoder, 0x95, () => encoder.publishHeader(utf8("a/b/c/d/e/f/g/h"), 0, 15, 0, 0, 0));
		assertRefused(encoder, 0x95, () =>
			encoder.subscribe(1, [{ filter: utf8("a/b/c/d/e/f/g/h"), options: 0 }]),
		);
		assertRefused(encoder, 0x95, () => encoder.publishHeader(TOPIC, 0, 3, 268_435_451, 0, 0));
		assert.ok(encoder.publishHeader(TOPIC, 0, 3, 268_435_450, 0, 0) > 0);
	});

	it("seal() cuts the one view to the staged bytes; more may be staged after it", () => {
		const encoder = new Encoder({ size: 64, version: 4 });
		const { view } = encoder;
		assert.equal(view.length, 64);
		encoder.pingreq();
		assert.equal(encoder.seal(), view);
		assert.equal(view.length, 2);
		encoder.publish(TOPIC, HELLO, 5, 0, 0);
		assert.equal(view.length, 64);
		assert.deepEqual(stagedBytes(encoder), Buffer.from(bytes("c000 30 { s'a/b' 'hello' }")));
		encoder.reset();
		assert.equal(view.length, 64);
		assert.equal(encoder.length, 0);
		encoder.seal();
		assert.equal(view.length, 0);
		assert.equal(encoder.payload(HELLO, 1, 3), 2);
		assert.deepEqual(stagedBytes(encoder), Buffer.from("el"));
	});
});

describe("PUBLISH", () => {
	it("uses the start of a longer payload array, whether or not all of it would fit", () => {
		const source = utf8("21.5 and what was there before");
		for (const size of [16, 20, 64]) {
			const encoder = new Encoder({ size, version: 4 });
			encoder.publish(TOPIC, source, 4, 0, 0);
			assert.deepEqual(stagedBytes(encoder), Buffer.from(bytes("30 { s'a/b' '21.5' }")));
			if (size < 64) continue;
			encoder.pingreq();
			assert.deepEqual(stagedBytes(encoder), Buffer.from(bytes("30 { s'a/b' '21.5' } c000")));
		}
	});

	it("is the same for a repeated topic and a new one, in both versions", () => {
		const packet = fc.record({
			topic: fc.integer({ min: 1, max: 150 }),
			payload: fc.uint8Array({ maxLength: 40 }),
			spare: fc.integer({ min: 0, max: 40 }),
			flags: fc.constantFrom(0, 1, 2, 3, 4, 10),
			packetId: fc.integer({ min: 1, max: 0xffff }),
			pings: fc.integer({ min: 0, max: 30 }),
		});
		const topics = Array.from({ length: 151 }, (_, length) => new Uint8Array(length).fill(0x74));
		const reused = new Encoder({ size: 200 });
		fc.assert(
			fc.property(packet, fc.boolean(), ({ topic, payload, spare, flags, packetId, pings }, turn) => {
				if (turn) reused.version = reused.version === 4 ? 5 : 4;
				const fresh = new Encoder({ size: 200, version: reused.version });
				const source = new Uint8Array(payload.length + spare).fill(0xee);
				source.set(payload);
				reused.reset();
				reused.publish(topics[topic] as Uint8Array, source, 0, QOS1, 1);
				reused.reset();
				for (const encoder of [fresh, reused]) for (let i = 0; i < pings; i++) encoder.pingreq();
				const length = fresh.publish(
					new Uint8Array(topic).fill(0x74),
					source,
					payload.length,
					flags,
					packetId,
				);
				assert.equal(
					reused.publish(topics[topic] as Uint8Array, source, payload.length, flags, packetId),
					length,
				);
				assert.deepEqual(stagedBytes(reused), stagedBytes(fresh));
			}),
			{ numRuns: 2000 },
		);
	});

	it("publishRange: any range of an array has the bytes that publish() has for it", () => {
		const topic = fc.string({ minLength: 1, maxLength: 140, unit: fc.constantFrom("a", "/", "ü") });
		const part = fc.uint8Array({ maxLength: 200 });
		const size = fc.integer({ min: 16, max: 600 });
		const packet = fc.constantFrom(
			[0, 0],
			[RETAIN, 0],
			[QOS1, 1],
			[QOS1 | RETAIN, 256],
			[QOS2, 65_535],
			[QOS1 | DUP, 7],
		);
		const packets = fc.array(fc.tuple(topic, part, part, part, packet), { minLength: 1, maxLength: 4 });
		fc.assert(
			fc.property(fc.constantFrom(4 as const, 5 as const), size, packets, (version, size, packets) => {
				const ranges = new Encoder({ size, version });
				const wholes = new Encoder({ size, version });
				for (const [name, before, payload, behind, [flags, packetId]] of packets) {
					const prefix = before.length % 3 === 0 ? before : [];
					const topic = utf8(name);
					const bytes = Uint8Array.from([...prefix, ...topic, ...payload, ...behind]);
					const topicEnd = prefix.length + topic.length;
					const stage = (action: () => number): number | string => {
						try {
							return action();
						} catch (error) {
							return String(error);
						}
					};
					assert.deepEqual(
						stage(() =>
							ranges.publishRange(
								bytes,
								prefix.length,
								topicEnd,
								topicEnd + payload.length,
								flags!,
								packetId!,
							),
						),
						stage(() => wholes.publish(topic, payload, payload.length, flags!, packetId!)),
					);
					assert.equal(ranges.length, wholes.length);
				}
				assert.deepEqual(Buffer.from(ranges.seal()), Buffer.from(wholes.seal()));
			}),
		);
	});

	it("is validated alike for a repeated topic", () => {
		for (const version of [4, 5] as const) {
			const encoder = new Encoder({ size: 64, version });
			encoder.publish(TOPIC, HELLO, 5, QOS1, 1);
			for (const packetId of [0, -1, 65536, 65537, 131072, Number.NaN])
				assertRefused(encoder, 0x82, () => encoder.publish(TOPIC, HELLO, 5, QOS1, packetId));
			for (const length of [6, -1, 64, Number.NaN])
				assertRefused(encoder, 0x82, () => encoder.publish(TOPIC, HELLO, length, QOS1, 1));
			for (const flags of [6, 8, 9, 16, 18, -1, 14])
				assertRefused(encoder, 0x82, () => encoder.publish(TOPIC, HELLO, 5, flags, 1));
			encoder.seal();
			assert.equal(encoder.publish(TOPIC, HELLO, 5, QOS1 | RETAIN, 65535), version === 4 ? 14 : 15);
			assert.equal(encoder.view.length, 64);
		}
	});

	it("streams a payload larger than the buffer", () => {
		const payload = Uint8Array.from({ length: 1000 }, (_, i) => i);
		const source = Uint8Array.from([9, 9, ...TOPIC, 9]);
		const encoder = new Encoder({ size: 32, version: 5 });
		const written: number[] = [];
		assert.equal(encoder.publishHeader(source, 2, 5, payload.length, QOS2 | RETAIN, 7), 11);
		let at = 0;
		while (at < payload.length) {
			at += encoder.payload(payload, at, payload.length);
			written.push(...encoder.seal());
			encoder.reset();
		}
		assert.deepEqual(Buffer.from(written), Buffer.concat([bytes("35 f007 s'a/b' 0007 00"), payload]));
	});

	it("with invalid fields is refused", () => {
		const encoder = new Encoder({ size: 128, version: 5 });
		const publish =
			(flags: number, packetId: number, topic = TOPIC, properties?: PropertyWriter) =>
			() =>
				encoder.publish(topic, NOTHING, 0, flags, packetId, properties);
		assertRefused(encoder, 0x82, publish(6, 1));
		assertRefused(encoder, 0x82, publish(DUP, 0));
		assertRefused(encoder, 0x82, publish(QOS1, 0));
		assertRefused(encoder, 0x82, publish(QOS2, 65536));
		assertRefused(encoder, 0x82, publish(QOS1, Number.NaN));
		assertRefused(encoder, 0x82, publish(0, 0, NOTHING));
		assertRefused(encoder, 0x82, publish(0, 0, NOTHING, new PropertyWriter(8).messageExpiryInterval(1)));
		assertRefused(encoder, 0x90, publish(0, 0, utf8("a/#")));
		assertRefused(encoder, 0x90, publish(0, 0, utf8("+")));
		assertRefused(encoder, 0x95, publish(0, 0, new Uint8Array(65536).fill(0x61)));
		assertRefused(encoder, 0x82, publish(0, 0, TOPIC, new PropertyWriter(8).receiveMaximum(1)));
		assertRefused(encoder, 0x82, () => encoder.publish(TOPIC, HELLO, 6, 0, 0));
		assertRefused(encoder, 0x82, () => encoder.publish(TOPIC, HELLO, -1, 0, 0));
		assert.ok(publish(0, 0, NOTHING, new PropertyWriter(8).topicAlias(1))() > 0);
		encoder.version = 4;
		assertRefused(encoder, 0x82, publish(0, 0, NOTHING, new PropertyWriter(8).topicAlias(1)));
	});
});

describe("CONNECT", () => {
	const fields = { clientId: utf8("a"), keepAlive: 0, cleanStart: true };
	const will = { topic: TOPIC, payload: NOTHING, qos: 0, retain: false } as const;

	it("with invalid options is refused", () => {
		for (const version of [4, 5] as const) {
			const encoder = new Encoder({ size: 128, version });
			assertRefused(encoder, 0x82, () => encoder.connect({ ...fields, keepAlive: 65536 }));
			assertRefused(encoder, 0x82, () => encoder.connect({ ...fields, keepAlive: 1.5 }));
			assertRefused(encoder, 0x82, () => encoder.connect({ ...fields, keepAlive: -1 }));
			assertRefused(encoder, 0x81, () => encoder.connect({ ...fields, clientId: Uint8Array.of(0xff) }));
			assertRefused(encoder, 0x81, () => encoder.connect({ ...fields, username: Uint8Array.of(0) }));
			assertRefused(encoder, 0x95, () =>
				encoder.connect({ ...fields, username: utf8("u"), password: new Uint8Array(65536) }),
			);
			assertRefused(encoder, 0x90, () => encoder.connect({ ...fields, will: { ...will, topic: utf8("#") } }));
			assertRefused(encoder, 0x90, () => encoder.connect({ ...fields, will: { ...will, topic: NOTHING } }));
			assertRefused(encoder, 0x82, () => encoder.connect({ ...fields, will: { ...will, qos: 3 as 2 } }));
		}
		const four = new Encoder({ size: 128, version: 4 });
		assertRefused(four, 0x85, () => four.connect({ ...fields, clientId: NOTHING, cleanStart: false }));
		assertRefused(four, 0x82, () => four.connect({ ...fields, password: utf8("p") }));
		const five = new Encoder({ size: 128 });
		assertRefused(five, 0x82, () =>
			five.connect({ ...fields, properties: new PropertyWriter(8).topicAlias(1) }),
		);
		assertRefused(five, 0x82, () =>
			five.connect({ ...fields, properties: new PropertyWriter(8).authenticationData(NOTHING) }),
		);
		assertRefused(five, 0x82, () =>
			five.connect({
				...fields,
				will: { ...will, properties: new PropertyWriter(8).sessionExpiryInterval(1) },
			}),
		);
	});

	it("omits properties in MQTT 3.1.1", () => {
		const encoder = new Encoder({ size: 128, version: 4 });
		encoder.connect({ ...fields, properties: new PropertyWriter(8).sessionExpiryInterval(1) });
		assert.deepEqual(stagedBytes(encoder), Buffer.from(bytes("10 { s'MQTT' 04 02 0000 s'a' }")));
	});
});

describe("reason codes", () => {
	it("of a CONNACK become return codes in MQTT 3.1.1, none is invented", () => {
		for (let byte = 0; byte < 256; byte++) {
			const code = byte as ReasonCode; // also those that are none
			const encoder = new Encoder({ size: 16, version: 4 });
			const returnCode = connackReturnCode(code);
			if (returnCode < 0) assertRefused(encoder, 0x82, () => encoder.connack(false, code));
			else {
				encoder.connack(false, code);
				assert.deepEqual(stagedBytes(encoder), Buffer.of(0x20, 2, 0, returnCode));
				assert.equal(connackReturnCode(connackReasonCode(returnCode) as ReasonCode), returnCode);
			}
		}
		assert.equal(connackReasonCode(6), -1);
	});

	it("that MQTT 3.1.1 lacks are refused", () => {
		const encoder = new Encoder({ size: 16, version: 4 });
		assertRefused(encoder, 0x82, () => encoder.puback(1, 0x97));
		assertRefused(encoder, 0x82, () => encoder.pubrec(1, 0x80));
		assertRefused(encoder, 0x82, () => encoder.disconnect(4));
		assertRefused(encoder, 0x82, () => encoder.auth(0x18));
		assert.equal(encoder.puback(1, 0x10), 4);
	});

	it("of a SUBACK become 0x80 in MQTT 3.1.1", () => {
		const encoder = new Encoder({ size: 16, version: 4 });
		encoder.suback(1, Uint8Array.of(1, 0x97, 0x80, 9), 3);
		assert.deepEqual(stagedBytes(encoder), Buffer.from(bytes("90 05 0001 01 80 80")));
	});

	it("that do not belong to the packet are refused", () => {
		const encoder = new Encoder({ size: 32 });
		assertRefused(encoder, 0x82, () => encoder.connack(false, 0x10));
		assertRefused(encoder, 0x82, () => encoder.connack(true, 0x87));
		assertRefused(encoder, 0x82, () => encoder.puback(1, 0x92));
		assertRefused(encoder, 0x82, () => encoder.pubrel(1, 0x80));
		assertRefused(encoder, 0x82, () => encoder.disconnect(0x85));
		assertRefused(encoder, 0x82, () =>
			encoder.auth(0x01, new PropertyWriter(8).authenticationMethod(utf8("m"))),
		);
		assertRefused(encoder, 0x82, () => encoder.auth(0x18));
		assertRefused(encoder, 0x82, () => encoder.suback(1, Uint8Array.of(3), 1));
		assertRefused(encoder, 0x82, () => encoder.suback(1, Uint8Array.of(0), 0));
		assertRefused(encoder, 0x82, () => encoder.unsuback(1, Uint8Array.of(0), 2));
		assertRefused(encoder, 0x82, () => encoder.puback(0));
		assertRefused(encoder, 0x82, () => encoder.suback(0, Uint8Array.of(0), 1));
		assert.equal(reasonAllowed(PUBACK, 0x10, true), true);
		assert.equal(reasonAllowed(CONNACK, 0x7f, false), false);
		assert.equal(reasonAllowed(DISCONNECT, 0x8c, false), true);
		assert.equal(reasonAllowed(1, 0, false), false);
	});
});

describe("SUBSCRIBE and UNSUBSCRIBE", () => {
	it("with invalid filters are refused", () => {
		const encoder = new Encoder({ size: 128 });
		const subscribe = (filter: string, options: number) => () =>
			encoder.subscribe(1, [{ filter: utf8(filter), options }]);
		assertRefused(encoder, 0x82, () => encoder.subscribe(1, []));
		assertRefused(encoder, 0x82, () => encoder.subscribe(0, [{ filter: TOPIC, options: 0 }]));
		assertRefused(encoder, 0x8f, subscribe("", 0));
		assertRefused(encoder, 0x8f, subscribe("a#", 0));
		assertRefused(encoder, 0x8f, subscribe("$share/g", 0));
		assertRefused(encoder, 0x82, subscribe("$share/g/t", 4));
		assertRefused(encoder, 0x82, subscribe("a", 3));
		assertRefused(encoder, 0x81, subscribe("a", 0x40));
		assertRefused(encoder, 0x82, subscribe("a", 256));
		assertRefused(encoder, 0x82, () => encoder.unsubscribe(1, []));
		assertRefused(encoder, 0x82, () => encoder.unsubscribe(0, [TOPIC]));
		assertRefused(encoder, 0x8f, () => encoder.unsubscribe(1, [TOPIC, utf8("+a")]));
		assertRefused(encoder, 0x82, () =>
			encoder.unsubscribe(1, [TOPIC], new PropertyWriter(8).subscriptionIdentifier(1)),
		);
		encoder.version = 4;
		assertRefused(encoder, 0x81, subscribe("a", 4));
		assert.ok(subscribe("$share/g", 0)() > 0);
	});
});
