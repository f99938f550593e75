import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ListenSettings } from "../../src/config/settings";
import { hashOf } from "../access/password-hash";
import { type Peer, type Routing, routingOnXS } from "./support/xs-routing";

/**
 * Most computrons of one callback of the broker with the default pools, full, on XS 13.3: while it runs,
 * nobody else is served. An ESP32 executes one to two million a second.
 */
const LONGEST_TURN = 115_000;
/** Of what a single packet of the largest size can ask for, by its kind. */
const LONGEST_PACKET = 370_000;
/** Of storing the whole state, once in `persistInterval`. */
const LONGEST_SAVE = 460_000;

const TOPIC = "greenhouse/node-7/climate";
const PINGREQ = Uint8Array.of(0xc0, 0);
const DISCONNECT = Uint8Array.of(0xe0, 0);
const FILTERS = Array.from({ length: 24 }, (_, i) => `greenhouse/${i}/+`);
const will = { topic: "greenhouse/node-7/state", qos: 1, payload: 40 } as const;

/** A client that publishes a retained value to each of 32 topics. */
function fillStore(routing: Routing): Peer {
	const publisher = routing.connect(5);
	for (let i = 0; i < 32; i++)
		routing.deliver(publisher, routing.publish(publisher, 1, true, `greenhouse/node-${i}/value`, 40));
	return publisher;
}

/** Seven clients that subscribe to TOPIC, two of them with sessions that last. */
function subscribeSeven(routing: Routing, filters: readonly string[] = ["greenhouse/#"]): Peer[] {
	return Array.from({ length: 7 }, (_, i) => {
		const peer = routing.connect(i & 1 ? 4 : 5, i > 4);
		routing.subscribe(peer, filters, 2);
		return peer;
	});
}

/** Sessions that last, with a subscription each and a will, whose clients have left without DISCONNECT. */
function leaveSessions(routing: Routing, count: number): void {
	for (let i = 0; i < count; i++) {
		const peer = routing.connect(5, true, will);
		routing.subscribe(peer, ["greenhouse/#", "other"], 1);
		routing.deliver(peer, DISCONNECT);
	}
}

/** Lets time pass while a client stays. */
function waitWith(routing: Routing, peer: Peer, ms: number): void {
	for (let at = 0; at < ms; at += 10_000) {
		routing.wait(10_000);
		routing.deliver(peer, PINGREQ);
	}
}

/** What is done, after what is not counted, and what must have come of it. */
type Work = (routing: Routing) => () => void;

const WORK: Readonly<Record<string, Work>> = {
	"an update of $SYS for eight subscribers": (routing) => {
		const peers = Array.from({ length: 8 }, () => routing.connect(5));
		for (const peer of peers) routing.subscribe(peer, "$SYS/#", 0);
		routing.wait(5000);
		const before = peers.map(({ packets }) => packets);
		return () => {
			routing.wait(6000);
			for (const [i, peer] of peers.entries()) assert.equal(peer.packets - before[i], 47);
		};
	},
	"all values and topics of $SYS to a new subscriber": (routing) => {
		fillStore(routing);
		const peer = routing.connect(5);
		return () => {
			routing.subscribe(peer, ["$SYS/#", "#"], 1);
			routing.wait(2000);
			assert.equal(peer.packets, 2 + 47 + 32 + 32);
		};
	},
	"nine filters that match each of 32 values": (routing) => {
		fillStore(routing);
		const peer = routing.connect(5);
		const filters = ["#", "+/#", "+/+/+", "+/+/#", "greenhouse/#", "greenhouse/+/+", "greenhouse/+/#"];
		return () => {
			routing.subscribe(peer, [...filters, "greenhouse/+/value", "+/+/value"], 0);
			routing.wait(2000);
			assert.equal(peer.packets, 2 + 9 * 32);
		};
	},
	"24 filters that none of 32 values matches, then UNSUBSCRIBE": (routing) => {
		fillStore(routing);
		const peer = routing.connect(5);
		for (let i = 0; i < 24; i += 8) routing.subscribe(peer, FILTERS.slice(i, i + 8), 1);
		return () => {
			routing.wait(2000);
			routing.unsubscribe(peer, FILTERS);
			assert.equal(peer.packets, 1 + 3 + 1);
		};
	},
	"a client that floods seven with QoS 0": flood(0),
	"a client that floods seven with QoS 1": flood(1),
	"a client that floods seven with QoS 2": flood(2),
	"a message for seven clients by four filters of each": (routing) => {
		const publisher = routing.connect(5);
		const peers = subscribeSeven(routing, ["#", "greenhouse/#", "greenhouse/+/climate", "+/+/climate"]);
		return () => {
			routing.deliver(publisher, routing.publish(publisher, 1, true, TOPIC, 440));
			assert.ok(peers.every(({ packets }) => packets === 3));
		};
	},
	"a queue as long as it gets, to a client that reads again": (routing) => {
		const publisher = routing.connect(5);
		const peer = routing.connect(5);
		routing.subscribe(peer, "#", 0);
		routing.setRoom(peer, 0);
		for (let i = 0; i < 40; i++) routing.deliver(publisher, routing.publish(publisher, 0, false, TOPIC, 40));
		return () => {
			routing.setRoom(peer, undefined);
			assert.equal(peer.packets, 2 + 16);
		};
	},
	"a message for 14 that are away, where one has borrowed all": (routing) => {
		const publisher = routing.connect(5);
		for (let i = 0; i < 15; i++) {
			const peer = routing.connect(4, true);
			routing.subscribe(peer, i === 0 ? "greenhouse/#" : "other", 1);
			routing.lose(peer);
		}
		for (let i = 0; i < 80; i++) routing.deliver(publisher, routing.publish(publisher, 1, false, TOPIC, 60));
		return () => routing.deliver(publisher, routing.publish(publisher, 1, false, "other", 440));
	},
	"eight wills at once, as Wi-Fi is lost": (routing) => {
		for (let i = 0; i < 8; i++) routing.subscribe(routing.connect(4, true, will), "greenhouse/#", 1);
		return () => {
			routing.wait(95_000);
			// all places are free again
			for (let i = 0; i < 8; i++) assert.equal(routing.connect(4).packets, 1);
		};
	},
	"15 sessions with wills that expire at once": (routing) => {
		const stays = routing.connect(4);
		routing.subscribe(stays, "greenhouse/#", 0);
		leaveSessions(routing, 15);
		return () => {
			waitWith(routing, stays, 120_000);
			assert.equal(stays.packets, 2 + 12);
		};
	},
	"a connection, and one that takes it over": (routing) => () => {
		routing.connect(5, true, will);
		assert.equal(routing.connect(5, true, will).packets, 1);
	},
};

function flood(qos: 0 | 1 | 2): Work {
	return (routing) => {
		const publisher = routing.connect(5);
		const peers = subscribeSeven(routing, ["greenhouse/#", "greenhouse/+/climate"]);
		const packets = Array.from({ length: qos === 2 ? 8 : 32 }, (_, i) => [
			...routing.publish(publisher, qos, false, TOPIC, 40, i + 1),
		]);
		return () => {
			routing.deliver(publisher, Uint8Array.from(packets.flat()));
			routing.wait(1000);
			for (const peer of peers) assert.equal(peer.packets, 2 + (qos === 2 ? 16 : 32));
		};
	};
}

/** @returns computrons of the longest callback */
async function longest(work: Work, settings: Partial<ListenSettings> = {}): Promise<number> {
	const routing = await routingOnXS(settings);
	const run = work(routing);
	routing.longestTurn = 0;
	run();
	const { longestTurn } = routing;
	routing.destroy();
	return longestTurn;
}

describe("the longest turn on XS, all pools full", () => {
	for (const [name, work] of Object.entries(WORK))
		test(`${name}: at most ${LONGEST_TURN} computrons`, async (t) => {
			const computrons = await longest(work);
			t.diagnostic(`${computrons} computrons`);
			assert.ok(computrons <= LONGEST_TURN);
		});

	test(`a changed state, stored: at most ${LONGEST_SAVE} computrons`, async (t) => {
		const stored = new Map<string, Uint8Array>();
		const routing = await routingOnXS({ persist: true, persistInterval: 60_000 }, stored);
		const publisher = fillStore(routing);
		leaveSessions(routing, 15);
		for (let i = 0; i < 16; i++) routing.deliver(publisher, routing.publish(publisher, 1, false, TOPIC, 20));
		routing.longestTurn = 0;
		waitWith(routing, publisher, 70_000);
		t.diagnostic(`${routing.longestTurn} computrons, ${stored.size} records`);
		assert.ok(stored.size > 32 + 15 + 30);
		assert.ok(routing.longestTurn <= LONGEST_SAVE);
		routing.destroy();
	});
});

/** Packets of almost 512 bytes. */
const LARGE_PACKETS: Readonly<Record<string, (routing: Routing) => Uint8Array>> = {
	"UNSUBSCRIBE of 164 filters": () => packet(0xa2, manyFilters(164, [])),
	"SUBSCRIBE with 123 filters": () => packet(0x82, manyFilters(123, [0])),
	"PUBLISH with a topic of 200 levels": (routing) =>
		routing.publish(routing.connect(5), 1, true, `${"a/".repeat(200)}a`, 30),
};

function manyFilters(count: number, options: readonly number[]): number[] {
	return Array.from({ length: count }, (_, i) => [0, 1, 0x61 + (i % 26), ...options]).flat();
}

function packet(first: number, filters: readonly number[]): Uint8Array {
	const length = 3 + filters.length;
	return Uint8Array.of(first, (length & 127) | 128, length >> 7, 0, 7, 0, ...filters);
}

describe("one packet as large as it may be, on XS", () => {
	for (const [name, make] of Object.entries(LARGE_PACKETS))
		test(`${name}: at most ${LONGEST_PACKET} computrons`, async (t) => {
			const computrons = await longest((routing) => {
				const peer = routing.connect(5);
				routing.subscribe(peer, ["+/+/+/+/#", "+/a/+/a/#"], 1);
				const bytes = make(routing);
				assert.ok(bytes.length > 400 && bytes.length <= 512);
				return () => {
					routing.deliver(peer, bytes);
					assert.ok(peer.packets > 2);
				};
			});
			t.diagnostic(`${computrons} computrons`);
			assert.ok(computrons <= LONGEST_PACKET);
		});

	test(`CONNECT with a password of 440 bytes: at most ${LONGEST_PACKET} computrons`, async (t) => {
		const users = [{ name: "anna", hash: hashOf("anna", 1000) }];
		const computrons = await longest(
			(routing) => {
				const peer = routing.accept(5);
				const bytes = connectWithPassword(440);
				return () => routing.deliver(peer, bytes);
			},
			{ users },
		);
		t.diagnostic(`${computrons} computrons`);
		assert.ok(computrons <= LONGEST_PACKET);
	});
});

function connectWithPassword(length: number): Uint8Array {
	const body = [0, 4, ...Buffer.from("MQTT"), 5, 0xc2, 0, 60, 0, 0, 1, 0x63, 0, 4, ...Buffer.from("anna")];
	const size = body.length + 2 + length;
	return Uint8Array.of(
		0x10,
		(size & 127) | 128,
		size >> 7,
		...body,
		length >> 8,
		length & 255,
		...new Uint8Array(length).fill(0x61),
	);
}
