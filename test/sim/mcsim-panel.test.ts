import assert from "node:assert/strict";
import { test } from "node:test";
import { boot, crash, losePower, newBoard, receive, wakingPin } from "../../sim/mcsim/panel/state.js";
import { describeBoard, duration } from "../../sim/mcsim/panel/text.js";
import type { BoardState, FirmwareMessage } from "../../sim/mcsim/panel/types";

const START: FirmwareMessage = {
	start: {
		version: "1.2.3",
		id: "greenhouse",
		role: "sensor",
		mac: "0200aabbccdd",
		broker: "192.0.2.1:1883",
		sensors: [
			{ name: "air", property: "thermometer.temperature", unit: "°C", driver: "sht3x", decimals: 1 },
			{ name: "supply", property: "battery.voltage", unit: "V", driver: "battery", decimals: 2 },
		],
	},
};

function running(): BoardState {
	const board = newBoard();
	boot(board, "power-on", 1000);
	receive(board, START, 1000);
	return board;
}

const row = (board: BoardState, name: string, now = 1000): string | undefined =>
	describeBoard(board, now).rows.find(([found]) => found === name)?.[1];

test("a board is off, awake, asleep with a countdown, crashed, and off again", () => {
	const board = newBoard();
	const title = (now: number) => describeBoard(board, now).title;
	assert.equal(title(0), "Off");
	boot(board, "power-on", 1000);
	assert.equal(title(3000), "Awake for 2 s");
	receive(board, { sleep: 90_000 }, 4000);
	assert.equal(title(4000), "Asleep, wakes in 1 min 30 s");
	assert.equal(board.wakeAt, 94_000);
	boot(board, "deep-sleep", 94_000);
	crash(board, "memory full");
	assert.equal(title(94_000), "Crashed: memory full");
	losePower(board);
	assert.equal(title(94_000), "Off");
});

test("the outbox, the last report and its age follow the firmware's events", () => {
	const board = running();
	receive(board, { event: ["wake", 2, 5, 0] }, 1000);
	assert.equal(row(board, "Outbox"), "2 waiting");
	receive(board, { event: ["accepted", 5, 3] }, 1000);
	assert.equal(row(board, "Outbox"), "3 waiting");
	assert.equal(row(board, "Last report"), "none");
	receive(board, { event: ["acknowledged", 3, 2, 0] }, 5000);
	assert.equal(row(board, "Outbox"), "2 waiting");
	assert.equal(row(board, "Reports"), "1 acknowledged, the last is 3");
	assert.match(row(board, "Last report", 65_000)!, /^\d\d:\d\d:\d\d, 1 min 0 s ago$/);
});

test("failures are shown until a report is acknowledged", () => {
	const board = running();
	assert.equal(row(board, "Failures"), "none");
	receive(board, { event: ["failed", "peer", 0x87, 4] }, 1000);
	assert.equal(row(board, "Failures"), "4 in a row: broker's error");
	assert.equal(row(board, "Reason code"), "0x87");
	boot(board, "deep-sleep", 2000);
	assert.equal(row(board, "Failures"), "4 in a row: broker's error");
	assert.equal(row(board, "Reason code"), "0x87");
	receive(board, { event: ["failed", "wifi", 0, 5] }, 1000);
	assert.equal(row(board, "Failures"), "5 in a row: no Wi-Fi");
	assert.equal(row(board, "Reason code"), undefined);
	receive(board, { event: ["acknowledged", 3, 2, 0] }, 5000);
	assert.equal(row(board, "Failures"), "none");
});

test("a failed reading leaves the last value", () => {
	const board = running();
	assert.equal(row(board, "air"), "no sample yet   (sht3x, simulated)");
	receive(board, { event: ["sample", 0, 21.34] }, 1000);
	receive(board, { event: ["sample", 0, null] }, 1000);
	receive(board, { event: ["sample", 9, 1] }, 1000);
	assert.equal(row(board, "air"), "21.3 °C   (sht3x, simulated)");
	assert.deepEqual(board.readings, { "thermometer.temperature": 21.34 });
});

test("counters start anew with the power, not with a reset", () => {
	const board = running();
	receive(board, { event: ["acknowledged", 3, 2, 0] }, 5000);
	boot(board, "reset", 6000);
	assert.equal(row(board, "Started by"), "reset, start 2");
	assert.equal(row(board, "Reports"), "1 acknowledged, the last is 3");
	losePower(board);
	boot(board, "power-on", 7000);
	assert.equal(row(board, "Started by"), "power on, start 1");
	assert.equal(row(board, "Reports"), "0 acknowledged");
	assert.equal(row(board, "Id"), "greenhouse");
});

test("a broker shows its clients, its topics with values and ages, and its pools", () => {
	const board = running();
	receive(
		board,
		{
			start: { ...START.start!, role: "broker", broker: "", sensors: [] },
			broker: {
				urls: ["mqtt://192.0.2.1:1883", "ws://192.0.2.1:8080"],
				clients: ["a", "b"],
				clientCount: 5,
				values: [
					{ topic: "home/air", payload: "21.5", time: 1000, retained: true },
					{ topic: "home/door", payload: "7 bytes", time: 4000, retained: false },
				],
				valueCount: 2,
				pools: [
					{ name: "connections", used: 5, size: 8 },
					{ name: "sessions", used: 6, size: 16 },
					{ name: "queued", used: 0, size: 64 },
				],
			},
		},
		5000,
	);
	const { rows } = describeBoard(board, 5000);
	assert.deepEqual(rows.slice(rows.findIndex(([name]) => name === "Listens on")), [
		["Listens on", "mqtt://192.0.2.1:1883"],
		["WebSocket", "ws://192.0.2.1:8080"],
		["Clients", "5"],
		["", "a"],
		["", "b"],
		["", "and 3 more"],
		["Topics", "2"],
		["", "home/air   21.5   4 s ago"],
		["", "home/door   7 bytes   1 s ago, not retained"],
		["Pools", ""],
		["", "connections 5/8, sessions 6/16"],
		["", "queued 0/64"],
	]);
	assert.equal(row(board, "Outbox"), undefined);
});

test("durations have their two largest units", () => {
	const cases: [number, string][] = [
		[-5, "0 s"],
		[59_400, "59 s"],
		[61_000, "1 min 1 s"],
		[7_260_000, "2 h 1 min"],
		[90_000_000, "1 d 1 h"],
	];
	for (const [ms, text] of cases) assert.equal(duration(ms), text);
});

test("a pin ends the sleep once it has the level that it waits for, and is told as what started the board", () => {
	const board = running();
	assert.equal(wakingPin(board, false), undefined);
	const wakePins = [
		{ pin: 4, level: 0, pull: "up" },
		{ pin: 5, level: 1, pull: "none" },
	] as const;
	receive(board, { sleep: 90_000, wakePins }, 4000);
	assert.equal(row(board, "Wakes by"), "timer, pin 4, pin 5");
	assert.equal(wakingPin(board, false), undefined);
	assert.equal(wakingPin(board, true), 4);
	boot(board, "deep-sleep", 5000, 4);
	assert.equal(row(board, "Started by"), "pin 4, start 2");
	receive(board, { sleep: 1000, wakePins: [{ pin: 5, level: 0, pull: "down" }] }, 5000);
	assert.equal(wakingPin(board, true), undefined);
	assert.equal(wakingPin(board, false), 5);
	boot(board, "deep-sleep", 6000);
	assert.equal(row(board, "Started by"), "end of deep sleep, start 3");
	receive(board, { sleep: 1000 }, 6000);
	assert.equal(wakingPin(board, true), undefined);
});
