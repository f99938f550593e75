import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
	checkTopicName,
	matches,
	sharedFilterStart,
	validTopicFilter,
	validTopicName,
} from "../../src/mqtt/topics";
import { decodeUTF8, utf8, validUTF8 } from "../../src/mqtt/utf8";
import { topicFilter, topicName } from "./arbitrary";
import { latin1Text as latin, latin1Bytes } from "./plain-packet";

/** Copies bytes to an offset of a larger array. */
function placeInLargerArray(bytes: Uint8Array): { bytes: Uint8Array; start: number; end: number } {
	const room = new Uint8Array(bytes.length + 5).fill(0x23);
	room.set(bytes, 3);
	return { bytes: room, start: 3, end: 3 + bytes.length };
}

function name(topic: string): boolean {
	const { bytes, start, end } = placeInLargerArray(Buffer.from(topic));
	return validTopicName(bytes, start, end);
}

function filter(topic: string): boolean {
	const { bytes, start, end } = placeInLargerArray(Buffer.from(topic));
	return validTopicFilter(bytes, start, end);
}

function match(filter: string, topic: string): boolean {
	const f = placeInLargerArray(Buffer.from(filter));
	const t = placeInLargerArray(Buffer.from(topic));
	return matches(f.bytes, f.start, f.end, t.bytes, t.start, t.end);
}

describe("topic names and filters", () => {
	it("names are validated", () => {
		for (const topic of [
			"a",
			"/",
			"//",
			"a b",
			"$SYS/x",
			"Accounts payable",
			"é/\u{10ffff}",
			"a".repeat(65535),
		])
			assert.ok(name(topic), topic);
		for (const topic of ["", "#", "+", "a/#", "a/+/b", "a+", "a\0b", "a".repeat(65536)])
			assert.ok(!name(topic), topic);
	});

	it("filters are validated (the examples of §4.7.1)", () => {
		for (const topic of [
			"#",
			"sport/tennis/#",
			"+",
			"+/tennis/#",
			"sport/+/player1",
			"/+",
			"+/+",
			"/",
			"//#",
			"a",
			"$share/g/t",
			"a".repeat(65535),
		])
			assert.ok(filter(topic), topic);
		for (const topic of [
			"",
			"sport/tennis#",
			"sport/tennis/#/ranking",
			"sport+",
			"+a",
			"a/+b/c",
			"##",
			"#/",
			"++",
			"a\0",
			"a".repeat(65536),
		])
			assert.ok(!filter(topic), topic);
	});

	it("shared subscriptions are validated", () => {
		const at = (topic: string) => {
			const { bytes, start, end } = placeInLargerArray(Buffer.from(topic));
			const found = sharedFilterStart(bytes, start, end);
			return found > 0 ? latin(bytes, found, end) : found;
		};
		assert.equal(at("$share/group/a/+/#"), "a/+/#");
		assert.equal(at("$share/g//"), "/");
		for (const topic of ["a", "$share", "$sharex/g/t", "$SHARE/g/t", "$share1", "/$share/g/t", "$SYS/#"])
			assert.equal(at(topic), 0, topic);
		for (const topic of [
			"$share/",
			"$share//t",
			"$share/g",
			"$share/g/",
			"$share/+/t",
			"$share/a#b/t",
			"$share/#",
		])
			assert.equal(at(topic), -1, topic);
	});
});

describe("a received topic name, checked with a view of its bytes or without", () => {
	const check = (topic: Uint8Array): number => {
		const { bytes, start, end } = placeInLargerArray(topic);
		const code = checkTopicName(bytes, start, end);
		assert.equal(checkTopicName(bytes, start, end, new DataView(bytes.buffer)), code, `${topic}`);
		return code;
	};

	it("each byte at each place: the same result", () => {
		for (let length = 1; length <= 9; length++)
			for (let at = 0; at < length; at++)
				for (let byte = 0; byte < 256; byte++) {
					const topic = new Uint8Array(length).fill(0x61);
					topic[at] = byte;
					const code = byte === 0 || byte > 0x7f ? 0x81 : byte === 0x23 || byte === 0x2b ? 0x90 : 0;
					assert.equal(check(topic), code);
				}
	});

	it("random names: the same result", () => {
		fc.assert(fc.property(fc.uint8Array({ maxLength: 20 }), (topic) => void check(topic)));
		fc.assert(fc.property(topicName, (topic) => assert.equal(check(Buffer.from(topic)), 0)));
	});
});

describe("matching", () => {
	it("agrees with the examples of §4.7", () => {
		for (const [f, t] of [
			["sport/tennis/player1/#", "sport/tennis/player1"],
			["sport/tennis/player1/#", "sport/tennis/player1/ranking"],
			["sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon"],
			["sport/#", "sport"],
			["#", "a"],
			["#", "/"],
			["sport/tennis/+", "sport/tennis/player1"],
			["sport/+", "sport/"],
			["+/+", "/finance"],
			["/+", "/finance"],
			["$SYS/#", "$SYS/x/y"],
			["$SYS/monitor/+", "$SYS/monitor/Clients"],
			["a/$b/+", "a/$b/c"],
			["+/$x", "a/$x"],
			["+/#", "a"],
		] as const)
			assert.ok(match(f, t), `${f} ${t}`);
		for (const [f, t] of [
			["sport/tennis/+", "sport/tennis/player1/ranking"],
			["sport/+", "sport"],
			["+", "/finance"],
			["#", "$SYS/x"],
			["+/monitor/Clients", "$SYS/monitor/Clients"],
			["+", "$SYS"],
			["+/#", "$SYS/x"],
			["a", "A"],
			["a", "a/"],
			["a/", "a"],
			["a/b", "a"],
			["a/#", "ab"],
			["a/+", "a/b/c"],
		] as const)
			assert.ok(!match(f, t), `${f} ${t}`);
	});

	it("agrees with matching level by level", () => {
		const reference = (filter: string, topic: string): boolean => {
			if (topic.startsWith("$") && /^[+#]/.test(filter)) return false;
			const f = filter.split("/");
			const t = topic.split("/");
			for (let i = 0; i < f.length; i++) {
				if (f[i] === "#") return true;
				if (i >= t.length || (f[i] !== "+" && f[i] !== t[i])) return false;
			}
			return f.length === t.length;
		};
		const level = fc.constantFrom("", "a", "b", "$", "ab");
		const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join("/"));
		const filter = fc
			.tuple(fc.array(fc.oneof(level, fc.constant("+")), { maxLength: 4 }), fc.boolean())
			.map(([levels, hash]) => (hash ? [...levels, "#"] : levels).join("/"));
		fc.assert(
			fc.property(filter, topic, (filter, topic) => {
				fc.pre(filter !== "" && topic !== "");
				assert.equal(match(filter, topic), reference(filter, topic));
			}),
			{ numRuns: 5000 },
		);
	});

	it("a filter without wildcards matches itself, and # matches everything without $", () => {
		fc.assert(
			fc.property(topicName, (topic) => {
				const bytes = latin1Bytes(topic);
				assert.ok(validTopicName(bytes, 0, bytes.length));
				assert.ok(validTopicFilter(bytes, 0, bytes.length));
				assert.ok(matches(bytes, 0, bytes.length, bytes, 0, bytes.length));
				assert.equal(matches(utf8("#"), 0, 1, bytes, 0, bytes.length), !topic.startsWith("$"));
			}),
		);
		fc.assert(
			fc.property(topicFilter, (topic) => {
				const bytes = latin1Bytes(topic);
				assert.ok(validTopicFilter(bytes, 0, bytes.length));
				assert.equal(validTopicName(bytes, 0, bytes.length), !/[+#]/.test(topic));
			}),
		);
	});
});

describe("UTF-8", () => {
	const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
	const reference = (bytes: Uint8Array): boolean => {
		if (bytes.includes(0)) return false;
		try {
			decoder.decode(bytes);
			return true;
		} catch {
			return false;
		}
	};

	it("validity agrees with TextDecoder on random bytes", () => {
		const lead = fc.oneof(
			fc.integer({ min: 0, max: 255 }),
			fc.constantFrom(0x41, 0xc2, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf),
		);
		fc.assert(
			fc.property(fc.array(lead, { maxLength: 6 }), (list) => {
				const { bytes, start, end } = placeInLargerArray(Uint8Array.from(list));
				assert.equal(validUTF8(bytes, start, end), reference(Uint8Array.from(list)));
			}),
			{ numRuns: 20_000 },
		);
	});

	it("validity agrees with TextDecoder on every pair and the boundaries of longer sequences", () => {
		for (let a = 0; a < 256; a++)
			for (let b = 0; b < 256; b++) {
				for (const rest of [[], [0x80], [0x80, 0x80], [0xbf, 0x41]]) {
					const bytes = Uint8Array.of(a, b, ...rest);
					assert.equal(
						validUTF8(bytes, 0, bytes.length),
						reference(bytes),
						Buffer.from(bytes).toString("hex"),
					);
				}
			}
	});

	it("utf8() and text() are inverse, as in Buffer", () => {
		fc.assert(
			fc.property(fc.string({ unit: "binary" }), (string) => {
				fc.pre(!string.includes("\0"));
				const bytes = utf8(string);
				assert.deepEqual(Buffer.from(bytes), Buffer.from(string));
				assert.equal(decodeUTF8(bytes, 0, bytes.length), string);
			}),
		);
		assert.equal(decodeUTF8(utf8("\ufeffa"), 0, 4), "\ufeffa");
		assert.equal(decodeUTF8(utf8("é€😀"), 0, 9), "é€😀");
	});

	it("utf8() refuses U+0000 and lone surrogates", () => {
		for (const string of ["\0", "a\0", "\ud800", "\udc00a", "\ud800\ud800"])
			assert.throws(() => utf8(string), RangeError);
	});
});
