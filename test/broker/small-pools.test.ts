import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { listenFields } from "../../src/config/fields/listen";
import type { ListenSettings } from "../../src/config/settings";
import { BrokerHarness } from "./support/broker-harness";
import { runTraffic, trafficAction } from "./support/random-traffic";

/** Settings that size a pool or set a limit. */
const poolNames = [
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
	"assemblyBytes",
	"sessionExpiryLimit",
	"systemInterval",
	"keepAliveLimit",
	"turnPackets",
	"turnBytes",
] as const;
type Pool = (typeof poolNames)[number];

const limits = listenFields;
const actionLists = fc.array(trafficAction, { minLength: 20, maxLength: 80 });
const shortTimeouts = { connectTimeout: 1000, sessionExpiryLimit: 30, keepAliveLimit: 60 };

/** Values from the minimum of the configuration to slightly above it. */
const small = fc.record(
	Object.fromEntries(
		poolNames.map((pool) => [
			pool,
			fc.integer({
				min: limits[pool].minimum,
				max: limits[pool].minimum + (/Bytes|Size/.test(pool) ? 64 : 3),
			}),
		]),
	) as Record<Pool, fc.Arbitrary<number>>,
);

function smallest(): Record<Pool, number> {
	return Object.fromEntries(poolNames.map((pool) => [pool, limits[pool].minimum])) as Record<Pool, number>;
}

describe("small pools", () => {
	test("minimum sizes: a client can subscribe and publish", () => {
		const harness = new BrokerHarness({ ...smallest(), handshakes: 1 });
		const peer = harness.client("a", 4);
		peer.subscribe("t", { qos: 1 });
		peer.publish("t", "1", { qos: 1, messageId: 1 });
		assert.deepEqual(peer.messages(), ["t=1"]);
	});

	test("random traffic, all pools small: no exception, and the pools are empty at the end", () => {
		fc.assert(
			fc.property(
				small,
				fc.constantFrom("retained" as const, "every" as const),
				actionLists,
				(settings, lastValue, actions) => {
					runTraffic(
						new BrokerHarness({
							...settings,
							...shortTimeouts,
							lastValue,
							systemInterval: settings.systemInterval * 1000,
						}),
						actions,
					);
				},
			),
			{ numRuns: 400 },
		);
	});

	test("random traffic, one pool small: no exception, and the pools are empty at the end", () => {
		fc.assert(
			fc.property(fc.constantFrom(...poolNames), fc.nat({ max: 3 }), actionLists, (pool, more, actions) => {
				runTraffic(new BrokerHarness({ ...shortTimeouts, [pool]: limits[pool].minimum + more }), actions);
			}),
			{ numRuns: 400 },
		);
	});

	test("random traffic, some pools of size 0: no exception, and the pools are empty at the end", () => {
		// a packet needs some size, and a receive maximum of 0 is a protocol error (§3.2.2.3.3)
		const empty: readonly Pool[] = poolNames.filter(
			(pool) => pool !== "packetSize" && pool !== "receiveMaximum",
		);
		fc.assert(
			fc.property(fc.subarray([...empty], { minLength: 1 }), actionLists, (emptyPools, actions) => {
				const settings: Partial<ListenSettings> = {
					...shortTimeouts,
					...Object.fromEntries(emptyPools.map((pool) => [pool, 0])),
				};
				runTraffic(new BrokerHarness(settings), actions);
			}),
			{ numRuns: 400 },
		);
	});
});
