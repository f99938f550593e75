import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BOOT_TIME_MS } from "../../sim/board/board";
import type { EngineName } from "../../sim/engine/engine-factory";
import { BoardBench } from "./board-bench";

const engines: EngineName[] = ["node", "xs"];

for (const engine of engines) {
	describe(`a board on ${engine}`, () => {
		test("retained memory survives deep sleep and reset, not power loss; variables do not", async () => {
			const bench = new BoardBench();
			const { board, lines } = await bench.board(engine, { mode: "count" });
			bench.run(2 * (BOOT_TIME_MS + 1000) + BOOT_TIME_MS);
			const boots = (): string[] => lines().map((line) => line.replace(/ random.*/, ""));
			assert.deepEqual(boots(), [
				"270 boot 1 call 1 reason 1",
				"1540 boot 2 call 1 reason 8",
				"2810 boot 3 call 1 reason 8",
			]);
			assert.equal(board.state, "asleep");
			board.reset();
			bench.run(4000);
			assert.equal(boots()[3], "3080 boot 4 call 1 reason 2");
			board.powerOn("brown-out");
			bench.run(4500);
			assert.equal(boots()[4], "4270 boot 1 call 1 reason 9");
			board.powerOff();
			bench.run(100_000);
			assert.equal(boots().length, 5);
		});

		test("a turn that is cut short: retained memory keeps what it had, and nothing afterwards has an effect", async () => {
			const bench = new BoardBench();
			const { board, lines, events } = await bench.board(engine, { mode: "count" }, { interruptible: true });
			bench.run(BOOT_TIME_MS);
			assert.equal(lines().length, 1);
			let snapshot: Uint8Array | undefined;
			// The next boot raises the count, then asks for its reason.
			board.interruptAfter(1, () => {
				snapshot = board.retained.slice();
				board.reset();
			});
			bench.run(2 * BOOT_TIME_MS + 1000);
			assert.equal(snapshot?.[3], 2);
			assert.equal(lines().length, 1, "the line of the second boot was never printed");
			bench.run(3 * BOOT_TIME_MS + 1000);
			assert.deepEqual(
				events.flatMap(({ event }) => (event.type === "boot" ? [event.reason] : [])),
				["power-on", "deep-sleep", "reset"],
			);
			assert.match(lines()[1]!, /boot 3 call 1 reason 2/);
			assert.equal(events.filter(({ event }) => event.type === "crash").length, 0);
		});

		test("power-on leaves noise in retained memory", async () => {
			const bench = new BoardBench();
			const { board } = await bench.board(engine, { mode: "count" }, { retained: 64 });
			const first = board.retained.slice();
			board.powerOn();
			assert.notDeepEqual(board.retained, first);
			assert.ok(first.some((byte) => byte !== 0));
		});

		test("the clock starts at 1970, runs through sleep, and drifts with the oscillator", async () => {
			const bench = new BoardBench();
			const { board, lines } = await bench.board(engine, { mode: "count" }, { drift: 1000 });
			bench.run(100_000);
			const clocks = lines().map((line) => [Number(line.split(" ")[0]), Number(line.split(" ").at(-1))]);
			assert.equal(clocks[0]![1], BOOT_TIME_MS);
			// Each second of sleep lasts 1.001 s.
			for (const [index, [at, clock]] of clocks.entries()) assert.equal(at! - clock!, index);
			assert.ok(board.time < 100_000);
		});

		test("random numbers differ between boots and repeat with the seed", async () => {
			const random = async (seed: number): Promise<string[]> => {
				const bench = new BoardBench();
				const { lines } = await bench.board(engine, { mode: "count" }, { seed });
				bench.run(10_000);
				return lines().map((line) => line.replace(/.* random ([\d.e-]+) .*/, "$1"));
			};
			const once = await random(1);
			assert.equal(new Set(once).size, once.length);
			assert.deepEqual(await random(1), once);
			assert.notDeepEqual(await random(2), once);
		});

		test("a crash is reported with its stack, and the board boots with its retained memory", async () => {
			const bench = new BoardBench();
			const { board, events, lines } = await bench.board(engine, { mode: "crash" });
			const other = await bench.board(engine, { mode: "count" }, { address: "192.168.4.12" });
			bench.run(1000);
			const crash = events.find(({ event }) => event.type === "crash");
			assert.ok(crash?.event.type === "crash");
			assert.equal(crash.at, BOOT_TIME_MS + 100);
			assert.equal(crash.event.kind, "unhandled exception");
			assert.match(crash.event.message, /out of coffee/);
			assert.match(crash.event.stack ?? "", /probe[\\/]power\.ts:31/);
			assert.deepEqual(lines(), [`${2 * BOOT_TIME_MS + 100} after crash 77`]);
			assert.equal(board.state, "asleep");
			bench.run(5000);
			assert.ok(other.lines().length >= 4, "other boards run on");
		});

		test("a board that crashes at every start is switched off", async () => {
			const bench = new BoardBench();
			const { board, events } = await bench.board(engine, { mode: "count" }, { retained: 32 });
			bench.run(60_000);
			assert.equal(events.filter(({ event }) => event.type === "crash").length, 20);
			assert.match(JSON.stringify(events.at(-1)?.event), /given up/);
			assert.equal(board.state, "off");
		});

		test("timers run in order, on time, and refuse values that hardware refuses", async () => {
			const bench = new BoardBench();
			const { lines } = await bench.board(engine, { mode: "timers" });
			bench.run(2000);
			assert.deepEqual(
				lines().map((line) => line.replace(/^\d+ /, "")),
				[
					"once 10",
					"same time, later 10",
					"repeat 20",
					"repeat 25",
					"repeat 30",
					"timer is spent: create it with a nonzero repeat to schedule it again",
					"repeat 130",
					"repeat 180",
					"stopped 207",
					"stopped 1207",
				],
			);
		});

		test("client and server exchange data, each step one latency after the other", async () => {
			const bench = new BoardBench(10);
			const server = await bench.board(engine, { mode: "serve" }, { address: "192.168.4.2" });
			bench.network.names.set("broker.local", "192.168.4.2");
			bench.run(500);
			assert.deepEqual(server.lines(), ["270 listening on 1883"]);
			const peer = await bench.board(engine, {
				mode: "talk",
				host: "broker.local",
				port: 1883,
				text: "hello",
			});
			bench.run(2000);
			// Power at 500, firmware at 770, name at 790, SYN/ACK at 810, data at the server at 820, echo and
			// acknowledgement at 830.
			assert.deepEqual(peer.lines(), [
				"790 not ready",
				"810 writable 5744",
				"810 room left 5739",
				"830 read 5 hello",
				"830 error",
			]);
			assert.deepEqual(peer.events.at(-1), {
				at: 830,
				event: { type: "exchange", sent: 5, received: 5, roundTrips: 2, reports: 0 },
			});
		});

		test("a closed port refuses connections, an unknown name does not resolve", async () => {
			const bench = new BoardBench(10);
			bench.network.host("192.168.4.2");
			const peer = await bench.board(engine, { mode: "talk", host: "192.168.4.2", port: 99, text: "hello" });
			const lost = await bench.board(
				engine,
				{ mode: "talk", host: "nowhere", port: 99, text: "hello" },
				{ address: "192.168.4.12" },
			);
			bench.run(1000);
			assert.deepEqual(peer.lines(), ["270 not ready", "290 error"]);
			assert.deepEqual(lost.lines(), ["290 no such host"]);
		});

		test("Wi-Fi joins, reports its access point, and time servers answer in whole seconds", async () => {
			const bench = new BoardBench(10);
			const { lines } = await bench.board(engine, { mode: "radio" }, { wifi: true, clock: 5 });
			bench.run(5000);
			const [connect, ip, link, facts, sntp] = lines();
			assert.match(connect!, /^\d+ connect 0$/);
			assert.match(ip!, /^\d+ gotIP -60$/);
			assert.match(
				link!,
				/ 2,241,126,241,241,0,6,0,192,168,4,11,255,255,255,0,192,168,4,1,192,168,4,1,128,81,1,0$/,
			);
			assert.match(facts!, / home 02:F1:7E:F1:F1:00 6 192\.168\.4\.11 02:F1:EF:1F:00:01$/);
			assert.match(sntp!, / sntp 1 (\d+) \1(?:000)$/);
			bench.accessPoint.present = false;
			bench.run(12_000);
			assert.deepEqual(lines().slice(5), ["11000 disconnect 200"]);
		});
	});
}

test("both engines return the same random numbers", async () => {
	const outputs: string[][] = [];
	for (const engine of engines) {
		const bench = new BoardBench();
		const { lines } = await bench.board(engine, { mode: "count" }, { seed: 42 });
		bench.run(20_000);
		outputs.push(lines());
	}
	assert.deepEqual(outputs[0], outputs[1]);
});

test("full slots, deep recursion and an endless loop end the board, not the process", async () => {
	for (const [mode, kind, reset] of [
		["exhaust", /memory full/, "crash"],
		["recurse", /stack overflow/, "crash"],
		["spin", /computron limit/, "watchdog"],
	] as const) {
		const bench = new BoardBench();
		const { board, events, lines } = await bench.board("xs", { mode });
		bench.run(1000);
		const crash = events.find(({ event }) => event.type === "crash")?.event;
		assert.ok(crash?.type === "crash");
		assert.match(crash.kind, kind);
		assert.equal(board.state, "running", "and it boots again");
		const boots = events.flatMap(({ event }) => (event.type === "boot" ? [event.reason] : []));
		assert.deepEqual(boots, ["power-on", reset]);
		assert.equal(lines().length, reset === "watchdog" ? 1 : 0);
	}
});
