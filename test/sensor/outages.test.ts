import assert from "node:assert/strict";
import { test } from "node:test";
import { BROKER_CLOSE_WAIT_MS } from "../../src/client/client-connection";
import { ScriptedBroker } from "../client/scripted-broker";
import { VirtualNetwork } from "../support/virtual-network";
import { HOUR, MINUTE, payloads } from "./support/payloads";
import { TestBoard } from "./support/test-board";

test("an hour without a broker: nothing is lost, attempts are spaced, wakes stay within limits", () => {
	for (const outage of ["refused", "black hole", "silent", "wifi", "wifi silent"] as const) {
		const board = new TestBoard({ sleep: { awakeLimit: 4000 } });
		board.sample = (time) => ({ temperature: Math.floor(time / MINUTE) });
		const listeners = board.network.listeners;
		const broker = new ScriptedBroker(board.network, 1883);
		board.run(10 * MINUTE - 1);
		const accept = listeners.get(1883);
		if (outage === "refused") listeners.delete(1883);
		else if (outage === "black hole") board.network.blackHoles.add(1883);
		else if (outage === "silent") board.network.serve(1883, () => {});
		else board.wifi = outage === "wifi" ? "fails" : "silent";
		board.run(HOUR);
		const tries = board.events("failed").length;
		assert.ok(tries >= 4 && tries <= 40, `${tries} tries`);
		assert.equal(board.events("sample").length, 70);
		assert.equal(board.reportCounts.lost, 0);
		if (accept) listeners.set(1883, accept);
		board.network.blackHoles.clear();
		board.wifi = "joins";
		board.run(HOUR);
		assert.equal(board.events("sample").length, 130);
		assert.deepEqual(board.reportCounts, {
			accepted: 130,
			acknowledged: 130,
			dropped: 0,
			waiting: 0,
			lost: 0,
		});
		assert.deepEqual(
			payloads(broker),
			Array.from({ length: 130 }, (_, i) => String(i)),
		);
		assert.ok(board.longestAwakeMs <= 4000, `${outage}: awake for ${board.longestAwakeMs} ms`);
	}
});

test("killed between PUBLISH and PUBACK: the report is sent again in a later wake, and counted", () => {
	const board = new TestBoard();
	let killsLeft = 3;
	const broker = new ScriptedBroker(board.network, 1883, {
		answer: (packet, connection) => {
			if (packet.cmd !== "publish" || killsLeft === 0) return false;
			killsLeft--;
			connection.end();
			return true;
		},
	});
	board.run(30 * MINUTE - 1);
	assert.deepEqual(board.reportCounts, { accepted: 30, acknowledged: 30, dropped: 0, waiting: 0, lost: 0 });
	assert.equal(
		board.events("publish").filter(({ details: [, again] }) => again).length,
		payloads(broker).length - 30,
	);
	assert.ok(payloads(broker).length > 30);
});

test("awakeLimit ends while only the broker's close is awaited: everything is delivered, and the try has not failed", () => {
	for (const qos of [1, 2] as const) {
		const network = new VirtualNetwork({ latency: 40 });
		const board = new TestBoard({ sensors: [{ qos }] }, network);
		new ScriptedBroker(network, 1883, { answer: (packet) => packet.cmd === "disconnect" });
		board.run(MINUTE / 2);
		const [acknowledged] = board.events("acknowledged");
		const [asleep] = board.events("sleep");
		assert.equal(asleep!.at - acknowledged!.at, BROKER_CLOSE_WAIT_MS + 80, "the broker does not close");
		for (const beforeSleep of [179, 99, 1]) {
			const awakeLimit = asleep!.at - beforeSleep;
			const cut = new TestBoard(
				{ sensors: [{ qos }], sleep: { awakeLimit } },
				new VirtualNetwork({ latency: 40 }),
			);
			new ScriptedBroker(cut.network, 1883, { answer: (packet) => packet.cmd === "disconnect" });
			cut.run(10 * MINUTE - 1);
			assert.deepEqual(cut.reportCounts, {
				accepted: 10,
				acknowledged: 10,
				dropped: 0,
				waiting: 0,
				lost: 0,
			});
			assert.equal(cut.longestAwakeMs, awakeLimit);
			assert.deepEqual(cut.events("failed"), []);
			assert.equal(cut.boots, 10, "no further try");
		}
	}
});

test("QoS 0: a broker that leaves closing to the client delays sleep by no more than the short wait", () => {
	for (const pipeline of [true, false])
		for (const version of [4, 5] as const) {
			const board = new TestBoard({ sensors: [{ qos: 0 }], broker: { pipeline, version } });
			const broker = new ScriptedBroker(board.network, 1883, {
				version,
				answer: (packet) => packet.cmd === "disconnect",
			});
			board.run(10 * MINUTE - 1);
			assert.deepEqual(board.reportCounts, {
				accepted: 10,
				acknowledged: 10,
				dropped: 0,
				waiting: 0,
				lost: 0,
			});
			assert.equal(payloads(broker).length, 10, "each report once");
			assert.equal(board.events("failed").length, 0);
			assert.ok(board.longestAwakeMs < board.joinTimeMs + 200 + BROKER_CLOSE_WAIT_MS);
		}
});

test("QoS 0: a connection lost before CONNACK, or before all bytes have left, has delivered nothing", () => {
	for (const lostAt of ["connect", "publish"] as const)
		for (const pipeline of [true, false]) {
			const board = new TestBoard(
				{ sensors: [{ qos: 0 }], broker: { pipeline } },
				// A socket that takes a report only in pieces: the rest is still here when the connection ends.
				new VirtualNetwork({ capacity: lostAt === "publish" ? 30 : 5744 }),
			);
			let cuts = 3;
			const broker = new ScriptedBroker(board.network, 1883, {
				accept: (connection) => {
					if (cuts === 0) return;
					cuts--;
					const { peer } = connection;
					const { onData } = peer;
					let received = 0;
					peer.onData = (bytes) => {
						received += bytes.length;
						if (lostAt === "publish") onData(bytes);
						if (lostAt === "connect" || received > 30) peer.end();
					};
				},
			});
			board.run(30 * MINUTE - 1);
			assert.equal(cuts, 0);
			assert.equal(board.reportCounts.lost, 0);
			assert.equal(board.reportCounts.waiting, 0);
			const { length } = payloads(broker);
			assert.ok(length >= 30, `${lostAt}, ${pipeline}: ${length} of 30 reports have arrived`);
		}
});

test("QoS 0 is removed from the outbox only after CONNACK and a clean close", () => {
	for (const pipeline of [true, false]) {
		const board = new TestBoard({ sensors: [{ qos: 0 }], broker: { pipeline } });
		let refuse = true;
		const broker = new ScriptedBroker(board.network, 1883, {
			answer: (packet, connection) => {
				if (packet.cmd !== "connect" || !refuse) return false;
				connection.send({ cmd: "connack", sessionPresent: false, reasonCode: 0x88 });
				connection.end();
				return true;
			},
		});
		board.run(MINUTE - 1);
		assert.equal(board.reportCounts.waiting, 1);
		refuse = false;
		board.run(30 * MINUTE);
		const { accepted, waiting, lost } = board.reportCounts;
		assert.deepEqual({ accepted, waiting, lost }, { accepted: 31, waiting: 0, lost: 0 });
		assert.ok(payloads(broker).length >= 31);
	}
});

test("a full outbox: drops are counted and reported in JSON", () => {
	for (const policy of ["dropOldest", "thin"] as const) {
		const board = new TestBoard({ payload: "json", outbox: { storage: "rtc", policy, size: 512 } });
		board.wifi = "fails";
		board.run(2 * HOUR - 1);
		const { dropped, accepted, lost } = board.reportCounts;
		assert.equal(accepted, 120);
		assert.equal(lost, 0);
		assert.ok(dropped > 80);
		board.wifi = "joins";
		const broker = new ScriptedBroker(board.network, 1883);
		board.run(HOUR);
		assert.equal(board.reportCounts.lost, 0);
		assert.equal(board.reportCounts.waiting, 0);
		const last = JSON.parse(payloads(broker).at(-1) ?? "") as { dropped: number; seq: number };
		assert.equal(last.dropped, board.events("dropped").length);
		assert.equal(payloads(broker).length, 180 - board.events("dropped").length);
	}
});

test("policy thin in an outbox that holds two reports, or one, makes room all the same", () => {
	const names = Array.from({ length: 9 }, (_, i) => `s${i}`);
	const sensors = names.map((name) => ({ name, property: [name] }));
	for (let size = 256; size <= 640; size += 16) {
		const outbox = { storage: "rtc", policy: "thin", size } as const;
		const board = new TestBoard({ payload: "json", topic: "home/{id}", sensors, outbox });
		// Doubles that take ten bytes each.
		board.sample = (time) => Object.fromEntries(names.map((name, i) => [name, Math.sqrt(time + i + 2)]));
		board.wifi = "fails";
		board.run(30 * MINUTE - 1);
		const { accepted, waiting, dropped, lost } = board.reportCounts;
		assert.deepEqual({ accepted, dropped, lost }, { accepted: 30, dropped: 30 - waiting, lost: 0 });
		assert.ok(waiting >= 1 && waiting <= 5, `${size} bytes: ${waiting}`);
		board.wifi = "joins";
		const broker = new ScriptedBroker(board.network, 1883);
		board.run(HOUR);
		assert.equal(board.reportCounts.waiting, 0);
		assert.ok(payloads(broker).length >= 55);
	}
});

test("120 waiting reports are sent in one wake", () => {
	const board = new TestBoard();
	board.wifi = "fails";
	board.run(2 * HOUR - 1);
	board.wifi = "joins";
	const broker = new ScriptedBroker(board.network, 1883);
	board.run(20 * MINUTE);
	assert.equal(board.events("dropped").length, 0);
	assert.equal(board.events("opened")[0].at > 2 * HOUR, true);
	const first = board.events("sleep").find(({ at }) => at > board.events("opened")[0].at);
	assert.equal(first?.details[1], 0);
	assert.ok(payloads(broker).length >= 120);
	assert.ok(board.longestAwakeMs < 8000);
});

test("resets at any time, also during a write to retained memory, lose nothing", () => {
	for (let seed = 1; seed <= 12; seed++) {
		const board = new TestBoard({ sensors: [{ every: 10_000 }] });
		board.retained.writesBackwards = seed % 2 === 0;
		const seen = new Set<number>();
		board.sample = (time) => ({ temperature: time });
		const broker = new ScriptedBroker(board.network, 1883);
		let state = seed * 7919;
		const random = (below: number) => {
			state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
			return Math.floor((state / 4_294_967_296) * below);
		};
		for (let i = 0; i < 40; i++) {
			board.run(random(12_000));
			if (random(2) === 0) board.reset("reset");
			else board.retained.writeBudget = random(900);
			if (random(6) === 0) board.wifi = board.wifi === "joins" ? "fails" : "joins";
		}
		board.wifi = "joins";
		board.retained.writeBudget = Infinity;
		board.run(HOUR);
		for (const text of payloads(broker)) seen.add(Number(text));
		// The last report may be in flight.
		const accepted = board
			.events("accepted")
			.flatMap(({ at, details: [sequence] }) => (at < board.time - 5000 ? [sequence] : []));
		const acknowledged = new Set(board.events("acknowledged").map(({ details: [sequence] }) => sequence));
		for (const sequence of accepted) assert.ok(acknowledged.has(sequence), `report ${sequence}`);
		assert.equal(new Set(accepted).size, accepted.length);
		// A report may be stored without an event: the next wake event counts it.
		const lastSequence =
			Math.max(...board.events("wake").map(({ details: [, nextSequence] }) => nextSequence)) - 1;
		assert.ok(acknowledged.size >= lastSequence - 1 && seen.size >= accepted.length);
		assert.equal(board.events("dropped").length, 0);
	}
});
