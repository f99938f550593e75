import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { headerSize } from "../../src/sensor/retained/layout";
import { RetainedState } from "../../src/sensor/retained/retained-state";
import {
	anyRetryDue,
	clearAllBackoffs,
	clearBackoff,
	isPaused,
	nextPauseEnd,
	pauseEnd,
	pauseTopic,
	refusalCount,
	wasRefused,
} from "../../src/sensor/retained/topic-backoff";
import { ScriptedBroker } from "../client/scripted-broker";
import { HOUR, MINUTE } from "./support/payloads";
import { TestBoard } from "./support/test-board";

test("a PUBACK with an error leaves the report in the outbox, and the next attempt waits", () => {
	const board = new TestBoard();
	let refusals = 2;
	new ScriptedBroker(board.network, 1883, {
		answer: (packet, connection) => {
			if (packet.cmd !== "publish" || refusals === 0) return false;
			refusals--;
			connection.send({ cmd: "puback", messageId: packet.messageId as number, reasonCode: 0x97 });
			return true;
		},
	});
	board.run(30 * MINUTE - 1);
	assert.deepEqual(board.reportCounts, { accepted: 30, acknowledged: 30, dropped: 0, waiting: 0, lost: 0 });
	assert.deepEqual(
		board.events("failed").map(({ details: [fault, reasonCode] }) => [fault, reasonCode]),
		[
			["resource", 0x97],
			["resource", 0x97],
		],
	);
});

/** A broker that rejects reports whose topic ends with `ending`, until `lifted`. */
function rejectingBroker(
	board: TestBoard,
	ending: string,
	rejection: "puback" | "disconnect" | "close" | "silence",
	version: 4 | 5 = 5,
) {
	const state = { lifted: false, refusals: 0, broker: undefined as unknown as ScriptedBroker };
	state.broker = new ScriptedBroker(board.network, 1883, {
		version,
		answer: (packet, connection) => {
			if (packet.cmd !== "publish" || !packet.topic.endsWith(ending) || state.lifted) return false;
			state.refusals++;
			if (rejection === "puback")
				connection.send({ cmd: "puback", messageId: packet.messageId as number, reasonCode: 0x87 });
			if (rejection === "disconnect") connection.send({ cmd: "disconnect", reasonCode: 0x87 });
			if (rejection === "disconnect" || rejection === "close") connection.end();
			return true;
		},
	});
	return state;
}

/** Times from acceptance of a report to its acknowledgement, ms. */
function delays(board: TestBoard): number[] {
	const accepted = new Map(board.events("accepted").map(({ at, details: [sequence] }) => [sequence, at]));
	return board
		.events("acknowledged")
		.map(({ at, details: [sequence] }) => at - (accepted.get(sequence) ?? Number.NaN));
}

const twoSensors = [
	{ name: "a", property: ["a"] },
	{ name: "b", property: ["b"] },
];
const countingSample = (time: number) => ({ a: Math.floor(time / MINUTE), b: -Math.floor(time / MINUTE) });
const countsUpTo = (count: number, sign = 1) =>
	Array.from({ length: count }, (_, i) => String(i === 0 ? 0 : sign * i));

test("a topic that is always rejected waits for its own backoff, others are sent at once", () => {
	const board = new TestBoard({ sensors: twoSensors });
	board.sample = countingSample;
	const state = rejectingBroker(board, "/b", "puback");
	board.run(2 * HOUR - 1);
	assert.deepEqual(board.reportCounts, {
		accepted: 240,
		acknowledged: 120,
		dropped: 0,
		waiting: 120,
		lost: 0,
	});
	assert.ok(delays(board).every((ms) => ms < 1000));
	const failures = board.events("failed").map(({ details }) => details);
	assert.deepEqual(
		failures,
		failures.map((_, i) => ["configuration", 0x87, i + 1]),
		"told once for each try, with the refusals in a row",
	);
	assert.ok(failures.length >= 8 && failures.length <= 22, `${failures.length} tries`);
	assert.ok(board.boots <= 120 + failures.length, "no wake but for samples and tries");
	assert.ok(
		board.traces.some((line) =>
			/^the broker does not take reports of b: Not authorized; next try in \d+[smh]$/.test(line),
		),
	);
	state.lifted = true;
	board.run(20 * MINUTE);
	assert.deepEqual(board.reportCounts, { accepted: 280, acknowledged: 280, dropped: 0, waiting: 0, lost: 0 });
	const packets = state.broker.packets.flatMap((packet) =>
		packet.cmd === "publish" && packet.topic.endsWith("/b") ? [packet.payload.toString()] : [],
	);
	assert.deepEqual([...new Set(packets.slice(state.refusals))], countsUpTo(140, -1), "in their order");
	board.run(10 * MINUTE);
	assert.ok(
		delays(board)
			.slice(-20)
			.every((ms) => ms < 1000),
	);
});

test("in a full outbox only reports of a rejected topic are dropped, by policy, and counted", () => {
	for (const policy of ["dropOldest", "thin"] as const) {
		const board = new TestBoard({ sensors: twoSensors, outbox: { storage: "rtc", policy, size: 512 } });
		board.sample = countingSample;
		rejectingBroker(board, "/b", "puback");
		board.run(4 * HOUR - 1);
		const { accepted, acknowledged, dropped, waiting, lost } = board.reportCounts;
		assert.deepEqual({ accepted, acknowledged, lost }, { accepted: 480, acknowledged: 240, lost: 0 });
		assert.ok(waiting > 5 && dropped === 240 - waiting);
		assert.ok(delays(board).every((ms) => ms < 1000));
	}
});

test("one report with all values: its topic pauses as a whole, Wi-Fi stays off meanwhile", () => {
	const board = new TestBoard({ payload: "json", topic: "home/node", sensors: twoSensors });
	board.sample = countingSample;
	const state = rejectingBroker(board, "node", "puback");
	board.run(2 * HOUR - 1);
	assert.deepEqual(board.reportCounts, { accepted: 120, acknowledged: 0, dropped: 0, waiting: 120, lost: 0 });
	const tries = board.events("failed").length;
	assert.ok(tries <= 22 && board.events("join").length === tries);
	assert.ok(state.refusals <= tries * board.settings.broker.inFlight, "of what waits, one flight a try");
	state.lifted = true;
	board.run(20 * MINUTE);
	assert.deepEqual(board.reportCounts, { accepted: 140, acknowledged: 140, dropped: 0, waiting: 0, lost: 0 });
});

test("a broker that ends the connection for one report: other reports are delivered", () => {
	for (const [rejection, version] of [
		["close", 4],
		["close", 5],
		["disconnect", 5],
		["silence", 5],
	] as const) {
		// The rejected report is the first of each wake.
		const board = new TestBoard({
			sensors: [...twoSensors].reverse(),
			broker: { version },
			outbox: { storage: "rtc", policy: "dropOldest", size: 4096 },
		});
		board.sample = countingSample;
		const state = rejectingBroker(board, "/b", rejection, version);
		board.run(2 * HOUR - 1);
		const { accepted, acknowledged, dropped, lost } = board.reportCounts;
		assert.deepEqual({ accepted, dropped, lost }, { accepted: 240, dropped: 0, lost: 0 });
		assert.ok(acknowledged >= 115, `${rejection}: ${acknowledged} acknowledged`);
		state.lifted = true;
		board.run(HOUR);
		assert.deepEqual(board.reportCounts, {
			accepted: 360,
			acknowledged: 360,
			dropped: 0,
			waiting: 0,
			lost: 0,
		});
	}
});

test("a connection that breaks now and then pauses no topic", () => {
	const board = new TestBoard({ sensors: twoSensors });
	board.sample = countingSample;
	let packets = 0;
	new ScriptedBroker(board.network, 1883, {
		answer: (packet, connection) => {
			if (packet.cmd !== "publish" || ++packets % 7 !== 0) return false;
			connection.end();
			return true;
		},
	});
	board.run(HOUR - 1);
	assert.ok(board.events("failed").length > 10);
	assert.ok(delays(board).every((ms) => ms < 15_000));
});

test("another broker clears the backoff", () => {
	const board = new TestBoard({ sensors: twoSensors });
	board.sample = countingSample;
	rejectingBroker(board, "/b", "puback");
	board.run(HOUR - 1);
	assert.equal(board.reportCounts.waiting, 60);
	board.settings = { ...board.settings, broker: { ...board.settings.broker, port: 1884 } };
	new ScriptedBroker(board.network, 1884);
	board.run(MINUTE);
	assert.equal(board.reportCounts.waiting, 0);
});

test("another broker does not inherit limits: its first flight carries all reports", () => {
	const board = new TestBoard({ sensors: twoSensors });
	board.sample = countingSample;
	new ScriptedBroker(board.network, 1883, { connack: { properties: { receiveMaximum: 1 } } });
	board.run(MINUTE - 1);
	board.settings = { ...board.settings, broker: { ...board.settings.broker, port: 1884 } };
	const broker = new ScriptedBroker(board.network, 1884, { answer: () => true });
	board.run(MINUTE);
	assert.deepEqual(broker.commands.slice(0, 3), ["connect", "publish", "publish"]);
});

test("a rejected report is sent with QoS 0 if the broker allows only QoS 0", () => {
	const board = new TestBoard({ sensors: twoSensors });
	board.sample = countingSample;
	rejectingBroker(board, "/b", "puback");
	board.run(10 * MINUTE - 1);
	const waiting = board.reportCounts.waiting;
	assert.equal(waiting, 10);
	board.network.listeners.clear();
	const broker = new ScriptedBroker(board.network, 1883, { connack: { properties: { maximumQoS: 0 } } });
	board.run(20 * MINUTE);
	assert.deepEqual(board.reportCounts, { accepted: 60, acknowledged: 60, dropped: 0, waiting: 0, lost: 0 });
	const seen = new Set(
		broker.packets.flatMap((packet) =>
			packet.cmd === "publish" && packet.qos === 0 ? [packet.payload.toString()] : [],
		),
	);
	for (const payload of countsUpTo(10, -1)) assert.ok(seen.has(payload), payload);
});

test("always on: a rejected topic is retried on the same connection, others are sent at once", () => {
	const board = new TestBoard({ sleep: { mode: "none" }, sensors: twoSensors });
	board.sample = countingSample;
	const state = rejectingBroker(board, "/b", "puback");
	board.run(2 * HOUR - 1);
	assert.equal(state.broker.commands.filter((command) => command === "connect").length, 1);
	assert.equal(board.events("acknowledged").length, 120);
	assert.ok(delays(board).every((ms) => ms < 1000));
	const tries = board.events("failed").length;
	assert.ok(tries >= 8 && tries <= 22, `${tries} tries`);
	state.lifted = true;
	board.run(HOUR);
	assert.equal(new Set(board.events("acknowledged").map(({ details: [sequence] }) => sequence)).size, 360);
	assert.equal(board.events("dropped").length, 0);
	assert.equal(board.boots, 1);
});

test("after any rejections, cut connections and resets nothing is lost", () => {
	for (let seed = 1; seed <= 10; seed++) {
		let state = seed * 7919;
		const random = (below: number) => {
			state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
			return Math.floor((state / 4_294_967_296) * below);
		};
		const sensors = Array.from({ length: 4 }, (_, i) => ({
			name: `s${i}`,
			qos: i === 3 ? (0 as const) : (1 as const),
			every: 30_000,
		}));
		const board = new TestBoard({ sensors, sleep: { mode: seed % 3 === 0 ? "none" : "deep" } });
		let disturbancesOver = false;
		new ScriptedBroker(board.network, 1883, {
			answer: (packet, connection) => {
				if (disturbancesOver || packet.cmd !== "publish" || random(3) > 0) return false;
				const disturbance = random(4);
				if (disturbance === 0) connection.end();
				else if (disturbance < 3 && packet.qos === 1)
					connection.send({
						cmd: "puback",
						messageId: packet.messageId as number,
						reasonCode: [0x80, 0x83, 0x87, 0x90, 0x97, 0x99][random(6)],
					});
				return disturbance < 3;
			},
		});
		for (let i = 0; i < 30; i++) {
			board.run(random(3 * MINUTE));
			const powerEvent = random(4);
			if (powerEvent === 0) board.reset("reset");
			else if (powerEvent === 1) board.retained.writeBudget = random(900);
		}
		board.retained.writeBudget = Infinity;
		disturbancesOver = true;
		board.run(HOUR);
		const accepted = new Set(
			board
				.events("accepted")
				.flatMap(({ at, details: [sequence] }) => (at < board.time - 5000 ? [sequence] : [])),
		);
		const acknowledged = new Set(board.events("acknowledged").map(({ details: [sequence] }) => sequence));
		for (const sequence of accepted)
			assert.ok(acknowledged.has(sequence), `seed ${seed}: report ${sequence}`);
		assert.equal(board.events("dropped").length, 0);
	}
});

test("backoff doubles up to the maximum, per topic, and is kept in retained memory", () => {
	const settings = { minimum: 5000, maximum: 60_000 };
	fc.assert(
		fc.property(
			fc.integer({ min: 0, max: 2 ** 44 }),
			fc.array(
				fc.record({
					topic: fc.integer({ min: 0, max: 2 }),
					random: fc.double({ min: 0, max: 1, noNaN: true }),
					late: fc.nat(1e9),
				}),
				{
					maxLength: 60,
				},
			),
			(start, refusals) => {
				const memory = new Uint8Array(headerSize(3) + 256);
				const retained = new RetainedState(memory, 3, 1, 256);
				retained.restore();
				let now = start;
				const failureCounts = [0, 0, 0];
				for (const { topic, random, late } of refusals) {
					now = Math.max(now, pauseEnd(retained, topic)) + late;
					assert.ok(!isPaused(retained, topic, now));
					const bound = Math.min(
						settings.minimum * 2 ** Math.min(failureCounts[topic], 20),
						settings.maximum,
					);
					const length = pauseTopic(retained, topic, now, settings, random);
					failureCounts[topic]++;
					assert.ok(length >= bound / 2 - 1 && length <= bound, `${length} of ${bound}`);
					assert.equal(pauseEnd(retained, topic), now + length);
					assert.equal(refusalCount(retained, topic), Math.min(failureCounts[topic], 31));
					assert.ok(wasRefused(retained, topic) && isPaused(retained, topic, now));
					assert.equal(
						pauseTopic(retained, topic, now, settings, random),
						0,
						"answers to what was under way change nothing",
					);
					assert.ok(nextPauseEnd(retained, now) <= now + length);
					assert.ok(anyRetryDue(retained, now + length));
				}
				retained.commit();
				const again = new RetainedState(memory, 3, 1, 256);
				assert.equal(again.restore(), "valid");
				for (let topic = 0; topic < 3; topic++)
					assert.equal(pauseEnd(again, topic), pauseEnd(retained, topic));
				if (failureCounts[1] > 0) clearBackoff(again, 1);
				assert.ok(!wasRefused(again, 1));
				clearAllBackoffs(again);
				assert.ok(!wasRefused(again, 0) && !wasRefused(again, 2) && !anyRetryDue(again, Infinity));
				assert.equal(nextPauseEnd(again, 0), Infinity);
			},
		),
	);
});
