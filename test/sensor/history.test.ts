import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IPublishPacket } from "mqtt-packet";
import { type BrokerScript, ScriptedBroker } from "../client/scripted-broker";
import { HOUR, MINUTE } from "./support/payloads";
import { EPOCH, type Overrides, TestBoard } from "./support/test-board";

interface Sample {
	readonly seq: number;
	readonly time: string | null;
	readonly dropped?: number;
	readonly [sensor: string]: unknown;
}

const sensors = ["a", "b"].map((name) => ({ name, property: [name], every: 10 * MINUTE }));

function start(overrides: Overrides = {}, script: Partial<BrokerScript> = {}) {
	const board = new TestBoard({ payload: "history", sensors, ...overrides });
	board.sample = (time) => ({ a: Math.floor(time / MINUTE), b: 1000 + Math.floor(time / MINUTE) });
	const broker = new ScriptedBroker(board.network, 1883, script);
	return { board, broker };
}

function publishes(broker: ScriptedBroker): IPublishPacket[] {
	return broker.packets.filter((packet) => packet.cmd === "publish");
}

function samplesOf({ payload }: IPublishPacket): Sample[] {
	return JSON.parse(payload.toString()) as Sample[];
}

/** Sequence numbers by topic, in the order of arrival. */
function arrivals(broker: ScriptedBroker): Map<string, number[]> {
	const all = new Map<string, number[]>();
	for (const packet of publishes(broker)) {
		const numbers = all.get(packet.topic) ?? [];
		numbers.push(...samplesOf(packet).map(({ seq }) => seq));
		all.set(packet.topic, numbers);
	}
	return all;
}

function assertAllArrived(board: TestBoard, broker: ScriptedBroker): void {
	// The wake of this minute ends
	board.run(MINUTE);
	const { accepted, waiting, lost, dropped } = board.reportCounts;
	assert.deepEqual({ waiting, lost, dropped }, { waiting: 0, lost: 0, dropped: 0 });
	const numbers = new Set([...arrivals(broker).values()].flat());
	assert.equal(numbers.size, accepted);
}

describe('payload "history"', () => {
	test("a report in time: an array of one object", () => {
		const { board, broker } = start();
		board.run(MINUTE);
		assert.deepEqual(
			publishes(broker).map((packet) => [packet.topic, packet.payload.toString()]),
			[
				["home/node/a", '[{"seq":1,"time":"2015-02-02T14:19:00.000Z","a":0}]'],
				["home/node/b", '[{"seq":2,"time":"2015-02-02T14:19:00.000Z","b":1000}]'],
			],
		);
	});

	for (const version of [4, 5] as const)
		for (const pipeline of [true, false])
			test(`MQTT ${version}, pipeline ${pipeline}, an outage of six hours: few messages, every sample once, in order`, () => {
				const { board, broker } = start({ broker: { version, pipeline } }, { version });
				board.wifi = "fails";
				board.run(6 * HOUR);
				board.wifi = "joins";
				board.run(HOUR);
				assertAllArrived(board, broker);
				for (const [topic, numbers] of arrivals(broker)) {
					assert.deepEqual(
						numbers,
						[...numbers].sort((x, y) => x - y),
						topic,
					);
					assert.equal(new Set(numbers).size, numbers.length, topic);
				}
				for (const packet of publishes(broker)) {
					assert.ok(packet.length! + 3 <= 512, `${packet.length} bytes`);
					for (const sample of samplesOf(packet)) {
						const at = Date.parse(sample.time!) - EPOCH;
						assert.equal(at % (10 * MINUTE), 0);
						const minutes = at / MINUTE;
						assert.equal(
							sample[packet.topic.slice(-1)],
							packet.topic.endsWith("a") ? minutes : 1000 + minutes,
						);
					}
				}
				const late = publishes(broker).filter((packet) => samplesOf(packet).length > 1);
				const samples = late.reduce((sum, packet) => sum + samplesOf(packet).length, 0);
				assert.ok(samples > 70, `${samples} late samples`);
				assert.ok(late.length <= samples / 6, `${late.length} messages for ${samples} samples`);
			});

	test("one message for the values of all sensors: arrays of these objects", () => {
		const { board, broker } = start({ topic: "home/{id}" });
		board.wifi = "fails";
		board.run(6 * HOUR);
		board.wifi = "joins";
		board.run(HOUR);
		assertAllArrived(board, broker);
		const [late] = publishes(broker).filter((packet) => samplesOf(packet).length > 1);
		assert.deepEqual(Object.keys(samplesOf(late)[1]), ["seq", "time", "a", "b"]);
	});

	test("MQTT 3.1.1, a broker that closes on packets which are too large for it: all samples arrive, one a message", () => {
		const script: Partial<BrokerScript> = {
			version: 4,
			answer: (packet, connection) => {
				if (packet.cmd !== "publish" || packet.length! < 200) return false;
				connection.end();
				return true;
			},
		};
		const { board, broker } = start({ broker: { version: 4 } }, script);
		board.wifi = "fails";
		board.run(3 * HOUR);
		board.wifi = "joins";
		board.run(HOUR);
		assert.ok(publishes(broker).some((packet) => samplesOf(packet).length > 1));
		assertAllArrived(board, broker);
	});

	test("a broker of smaller packets: each message fits, all samples arrive", () => {
		const { board, broker } = start(
			{},
			{
				connack: {
					cmd: "connack",
					sessionPresent: false,
					reasonCode: 0,
					properties: { maximumPacketSize: 200 },
				},
			},
		);
		board.run(MINUTE);
		board.wifi = "fails";
		board.run(3 * HOUR);
		board.wifi = "joins";
		board.run(HOUR);
		assertAllArrived(board, broker);
		const longest = Math.max(...publishes(broker).map((packet) => packet.length! + 3));
		assert.ok(longest <= 200 && longest > 150, `${longest} bytes`);
	});

	test("a report that no packet holds in one is sent in parts, each an array", () => {
		const many = Array.from({ length: 12 }, (_, i) => ({ name: `sensor${i}`, property: ["a"] }));
		const { board, broker } = start({ topic: "home/{id}", sensors: many, broker: { sendBuffer: 160 } });
		board.run(MINUTE / 2);
		assert.ok(publishes(broker).length > 1);
		const keys = publishes(broker).flatMap((packet) => samplesOf(packet).flatMap(Object.keys));
		assert.equal(keys.filter((key) => key.startsWith("sensor")).length, 12);
		assert.ok(
			publishes(broker).every((packet) => packet.length! + 3 <= 160 && samplesOf(packet).length === 1),
		);
		assert.equal(board.reportCounts.lost, 0);
	});

	for (const qos of [0, 2] as const)
		test(`QoS ${qos}: arrays of one object`, () => {
			const { board, broker } = start({
				sensors: sensors.map((sensor) => ({ ...sensor, qos })),
				...(qos === 2 ? { broker: { cleanStart: false, sessionExpiry: 86_400 } } : {}),
			});
			board.wifi = "fails";
			board.run(2 * HOUR);
			board.wifi = "joins";
			board.run(HOUR);
			assertAllArrived(board, broker);
			assert.ok(publishes(broker).every((packet) => samplesOf(packet).length === 1));
		});

	test("different QoS and RETAIN of the values of a report: only reports with the same share a message", () => {
		const { board, broker } = start({
			topic: "home/{id}",
			sensors: [
				{ name: "a", property: ["a"], every: 10 * MINUTE, retain: false },
				{ name: "b", property: ["b"], every: 20 * MINUTE, retain: true },
			],
		});
		board.wifi = "fails";
		board.run(3 * HOUR);
		board.wifi = "joins";
		board.run(HOUR);
		assertAllArrived(board, broker);
		for (const packet of publishes(broker))
			for (const sample of samplesOf(packet)) assert.equal("b" in sample, packet.retain);
	});

	test("samples before the time is known are dated afterwards, each with its own time", () => {
		const { board, broker } = start({ time: { server: "time" } });
		board.clockIsSet = false;
		board.wifi = "fails";
		board.run(2 * HOUR);
		board.wifi = "joins";
		board.setClock = (_, callback) => {
			board.clockIsSet = true;
			callback(true);
		};
		board.run(HOUR);
		assertAllArrived(board, broker);
		const times = publishes(broker)
			.filter(({ topic }) => topic.endsWith("a"))
			.flatMap(samplesOf)
			.map(({ time, a }) => Date.parse(time!) - EPOCH - Number(a) * MINUTE);
		assert.ok(times.length >= 18);
		assert.ok(
			times.every((error) => Math.abs(error) < MINUTE),
			`${times}`,
		);
	});

	test("the PUBACK of a message is lost: without a session its samples are sent again, and none is lost", () => {
		let acknowledges = true;
		const { board, broker } = start({}, { answer: ({ cmd }) => cmd === "publish" && !acknowledges });
		board.wifi = "fails";
		board.run(2 * HOUR);
		board.wifi = "joins";
		acknowledges = false;
		board.run(HOUR);
		assert.equal(board.events("acknowledged").length, 0);
		acknowledges = true;
		const { length } = publishes(broker);
		board.run(HOUR);
		const oldest = publishes(broker)
			.slice(length)
			.find((packet) => samplesOf(packet)[0]?.seq === 1);
		// MQTT 5.0 has a word for packets that are too large: what was lost shares its message again
		assert.ok(oldest !== undefined && samplesOf(oldest).length > 5);
		assertAllArrived(board, broker);
	});

	for (const version of [4, 5] as const)
		test(`MQTT ${version}: in a resumed session a message is sent again as it was, with DUP and its identifier`, () => {
			let acknowledges = false;
			let hasSession = false;
			const { board, broker } = start(
				{ broker: { version, cleanStart: false, sessionExpiry: 86_400 } },
				{
					version,
					answer: (packet, connection) => {
						if (packet.cmd === "connect") {
							connection.send({ cmd: "connack", sessionPresent: hasSession, reasonCode: 0, returnCode: 0 });
							hasSession = true;
							return true;
						}
						return packet.cmd === "publish" && !acknowledges;
					},
				},
			);
			board.wifi = "fails";
			board.run(2 * HOUR);
			board.wifi = "joins";
			board.run(5 * MINUTE);
			const before = publishes(broker);
			const shared = before.filter((packet) => samplesOf(packet).length > 1 && !packet.dup);
			assert.ok(shared.length >= 2);
			const count = before.length;
			board.run(15 * MINUTE);
			acknowledges = true;
			board.run(HOUR);
			for (const packet of shared) {
				const again = publishes(broker)
					.slice(count)
					.filter(({ messageId }) => messageId === packet.messageId);
				assert.ok(again.length > 0, `${packet.messageId}`);
				for (const { dup, payload } of again) {
					assert.ok(dup);
					assert.equal(payload.toString(), packet.payload.toString());
				}
			}
			assertAllArrived(board, broker);
		});

	test("a refused message: all its samples stay, and are sent once the pause is over", () => {
		let refuses = true;
		const { board, broker } = start(
			{},
			{
				answer: (packet, connection) => {
					if (packet.cmd !== "publish" || !refuses || !packet.topic.endsWith("a")) return false;
					connection.send({ cmd: "puback", messageId: packet.messageId!, reasonCode: 0x97 });
					return true;
				},
			},
		);
		board.wifi = "fails";
		board.run(2 * HOUR);
		board.wifi = "joins";
		board.run(HOUR);
		board.run(MINUTE);
		const acknowledged = board.events("acknowledged").length;
		assert.ok(acknowledged >= 12 && acknowledged <= board.events("accepted").length / 2);
		assert.equal(board.reportCounts.lost, 0);
		refuses = false;
		board.run(12 * HOUR);
		assertAllArrived(board, broker);
	});

	for (const policy of ["dropOldest", "thin"] as const)
		test(`${policy}: samples that are dropped while their message is in flight are counted once, the others acknowledged`, () => {
			let held: (() => void)[] = [];
			let holds = true;
			const { board, broker } = start(
				{
					sleep: { mode: "none" },
					sensors: [{ name: "a", property: ["a"], every: 1000 }],
					broker: { acknowledgeTimeout: 120_000 },
					outbox: { storage: "rtc", policy, size: 512 },
				},
				{
					answer: (packet, connection) => {
						if (packet.cmd !== "publish" || !holds) return false;
						const messageId = packet.messageId!;
						held.push(() => connection.send({ cmd: "puback", messageId, reasonCode: 0 }));
						return true;
					},
				},
			);
			board.wifi = "fails";
			board.run(20_000);
			board.wifi = "joins";
			board.run(90_000);
			assert.ok(publishes(broker).some((packet) => samplesOf(packet).length > 1));
			assert.ok(board.events("dropped").length > 0);
			holds = false;
			for (const answer of held) answer();
			held = [];
			board.run(30_000);
			const { accepted, acknowledged, dropped } = board.reportCounts;
			const gone = new Set([
				...board.events("acknowledged").map(({ details }) => details[0]),
				...board.events("dropped").map(({ details }) => details[0]),
			]);
			assert.equal(gone.size, acknowledged + dropped, "none is acknowledged and dropped");
			assert.ok(accepted - gone.size <= 1, `${accepted} - ${gone.size}`);
		});

	test("a reset before, in and after each write to retained memory, in turn: no sample is lost", () => {
		/** An outage, a wake with so many bytes that may be written, and the next ones without a limit. */
		const run = (budget: number) => {
			const { board, broker } = start();
			board.wifi = "fails";
			board.run(35 * MINUTE);
			board.wifi = "joins";
			board.retained.writeBudget = budget;
			board.run(6 * MINUTE);
			const wasReset = board.retained.writeBudget === Infinity;
			board.retained.writeBudget = Infinity;
			board.run(20 * MINUTE);
			return { board, broker, wasReset };
		};
		const ample = 1_000_000;
		const starts = run(ample).board.retained.writes.map((left) => ample - left);
		assert.ok(starts.length > 20, String(starts.length));
		for (const [index, at] of starts.slice(0, -1).entries()) {
			const end = starts[index + 1];
			for (const budget of new Set([at, (at + end) >> 1])) {
				const { board, broker, wasReset } = run(budget);
				assert.ok(wasReset, `byte ${budget}`);
				const arrived = new Set([...arrivals(broker).values()].flat());
				const acknowledged = new Set(board.events("acknowledged").map(({ details }) => details[0]));
				for (const { details } of board.events("accepted")) {
					assert.ok(arrived.has(details[0]), `byte ${budget}: report ${details[0]}`);
					assert.ok(acknowledged.has(details[0]), `byte ${budget}: report ${details[0]}`);
				}
				assert.equal(board.reportCounts.waiting, 0, `byte ${budget}`);
			}
		}
	});
});
