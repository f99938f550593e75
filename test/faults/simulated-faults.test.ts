import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { FAULT_KINDS } from "../../sim/faults/fault-kinds";
import { FaultTargetError } from "../../sim/faults/fault-targets";
import { parseFault } from "../../sim/faults/fault-text";
import { SimulationCounters } from "../../sim/report/counters";
import type { TimedEvent } from "../../sim/report/events";
import { DEFAULT_START_TIME, Simulation } from "../../sim/simulation";
import type { SimulationOptions } from "../../sim/simulation-options";
import { runUpdate } from "../sim/update-run";

const path = fileURLToPath(new URL("../../manifest.json", import.meta.url));
const MINUTE = 60_000;

type EventOfType<T extends TimedEvent["type"]> = Extract<TimedEvent, { type: T }>;

/** What happened, and when, in minutes after the start. */
class Run {
	readonly counters = new SimulationCounters();
	readonly events: TimedEvent[] = [];

	event(event: TimedEvent): void {
		this.counters.event(event);
		this.events.push(event);
	}

	of<T extends TimedEvent["type"]>(type: T, from = 0, to = Infinity): EventOfType<T>[] {
		return this.events.filter(
			(event): event is EventOfType<T> =>
				event.type === type &&
				event.time >= DEFAULT_START_TIME + from * MINUTE &&
				event.time < DEFAULT_START_TIME + to * MINUTE,
		);
	}

	get lost(): number {
		const { lost, deliveries } = this.counters.nodes.get("shed")!;
		return lost - deliveries.unpowered;
	}
}

/** Runs an hour of a node that samples every ten seconds. */
async function run(
	faults: readonly string[],
	firefly: object = {},
	rest: Partial<SimulationOptions> = {},
): Promise<Run> {
	const result = new Run();
	const simulation = await Simulation.build({
		manifest: {
			path,
			json: {
				include: [
					"./firmware/manifest.json",
					"./firmware/drivers/virtual/manifest.json",
					"./firmware/drivers/digital/manifest.json",
				],
				config: {
					firefly: {
						id: "shed",
						wifi: { ssid: "shed" },
						broker: { url: "mqtt://broker.home", keepAlive: "10s" },
						topic: "shed",
						payload: "json",
						backoff: { minimum: "1s", maximum: "30s" },
						sensors: [{ name: "t", driver: "virtual", property: "thermometer.temperature", every: "10s" }],
						...firefly,
					},
				},
			},
			overrides: {},
		},
		speed: "max",
		seed: 1,
		engine: "node",
		listener: result,
		faults: faults.map(parseFault),
		...rest,
	});
	try {
		await simulation.run(60 * MINUTE);
	} finally {
		simulation.dispose();
	}
	return result;
}

const alwaysOn = { sleep: { mode: "none" } };
const door = {
	sensors: [
		{ name: "t", driver: "digital", property: "contact.open", options: { pin: 4 }, wake: true, every: "1h" },
	],
};
const onFlash = { listen: { persist: true, persistInterval: "0s" } };
const acknowledged = (result: Run, from: number, to: number): number =>
	result.of("acknowledged", from, to).length;

/** What each kind does to a run: from minute 20 to 30, or at minute 20. */
const effects: Readonly<Record<string, () => Promise<void>>> = {
	async wifi() {
		const result = await run(["wifi:10m@20m"]);
		assert.equal(acknowledged(result, 20.1, 30), 0);
		assert.ok(result.of("failed", 20, 30).some(({ fault }) => fault === "wifi"));
		assert.ok(acknowledged(result, 30, 32) > 60);
	},
	async roam() {
		const result = await run(["roam@20m"]);
		const fast = (from: number, to: number) => result.of("joined", from, to).map((event) => event.fast);
		assert.deepEqual(new Set(fast(10, 20)), new Set([true]));
		assert.deepEqual([fast(20, 21).includes(false), fast(21, 60).includes(false)], [true, false]);
	},
	async lease() {
		const result = await run(["lease@20m"]);
		const asked = (from: number, to: number) =>
			result.of("radio", from, to).filter(({ step }) => step === "dhcp").length;
		assert.deepEqual([asked(10, 20), asked(20, 21), asked(22, 60)], [0, 1, 0]);
	},
	async dns() {
		const result = await run(["dns:10m@20m"], alwaysOn);
		assert.equal(result.of("failed").length, 0, "a node that is connected needs no name");
		const again = await run(["dns:10m@20m", "disconnect@21m"], alwaysOn);
		assert.ok(again.of("failed", 21, 30).length > 1);
		assert.equal(acknowledged(again, 21.1, 30), 0);
		assert.ok(acknowledged(again, 30, 32) > 50);
	},
	async "time-server"() {
		const dates = async (faults: readonly string[]) =>
			(await run(faults)).of("value").map(({ payload }) => JSON.parse(payload).time as string | null);
		assert.equal(typeof (await dates([]))[0], "string");
		const without = await dates(["time-server:10m@0s"]);
		assert.equal(without[0], null);
		assert.equal(typeof without.at(-1), "string");
	},
	async broker() {
		const result = await run(["broker:10m@20m"]);
		assert.equal(acknowledged(result, 20.1, 30), 0);
		assert.ok(acknowledged(result, 30, 32) > 60);
	},
	async refuse() {
		const result = await run(["refuse:10m@20m"], alwaysOn);
		assert.equal(result.of("failed").length, 0, "connections that are open stay");
		const again = await run(["refuse:10m@20m", "disconnect@21m"], alwaysOn);
		assert.equal(acknowledged(again, 21.1, 30), 0);
	},
	async disconnect() {
		const result = await run(["disconnect@20m"], alwaysOn);
		assert.equal(result.of("failed", 20, 20.01).length, 1);
		assert.ok(result.of("connected", 20, 21).length > 0);
	},
	async "half-open"() {
		const result = await run(["half-open@20m"], alwaysOn);
		assert.equal(result.of("failed", 20, 20.01).length, 0, "nobody is told");
		assert.ok(result.of("failed", 20, 21).length > 0);
		assert.ok(result.of("connected", 20, 22).length > 0);
	},
	async loss() {
		const all = await run(["loss=100%:10m@20m"]);
		assert.equal(acknowledged(all, 20.1, 30), 0);
		const some = await run(["loss=20%:10m@20m"]);
		assert.ok(acknowledged(some, 20.1, 30) > 30);
		assert.equal(some.lost, 0);
	},
	async delay() {
		const result = await run(["delay=1s:10m@20m"]);
		const slowest = (from: number, to: number): number => {
			const opens = result.of("open", from, to);
			return Math.max(
				...opens.map(
					({ time }) => (result.of("acknowledged").find((ack) => ack.time > time)?.time ?? 0) - time,
				),
			);
		};
		assert.ok(slowest(10, 19) < 100, `${slowest(10, 19)}`);
		assert.ok(slowest(20, 29) > 1000, `${slowest(20, 29)}`);
	},
	async power() {
		const result = await run(["power:10m@20m"]);
		assert.equal(result.of("off", 20, 20.01).length, 1);
		assert.equal(result.of("boot", 20.01, 30).length, 0);
		assert.equal(result.of("boot", 30, 30.01)[0]?.reason, "power-on");
		const cut = await run(["power=30:10m@20m"]);
		assert.equal(cut.of("off", 20, 21).length, 1);
		assert.notEqual(cut.of("off")[0]!.time, DEFAULT_START_TIME + 20 * MINUTE);
		assert.equal(cut.of("boot", 30, 30.01)[0]?.reason, "power-on");
		// What waits for the broker is gone without power, unless it is in flash.
		for (const [storage, isKept] of [
			["rtc", false],
			["flash", true],
		] as const) {
			const offline = await run(["broker:15m@15m", "power:5m@20m"], { outbox: { storage } });
			const { deliveries } = offline.counters.nodes.get("shed")!;
			assert.equal(deliveries.unpowered === 0, isKept, `${storage}: ${deliveries.unpowered}`);
			assert.equal(offline.lost, 0);
		}
	},
	async "brown-out"() {
		const result = await run(["brown-out@20m"]);
		assert.equal(result.of("boot", 20, 20.01)[0]?.reason, "brown-out");
	},
	async reset() {
		const result = await run([
			"reset@20m",
			...[1, 9, 33, 60, 90].map((calls) => `reset=${calls}@${calls * 12}s`),
		]);
		assert.equal(result.of("boot").filter(({ reason }) => reason === "reset").length, 6);
		assert.equal(result.lost, 0);
	},
	async clock() {
		const result = await run(["clock=+5m@20m"]);
		const ahead = result
			.of("value", 21, 22)
			.map(({ time, payload }) => Date.parse(JSON.parse(payload).time) - time);
		assert.ok(ahead.length > 0 && ahead.every((ms) => Math.abs(ms - 5 * MINUTE) < 2000), `${ahead}`);
	},
	async drift() {
		const ends = async (faults: readonly string[]) => (await run(faults)).of("wake", 20, 30).at(-1)!.time;
		assert.notEqual(await ends(["drift=2000ppm:10m@20m"]), await ends([]));
	},
	async sensor() {
		const result = await run(["sensor:10m@20m"]);
		const failed = (from: number, to: number) =>
			result.of("sample", from, to).filter(({ value }) => value === undefined).length;
		assert.deepEqual([failed(10, 20), failed(30, 60)], [0, 0]);
		assert.equal(failed(20, 30), result.of("sample", 20, 30).length);
	},
	async stuck() {
		const values = async (faults: readonly string[]) =>
			new Set((await run(faults)).of("sample", 20, 30).map(({ value }) => value)).size;
		assert.ok((await values([])) > 5);
		assert.equal(await values(["stuck:10m@20m"]), 1);
	},
	async garbled() {
		const values = (await run(["garbled:10m@20m"])).of("sample", 20, 30).map(({ value }) => value);
		assert.ok(values.some((value) => value === Number.MAX_VALUE));
		assert.ok(values.some((value) => !Number.isFinite(value)));
	},
	async contact() {
		const result = await run(["contact:10m@20m"], door);
		const woken = (from: number, to: number) =>
			result.of("boot", from, to).flatMap(({ pin }) => (pin === undefined ? [] : [pin]));
		assert.deepEqual([woken(20, 20.1), woken(20.1, 30), woken(30, 30.1)], [[4], [], [4]]);
		const values = (from: number) => result.of("sample", from, from + 0.1).map(({ value }) => value);
		assert.deepEqual([values(20)[0], values(30)[0]], [0, 1]);
		assert.ok(acknowledged(result, 20, 20.1) > 0 && acknowledged(result, 30, 30.1) > 0);
	},
	async bounce() {
		const limit = 20;
		const result = await run(["bounce=500ms:30m@20m"], { ...door, sleep: { pinWakeLimit: limit } });
		const woken = result.of("boot", 20, 50).filter(({ pin }) => pin === 4).length;
		// Those of an hour at once, and then at an even rate
		assert.ok(woken >= limit && woken <= limit + limit / 2 + 1, `${woken}`);
		assert.equal(result.lost, 0);
	},
	async "image-crash"() {
		const { phases, crashes, acknowledged } = await runUpdate("node", "image-crash:1h@1s");
		assert.deepEqual(phases, ["fetching", "activated", "failed"]);
		assert.equal(crashes, 1);
		assert.ok(acknowledged > 20);
	},
	async "image-mute"() {
		const { phases, crashes, acknowledged } = await runUpdate("node", "image-mute:1h@1s");
		assert.deepEqual(phases, ["fetching", "activated", "returned", "failed"]);
		assert.equal(crashes, 0);
		assert.ok(acknowledged > 20);
	},
	async storage() {
		const result = await run(["storage:10m@20m"], onFlash);
		assert.equal(result.lost, 0);
		assert.ok(result.of("trace", 20, 31).some(({ message }) => message.includes("ESP_ERR_FLASH_OP_FAIL")));
	},
	async "storage-read"() {
		// What waited before the power failed is not lost, though it cannot be read at first
		const result = await run(["broker:20m@10m", "storage-read:5m@20m", "power:10s@20.5m"], {
			outbox: { storage: "flash" },
		});
		const { deliveries } = result.counters.nodes.get("shed")!;
		assert.ok(result.of("trace", 20, 26).some(({ message }) => message.includes("they are kept")));
		assert.ok(deliveries.unpowered >= 60, "counted as lost first");
		assert.ok(
			deliveries.acknowledged >= deliveries.accepted - deliveries.unpowered - 5,
			"and accepted anew when they are found",
		);
		assert.ok(deliveries.acknowledged > 280, `${deliveries.acknowledged} of 360 samples arrive`);
		assert.equal(result.lost, 0);
	},
	async "flash-full"() {
		const result = await run(["flash-full:10m@20m"], onFlash);
		assert.ok(result.of("trace", 20, 31).some(({ message }) => message.includes("NOT_ENOUGH_SPACE")));
	},
	async "torn-write"() {
		const result = await run(["torn-write@20m"], onFlash);
		const [boot] = result.of("boot", 20, 60).filter(({ node }) => node === "broker");
		assert.equal(boot?.reason, "power-on");
		assert.equal(result.of("off").length, 1);
		assert.equal(result.lost, 0);
	},
};

describe("faults in a simulation", () => {
	for (const name of Object.keys(FAULT_KINDS))
		test(`${name}: its effect shows while it lasts, and no report is lost`, async () => {
			const effect = effects[name];
			assert.ok(effect, "each kind has a test");
			await effect();
		});

	test("each fault is an event when it begins, and a lasting one when it is over", async () => {
		const result = await run(["wifi:10m@20m", "reset@5m/broker"]);
		assert.deepEqual(
			result
				.of("fault")
				.map(({ time, node, fault, active }) => [(time - DEFAULT_START_TIME) / MINUTE, node, fault, active]),
			[
				[5, "broker", "reset@5m/broker", true],
				[20, "shed", "wifi:10m@20m", true],
				[30, "shed", "wifi:10m@20m", false],
			],
		);
	});

	test("faults of one kind that overlap end with the last of them", async () => {
		const result = await run(["wifi:10m@20m", "wifi:20m@25m"]);
		assert.equal(acknowledged(result, 20.1, 45), 0);
		assert.ok(acknowledged(result, 45, 60) > 0);
	});

	test("without faults a run is the same as ever", async () => {
		assert.deepEqual((await run([], {}, { faults: [] })).events, (await run([])).events);
	});

	test("a board that is not there, or a broker outside the simulation, is refused before the run", async () => {
		const rows: readonly (readonly [fault: string, message: RegExp, rest?: Partial<SimulationOptions>])[] = [
			["reset@1m/shet", /there is no board shet; there are broker, shed/],
			["wifi:1m@1m/shed", /wifi concerns the whole network, and no board/],
			[
				"broker:1m@1m",
				/the broker is not part of this simulation/,
				{ broker: new URL("mqtt://127.0.0.1:1") },
			],
			["loss=1%:1m@1m/shed", /the network is not part/, { broker: new URL("mqtt://127.0.0.1:1") }],
		];
		for (const [fault, message, rest] of rows)
			await assert.rejects(run([fault], {}, rest), (error) => {
				assert.ok(error instanceof FaultTargetError);
				assert.match(error.message, message);
				return true;
			});
	});
});
