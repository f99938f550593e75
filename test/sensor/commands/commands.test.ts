import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DEPTH_LIMIT, VALUE_LIMIT } from "../../../src/sensor/commands/command-text";
import { RECONNECTING } from "../../../src/sensor/exchange/report-exchange";
import { MINUTE } from "../support/payloads";
import { commandBoard, executed } from "./support";

const versions = [4, 5] as const;

for (const version of versions)
	for (const qos of [0, 1, 2] as const)
		test(`a command published while the node sleeps, MQTT ${version}, QoS ${qos}: executed and answered in the next exchange`, () => {
			const { board, broker } = commandBoard({}, { version });
			board.run(MINUTE / 2);
			assert.deepEqual(broker.subscriptions, ["firefly/node/command"]);
			broker.send({ command: "identify", id: "a-1" }, { qos });
			board.run(MINUTE);
			assert.deepEqual(executed(board), ["identify"]);
			assert.deepEqual(
				broker.answers.map(({ topic, payload }) => [topic, payload]),
				[["firefly/node/answer", { command: "identify", id: "a-1", ok: true }]],
			);
			assert.equal(broker.connections, 2, "the exchange of the report is the one of the command");
			assert.equal(broker.waiting, 0);
			board.run(5 * MINUTE);
			assert.deepEqual(executed(board), ["identify"]);
			assert.equal(broker.answers.length, 1);
			assert.equal(broker.subscriptions.length, 1, "the subscription is remembered");
			assert.deepEqual(board.reportCounts, { accepted: 7, acknowledged: 7, dropped: 0, waiting: 0, lost: 0 });
		});

test("a bare name is a command too", () => {
	const { board, broker } = commandBoard();
	board.run(1000);
	broker.send(" report-now\n");
	board.run(MINUTE);
	assert.deepEqual(executed(board), ["report-now"]);
});

test("report-now, whose drivers were closed before the exchange: samples, and closes them before sleep", () => {
	const { board, broker } = commandBoard({ sensors: [{ name: "temperature", driver: "counted" }] });
	let made = 0;
	let closed = 0;
	board.drivers = {
		counted: class {
			constructor() {
				made++;
			}
			configure() {}
			sample() {
				return { temperature: made };
			}
			close() {
				closed++;
			}
		},
	};
	board.run(1000);
	broker.send("report-now");
	board.run(MINUTE + 1000);
	assert.deepEqual([made, closed], [3, 3]);
	assert.deepEqual(executed(board), ["report-now"]);
	assert.deepEqual(
		board.events("accepted").map(({ details: [sequence] }) => sequence),
		[1, 2, 3],
	);
});

describe("report-now in a wake that has read a sensor which measures at intervals of its own", () => {
	/** A chip that has a reading every five seconds, which is read once. */
	const run = (read: (isNew: boolean, value: number) => object | undefined) => {
		const { board, broker } = commandBoard({
			sensors: [{ name: "co2", driver: "periodic", property: "co2", every: "60s" }],
		});
		let readAt = -Infinity;
		board.drivers = {
			periodic: class {
				configure() {}
				sample() {
					const isNew = board.time - readAt >= 5000;
					if (isNew) readAt = board.time;
					return read(isNew, 400 + Math.floor(readAt / MINUTE));
				}
				close() {}
			},
		};
		board.run(1000);
		broker.send("report-now");
		board.run(MINUTE + 1000);
		return { board, samples: board.events("sample").map(({ details: [, value] }) => value) };
	};

	test("it has nothing new yet: the reading of this wake once more, and no failed one", () => {
		const { board, samples } = run((isNew, co2) => (isNew ? { co2 } : undefined));
		assert.deepEqual(samples, [400, 401, 401]);
		assert.equal(board.events("accepted").length, 3);
	});

	test("it fails with an error: a failed reading", () => {
		const { samples } = run((isNew, co2) => {
			if (!isNew) throw new Error("no answer");
			return { co2 };
		});
		assert.deepEqual(samples, [400, 401, NaN]);
	});

	/** A node that stays connected, whose driver has two readings, and then none. */
	const startPeriodic = (every: string) => {
		const started = commandBoard({
			sleep: { mode: "none" },
			sensors: [{ name: "co2", driver: "periodic", property: "co2", every }],
		});
		let reads = 0;
		started.board.drivers = {
			periodic: class {
				configure() {}
				sample() {
					return ++reads <= 2 ? { co2: 400 + reads } : undefined;
				}
				close() {}
			},
		};
		return started;
	};

	test("asked again and again, while its driver has nothing new: given for a minute, then failed readings", () => {
		const { board, broker } = startPeriodic("2m");
		board.run(2 * MINUTE + 1000);
		for (let i = 0; i < 4; i++) {
			board.run(25_000);
			broker.send({ command: "report-now", id: i });
		}
		board.run(1000);
		const samples = board.events("sample").map(({ details: [, value] }) => value);
		assert.deepEqual(samples, [401, 402, 402, 402, NaN, NaN]);
	});

	test("its next scheduled reading fails: the one before does not stand for it", () => {
		let reads = 0;
		const { samples } = run((_, co2) => (++reads === 1 ? { co2 } : undefined));
		assert.deepEqual(samples, [400, NaN]);
	});

	test("nor does it after a report-now", () => {
		const { board, broker } = startPeriodic("20s");
		board.run(25_000);
		broker.send("report-now");
		board.run(20_000);
		const samples = board.events("sample").map(({ details: [, value] }) => value);
		assert.deepEqual(samples, [401, 402, 402, NaN]);
	});
});

test("response topic and correlation data: the answer goes there and returns them", () => {
	const { board, broker } = commandBoard();
	board.run(1000);
	broker.send("identify", { responseTopic: "host/7", correlation: "c\u00e9 7" });
	broker.send("identify", { responseTopic: "host/8" });
	broker.send("identify", { correlation: "9" });
	board.run(MINUTE);
	assert.deepEqual(
		broker.answers.map(({ topic, correlation }) => [topic, correlation]),
		[
			["host/7", "c\u00e9 7"],
			["host/8", undefined],
			["firefly/node/answer", "9"],
		],
	);
});

test("response topic or correlation data beyond their limits: refused on the topic of the configuration", () => {
	const { board, broker } = commandBoard({ broker: { receiveBuffer: 1024 } });
	board.run(1000);
	broker.send("identify", { responseTopic: "r".repeat(128), correlation: "c".repeat(64) });
	board.run(MINUTE);
	broker.send("identify", { responseTopic: "r".repeat(129) });
	broker.send("identify", { responseTopic: "r", correlation: "c".repeat(65) });
	board.run(MINUTE);
	assert.deepEqual(executed(board), ["identify", "identify refused", "identify refused"]);
	assert.deepEqual(
		broker.answers.map(({ topic, payload }) => [topic, payload.ok, payload.error]),
		[
			["r".repeat(128), true, undefined],
			["firefly/node/answer", false, "the response topic takes 129 bytes; at most 128 are allowed"],
			["firefly/node/answer", false, "the correlation data take 65 bytes; at most 64 are allowed"],
		],
	);
});

for (const version of versions)
	test(`what is no command, MQTT ${version}: answered with an error, nothing is done`, () => {
		const { board, broker } = commandBoard({}, { version });
		board.run(1000);
		const payloads: [payload: string, error: string][] = [
			["reboot", '"reboot" is no command; there are report-now, identify, clear, set, summary and update'],
			["{", "the command is not JSON"],
			["{}", "there is no command; there are report-now, identify, clear, set, summary and update"],
			[
				'{"command":7}',
				"there is no command; there are report-now, identify, clear, set, summary and update",
			],
			['{"command":"identify","id":{}}', "id is not a number, nor a text of at most 64 bytes"],
			[
				`{"command":"identify","id":"${"x".repeat(65)}"}`,
				"id is not a number, nor a text of at most 64 bytes",
			],
			['{"command":"clear","what":"all"}', 'what is neither "outbox" nor "counters"'],
			[
				`${"x".repeat(300)}`,
				`"${"x".repeat(31)}…" is no command; there are report-now, identify, clear, set, summary and update`,
			],
			["null", '"null" is no command; there are report-now, identify, clear, set, summary and update'],
		];
		for (const [payload, error] of payloads) {
			broker.send(payload);
			board.run(MINUTE);
			assert.equal(broker.answers.at(-1)?.payload.error, error, payload);
		}
		assert.equal(broker.answers.length, payloads.length);
		assert.ok(executed(board).every((name) => name.endsWith("refused")));
		assert.equal(board.reportCounts.lost, 0);
	});

test("a payload that is not UTF-8, or larger than the receive buffer: answered with an error", () => {
	const { board, broker } = commandBoard();
	board.run(1000);
	broker.send(Buffer.from([0x69, 0xff, 0xfe]));
	broker.send("y".repeat(2000));
	broker.send("identify");
	board.run(MINUTE);
	assert.deepEqual(
		broker.answers.map(({ payload: { error } }) => error),
		["the command is not UTF-8", "the command is longer than 512 bytes", undefined],
	);
});

test("JSON with more levels or values than a chip can parse: answered with an error; brackets in texts are none", () => {
	const { board, broker } = commandBoard({ broker: { receiveBuffer: 4096 } });
	const nested = (levels: number) => `{"command":"identify","x":${"[".repeat(levels)}${"]".repeat(levels)}}`;
	const listed = (values: number) => `{"command":"identify","x":[${"1,".repeat(values)}1]}`;
	board.run(1000);
	for (const text of [
		nested(DEPTH_LIMIT - 1),
		nested(DEPTH_LIMIT),
		"{".repeat(3000),
		listed(VALUE_LIMIT - 3),
	])
		broker.send(text);
	board.run(MINUTE);
	const besides = `{"command":"identify","x":[${"{},".repeat(DEPTH_LIMIT)}[]]}`;
	for (const text of [
		listed(VALUE_LIMIT - 2),
		`{"command":"identify","x":"${'[{,\\"'.repeat(200)}"}`,
		besides,
	])
		broker.send(text);
	board.run(MINUTE);
	const problem = "the command has more than 8 levels or 128 values";
	assert.deepEqual(
		broker.answers.map(({ payload: { error } }) => error),
		[undefined, problem, problem, undefined, problem, undefined, undefined],
	);
});

test("an id that is no finite number: refused, as all such would be one command", () => {
	const { board, broker } = commandBoard();
	board.run(1000);
	broker.send('{"command":"identify","id":1e999}');
	broker.send('{"command":"identify","id":-1e999}');
	board.run(MINUTE);
	assert.deepEqual(
		broker.answers.map(({ payload: { error } }) => error),
		Array(2).fill("id is not a number, nor a text of at most 64 bytes"),
	);
});

test("an empty message, one on another topic, and an answer are no commands: taken without an answer", () => {
	const { board, broker } = commandBoard({ commands: { answer: "firefly/node/command" } }, { version: 4 });
	board.run(1000);
	broker.send("");
	broker.send("identify", { topic: "firefly/node/old-command" });
	broker.send({ command: "identify", ok: true });
	board.run(MINUTE);
	assert.deepEqual(executed(board), []);
	assert.equal(broker.waiting, 0);
	assert.equal(broker.answers.length, 0);
});

test("report-now: all sensors are sampled and reported in this exchange, whatever their deadband; the schedule stays", () => {
	const { board, broker } = commandBoard({
		sensors: [
			{ name: "temperature", driver: "virtual", every: "1m" },
			{ name: "humidity", driver: "virtual", every: "10m", delta: 5, heartbeat: "1h" },
		],
	});
	board.sample = () => ({ temperature: 20, humidity: 50 });
	board.run(MINUTE / 2);
	assert.equal(broker.reports.length, 2);
	broker.send("report-now");
	board.run(MINUTE);
	assert.deepEqual(
		broker.reports.slice(2).map(({ topic }) => topic),
		["home/node/temperature", "home/node/temperature", "home/node/humidity"],
	);
	assert.equal(broker.connections, 2);
	board.run(MINUTE);
	const samples = board.events("sample").map(({ at, details: [sensor] }) => [at, sensor]);
	assert.deepEqual(samples.at(-1), [2 * MINUTE, 0]);
	assert.equal(board.reportCounts.lost, 0);
});

test("clear: the outbox is emptied, and each report counted as dropped", () => {
	const { board, broker } = commandBoard({
		sensors: [{ name: "temperature", driver: "virtual", every: "10s" }],
	});
	board.run(1000);
	board.wifi = "fails";
	board.run(2 * MINUTE);
	board.wifi = "joins";
	broker.silentTopic = "home/node/temperature";
	broker.send({ command: "clear" });
	board.run(15 * MINUTE);
	broker.silentTopic = undefined;
	board.run(15 * MINUTE);
	assert.deepEqual(executed(board), ["clear"]);
	const dropped = board.events("dropped");
	assert.ok(dropped.length >= 9, `${dropped.length}`);
	assert.ok(dropped.every(({ details: [, , reason] }) => reason === 4));
	assert.equal(board.reportCounts.lost, 0);
	assert.equal(broker.answers.length, 1);
});

test("clear counters: the counts of drops begin anew", () => {
	const { board, broker } = commandBoard({ outbox: { size: 256 } });
	board.wifi = "fails";
	board.run(60 * MINUTE);
	board.wifi = "joins";
	board.run(20 * MINUTE);
	const droppedAt = (): unknown => board.events("wake").at(-1)?.details[2];
	assert.ok(Number(droppedAt()) > 10);
	broker.send({ command: "clear", what: "counters" });
	board.run(2 * MINUTE);
	assert.deepEqual(executed(board), ["clear"]);
	assert.equal(droppedAt(), 0);
});

test("an id that was executed before: answered as a duplicate, not executed; another id is another command", () => {
	const { board, broker } = commandBoard();
	board.run(1000);
	for (const id of [1, "1", 1, 2]) broker.send({ command: "identify", id });
	board.run(MINUTE);
	broker.send({ command: "identify", id: 2 });
	board.run(MINUTE);
	assert.deepEqual(executed(board), ["identify", "identify", "identify"]);
	assert.deepEqual(
		broker.answers.map(({ payload: { id, duplicate } }) => [id, duplicate]),
		[
			[1, undefined],
			["1", undefined],
			[1, true],
			[2, undefined],
			[2, true],
		],
	);
});

test("the same command without an id is a new one each time", () => {
	const { board, broker } = commandBoard();
	board.run(1000);
	for (let i = 0; i < 3; i++) {
		broker.send("identify");
		board.run(MINUTE);
	}
	assert.equal(executed(board).length, 3);
	assert.equal(broker.answers.length, 3);
});

for (const version of versions)
	test(`a retained command, MQTT ${version}: executed once, however often the session is lost`, () => {
		const { board, broker } = commandBoard({}, { version });
		broker.retained = "identify";
		board.run(1000);
		for (let i = 0; i < 3; i++) {
			broker.loseSession();
			board.run(2 * MINUTE);
		}
		assert.equal(broker.subscriptions.length, 4);
		assert.deepEqual(executed(board), ["identify"]);
		assert.equal(broker.answers.length, 1);
	});

for (const version of versions)
	test(`Session Present is 0, MQTT ${version}: the node subscribes again, and takes commands again`, () => {
		const { board, broker } = commandBoard({}, { version });
		board.run(1000);
		broker.send("identify");
		broker.loseSession();
		board.run(MINUTE);
		assert.deepEqual(executed(board), []);
		assert.equal(broker.subscriptions.length, 2);
		broker.send("identify");
		board.run(MINUTE);
		assert.deepEqual(executed(board), ["identify"]);
	});

for (const version of versions)
	test(`the session is lost before a QoS 2 command is released, MQTT ${version}: its packet identifier is free for another`, () => {
		const { board, broker } = commandBoard({}, { version });
		board.run(1000);
		broker.holdsPubrel = true;
		broker.send("identify", { qos: 2 });
		board.run(MINUTE);
		assert.deepEqual(executed(board), ["identify"]);
		broker.holdsPubrel = false;
		broker.loseSession();
		board.run(MINUTE);
		broker.nextId = 1;
		broker.send("report-now", { qos: 2 });
		board.run(MINUTE);
		assert.deepEqual(executed(board), ["identify", "report-now"]);
		assert.equal(broker.waiting, 0);
	});

for (const version of versions)
	test(`a new command with the text and the packet identifier of an earlier one, MQTT ${version}: executed, also if it is sent again with DUP`, () => {
		const { board, broker } = commandBoard({}, { version });
		board.run(1000);
		broker.send("identify");
		board.run(MINUTE);
		broker.nextId = 1;
		broker.cut = { direction: "to the node", bytes: 12 };
		broker.send("identify");
		board.run(3 * MINUTE);
		assert.equal(broker.cutCount, 1);
		assert.deepEqual(executed(board), ["identify", "identify"]);
		assert.equal(broker.answers.length, 2);
	});

test("another topic in the configuration: the node subscribes again in the same session", () => {
	const { board, broker } = commandBoard();
	board.run(1000);
	const other = commandBoard({ commands: { topic: "other/{id}" } });
	board.settings = other.board.settings;
	board.run(MINUTE);
	assert.deepEqual(broker.subscriptions, ["firefly/node/command", "other/node"]);
});

test("the CONNACK of a new session is lost: the node subscribes, although the next CONNACK says that there is one", () => {
	for (const bytes of [1, 3]) {
		const { board, broker } = commandBoard();
		board.run(1000);
		assert.equal(broker.subscriptions.length, 1);
		broker.loseSession();
		broker.cut = { direction: "to the node", bytes };
		board.run(2 * MINUTE);
		assert.equal(broker.cutCount, 1);
		assert.equal(broker.subscriptions.length, 2);
		broker.send("identify");
		board.run(2 * MINUTE);
		assert.deepEqual(executed(board), ["identify"]);
		assert.equal(broker.subscriptions.length, 2, "once is enough");
	}
});

test("a reset between CONNECT and CONNACK: the node subscribes again", () => {
	const { board, broker } = commandBoard();
	board.run(MINUTE - 1000);
	broker.loseSession();
	broker.cut = { direction: "to the node", bytes: 0 };
	board.run(2000);
	assert.equal(broker.connections, 2);
	assert.ok(broker.hasSession);
	board.reset("reset");
	board.run(2 * MINUTE);
	assert.equal(broker.subscriptions.length, 2);
});

test("a refused subscription is traced, and tried again only later; reports go on", () => {
	const { board, broker } = commandBoard();
	broker.subscribeResult = 0x87;
	board.run(60 * MINUTE);
	assert.equal(broker.subscriptions.length, 1);
	broker.subscribeResult = undefined;
	board.run(3 * MINUTE + 1000);
	assert.equal(broker.subscriptions.length, 2);
	assert.deepEqual(
		board.traces.filter((text) => text.includes("subscription")),
		["the broker refuses the subscription to commands"],
	);
	assert.equal(board.reportCounts.lost, 0);
	assert.equal(board.reportCounts.waiting, 0);
});

test("an answer that the broker does not acknowledge: sent again with DUP, in the end given up", () => {
	const { board, broker } = commandBoard();
	board.run(1000);
	broker.silentTopic = "firefly/node/answer";
	broker.send("identify");
	board.run(3 * 60 * MINUTE);
	assert.deepEqual(executed(board), ["identify"]);
	assert.ok(broker.answers.length >= 5 && broker.answers.length <= 7, `${broker.answers.length}`);
	assert.ok(broker.answers.slice(1).every(({ dup }) => dup));
	assert.ok(board.traces.includes("the broker acknowledges no answer: they are given up"));
	const count = broker.answers.length;
	broker.silentTopic = undefined;
	broker.send("identify");
	board.run(20 * MINUTE);
	assert.equal(broker.answers.length, count + 1);
	assert.deepEqual(board.reportCounts.lost, 0);
});

test("a broker that goes away before it acknowledges an answer, for many wakes: it gets the answer when it is back", () => {
	const { board, broker } = commandBoard();
	board.run(1000);
	broker.silentTopic = "firefly/node/answer";
	broker.send("identify");
	board.run(MINUTE);
	assert.deepEqual(executed(board), ["identify"]);
	const sent = broker.answers.length;
	board.network.blackHoles.add(1883);
	board.run(3 * 60 * MINUTE);
	assert.ok(board.events("failed").length > 5);
	board.network.blackHoles.clear();
	broker.silentTopic = undefined;
	board.run(60 * MINUTE);
	assert.equal(broker.answers.length, sent + 1);
	assert.ok(broker.answers.at(-1)!.dup);
	assert.ok(!board.traces.some((line) => line.includes("given up")));
	assert.equal(board.reportCounts.lost, 0);
});

test("more commands than there is room for answers: the broker keeps the others, and all are executed once, in order", () => {
	for (const version of versions) {
		const { board, broker } = commandBoard({}, { version });
		board.run(1000);
		const ids = Array.from({ length: 40 }, (_, i) => `${"id".repeat(20)}${i}`);
		for (const id of ids) broker.send({ command: "identify", id });
		board.run(60 * MINUTE);
		assert.deepEqual(
			broker.answers
				.filter(({ payload }) => payload.duplicate === undefined)
				.map(({ payload: { id } }) => id),
			ids,
		);
		assert.equal(executed(board).length, ids.length);
		assert.equal(broker.waiting, 0);
		assert.ok(!board.traces.includes(RECONNECTING), "the next wake brings them");
		assert.equal(board.reportCounts.lost, 0);
	}
});

test("a node that stays connected takes commands at once", () => {
	for (const version of versions) {
		for (const mode of ["none", "light"] as const) {
			const { board, broker } = commandBoard({ sleep: { mode } }, { version });
			board.run(10_000);
			const { time } = board;
			broker.send("identify");
			board.run(1000);
			assert.deepEqual(executed(board), ["identify"]);
			assert.ok((broker.answers[0]?.at ?? Infinity) - time < 100);
			assert.equal(broker.connections, 1);
		}
	}
});

test("a node that stays connected gets more commands than there is room for answers: it connects anew for the others", () => {
	for (const version of versions)
		for (const qos of [1, 2] as const) {
			const { board, broker } = commandBoard({ sleep: { mode: "none" } }, { version });
			board.run(10_000);
			// No more than the receive maximum
			const ids = Array.from({ length: 8 }, (_, i) => `${"id".repeat(30)}${i}`);
			for (const id of ids) broker.send({ command: "identify", id }, { qos });
			board.run(1000);
			assert.equal(executed(board).length, ids.length);
			assert.deepEqual(
				broker.answers.map(({ payload: { id } }) => id),
				ids,
			);
			assert.equal(broker.waiting, 0);
			assert.ok(broker.connections > 1);
			assert.equal(board.traces.filter((line) => line === RECONNECTING).length, broker.connections - 1);
			const { connections } = broker;
			broker.send("identify", { qos });
			board.run(MINUTE);
			assert.equal(executed(board).length, ids.length + 1);
			assert.equal(broker.connections, connections, "and stays connected");
			assert.deepEqual(board.reportCounts, { ...board.reportCounts, dropped: 0, lost: 0 });
		}
});

test("without commands in the configuration there is no subscription, no session, and no message is taken", () => {
	const { board, broker } = commandBoard({ commands: undefined });
	assert.equal(board.settings.commands, undefined);
	board.run(MINUTE);
	assert.deepEqual(broker.subscriptions, []);
	assert.equal(
		broker.packets.find(({ cmd }) => cmd === "connect")?.cmd === "connect" &&
			board.settings.broker.cleanStart,
		true,
	);
});

test("report-now as soon as the clock is set: a sensor on the grid is sampled too, and keeps to the grid", () => {
	const { board, broker } = commandBoard({
		sleep: { mode: "none" },
		sensors: [{ name: "temperature", driver: "virtual", every: "1m", grid: true }],
	});
	board.clockIsSet = false;
	board.wallErrorMs = -1_400_000_000_000;
	board.setClock = (_, callback) => {
		board.network.clock.after(500, () => {
			board.clockIsSet = true;
			board.wallErrorMs = 25_000;
			callback(true);
		});
	};
	board.run(10_000);
	const { length } = board.events("sample");
	broker.send("report-now");
	board.run(1000);
	assert.deepEqual(executed(board), ["report-now"]);
	assert.equal(board.events("sample").length, length + 1);
	board.run(2 * MINUTE);
	for (const { at } of board.events("sample").slice(length + 1)) assert.equal((at + 25_000) % MINUTE, 0);
});
