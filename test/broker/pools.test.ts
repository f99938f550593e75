import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ranges } from "../../src/config/ranges";
import type { ListenSettings } from "../../src/config/settings";
import { play, turn } from "./support/traffic";
import { World } from "./support/world";

/** The pools, and the settings that are like them. */
const pools = [
	"connections",
	"handshakes",
	"sessions",
	"subscriptions",
	"sessionBytes",
	"filterLevels",
	"filterBytes",
	"retainedTopics",
	"retainedBytes",
	"inFlight",
	"receiveMaximum",
	"queuedPerClient",
	"queuedMessages",
	"queuedBytes",
	"packetSize",
	"topicAliases",
	"aliasBytes",
	"sessionExpiryLimit",
	"systemInterval",
	"keepAliveLimit",
] as const;
type Pool = (typeof pools)[number];

const limits = ranges.listen;
const turns = fc.array(turn, { minLength: 20, maxLength: 80 });
const quick = { connectTimeout: 1000, sessionExpiryLimit: 30, keepAliveLimit: 60 };

/** From the smallest that can be configured upwards, a little. */
const small = fc.record(
	Object.fromEntries(
		pools.map((pool) => [pool, fc.integer({ min: limits[pool].minimum, max: limits[pool].minimum + (/Bytes|Size/.test(pool) ? 64 : 3) })]),
	) as Record<Pool, fc.Arbitrary<number>>,
);

function smallest(): Record<Pool, number> {
	return Object.fromEntries(pools.map((pool) => [pool, limits[pool].minimum])) as Record<Pool, number>;
}

describe("small pools", () => {
	test("the smallest of all serve", () => {
		const world = new World({ ...smallest(), handshakes: 1 });
		const peer = world.client("a", 4);
		peer.subscribe("t", { qos: 1 });
		peer.publish("t", "1", { qos: 1, messageId: 1 });
		assert.deepEqual(peer.messages(), ["t=1"]);
	});

	test("random traffic with small pools of every kind: nothing is thrown, and they are empty in the end", () => {
		fc.assert(
			fc.property(small, fc.constantFrom("retained" as const, "every" as const), turns, (settings, lastValue, played) => {
				play(new World({ ...settings, ...quick, lastValue, systemInterval: settings.systemInterval * 1000 }), played);
			}),
			{ numRuns: 400 },
		);
	});

	test("random traffic with the default pools and one that is small", () => {
		fc.assert(
			fc.property(fc.constantFrom(...pools), fc.nat({ max: 3 }), turns, (pool, more, played) => {
				play(new World({ ...quick, [pool]: limits[pool].minimum + more }), played);
			}),
			{ numRuns: 400 },
		);
	});

	test("none at all, which only code can ask for: refused by the protocol's means, and nothing is thrown", () => {
		// a packet has to have some size, and a receive maximum of 0 cannot be told (§3.2.2.3.3)
		const empty: readonly Pool[] = pools.filter((pool) => pool !== "packetSize" && pool !== "receiveMaximum");
		fc.assert(
			fc.property(fc.subarray([...empty], { minLength: 1 }), turns, (none, played) => {
				const settings: Partial<ListenSettings> = { ...quick, ...Object.fromEntries(none.map((pool) => [pool, 0])) };
				play(new World(settings), played);
			}),
			{ numRuns: 400 },
		);
	});
});
