import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { connectAsync } from "mqtt";
import type { EngineName } from "../../sim/engine/engine-factory";
import { SimulationCounters } from "../../sim/report/counters";
import type { TimedEvent } from "../../sim/report/events";
import { summarize } from "../../sim/report/summary";
import { type RunOptions, runSimulation } from "../../sim/run";
import { DEFAULT_START_TIME, Simulation } from "../../sim/simulation";
import type { SimulationOptions } from "../../sim/simulation-options";

const MANIFEST = fileURLToPath(new URL("../../manifest.json", import.meta.url));
const HOUR = 3_600_000;

interface FireflyOverrides {
	readonly [name: string]: unknown;
}

/** The firmware with one sensor that samples each minute. */
function manifest(firefly: FireflyOverrides = {}): RunOptions["manifest"] {
	const sensor = {
		name: "temperature",
		driver: "virtual",
		property: "thermometer.temperature",
		every: "60s",
		decimals: 1,
	};
	const config = {
		firefly: {
			id: "node",
			wifi: { ssid: "home" },
			broker: { url: "mqtt://192.168.1.10" },
			topic: "home/{sensor}",
			sensors: [sensor],
			...firefly,
		},
	};
	return { path: MANIFEST, json: { include: ["./firmware/manifest.json"], config }, overrides: {} };
}

function options(events: TimedEvent[], rest: Partial<SimulationOptions> = {}): SimulationOptions {
	return {
		manifest: manifest(),
		speed: "max",
		seed: 7,
		engine: "node",
		listener: { event: (event) => void events.push(event) },
		...rest,
	};
}

async function run(duration: number, rest: Partial<SimulationOptions> = {}): Promise<TimedEvent[]> {
	const events: TimedEvent[] = [];
	await runSimulation({ ...options(events, rest), duration });
	return events;
}

type EventOfType<T extends TimedEvent["type"]> = Extract<TimedEvent, { type: T }>;

function eventsOfType<T extends TimedEvent["type"]>(
	events: readonly TimedEvent[],
	type: T,
): EventOfType<T>[] {
	return events.filter((event): event is EventOfType<T> => event.type === type);
}

/** Number of accepted reports that are neither acknowledged, dropped nor waiting. */
function countLost(events: readonly TimedEvent[]): number {
	const last = events.findLast((event) => "waiting" in event);
	const accepted = Math.max(0, ...eventsOfType(events, "accepted").map(({ sequence }) => sequence));
	const dropped = eventsOfType(events, "dropped").reduce((sum, { count }) => sum + count, 0);
	return (
		accepted -
		eventsOfType(events, "acknowledged").length -
		dropped -
		(last && "waiting" in last ? last.waiting : 0)
	);
}

describe("a simulation", () => {
	for (const engine of ["node", "xs"] as const)
		test(`light sleep on ${engine}: one boot, an average near that of the sleep; without its include as with none`, async () => {
			const seen: Record<string, { events: TimedEvent[]; average: number }> = {};
			for (const [name, mode, include] of [
				["light", "light", ["./firmware/manifest.json", "./firmware/light-sleep/manifest.json"]],
				["lacking", "light", ["./firmware/manifest.json"]],
				["none", "none", ["./firmware/manifest.json"]],
			] as const) {
				const { json, ...rest } = manifest({ sleep: { mode } });
				const all = await run(HOUR, { engine, manifest: { ...rest, json: { ...json, include } } });
				const sensor = eventsOfType(all, "node").find(({ role }) => role === "sensor");
				const events = all.filter(({ node }) => node === sensor?.node);
				const counters = new SimulationCounters();
				for (const event of events) counters.event(event);
				seen[name] = { events, average: summarize(counters).energy.average };
			}
			const { light, lacking, none } = seen;
			for (const { events } of Object.values(seen)) {
				assert.equal(eventsOfType(events, "boot").length, 1);
				assert.equal(eventsOfType(events, "connected").length, 1);
				assert.equal(eventsOfType(events, "acknowledged").length, 60);
			}
			assert.ok(light!.average > 3.34 && light!.average < 4, `${light!.average} mA`);
			assert.equal(lacking!.average, none!.average);
			assert.ok(none!.average > 68);
			const traces = (events: readonly TimedEvent[]): string[] =>
				eventsOfType(events, "trace").map(({ message }) => message);
			assert.deepEqual(traces(light!.events), []);
			assert.deepEqual(traces(lacking!.events), [
				"firefly: no light sleep, the chip stays awake: Error: the image lacks firmware/light-sleep/manifest.json",
			]);
		});

	test("the events are the same twice and on both engines, and differ with another seed", async () => {
		const runToJson = async (engine: EngineName, seed: number): Promise<string> =>
			JSON.stringify(await run(2 * HOUR, { engine, seed }));
		const once = await runToJson("xs", 7);
		assert.equal(await runToJson("xs", 7), once);
		assert.equal(await runToJson("node", 7), once);
		assert.notEqual(await runToJson("node", 8), once);
	});

	test("a broker that is the access point serves as one that has joined", async () => {
		const values = async (mode: "join" | "accessPoint") => {
			const firefly = {
				role: "both",
				sleep: { mode: "none" },
				wifi: { ssid: "home", mode },
				listen: { anonymous: true },
			};
			const events = await run(3 * 60_000, { manifest: manifest(firefly) });
			assert.equal(eventsOfType(events, "crash").length, 0);
			const scanned = eventsOfType(events, "radio").some(({ step }) => step === "scan");
			return { topics: eventsOfType(events, "value").map(({ topic }) => topic), scanned };
		};
		const [joined, opened] = [await values("join"), await values("accessPoint")];
		assert.ok(joined.topics.length > 0);
		assert.deepEqual(new Set(opened.topics), new Set(joined.topics));
		assert.deepEqual([joined.scanned, opened.scanned], [true, false]);
	});

	test("an image of sensors only reports to a broker all the same", async () => {
		const { json, ...rest } = manifest();
		const sensorImage = { ...rest, json: { ...json, include: ["./firmware/manifest_sensor.json"] } };
		for (const engine of ["xs", "node"] as const) {
			const events = await run(HOUR, { manifest: sensorImage, engine });
			assert.ok(eventsOfType(events, "acknowledged").length >= 59);
			assert.equal(eventsOfType(events, "crash").length, 0);
		}
	});

	test("every report of a day is acknowledged and reaches a subscriber with the sampled value", async () => {
		const events = await run(24 * HOUR);
		const samples = eventsOfType(events, "sample");
		assert.ok(samples.length >= 1439, `${samples.length}`);
		assert.equal(countLost(events), 0);
		assert.equal(
			eventsOfType(events, "crash").length +
				eventsOfType(events, "failed").length +
				eventsOfType(events, "limit").length,
			0,
		);
		const values = eventsOfType(events, "value");
		assert.deepEqual(
			values.map(({ payload }) => Number(payload)),
			samples.slice(0, values.length).map(({ value }) => Number(value!.toFixed(1))),
		);
		assert.ok(samples.length - values.length <= 1);
		assert.ok(
			events.every(
				({ time }) =>
					Number.isInteger(time) && time >= DEFAULT_START_TIME && time <= DEFAULT_START_TIME + 24 * HOUR,
			),
		);
	});

	for (const latency of [3, 50, 200]) {
		test(`latency ${latency} ms: readings are dated by the time server, within 50 ms, none before boot`, async () => {
			for (const seed of [7, 8, 9]) {
				const time = { server: "time.example" };
				const events = await run(HOUR, { latency, seed, manifest: manifest({ payload: "json", time }) });
				const taken = eventsOfType(events, "sample").map((event) => event.time);
				const dated = eventsOfType(events, "value").map(({ payload }) =>
					Date.parse((JSON.parse(payload) as { time: string }).time),
				);
				assert.ok(dated.length > 55);
				const [boot] = eventsOfType(events, "boot");
				assert.ok(dated[0]! >= boot!.time);
				// The first readings; later the sleep oscillator's error adds up until the next day.
				for (const [index, date] of dated.slice(0, 3).entries())
					assert.ok(Math.abs(date - taken[index]!) < 50, `${date - taken[index]!} ms`);
			}
		});

		test(`latency ${latency} ms: PUBACK arrives 4 latencies after SYN, 6 without pipelining`, async () => {
			for (const [pipeline, expectedRoundTrips] of [
				["auto", 2],
				[true, 2],
				[false, 3],
			] as const) {
				const broker = { url: "mqtt://192.168.1.10", pipeline };
				const events = await run(HOUR, { latency, manifest: manifest({ broker }) });
				const opened = eventsOfType(events, "open");
				const acknowledged = eventsOfType(events, "acknowledged");
				assert.ok(acknowledged.length > 55);
				for (const [index, { time }] of acknowledged.entries())
					assert.equal(time - opened[index]!.time, 2 * expectedRoundTrips * latency);
				const exchanges = eventsOfType(events, "exchange");
				assert.ok(exchanges.length > 55);
				for (const { roundTrips, reports } of exchanges)
					assert.deepEqual([roundTrips, reports], [expectedRoundTrips, 1]);
			}
		});
	}

	test("the broker is found by name", async () => {
		const events = await run(HOUR, { manifest: manifest({ broker: { url: "mqtt://broker.example" } }) });
		assert.ok(eventsOfType(events, "acknowledged").length > 55);
	});

	test("a manifest of a broker alone runs, and so does one with both roles", async () => {
		const alone = await run(HOUR, {
			manifest: manifest({ role: "broker", sensors: [], listen: { anonymous: true } }),
		});
		assert.deepEqual([...new Set(alone.map(({ type }) => type))], ["node", "boot", "radio"]);
		const both = await run(HOUR, {
			manifest: manifest({ role: "both", listen: { anonymous: true }, sleep: { mode: "none" } }),
		});
		assert.equal(countLost(both), 0);
		assert.ok(eventsOfType(both, "value").length > 50, `${both.length}`);
	});

	test("a board's own broker by WebSocket: its node reaches it by TCP; another port: it says that nobody is there", async () => {
		const board = (url: string, listen: object): Partial<SimulationOptions> => ({
			manifest: manifest({
				role: "both",
				broker: { url },
				listen: { anonymous: true, ...listen },
				sleep: { mode: "none" },
			}),
		});
		const own = await run(HOUR, board("ws://127.0.0.1:8080", { webSocket: 8080 }));
		assert.ok(eventsOfType(own, "acknowledged").length > 55);
		const other = await run(600_000, board("mqtt://192.168.1.10", { port: 1884 }));
		assert.equal(eventsOfType(other, "acknowledged").length, 0);
		assert.equal(countLost(other), 0);
		assert.ok(
			eventsOfType(other, "trace").some(
				({ message }) =>
					message ===
					"192.168.1.10:1883 is no port of this board's own broker, 1884, and no other is simulated beside it; --broker takes one",
			),
		);
	});

	test("a node that watches its battery: the broker beside it has nothing to say about the manifest", async () => {
		const supply = { name: "supply", driver: "virtual", property: "battery.voltage", every: "60s" };
		const events = await run(HOUR, {
			manifest: manifest({ sensors: [supply], battery: { sensor: "supply" } }),
		});
		assert.ok(eventsOfType(events, "acknowledged").length > 55);
		assert.deepEqual(eventsOfType(events, "trace"), []);
	});

	test("without Wi-Fi in the configuration the board is wired", async () => {
		const events = await run(HOUR, { manifest: manifest({ wifi: undefined }) });
		assert.ok(eventsOfType(events, "acknowledged").length > 55);
		assert.equal(eventsOfType(events, "join").length, 0);
	});
});

describe("nothing is lost", () => {
	const disturbances: [
		string,
		(simulation: Simulation, at: (minutes: number, action: () => void) => void) => void,
	][] = [
		[
			"the access point is absent for an hour",
			({ accessPoint }, at) => {
				at(30, () => {
					accessPoint.present = false;
				});
				at(90, () => {
					accessPoint.present = true;
				});
			},
		],
		[
			"the broker is unreachable for an hour",
			({ network }, at) => {
				const broker = network.find("192.168.1.10")!;
				at(30, () => {
					broker.blackHole = true;
				});
				at(90, () => {
					broker.blackHole = false;
				});
			},
		],
		[
			"the broker refuses connections for an hour",
			({ network }, at) => {
				const broker = network.find("192.168.1.10")!;
				at(30, () => {
					broker.refusing = true;
				});
				at(90, () => {
					broker.refusing = false;
				});
			},
		],
		[
			"the broker is powered off and on",
			({ boards }, at) => {
				at(30, () => boards[0]!.powerOff());
				at(60, () => boards[0]!.powerOn());
			},
		],
		[
			"the node is reset many times",
			({ node }, at) => {
				for (let i = 0; i < 60; i++) at(30 + i * 0.37, () => node.reset());
			},
		],
		[
			"the access point moves to another channel",
			({ accessPoint }, at) =>
				at(30, () => {
					accessPoint.channel = 11;
				}),
		],
	];
	async function runDisturbed(
		engine: EngineName,
		disturb: (typeof disturbances)[number][1],
	): Promise<TimedEvent[]> {
		const events: TimedEvent[] = [];
		const simulation = await Simulation.build(options(events, { engine }));
		disturb(simulation, (minutes, action) =>
			simulation.scheduler.at(DEFAULT_START_TIME + Math.round(minutes * 60_000), action),
		);
		await simulation.run(5 * HOUR);
		simulation.dispose();
		return events;
	}

	for (const [name, disturb] of disturbances) {
		test(name, async () => {
			const events = await runDisturbed("xs", disturb);
			assert.deepEqual(events, await runDisturbed("node", disturb), "both engines tell the same");
			assert.equal(countLost(events), 0);
			assert.equal(eventsOfType(events, "crash").length, 0);
			const last = events.findLast((event) => "waiting" in event);
			assert.ok(last && "waiting" in last && last.waiting <= 1, "and the outbox is empty again");
			const sleeps = eventsOfType(events, "sleep");
			assert.ok(sleeps.length > 0);
			for (const { time } of sleeps) {
				const wakeEvent = events.findLast((event) => event.type === "wake" && event.time <= time)!;
				assert.ok(time - wakeEvent.time <= 8000 + 500, `awake for ${time - wakeEvent.time} ms`);
			}
		});
	}
});

describe("with real sockets", () => {
	async function peer(handler: (socket: net.Socket) => void): Promise<{ url: URL; close(): void }> {
		const sockets = new Set<net.Socket>();
		const server = net.createServer((socket) => {
			sockets.add(socket);
			socket.on("error", () => {});
			handler(socket);
		});
		server.listen(0, "127.0.0.1");
		await once(server, "listening");
		const url = new URL(`mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`);
		return {
			url,
			close() {
				server.close();
				for (const socket of sockets) socket.destroy();
			},
		};
	}

	for (const [name, answer, fault] of [
		["garbage", "\x00\x01\x02\x03garbage", "peer"],
		// The port of another service: who configured it must act
		["HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", "configuration"],
	] as const)
		test(`a broker that answers ${name} is a counted failure, and every report waits`, async () => {
			const { url, close } = await peer((socket) =>
				socket.on("data", () => socket.write(Buffer.from(answer, "latin1"))),
			);
			const events = await run(HOUR, { manifest: manifest({ broker: { url: url.href } }), broker: url });
			close();
			const failed = eventsOfType(events, "failed");
			assert.ok(failed.length > 3, `${failed.length} failures`);
			assert.deepEqual([...new Set(failed.map((event) => event.fault))], [fault]);
			assert.equal(eventsOfType(events, "acknowledged").length, 0);
			assert.equal(countLost(events), 0);
		});

	test("a broker that accepts and never answers costs the timeout, not more", async () => {
		const { url, close } = await peer(() => {});
		const broker = { url: url.href, connectTimeout: "0.2s" };
		const events = await run(5 * 60_000, { manifest: manifest({ broker }), broker: url });
		close();
		assert.ok(eventsOfType(events, "failed").length > 0);
		assert.equal(countLost(events), 0);
		assert.equal(eventsOfType(events, "limit").length, 0);
	});

	test("at the speed of the wall clock the broker's board is reachable from this machine", async () => {
		const events: TimedEvent[] = [];
		const stop = new AbortController();
		let onListening: (port: number) => void = () => {};
		const listening = new Promise<number>((resolve) => {
			onListening = resolve;
		});
		const running = runSimulation({
			...options(events, { speed: 1, listening: (port) => onListening(port) }),
			duration: undefined,
			signal: stop.signal,
		});
		const port = await Promise.race([listening, running]);
		const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5 });
		const message = new Promise<string>((resolve) =>
			client.on("message", (topic, payload) => resolve(`${topic} ${payload}`)),
		);
		await client.subscribeAsync("home/#");
		assert.match(await message, /^home\/temperature [\d.]+$/);
		await client.endAsync();
		stop.abort();
		await running;
		assert.doesNotMatch(JSON.stringify(events), /127\.0\.0\.1/);
	});

	test("a simulation that is stopped before it starts does not start", async () => {
		const events: TimedEvent[] = [];
		await runSimulation({ ...options(events), duration: undefined, signal: AbortSignal.abort() });
		assert.deepEqual([...new Set(events.map(({ type }) => type))], ["node"]);
	});
});
