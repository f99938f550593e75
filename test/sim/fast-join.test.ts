import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Random } from "../../sim/clock/random";
import type { TimedEvent } from "../../sim/report/events";
import { Simulation } from "../../sim/simulation";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const AWAKE_LIMIT_MS = 8000;
/** A wake with a trial that nobody answers, two seconds, and all that follows. */
const TRIAL_WAKE_MS = 5500;
/** Steps of a join with everything from the last one, and with nothing. */
const FAST = ["start", "probe", "association"];
const FULL = ["start", "scan", "association", "dhcp", "dns"];
/** At power-on the time server is looked up too. */
const FIRST = [...FULL, "dns"];

/** A wake with a join: its events, and the steps on its way to the broker. */
interface Wake {
	readonly start: number;
	readonly steps: string[];
	acknowledged: number;
	failed: number;
	/** ms. */
	awake: number;
}

async function run(
	duration: number,
	disturb: (simulation: Simulation) => void = () => {},
	seed = 3,
): Promise<{ wakes: Wake[]; traces: string[]; lost: number; waiting: number; all: number }> {
	const path = fileURLToPath(new URL("../../manifest.json", import.meta.url));
	const wakes: Wake[] = [];
	const traces: string[] = [];
	let accepted = 0;
	let acknowledged = 0;
	let dropped = 0;
	let waiting = 0;
	let all = 0;
	const onEvent = (event: TimedEvent): void => {
		if (event.node === "broker") return;
		const wake = wakes.at(-1)!;
		switch (event.type) {
			case "wake":
				all++;
				wakes.push({ start: event.time, steps: [], acknowledged: 0, failed: 0, awake: 0 });
				break;
			case "radio":
				wake.steps.push(event.step);
				break;
			case "accepted":
				accepted = Math.max(accepted, event.sequence);
				break;
			case "acknowledged":
				acknowledged++;
				wake.acknowledged++;
				break;
			case "dropped":
				dropped += event.count;
				break;
			case "failed":
				wake.failed++;
				break;
			case "sleep":
				waiting = event.waiting;
				wake.awake = event.time - wake.start;
				break;
			case "trace":
				traces.push(event.message);
		}
	};
	const sensor = { name: "t", driver: "virtual", property: "thermometer.temperature", every: "60s" };
	const firefly = {
		id: "node",
		wifi: { ssid: "home" },
		broker: { url: "mqtt://my-broker" },
		topic: "home/{sensor}",
		sleep: { awakeLimit: "8s" },
		backoff: { minimum: "1s", maximum: "60s" },
		sensors: [sensor],
	};
	const simulation = await Simulation.build({
		manifest: { path, json: { include: ["./firmware/manifest.json"], config: { firefly } }, overrides: {} },
		speed: "max",
		seed,
		engine: "node",
		listener: { event: onEvent },
	});
	disturb(simulation);
	await simulation.run(duration);
	simulation.dispose();
	return {
		wakes: wakes.filter(({ steps }) => steps.length > 0),
		traces,
		lost: accepted - acknowledged - dropped - waiting,
		waiting,
		all,
	};
}

/** Disturbs the network once, between two reports, in the middle of ten minutes. */
const once = (disturb: (simulation: Simulation) => void) => (simulation: Simulation) =>
	void simulation.scheduler.after(5.5 * MINUTE, () => disturb(simulation));

describe("a join with what the last one has left", () => {
	test("from the second on nothing is scanned, assigned or looked up, and the wake is a tenth as long", async () => {
		const { wakes, lost, traces } = await run(HOUR);
		assert.deepEqual(wakes[0]!.steps, FIRST);
		for (const { steps } of wakes.slice(1)) assert.deepEqual(steps, FAST);
		assert.ok(wakes.length >= 59);
		assert.ok(Math.max(...wakes.slice(1).map(({ awake }) => awake)) * 7 < wakes[0]!.awake);
		assert.equal(lost, 0);
		assert.deepEqual(traces, []);
	});

	for (const { name, disturb, steps } of [
		{
			name: "the access point is on another channel",
			disturb: ({ accessPoint }: Simulation) => {
				accessPoint.channel = 11;
			},
			steps: ["start", "probe", ...FULL],
		},
		{
			name: "another access point is in its place",
			disturb: ({ accessPoint }: Simulation) => {
				accessPoint.bssid = "02f17ef1f1aa";
			},
			steps: ["start", "probe", ...FULL],
		},
		{
			name: "another host has its address",
			disturb: ({ accessPoint }: Simulation) => accessPoint.dhcp.take("192.168.4.11"),
			steps: [...FAST, ...FULL],
		},
		{
			name: "the network has new addresses",
			disturb: ({ accessPoint }: Simulation) => accessPoint.dhcp.forget(),
			steps: [...FAST, ...FULL],
		},
		{
			name: "the broker has moved, and its name with it",
			disturb: ({ network }: Simulation) => network.move("192.168.4.2", "192.168.4.77"),
			steps: [...FAST, ...FULL],
		},
	])
		test(`${name}: the same wake joins anew and reports, and the next one is fast again`, async () => {
			const { wakes, lost, waiting, traces } = await run(10 * MINUTE, once(disturb));
			const disturbed = wakes.findIndex(({ steps }, index) => index > 0 && steps.length > FAST.length);
			assert.deepEqual(wakes[disturbed]!.steps, steps);
			for (const { acknowledged, failed, awake } of wakes) {
				assert.equal(acknowledged, 1);
				assert.equal(failed, 0);
				assert.ok(awake <= TRIAL_WAKE_MS, `${awake} ms`);
			}
			const others = wakes.filter((_, index) => index > 0 && index !== disturbed);
			assert.ok(others.length >= 7);
			for (const { steps: fast } of others) assert.deepEqual(fast, FAST);
			assert.equal(lost + waiting, 0);
			assert.equal(traces.filter((line) => line.includes("joining anew")).length, 1);
		});

	test("a lease is used for seven eighths of its time, then asked for again", async () => {
		const { wakes, lost, traces } = await run(2 * HOUR, ({ accessPoint }) => {
			accessPoint.dhcp.leaseSeconds = 600;
		});
		const assigned = wakes.filter(({ steps }) => steps.includes("dhcp"));
		// 525 s is between eight and nine reports a minute apart.
		assert.ok(assigned.length >= 12 && assigned.length <= 14, `${assigned.length}`);
		for (const { steps } of assigned.slice(1))
			assert.deepEqual(steps, ["start", "probe", "association", "dhcp", "dns"]);
		assert.equal(lost, 0);
		assert.deepEqual(traces, [], "no address was ever used that was not the node's");
	});

	test("once a day all channels are scanned for a better access point", async () => {
		const { wakes } = await run(49 * HOUR);
		assert.equal(wakes.filter(({ steps }) => steps.includes("scan")).length, 3);
	});

	test("after a reset a clock that goes on says that the address is still the node's", async () => {
		const { wakes } = await run(3 * MINUTE, (simulation) => {
			simulation.scheduler.after(2.5 * MINUTE, () => simulation.node.reset());
		});
		assert.ok(wakes.length >= 3);
		assert.deepEqual(wakes[0]!.steps, FIRST);
		for (const { steps } of wakes.slice(1)) assert.deepEqual(steps, FAST);
	});

	test("a missing access point costs one scan a try, within awakeLimit; nothing is lost", async () => {
		const { wakes, lost, waiting } = await run(3 * HOUR, ({ scheduler, accessPoint }) => {
			scheduler.after(HOUR, () => {
				accessPoint.present = false;
			});
			scheduler.after(2 * HOUR, () => {
				accessPoint.present = true;
			});
		});
		const tries = wakes.filter(({ failed }) => failed > 0);
		assert.ok(tries.length > 20);
		assert.deepEqual(tries[0]!.steps, ["start", "probe", "start", "scan"]);
		for (const { steps, awake } of tries.slice(1)) {
			assert.deepEqual(steps, ["start", "scan"]);
			assert.ok(awake < 2500, `${awake} ms`);
		}
		assert.equal(lost + waiting, 0);
	});

	test("while the broker is away, only the first try spends time on what the last one has left", async () => {
		const { wakes, lost, waiting } = await run(2 * HOUR, ({ scheduler, network }) => {
			const setAway = (away: boolean) => () => {
				network.find("192.168.4.2")!.blackHole = away;
			};
			scheduler.after(HOUR, setAway(true));
			scheduler.after(1.5 * HOUR, setAway(false));
		});
		const tries = wakes.filter(({ failed }) => failed > 0);
		assert.ok(tries.length > 10);
		assert.deepEqual(tries[0]!.steps, [...FAST, ...FULL]);
		for (const { steps, awake } of tries) {
			assert.ok(awake <= AWAKE_LIMIT_MS, `${awake} ms`);
			if (steps !== tries[0]!.steps) assert.deepEqual(steps, FULL);
		}
		assert.equal(lost + waiting, 0);
	});

	for (let seed = 1; seed <= 6; seed++)
		test(`seed ${seed}: whatever changes and whenever, nothing is lost and no wake exceeds awakeLimit`, async () => {
			const { wakes, lost, waiting } = await run(
				14 * HOUR,
				(simulation) => disturbAtRandom(simulation, new Random(seed, "disturbances"), 12 * HOUR),
				seed,
			);
			assert.equal(lost, 0);
			assert.ok(waiting <= 1, `${waiting}`);
			for (const { awake } of wakes) assert.ok(awake <= AWAKE_LIMIT_MS + 100, `${awake} ms`);
			assert.ok(wakes.filter(({ steps }) => steps.includes("scan")).length > 20);
		});
});

/** Changes something of the network every few seconds to minutes, also in the middle of a join. */
function disturbAtRandom(simulation: Simulation, random: Random, end: number): void {
	const { scheduler, accessPoint, network } = simulation;
	const stop = scheduler.now + end;
	let broker = "192.168.4.2";
	let last = 100;
	const actions = [
		() => {
			accessPoint.channel = 1 + Math.floor(random.between(0, 13));
		},
		() => {
			accessPoint.bssid = `02f17ef1f1${Math.floor(random.between(16, 256)).toString(16)}`;
		},
		() => accessPoint.dhcp.take("192.168.4.11"),
		() => accessPoint.dhcp.forget(),
		() => {
			accessPoint.dhcp.leaseSeconds = random.between(60, 7200);
		},
		() => {
			network.move(broker, `192.168.4.${++last}`);
			broker = `192.168.4.${last}`;
		},
		() => {
			accessPoint.present = false;
			scheduler.after(random.between(500, 5 * MINUTE), () => {
				accessPoint.present = true;
			});
		},
		() => simulation.node.reset(),
	];
	const next = (): void => {
		if (scheduler.now > stop || last > 240) return;
		actions[Math.floor(random.between(0, actions.length))]!();
		scheduler.after(random.between(300, 10 * MINUTE), next);
	};
	scheduler.after(random.between(300, 10 * MINUTE), next);
}
