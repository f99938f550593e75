import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MessageReader } from "../../src/mdns/message-reader";
import { compareNames, labelAt, skipName } from "../../src/mdns/wire-name";
import { addressData, encode, type Parts, portData, wireName } from "./dns-message";
import { Link, type Sent } from "./link";

const NAMES = [
	"firefly.local",
	"FIREFLY.local",
	"greenhouse._mqtt._tcp.local",
	"_mqtt._tcp.local",
	"_services._dns-sd._udp.local",
	"other.local",
];
const name = fc.constantFrom(...NAMES);
const type = fc.constantFrom("A", "PTR", "TXT", "AAAA", "SRV", "NSEC", "ANY");
const data = fc.oneof(
	fc.constantFrom(addressData("10.0.0.1"), addressData("10.0.0.7")),
	fc.constantFrom(portData(1883, "firefly.local"), portData(1, "other.local")),
	name.map(wireName),
	fc.uint8Array({ maxLength: 20 }),
);
const record = fc.tuple(name, type, fc.constantFrom(0, 10, 60, 120, 4500), data, fc.boolean());
const records = fc.array(record, { maxLength: 4 });
/** A valid message about names of the host and of others. */
const message = fc
	.record({
		id: fc.nat(0xffff),
		flags: fc.constantFrom(0, 0x0200, 0x8400, 0x8000),
		questions: fc.array(fc.tuple(name, type, fc.boolean()), { maxLength: 4 }),
		answers: records,
		authority: records,
		additional: records,
	})
	.map((parts: Parts) => Uint8Array.from(encode(parts)));
/** The same with bytes changed and its end cut off or added to. */
const damaged = fc
	.tuple(
		message,
		fc.array(fc.tuple(fc.nat(400), fc.oneof(fc.nat(255), fc.constantFrom(0xc0, 0x3f, 0))), { maxLength: 6 }),
		fc.nat(400),
		fc.uint8Array({ maxLength: 10 }),
	)
	.map(([bytes, changes, length, tail]) => {
		for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
		return Uint8Array.from([...bytes.subarray(0, length), ...tail]);
	});
const input = fc.oneof(message, damaged, fc.uint8Array({ maxLength: 100 }));

test("any bytes: reading them ends, and stays within them", () => {
	fc.assert(
		fc.property(input, (bytes) => {
			const reader = new MessageReader();
			if (!reader.begin(bytes)) return;
			let entries = 0;
			while (reader.read()) {
				entries++;
				assert.ok(reader.nameAt >= 12 && reader.next <= bytes.length);
				if (reader.section > 0) assert.equal(reader.dataAt + reader.dataLength, reader.next);
			}
			assert.ok(entries <= bytes.length / 5);
		}),
		{ numRuns: 2000 },
	);
});

test("any bytes as names: skipping and comparing them ends", () => {
	fc.assert(
		fc.property(
			fc.uint8Array({ minLength: 1, maxLength: 600 }),
			fc.nat(599),
			fc.nat(599),
			fc.constantFrom(0 as const, 1 as const),
			(bytes, a, b, fold) => {
				const end = skipName(bytes, a);
				assert.ok(end === -1 || (end > a && end <= bytes.length));
				assert.ok(labelAt(bytes, a) <= a);
				const order = compareNames(bytes, a, bytes, b, fold);
				assert.ok(Object.is(order, NaN) || Math.abs(order) <= 255);
				const back = compareNames(bytes, b, bytes, a, fold);
				assert.ok(Object.is(order, NaN) || Math.sign(order) === -Math.sign(back));
			},
		),
		{ numRuns: 5000 },
	);
});

test("a name that points to itself through labels: no name", () => {
	const bytes = Uint8Array.from([1, 0x61, 0xc0, 0]);
	assert.ok(Number.isNaN(compareNames(bytes, 0, bytes, 0, 1)));
	assert.equal(labelAt(Uint8Array.from([0xc0, 0]), 0), -1);
});

test("any messages in a row: never a crash, no record to all too often, and the host answers afterwards", () => {
	fc.assert(
		fc.property(
			fc.array(fc.tuple(input, fc.nat(1500), fc.constantFrom(5353, 5353, 40_000)), { maxLength: 25 }),
			(inputs) => {
				const link = new Link();
				link.start("10.0.0.1", {
					host: "firefly",
					instance: "greenhouse",
					services: [{ type: "_mqtt._tcp", port: 1883 }],
				});
				const sent: Sent[] = link.advance(3000);
				for (const [bytes, ms, port] of inputs) {
					link.send(bytes, "10.0.0.7", port);
					sent.push(...link.advance(ms));
				}
				const rest = link.advance(30_000);
				sent.push(...rest);
				checkRates(sent);
				// Whatever others have said: the host has a name, and answers for it.
				const announcements = sent.filter(({ message }) => message.answers.some(({ type }) => type === "A"));
				const last = announcements.at(-1)!.message.answers.find(({ type }) => type === "A")!;
				link.send(Uint8Array.from(encode({ questions: [[last.name, "A"]] })));
				const [answer] = link.advance(500);
				assert.equal(answer.message.answers[0].data, "10.0.0.1");
			},
		),
		{ numRuns: 300 },
	);
});

/** Records are sent to all once a second; against a probe, which the messages here may be, every 250 ms. */
function checkRates(sent: readonly Sent[]): void {
	const last = new Map<string, number>();
	for (const { at, to, message } of sent) {
		if (to !== "224.0.0.251") continue;
		for (const { name, type, data } of [...message.answers, ...message.additional]) {
			const key = `${name} ${type} ${data}`;
			const before = last.get(key);
			assert.ok(before === undefined || at - before >= 250, `${key} after ${at - before!} ms`);
			last.set(key, at);
		}
	}
}
