import assert from "node:assert/strict";
import { test } from "node:test";
import { defaults } from "../../src/config/defaults";
import { ScriptedBroker } from "../client/scripted-broker";
import { Board, EPOCH } from "./support/board";

const MINUTE = 60_000;
const HOUR = 3_600_000;

/** Payloads of all PUBLISH that arrived. */
function payloads(broker: ScriptedBroker): string[] {
	return broker.packets.flatMap((packet) => (packet.cmd === "publish" ? [packet.payload.toString()] : []));
}

test("wakes each minute, reports, sleeps; the bare value under the sensor's topic", () => {
	const board = new Board();
	const broker = new ScriptedBroker(board.network, 1883);
	board.sample = (time) => ({ temperature: 20 + Math.floor(time / MINUTE) / 10 });
	board.run(HOUR - 1);
	assert.equal(board.boots, 60);
	assert.deepEqual(
		payloads(broker),
		Array.from({ length: 60 }, (_, i) => String(20 + i / 10)),
	);
	for (const packet of broker.packets)
		if (packet.cmd === "publish") {
			assert.equal(packet.topic, "home/node/temperature");
			assert.ok(packet.retain && packet.qos === 1 && !packet.dup);
		}
	assert.deepEqual(board.balance, { accepted: 60, acknowledged: 60, dropped: 0, waiting: 0, lost: 0 });
	assert.deepEqual(
		board.events("sample").map(({ at }) => at),
		Array.from({ length: 60 }, (_, i) => i * MINUTE),
	);
	assert.ok(board.awake < 1000);
	assert.equal(board.events("failed").length, 0);
});

test("JSON: one report for all sensors of a wake where the topic names none", () => {
	const board = new Board({
		payload: "json",
		topic: "{mac}/{chip}/{id}",
		sensors: [
			{ name: "temperature" },
			{ name: "humidity", property: ["humidity"], decimals: 1 },
			{ name: "ratio", property: ["deep", "ratio"], every: 2 * MINUTE, qos: 0, retain: false },
			{ name: "missing", property: ["deep", "none", "at", "all"] },
		],
	});
	const broker = new ScriptedBroker(board.network, 1883);
	let calls = 0;
	board.sample = () => {
		calls++;
		return { temperature: 23.7, humidity: 26.272, deep: { ratio: 0.00476416302416414 } };
	};
	board.run(2 * MINUTE - 1);
	assert.deepEqual(payloads(broker), [
		'{"seq":1,"time":"2015-02-02T14:19:00.000Z","temperature":23.7,"humidity":26.3,"ratio":0.00476416302416414}',
		'{"seq":2,"time":"2015-02-02T14:20:00.000Z","temperature":23.7,"humidity":26.3}',
	]);
	const publish = broker.packets.find((packet) => packet.cmd === "publish");
	assert.equal(publish?.cmd === "publish" && publish.topic, "a0b1c2d3e4f5/test/node");
	assert.equal(calls, 2, "sensors of one driver share its reading");
});

test("a wake with nothing to say never raises Wi-Fi; the heartbeat does", () => {
	const board = new Board({ sensors: [{ delta: 0.2, heartbeat: 15 * MINUTE }] });
	const broker = new ScriptedBroker(board.network, 1883);
	let value = 20;
	board.sample = () => ({ temperature: value });
	board.run(20 * MINUTE - 1);
	assert.equal(board.events("join").length, 2);
	assert.equal(board.events("filtered").length, 18);
	value = 20.1;
	board.run(5 * MINUTE);
	assert.equal(board.events("join").length, 2);
	value = 20.2;
	board.run(MINUTE);
	assert.deepEqual(payloads(broker), ["20", "20", "20.2"]);
});

test("an hour without a broker: nothing lost, samples go on, tries are spaced out, no wake beyond its limit", () => {
	for (const outage of ["refused", "black hole", "silent", "wifi", "wifi silent"] as const) {
		const board = new Board({ sleep: { awakeLimit: 4000 } });
		board.sample = (time) => ({ temperature: Math.floor(time / MINUTE) });
		const healthy = board.network.listeners;
		const broker = new ScriptedBroker(board.network, 1883);
		board.run(10 * MINUTE - 1);
		const accept = healthy.get(1883);
		if (outage === "refused") healthy.delete(1883);
		else if (outage === "black hole") board.network.blackHoles.add(1883);
		else if (outage === "silent") board.network.serve(1883, () => {});
		else board.wifi = outage === "wifi" ? "fails" : "silent";
		board.run(HOUR);
		const tries = board.events("failed").length;
		assert.ok(tries >= 4 && tries <= 40, `${tries} tries`);
		assert.equal(board.events("sample").length, 70);
		assert.equal(board.balance.lost, 0);
		if (accept) healthy.set(1883, accept);
		board.network.blackHoles.clear();
		board.wifi = "joins";
		board.run(HOUR);
		assert.equal(board.events("sample").length, 130);
		assert.deepEqual(board.balance, { accepted: 130, acknowledged: 130, dropped: 0, waiting: 0, lost: 0 });
		assert.deepEqual(
			payloads(broker),
			Array.from({ length: 130 }, (_, i) => String(i)),
		);
		assert.ok(board.awake <= 4000, `${outage}: awake for ${board.awake} ms`);
	}
});

test("killed between PUBLISH and PUBACK: sent again in a later wake, and counted", () => {
	const board = new Board();
	let kills = 3;
	const broker = new ScriptedBroker(board.network, 1883, {
		answer: (packet, connection) => {
			if (packet.cmd !== "publish" || kills === 0) return false;
			kills--;
			connection.end();
			return true;
		},
	});
	board.run(30 * MINUTE - 1);
	assert.deepEqual(board.balance, { accepted: 30, acknowledged: 30, dropped: 0, waiting: 0, lost: 0 });
	assert.equal(board.events("publish").filter(({ b }) => b === 1).length, payloads(broker).length - 30);
	assert.ok(payloads(broker).length > 30);
});

test("a broker that refuses packets before CONNACK: the node waits from then on, in the same wake, also after sleep", () => {
	const board = new Board();
	const broker = new ScriptedBroker(board.network, 1883, {
		answer: (packet, connection) => {
			if (packet.cmd === "connect") {
				board.network.clock.after(5, () => {
					if (broker.commands.at(-1) === "connect") connection.send({ cmd: "connack", sessionPresent: false, reasonCode: 0 });
					else connection.end();
				});
				return true;
			}
			return packet.cmd === "publish" && broker.times.at(-1) === broker.times.at(-2);
		},
	});
	board.run(3 * MINUTE - 1);
	assert.deepEqual(
		board.events("open").map(({ a }) => a),
		[1, 0, 0, 0],
	);
	assert.equal(board.boots, 3);
	assert.equal(board.events("failed").length, 0);
	assert.deepEqual(board.balance, { accepted: 3, acknowledged: 3, dropped: 0, waiting: 0, lost: 0 });
});

test("a broker that fails once before CONNACK is not taken for one that refuses early packets", () => {
	const board = new Board();
	let failures = 2;
	new ScriptedBroker(board.network, 1883, {
		answer: (packet, connection) => {
			if (packet.cmd !== "connect" || failures === 0) return false;
			failures--;
			connection.end();
			return true;
		},
	});
	board.run(4 * MINUTE - 1);
	const pipelined = board.events("open").map(({ a }) => a);
	assert.deepEqual(pipelined.slice(0, 2), [1, 0], "tried again without them, and failed the same");
	assert.ok(pipelined.length > 2 && pipelined.slice(2).every((a) => a === 1));
	assert.equal(board.balance.lost, 0);
});

test("the last CONNACK's limits hold for the next first flight", () => {
	const board = new Board({ sensors: Array.from({ length: 6 }, (_, i) => ({ name: `s${i}` })) });
	const broker = new ScriptedBroker(board.network, 1883, { connack: { properties: { receiveMaximum: 2 } } });
	board.run(2 * MINUTE - 1);
	const second = broker.commands.lastIndexOf("connect");
	const flight = broker.packets.slice(second + 1).filter((_, i) => broker.times[second + 1 + i] === broker.times[second]);
	assert.equal(flight.length, 2);
	assert.deepEqual(board.balance, { accepted: 12, acknowledged: 12, dropped: 0, waiting: 0, lost: 0 });
});

test("QoS 0 leaves the outbox only after CONNACK and a clean close", () => {
	for (const pipeline of [true, false]) {
		const board = new Board({ sensors: [{ qos: 0 }], broker: { pipeline } });
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
		assert.equal(board.balance.waiting, 1);
		refuse = false;
		board.run(30 * MINUTE);
		const { accepted, waiting, lost } = board.balance;
		assert.deepEqual({ accepted, waiting, lost }, { accepted: 31, waiting: 0, lost: 0 });
		assert.ok(payloads(broker).length >= 31);
	}
});

test("a PUBACK that says no leaves the report in the outbox, and the next try waits", () => {
	const board = new Board();
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
	assert.deepEqual(board.balance, { accepted: 30, acknowledged: 30, dropped: 0, waiting: 0, lost: 0 });
	assert.deepEqual(
		board.events("failed").map(({ a, b }) => [a, b]),
		[
			[2, 0x97],
			[2, 0x97],
		],
	);
});

test("a report larger than the broker takes is given up and counted, not tried for ever", () => {
	const board = new Board({ payload: "json" });
	new ScriptedBroker(board.network, 1883, { connack: { properties: { maximumPacketSize: 40 } } });
	board.run(3 * MINUTE - 1);
	// The first left before the limit was known.
	assert.deepEqual(board.balance, { accepted: 3, acknowledged: 1, dropped: 2, waiting: 0, lost: 0 });
});

test("drivers that throw, are missing or read nothing never stop the node", () => {
	class Thrower {
		constructor() {
			throw new Error("no such chip");
		}
		configure() {}
		sample() {
			return undefined;
		}
		close() {}
	}
	class Fickle {
		#count = 0;
		configure() {}
		sample() {
			if (this.#count++ % 2 === 0) throw new Error("bus error");
			return { temperature: 1 };
		}
		close() {
			throw new Error("close");
		}
	}
	const board = new Board({
		sensors: [
			{ name: "a", driver: "thrower" },
			{ name: "b", driver: "fickle" },
			{ name: "c", driver: "nowhere" },
			{ name: "d" },
			{ name: "e", property: ["nan"] },
			{ name: "f", property: ["on"] },
		],
	});
	board.drivers = { thrower: Thrower, fickle: Fickle };
	const broker = new ScriptedBroker(board.network, 1883);
	board.sample = (time) => (time < 5 * MINUTE ? { temperature: 2, nan: NaN, on: true } : undefined);
	board.run(10 * MINUTE - 1);
	assert.equal(board.boots, 10);
	assert.deepEqual(payloads(broker).sort(), [..."1111122222"]);
	assert.equal(board.events("sample").filter(({ b }) => Number.isNaN(b)).length, 60 - 10);
	assert.equal(board.events("failed").length, 0);
});

test("a full outbox: drops are counted and told in JSON", () => {
	for (const policy of ["dropOldest", "thin"] as const) {
		const board = new Board({ payload: "json", outbox: { storage: "rtc", policy, size: 512 } });
		board.wifi = "fails";
		board.run(2 * HOUR - 1);
		const { dropped, accepted, lost } = board.balance;
		assert.equal(accepted, 120);
		assert.equal(lost, 0);
		assert.ok(dropped > 80);
		board.wifi = "joins";
		const broker = new ScriptedBroker(board.network, 1883);
		board.run(HOUR);
		assert.equal(board.balance.lost, 0);
		assert.equal(board.balance.waiting, 0);
		const last = JSON.parse(payloads(broker).at(-1) ?? "") as { dropped: number; seq: number };
		assert.equal(last.dropped, board.events("dropped").length);
		assert.equal(payloads(broker).length, 180 - board.events("dropped").length);
	}
});

test("120 reports that waited leave in one wake", () => {
	const board = new Board();
	board.wifi = "fails";
	board.run(2 * HOUR - 1);
	board.wifi = "joins";
	const broker = new ScriptedBroker(board.network, 1883);
	board.run(20 * MINUTE);
	assert.equal(board.events("dropped").length, 0);
	assert.equal(board.events("opened")[0].at > 2 * HOUR, true);
	const first = board.events("sleep").find(({ at }) => at > board.events("opened")[0].at);
	assert.equal(first?.b, 0);
	assert.ok(payloads(broker).length >= 120);
	assert.ok(board.awake < 8000);
});

test("times of samples taken before the clock was known are put right", () => {
	const board = new Board({ payload: "json", time: { server: "time" } });
	board.clockIsSet = false;
	board.wallError = -EPOCH;
	board.wifi = "fails";
	board.setClock = (server, callback) => {
		assert.equal(server, "time");
		board.network.clock.after(50, () => {
			board.clockIsSet = true;
			board.wallError = 0;
			callback(true);
		});
	};
	const broker = new ScriptedBroker(board.network, 1883);
	board.run(5 * MINUTE - 1);
	board.wifi = "joins";
	board.run(30 * MINUTE);
	const times = payloads(broker).map((payload) => Date.parse((JSON.parse(payload) as { time: string }).time));
	assert.deepEqual(
		times.slice(0, 10),
		Array.from({ length: 10 }, (_, i) => EPOCH + i * MINUTE),
	);
	assert.equal(board.balance.lost, 0);
});

test("without an answer from the time server reports leave without a time", () => {
	for (const setClock of [
		() => {},
		() => {
			throw new Error("no");
		},
		(_: string, callback: (set: boolean) => void) => callback(false),
	]) {
		const board = new Board({ payload: "json", time: { server: "time" } });
		board.clockIsSet = false;
		board.wallError = -EPOCH;
		board.setClock = setClock;
		const broker = new ScriptedBroker(board.network, 1883);
		board.run(2 * MINUTE);
		assert.equal(payloads(broker)[0], '{"seq":1,"time":null,"temperature":20}');
		assert.ok(board.awake <= 8000);
	}
});

test("a host that forgets wall time in sleep: it is known after the first answer", () => {
	const board = new Board({ payload: "json", time: { server: "time" } });
	board.clockIsSet = false;
	let asked = 0;
	board.setClock = (_, callback) => {
		asked++;
		board.clockIsSet = true;
		callback(true);
	};
	const broker = new ScriptedBroker(board.network, 1883);
	for (let i = 0; i < 10; i++) {
		board.run(i === 0 ? 30_000 : MINUTE);
		board.clockIsSet = false;
	}
	assert.equal(asked, 1);
	const times = payloads(broker).map((payload) => (JSON.parse(payload) as { time: string }).time);
	assert.deepEqual(
		times,
		Array.from({ length: 10 }, (_, i) => new Date(EPOCH + i * MINUTE).toISOString()),
	);
});

test("sleeps that last longer than ordered, and the time to boot, are made up for: the grid is kept", () => {
	for (const drift of [0.02, -0.03]) {
		const board = new Board({ sensors: [{ grid: true }] });
		board.drift = drift;
		board.bootTime = 300;
		new ScriptedBroker(board.network, 1883);
		board.run(2 * HOUR - 1000);
		const samples = board.events("sample");
		assert.ok(samples.length >= 119 && samples.length <= 121, `${samples.length} samples`);
		for (const { at } of samples.slice(30)) assert.ok((at + 30_000) % MINUTE >= 29_500 && (at + 30_000) % MINUTE < 30_500, `${at % MINUTE}`);
		assert.ok(board.boots <= samples.length + 8, `${board.boots} boots for ${samples.length} samples`);
	}
});

test("a clock that jumps brings neither a double wake nor a burst", () => {
	const board = new Board({ sensors: [{ grid: true }] });
	const broker = new ScriptedBroker(board.network, 1883);
	board.run(10 * MINUTE - 1);
	board.wallError = 7 * HOUR + 20_000;
	board.run(10 * MINUTE);
	board.wallError = -5 * HOUR - 10_000;
	board.run(10 * MINUTE);
	const samples = board.events("sample");
	assert.ok(samples.length >= 28 && samples.length <= 31);
	for (let i = 1; i < samples.length; i++) assert.ok(samples[i].at - samples[i - 1].at >= 29_000);
	assert.equal(payloads(broker).length, samples.length);
});

test("a changed sensor list: what waited is given up and counted, and the new one starts", () => {
	const board = new Board();
	board.wifi = "fails";
	board.run(5 * MINUTE - 1);
	board.settings = { ...board.settings, sensors: [...board.settings.sensors, { ...board.settings.sensors[0], name: "other" }] };
	board.wifi = "joins";
	new ScriptedBroker(board.network, 1883);
	board.run(20 * MINUTE);
	assert.equal(board.events("dropped").length, 5);
	assert.equal(board.balance.lost, 0);
	assert.equal(board.events("accepted").find(({ at }) => at >= 5 * MINUTE)?.a, 6);
});

test("values recorded together are not cut to the first one when the settings ask for bare values", () => {
	const sensors = [{ name: "a" }, { name: "b" }];
	for (const policy of ["dropOldest", "thin"] as const) {
		const outbox = { ...defaults.outbox, policy, size: 256 };
		const board = new Board({ payload: "json", topic: "home/{id}", sensors, outbox });
		board.wifi = "fails";
		board.run(5 * MINUTE - 1);
		board.settings = { ...board.settings, payload: "value", topic: "home/node/{sensor}" };
		board.wifi = "joins";
		new ScriptedBroker(board.network, 1883);
		board.run(20 * MINUTE);
		assert.equal(board.events("dropped").length, 5);
		assert.equal(board.balance.lost, 0);
	}
});

test("resets anywhere, also amid a write to retained memory, lose nothing", () => {
	for (let seed = 1; seed <= 12; seed++) {
		const board = new Board({ sensors: [{ every: 10_000 }] });
		board.retained.backwards = seed % 2 === 0;
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
			else board.retained.budget = random(900);
			if (random(6) === 0) board.wifi = board.wifi === "joins" ? "fails" : "joins";
		}
		board.wifi = "joins";
		board.retained.budget = Infinity;
		board.run(HOUR);
		for (const text of payloads(broker)) seen.add(Number(text));
		// The last one may be under way.
		const accepted = board.events("accepted").flatMap(({ a, at }) => (at < board.time - 5000 ? [a] : []));
		const acknowledged = new Set(board.events("acknowledged").map(({ a }) => a));
		for (const sequence of accepted) assert.ok(acknowledged.has(sequence), `report ${sequence}`);
		assert.equal(new Set(accepted).size, accepted.length);
		// A report may be safe without having been told: in the wake event it is counted.
		const told = Math.max(...board.events("wake").map(({ b }) => b)) - 1;
		assert.ok(acknowledged.size >= told - 1 && seen.size >= accepted.length);
		assert.equal(board.events("dropped").length, 0);
	}
});

test("no broker or no sensors: says so and sleeps", () => {
	for (const overrides of [{ broker: { host: "" } }, { sensors: [] }]) {
		const board = new Board(overrides);
		board.run(HOUR);
		assert.equal(board.boots, 1);
		assert.equal(board.awake, 0);
		assert.ok(board.traces.some((line) => line.startsWith("no ")));
		assert.equal(board.events("join").length, 0);
	}
});

test("too little retained memory: works from RAM and says so", () => {
	const board = new Board();
	Object.assign(board, { retained: { memory: new Uint8Array(100), bytes: new Uint8Array(100), budget: Infinity, backwards: false } });
	const broker = new ScriptedBroker(board.network, 1883);
	board.run(3 * MINUTE - 1);
	assert.equal(payloads(broker).length, 3);
	assert.ok(board.traces.some((line) => line.includes("too small")));
});
