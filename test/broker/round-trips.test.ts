import assert from "node:assert/strict";
import { test } from "node:test";
import { BrokerHarness } from "./support/broker-harness";
import type { TestClient } from "./support/test-client";

const TURN_PACKETS = 16;
/**
 * What the broker does in a round trip of a message to oneself while nobody else is there, in messages
 * received and sent.
 */
const QUIET = 2;
/** As QUIET, whatever others do: one turn more, whose last message may have three recipients. */
const LIMIT = 2 * QUIET + TURN_PACKETS + 3;
/** For its turns, ms: the simulated network takes no time, and neither does the broker. */
const TURNS_MS = 2;
const ROUNDS = 200;

/** What a peer does in each round; called again and again. */
type Behaviour = (harness: BrokerHarness, round: number) => void;

/** A peer that has sent 20 messages more in each round when the sensor sends one. */
function flood(qos: 0 | 1): () => Behaviour {
	return () => {
		let peer: TestClient;
		return (harness, round) => {
			if (round === 0) {
				peer = harness.client("flooder", 5, { keepalive: 0 });
				for (const id of ["a", "b", "c"]) harness.client(id, 5, { keepalive: 0 }).subscribe("flood", { qos });
			}
			for (let i = 0; i < 20; i++) {
				const messageId = 1 + ((20 * round + i) % 60_000);
				const message = { cmd: "publish", topic: "flood", payload: "x".repeat(100), qos, messageId } as const;
				peer.socket.write(peer.encode({ ...message, retain: false, dup: false }));
			}
		};
	};
}

const BEHAVIOURS: Readonly<Record<string, () => Behaviour>> = {
	"nobody else": () => () => {},
	"a peer that floods with QoS 0": flood(0),
	"a peer that floods with QoS 1": flood(1),
	"a peer that stalls: it subscribes to all and reads nothing": () => (harness, round) => {
		if (round > 0) return;
		const peer = harness.client("stalls", 5, { clean: false, properties: { sessionExpiryInterval: 1000 } });
		peer.subscribe("#", { qos: 2 });
		peer.freeze();
	},
	"peers that vanish within a packet, each with a will": () => (harness, round) => {
		const will = { topic: "gone", payload: Buffer.from("x"), qos: 1, retain: true } as const;
		const peer = harness.client(`vanishes${round % 3}`, 4, { will, keepalive: 0 });
		peer.sendRaw(Uint8Array.of(0x32, 100, 0, 20, 0x61));
		peer.drop();
	},
	"a peer that hoards connections, sessions, filters and values": () => (harness, round) => {
		const peer = harness.peer(5, "10.0.9.9");
		peer.connect(`hoards${round}`, { clean: false, properties: { sessionExpiryInterval: 0xffff_ffff } });
		if (peer.closed) return;
		for (let i = 0; i < 20; i++) peer.subscribe(`hoard/${round}/${i}/+`);
		peer.publish(`hoard/${round}`, "x".repeat(300), { retain: true, qos: 1, messageId: 1 });
	},
};

for (const [name, create] of Object.entries(BEHAVIOURS))
	test(`${name}: one's own message is back after one turn of others at most`, () => {
		const harness = new BrokerHarness({ turnPackets: TURN_PACKETS });
		const { counters } = harness.broker;
		const done = () => counters.publishesReceived + counters.messagesDelivered;
		const behave = create();
		const sensor = harness.client("sensor", 5, { keepalive: 0 });
		sensor.subscribe("sensor", { qos: 1 });
		for (let round = 0; round < ROUNDS; round++) {
			behave(harness, round);
			const before = done();
			sensor.publish("sensor", `${round}`, { qos: 1, messageId: round + 1 });
			let acknowledged = false;
			let received: string[] = [];
			for (let ms = 0; !acknowledged || received.length === 0; ms++) {
				assert.ok(ms <= TURNS_MS, `round ${round}`);
				if (ms > 0) harness.host.advance(1);
				acknowledged ||= sensor.shift("puback") !== undefined;
				for (const { topic, payload, messageId } of sensor.publishes()) {
					assert.equal(topic, "sensor");
					received = [String(payload)];
					sensor.send({ cmd: "puback", messageId });
				}
			}
			assert.deepEqual(received, [`${round}`]);
			const work = done() - before;
			assert.ok(work <= (name === "nobody else" ? QUIET : LIMIT), `${work} messages in round ${round}`);
		}
		assert.equal(sensor.closed, false);
		assert.equal(counters.internalErrors, 0);
	});
