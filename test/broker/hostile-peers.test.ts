import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { IConnackPacket } from "mqtt-packet";
import { hashOf } from "../access/password-hash";
import { BrokerHarness } from "./support/broker-harness";
import { TestClient } from "./support/test-client";

/** Sockets that a hostile host has at once; it opens a new one as soon as one is closed. */
const SOCKETS = 24;
/** Hostile hosts at once, at most. */
const HOSTS = 5;
/**
 * Turns of 10 ms in which the well-behaved client must get in. The listener's queue is served in its order:
 * three seconds until idle handshakes end quickly, then those of all the hosts in four slots, each for the
 * shortest timeout and until the next check, 100 ms each.
 */
const TURNS_TO_CONNECT = 300 + ((HOSTS * SOCKETS) / 4) * 20 + 100;
/** Turns in which it must have its own message back. */
const TURNS_TO_ANSWER = 2;
const ROUNDS = 30;

const kinds = [
	"holds connections",
	"idle handshakes",
	"half CONNECTs",
	"leaves sessions",
	"long identifiers",
	"subscribes",
	"silent without keep alive",
	"guesses passwords",
	"same identifier",
] as const;
type Kind = (typeof kinds)[number];

interface World {
	readonly harness: BrokerHarness;
	readonly users: boolean;
}

const password = (user: string) => ({ username: user, password: Buffer.from(user) });

/** A host that does one hostile thing again and again. */
class HostilePeer {
	readonly #world: World;
	readonly #kind: Kind;
	readonly #address: string;
	#open: TestClient[] = [];
	#count = 0;

	constructor(world: World, kind: Kind, address: string) {
		this.#world = world;
		this.#kind = kind;
		this.#address = address;
	}

	step(): void {
		const id = this.#kind === "same identifier" ? "sensor" : `${this.#address} ${this.#count++}`;
		const credentials = this.#world.users ? password("evil") : {};
		const lasting = { clean: false, properties: { sessionExpiryInterval: 0xffff_ffff } };
		this.#open = this.#open.filter(({ closed }) => !closed);
		if (this.#open.length >= SOCKETS) return;
		const peer = this.#connection(this.#kind === "silent without keep alive" ? 4 : 5);
		switch (this.#kind) {
			case "idle handshakes":
				return;
			case "half CONNECTs":
				peer.sendRaw(new Uint8Array([0x10, 100, 0, 4, 0x4d]));
				return;
			case "holds connections":
				peer.connect(id, credentials);
				return;
			case "silent without keep alive":
				peer.connect(id, { ...credentials, keepalive: 0 });
				return;
			case "leaves sessions":
				peer.connect(id, { ...credentials, ...lasting });
				this.#world.harness.host.advance(2);
				peer.drop();
				return;
			case "same identifier":
				// without users these would be one client to the broker, as MQTT specifies
				peer.connect(this.#world.users ? id : `${id} of another`, { ...credentials, ...lasting });
				return;
			case "long identifiers":
				peer.connect(id.padEnd(250, "x"), { ...credentials, ...lasting });
				return;
			case "subscribes":
				peer.connect(id, { ...credentials, ...lasting });
				this.#world.harness.host.advance(2);
				peer.send({
					cmd: "subscribe",
					messageId: 1,
					subscriptions: Array.from({ length: 30 }, (_, i) => ({ topic: `${i}/+/x`, qos: 0 })),
				});
				return;
			case "guesses passwords":
				peer.connect(id, { username: "anna", password: Buffer.from(id) });
		}
	}

	#connection(version: 4 | 5): TestClient {
		const { harness } = this.#world;
		const peer = new TestClient(harness.host, version, this.#address);
		harness.host.run();
		this.#open.push(peer);
		return peer;
	}
}

/** Runs a well-behaved client among hostile hosts. @returns the turns that its connection took */
function run(users: boolean, hostile: readonly Kind[], schedule: readonly number[], late: boolean): number {
	const harness = new BrokerHarness({
		users: users ? ["anna", "evil"].map((name) => ({ name, hash: hashOf(name, 100) })) : [],
		anonymous: !users,
		sessionExpiryLimit: 0xffff_ffff,
	});
	const world = { harness, users };
	const peers = hostile.map((kind, i) => new HostilePeer(world, kind, `10.0.1.${i}`));
	let at = 0;
	const turn = () => {
		for (let i = schedule[at++ % schedule.length]; i > 0; i--) peers[at++ % peers.length].step();
		harness.host.advance(10);
	};
	if (late) for (let i = 0; i < 200; i++) turn();
	const sensor = new TestClient(harness.host, 5, "10.0.0.1");
	harness.host.run();
	let connack = sensor.connect("sensor", users ? password("anna") : {}) as IConnackPacket | undefined;
	let turns = 0;
	for (; connack === undefined && turns < TURNS_TO_CONNECT; turns++) {
		turn();
		connack = sensor.shift("connack") as IConnackPacket | undefined;
	}
	assert.equal(connack?.reasonCode, 0, `CONNACK ${connack?.reasonCode} after ${turns} turns`);
	sensor.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "sensor/#", qos: 1 }] });
	assert.deepEqual(
		(sensor.shift("suback") as { granted?: number[] } | undefined)?.granted,
		[1],
		"its subscription",
	);
	for (let i = 0; i < ROUNDS; i++) {
		sensor.publish("sensor/value", `${i}`, { qos: 1, messageId: i + 1 });
		let messages: string[] = [];
		for (let wait = 0; messages.length === 0 && wait < TURNS_TO_ANSWER; wait++) {
			turn();
			const packets = sensor.publishes();
			messages = packets.map(({ payload }) => String(payload));
			for (const { messageId } of packets) sensor.send({ cmd: "puback", messageId });
		}
		assert.deepEqual(messages, [`${i}`]);
		assert.equal((sensor.shift("puback") as { reasonCode?: number } | undefined)?.reasonCode, 0);
		assert.equal(sensor.closed, false, "it stays connected");
	}
	assert.equal(harness.broker.counters.internalErrors, 0);
	return turns;
}

for (const kind of kinds)
	for (const users of [false, true])
		test(`a host that ${kind}, ${users ? "users" : "anonymous"}: others get in, stay, and are served`, (t) => {
			for (const late of [false, true]) t.diagnostic(`${run(users, [kind], [1, 2, 0, 3], late)} turns`);
		});

test("hosts with one idle handshake each, as many as there are places: a stranger is in within three seconds", () => {
	// One turn in three, one step: each host is idle on one socket before the next opens another
	const turns = run(false, ["idle handshakes", "holds connections", "half CONNECTs"], [0, 0, 1], true);
	assert.ok(turns <= 300, `${turns} turns`);
});

test("a well-behaved client among random hostile hosts: gets in, stays, and is answered at once", () => {
	fc.assert(
		fc.property(
			fc.boolean(),
			fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: HOSTS }),
			fc.array(fc.nat(3), { minLength: 3, maxLength: 12 }),
			fc.boolean(),
			(users, hostile, schedule, late) => {
				run(users, hostile, schedule, late);
			},
		),
		{ numRuns: 60 },
	);
});
