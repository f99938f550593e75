import assert from "node:assert/strict";
import fc from "fast-check";
import type { Packet } from "mqtt-packet";
import { NO_PLACE_TRACE } from "../../../src/broker/delivery/router";
import type { BrokerHarness } from "./broker-harness";
import type { TestClient } from "./test-client";

const topics = ["a", "a/b", "a/b/c", "b", "/", "a//c"];
const filters = [...topics, "#", "+", "a/#", "+/b", "$share/g/a/#", "$share/h/+", "$SYS/#", "$SYS/last/a"];
const CLIENT_IDS = ["0", "one", "a-client-identifier-of-some-length"];

const client = fc.nat({ max: 3 });
const qos = fc.nat({ max: 2 });

const connect = fc.record({
	kind: fc.constant("connect" as const),
	client,
	version: fc.constantFrom(4 as const, 5 as const),
	id: fc.constantFrom(...CLIENT_IDS, ""),
	clean: fc.boolean(),
	expiry: fc.constantFrom(0, 3, 30),
	will: fc.option(
		fc.record({
			topic: fc.constantFrom(...topics),
			size: fc.constantFrom(0, 5, 60),
			qos,
			retain: fc.boolean(),
			delay: fc.nat({ max: 3 }),
		}),
	),
	properties: fc.record({
		receiveMaximum: fc.constantFrom(1, 3, 100),
		maximumPacketSize: fc.constantFrom(30, 60, 1000),
		topicAliasMaximum: fc.constantFrom(0, 1, 5),
	}),
});
const subscribe = fc.record({
	kind: fc.constant("subscribe" as const),
	client,
	filters: fc.array(
		fc.record({ topic: fc.constantFrom(...filters), qos, rh: fc.nat({ max: 2 }), rap: fc.boolean() }),
		{
			minLength: 1,
			maxLength: 4,
		},
	),
	identifier: fc.option(fc.constantFrom(1, 300)),
});
const publish = fc.record({
	kind: fc.constant("publish" as const),
	client,
	topic: fc.constantFrom(...topics),
	size: fc.constantFrom(0, 0, 1, 8, 40, 90),
	qos,
	retain: fc.boolean(),
	expiry: fc.option(fc.constantFrom(0, 1, 5)),
	alias: fc.option(fc.constantFrom(1, 2)),
});
const other = fc.record({
	kind: fc.constantFrom(
		"unsubscribe" as const,
		"drop" as const,
		"disconnect" as const,
		"freeze" as const,
		"thaw" as const,
		"answer" as const,
	),
	client,
	topic: fc.constantFrom(...filters),
});
const wait = fc.record({
	kind: fc.constant("wait" as const),
	client,
	ms: fc.constantFrom(0, 20, 500, 1500, 6000, 40_000),
});

/** One step of the random traffic. */
export const trafficAction = fc.oneof(
	{ weight: 3, arbitrary: connect },
	{ weight: 3, arbitrary: subscribe },
	{ weight: 7, arbitrary: publish },
	{ weight: 6, arbitrary: other },
	wait,
);
export type TrafficAction = typeof trafficAction extends fc.Arbitrary<infer T> ? T : never;

/**
 * Runs actions with a few clients, then closes their connections and lets all sessions expire. Fails unless
 * the broker's pools are empty then, except that of the values.
 */
export function runTraffic(harness: BrokerHarness, actions: readonly TrafficAction[]): void {
	const peers: (TestClient | undefined)[] = [];
	let messageId = 1;
	for (const action of actions) {
		if (action.kind === "wait") {
			harness.host.advance(action.ms);
			continue;
		}
		if (action.kind === "connect") {
			peers[action.client]?.drop();
			peers[action.client] = connectClient(harness, action);
			continue;
		}
		let peer = peers[action.client];
		if (peer === undefined || peer.closed) {
			peer = connectClient(harness, {
				...RECONNECT,
				id: CLIENT_IDS[action.client % CLIENT_IDS.length],
				version: action.client > 1 ? 4 : 5,
			});
			peers[action.client] = peer;
			if (peer.closed) continue;
		}
		messageId = (messageId % 20) + 1;
		const isV5 = peer.version === 5;
		switch (action.kind) {
			case "subscribe": {
				const subscriptions = action.filters.map((filter) =>
					isV5 ? filter : { topic: filter.topic, qos: filter.qos },
				);
				const properties =
					isV5 && action.identifier !== null
						? { properties: { subscriptionIdentifier: action.identifier } }
						: {};
				peer.send({ cmd: "subscribe", messageId, subscriptions, ...properties });
				break;
			}
			case "publish": {
				const { expiry, alias } = action;
				const properties = {
					...(expiry === null ? {} : { messageExpiryInterval: expiry }),
					...(alias === null ? {} : { topicAlias: alias }),
				};
				const fields = { qos: action.qos, retain: action.retain, messageId, ...(isV5 ? { properties } : {}) };
				peer.publish(action.topic, "x".repeat(action.size), fields);
				break;
			}
			case "unsubscribe":
				peer.send({ cmd: "unsubscribe", messageId, unsubscriptions: [action.topic] });
				break;
			case "drop":
				peer.drop();
				peers[action.client] = undefined;
				break;
			case "disconnect":
				peer.send({ cmd: "disconnect", ...(isV5 ? { reasonCode: 4 } : {}) });
				break;
			case "freeze":
				peer.freeze();
				break;
			case "thaw":
				peer.thaw();
				break;
			default:
				acknowledgeAll(peer);
		}
	}
	for (const peer of peers) peer?.drop();
	for (let i = 0; i < 20; i++) harness.host.advance(10_000);
	const { values: _values, valueBytes: _bytes, ...poolUsage } = harness.broker.usage;
	for (const [pool, count] of Object.entries(poolUsage)) assert.equal(count, 0, pool);
	assert.equal(harness.broker.counters.internalErrors, 0);
	assert.deepEqual(
		harness.host.traces.filter((trace) => !trace.startsWith(NO_PLACE_TRACE)),
		[],
	);
}

type ConnectAction = Extract<TrafficAction, { kind: "connect" }>;

/** CONNECT of a client that is not connected when its action is due. */
const RECONNECT: ConnectAction = {
	kind: "connect",
	client: 0,
	version: 5,
	id: "",
	clean: false,
	expiry: 30,
	will: null,
	properties: { receiveMaximum: 3, maximumPacketSize: 1000, topicAliasMaximum: 1 },
};

function connectClient(
	harness: BrokerHarness,
	{ version, id, clean, expiry, will, properties }: ConnectAction,
): TestClient {
	const peer = harness.peer(version);
	const isV5 = version === 5;
	peer.connect(id, {
		clean: clean || id === "",
		...(isV5 ? { properties: { ...properties, sessionExpiryInterval: expiry } } : {}),
		...(will === null
			? {}
			: {
					will: {
						topic: will.topic,
						payload: Buffer.alloc(will.size),
						qos: will.qos,
						retain: will.retain,
						...(isV5 ? { properties: { willDelayInterval: will.delay } } : {}),
					},
				}),
	});
	return peer;
}

/** Acknowledges all received packets. */
function acknowledgeAll(peer: TestClient): void {
	const packets: Packet[] = peer.packets.splice(0);
	for (const packet of packets) {
		const { messageId } = packet;
		if (packet.cmd === "publish" && packet.qos !== 0)
			peer.send({ cmd: packet.qos === 1 ? "puback" : "pubrec", messageId });
		else if (packet.cmd === "pubrec") peer.send({ cmd: "pubrel", messageId });
		else if (packet.cmd === "pubrel") peer.send({ cmd: "pubcomp", messageId });
	}
}
