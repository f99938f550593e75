import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import {
	DEFAULT_ARENA,
	DEFAULT_STACK,
	INCOMING_IDENTIFIER,
	SLOT_SIZE,
	unitCosts,
} from "../../cli/config/memory";
import { defaults } from "../../src/config/defaults";
import { listenFields } from "../../src/config/fields/listen";
import type { ListenSettings } from "../../src/config/settings";
import { benchOnXS } from "../broker/support/xs-machine";

/** A pool or not: what is not takes nothing. */
type NumberKey = {
	[Key in keyof ListenSettings]-?: ListenSettings[Key] extends number ? Key : never;
}[keyof ListenSettings];

/**
 * Numbers of `listen` that are no sizes, or whose cost is that of connections, which the worst traffic
 * measures.
 */
const notMeasuredHere = [
	"port",
	"connections",
	"handshakes",
	"topicAliases",
	"webSockets",
	"failedAddresses",
];
const numberKeys = (Object.keys(defaults.listen) as NumberKey[]).filter(
	(key) => typeof defaults.listen[key] === "number" && !notMeasuredHere.includes(key),
);
/**
 * Tables lie in blocks of at least 1,024 bytes, the rest of the last of which is counted with the broker, and
 * views of tables with their own block take three slots more.
 */
const BLOCK = 1024 + 30 * SLOT_SIZE;

/** Bytes that one more unit takes in a table that has rows of one key and columns of another. */
const productCosts: Readonly<Partial<Record<NumberKey, number>>> = {
	sessions: INCOMING_IDENTIFIER * defaults.listen.receiveMaximum,
	receiveMaximum: INCOMING_IDENTIFIER * defaults.listen.sessions,
};

/** Measures the bytes that a broker takes at its start, with one setting changed. */
async function measureOnXS(persist: boolean, web: boolean) {
	const { machine, call } = await benchOnXS("xs-memory-bench");
	return {
		sizeWith(key: NumberKey, value: number): number {
			call(0, key, value, Number(persist), Number(web));
			machine.collect();
			machine.collect();
			const { slots, chunks } = machine.statistics;
			return slots.used * SLOT_SIZE + chunks.used;
		},
		dispose: () => machine.destroy(),
	};
}

test("the arena and stack of the model are those of the firmware", () => {
	const { creation } = JSON.parse(
		readFileSync(new URL("../../firmware/manifest.json", import.meta.url), "utf8"),
	);
	assert.equal(creation.static, DEFAULT_ARENA);
	assert.equal(creation.stack, DEFAULT_STACK);
});

describe("the model has what a unit of each pool takes on XS", () => {
	for (const persist of [false, true])
		test(persist ? "with persistence and the page" : "without", async (t) => {
			const web = persist;
			const { sizeWith, dispose } = await measureOnXS(persist, web);
			for (const key of numberKeys) {
				const from = defaults.listen[key];
				const row = listenFields[key];
				assert.ok("maximum" in row, `${key} has a range`);
				const to = Math.min(row.maximum, 9 * Math.max(8, from));
				const taken = sizeWith(key, to) - sizeWith(key, from);
				const cost = key in unitCosts ? unitCosts[key as keyof typeof unitCosts] : undefined;
				const unit =
					(productCosts[key] ?? 0) +
					(cost?.bytes ?? 0) +
					(persist ? (cost?.persisted ?? 0) : 0) +
					(web ? (cost?.web ?? 0) : 0);
				const modelled = (to - from) * unit;
				if (unit > 0 || taken > 0) t.diagnostic(`${key}: ${taken / (to - from)} bytes, ${unit} in the model`);
				assert.ok(taken <= modelled + BLOCK, `${key}: ${taken} bytes, ${modelled} in the model`);
				assert.ok(modelled <= 1.15 * taken + BLOCK, `${key}: only ${taken} bytes, ${modelled} in the model`);
			}
			dispose();
		});
});
