import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { findRoute, largestGrowth, mappedLength, routesOf, writeMapped } from "../../src/bridge/topic-routes";
import type { BridgeTopicSettings } from "../../src/config/types";
import { matches } from "../../src/mqtt/topics";
import { decodeUTF8, utf8 } from "../../src/mqtt/utf8";

const level = fc.constantFrom("a", "b", "ü", "", "long-level");
const prefix = fc.constantFrom("", "a/", "p", "far/away/", "ü/");
const filter = fc
	.tuple(fc.array(fc.oneof(level, fc.constant("+")), { maxLength: 3 }), fc.boolean())
	.map(([levels, open]) => [...levels, ...(open ? ["#"] : [])].join("/"))
	.filter((text) => text !== "");
const topics = fc.array(
	fc.record({
		filter,
		direction: fc.constantFrom("in", "out", "both"),
		qos: fc.constantFrom(0, 1, 2),
		localPrefix: prefix,
		remotePrefix: prefix,
	}) as fc.Arbitrary<BridgeTopicSettings>,
	{ minLength: 1, maxLength: 4 },
);
const name = fc
	.tuple(prefix, fc.array(level, { minLength: 1, maxLength: 4 }))
	.map(([start, levels]) => start + levels.join("/"))
	.filter((text) => text !== "");

function isMatch(text: string, topic: string): boolean {
	const [f, t] = [utf8(text), utf8(topic)];
	return matches(f, 0, f.length, t, 0, t.length);
}

/** The name at the other side, said with strings. */
function expectedName(rows: readonly BridgeTopicSettings[], direction: "in" | "out", topic: string) {
	for (const row of rows) {
		if (row.direction !== direction && row.direction !== "both") continue;
		const [from, to] =
			direction === "out" ? [row.localPrefix, row.remotePrefix] : [row.remotePrefix, row.localPrefix];
		if (isMatch(from + row.filter, topic) && utf8(topic).length >= utf8(from).length)
			return to + topic.slice(from.length);
	}
	return undefined;
}

/** The name that a route writes, in the array of the topic itself, before `payload`. */
function mapInPlace(rows: readonly BridgeTopicSettings[], direction: "in" | "out", topic: string) {
	const routes = routesOf(rows, direction);
	const text = utf8(topic);
	const gap = largestGrowth(routes);
	const bytes = new Uint8Array(gap + text.length + 3);
	bytes.set(text, gap);
	bytes.fill(0x70, gap + text.length);
	const route = findRoute(routes, bytes, gap, gap + text.length);
	if (route === undefined) return undefined;
	const length = mappedLength(route, text.length);
	const start = gap + text.length - length;
	assert.ok(start >= 0, "the gap is enough");
	const end = writeMapped(route, bytes, start, bytes, gap, gap + text.length);
	assert.equal(end, gap + text.length);
	assert.equal(decodeUTF8(bytes, end, bytes.length), "ppp", "what follows stays");
	return decodeUTF8(bytes, start, end);
}

describe("topics of a bridge", () => {
	test("the first row that fits decides the name at the other side, in both directions", () => {
		let mapped = 0;
		fc.assert(
			fc.property(topics, fc.constantFrom("in" as const, "out" as const), name, (rows, direction, topic) => {
				const expected = expectedName(rows, direction, topic);
				assert.equal(mapInPlace(rows, direction, topic), expected);
				if (expected !== undefined) mapped++;
			}),
			{ numRuns: 5000 },
		);
		assert.ok(mapped > 300, `${mapped} names`);
	});

	test("a name that goes out by a row for both directions comes back in as what it was", () => {
		fc.assert(
			fc.property(topics, name, (rows, topic) => {
				const row: BridgeTopicSettings = { ...rows[0]!, direction: "both" };
				const there = mapInPlace([row], "out", topic);
				if (there !== undefined && there !== "") assert.equal(mapInPlace([row], "in", there), topic);
			}),
			{ numRuns: 3000 },
		);
	});
});
