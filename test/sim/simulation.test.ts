import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { connectAsync } from "mqtt";
import type { EngineName } from "../../sim/engine/choose";
import { Fleet, type FleetOptions, START } from "../../sim/fleet";
import type { SimulationEvent } from "../../sim/report/events";
import { runSimulation, type SimulationOptions } from "../../sim/simulation";

const MANIFEST = fileURLToPath(new URL("../../manifest.json", import.meta.url));
const HOUR = 3_600_000;

interface Change {
	readonly [name: string]: unknown;
}

/** The firmware with one sensor a minute. */
function manifest(firefly: Change = {}): SimulationOptions["manifest"] {
	const sensor = { name: "temperature", driver: "virtual", property: "thermometer.temperature", every: "60s", decimals: 1 };
	const config = {
		firefly: { id: "node", wifi: { ssid: "home" }, broker: { url: "mqtt://192.168.1.10" }, topic: "home/{sensor}", sensors: [sensor], ...firefly },
	};
	return { path: MANIFEST, json: { include: ["./firmware/manifest.json"], config }, overrides: {} };
}

function options(events: SimulationEvent[], rest: Partial<FleetOptions> = {}): FleetOptions {
	return { manifest: manifest(), speed: "max", seed: 7, engine: "node", listener: { event: (event) => void events.push(event) }, ...rest };
}

async function run(duration: number, rest: Partial<FleetOptions> = {}): Promise<SimulationEvent[]> {
	const events: SimulationEvent[] = [];
	await runSimulation({ ...options(events, rest), duration });
	return events;
}

type Kind<T extends SimulationEvent["type"]> = Extract<SimulationEvent, { type: T }>;

function all<T extends SimulationEvent["type"]>(events: readonly SimulationEvent[], type: T): Kind<T>[] {
	return events.filter((event): event is Kind<T> => event.type === type);
}

/** Reports that were taken and neither acknowledged nor are waiting. */
function lost(events: readonly SimulationEvent[]): number {
	const last = events.findLast((event) => "waiting" in event);
	const accepted = Math.max(0, ...all(events, "accepted").map(({ sequence }) => sequence));
	const dropped = all(events, "dropped").reduce((sum, { count }) => sum + count, 0);
	return accepted - all(events, "acknowledged").length - dropped - (last && "waiting" in last ? last.waiting : 0);
}

describe("a simulation", () => {
	test("tells the same twice, on both engines, and another seed tells something else", async () => {
		const tell = async (engine: EngineName, seed: number): Promise<string> => JSON.stringify(await run(2 * HOUR, { engine, seed }));
		const once = await tell("xs", 7);
		assert.equal(await tell("xs", 7), once);
		assert.equal(await tell("node", 7), once);
		assert.notEqual(await tell("node", 8), once);
	});

	test("every report of a day is acknowledged and reaches a subscriber as it was sampled", async () => {
		const events = await run(24 * HOUR);
		const samples = all(events, "sample");
		assert.ok(samples.length >= 1439, `${samples.length}`);
		assert.equal(lost(events), 0);
		assert.equal(all(events, "crash").length + all(events, "failed").length + all(events, "limit").length, 0);
		const values = all(events, "value");
		assert.deepEqual(
			values.map(({ payload }) => Number(payload)),
			samples.slice(0, values.length).map(({ value }) => Number(value!.toFixed(1))),
		);
		assert.ok(samples.length - values.length <= 1);
		assert.ok(events.every(({ time }) => Number.isInteger(time) && time >= START && time <= START + 24 * HOUR));
	});

	for (const latency of [3, 50]) {
		test(`with a one-way latency of ${latency} ms the PUBACK comes 4 of them after SYN, 6 without pipelining`, async () => {
			for (const [pipeline, trips] of [
				["auto", 2],
				[true, 2],
				[false, 3],
			] as const) {
				const broker = { url: "mqtt://192.168.1.10", pipeline };
				const events = await run(HOUR, { latency, manifest: manifest({ broker }) });
				const opened = all(events, "open");
				const acknowledged = all(events, "acknowledged");
				assert.ok(acknowledged.length > 55);
				for (const [index, { time }] of acknowledged.entries()) assert.equal(time - opened[index]!.time, 2 * trips * latency);
				for (const { roundTrips, reports } of all(events, "exchange")) assert.deepEqual([roundTrips, reports], [trips, 1]);
			}
		});
	}

	test("the broker is found by name", async () => {
		const events = await run(HOUR, { manifest: manifest({ broker: { url: "mqtt://broker.example" } }) });
		assert.ok(all(events, "acknowledged").length > 55);
	});

	test("a manifest of a broker alone runs, and one that is both", async () => {
		const alone = await run(HOUR, { manifest: manifest({ role: "broker", sensors: [], listen: { anonymous: true } }) });
		assert.deepEqual([...new Set(alone.map(({ type }) => type))], ["node", "boot"]);
		const both = await run(HOUR, { manifest: manifest({ role: "both", listen: { anonymous: true }, sleep: { mode: "none" } }) });
		assert.equal(lost(both), 0);
		assert.ok(all(both, "value").length > 50, `${both.length}`);
	});

	test("without Wi-Fi in the configuration the board is wired", async () => {
		const events = await run(HOUR, { manifest: manifest({ wifi: undefined }) });
		assert.ok(all(events, "acknowledged").length > 55);
		assert.equal(all(events, "join").length, 0);
	});
});

describe("nothing is lost", () => {
	const trouble: [string, (fleet: Fleet, at: (minutes: number, action: () => void) => void) => void][] = [
		[
			"when the access point is away for an hour",
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
			"when the broker is unreachable for an hour",
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
			"when the broker refuses for an hour",
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
			"when the broker's power goes and comes",
			({ boards }, at) => {
				at(30, () => boards[0]!.powerOff());
				at(60, () => boards[0]!.powerOn());
			},
		],
		[
			"when somebody plays with the reset button",
			({ node }, at) => {
				for (let i = 0; i < 60; i++) at(30 + i * 0.37, () => node.reset());
			},
		],
		[
			"when the access point moves to another channel",
			({ accessPoint }, at) =>
				at(30, () => {
					accessPoint.channel = 11;
				}),
		],
	];
	async function suffer(engine: EngineName, make: (typeof trouble)[number][1]): Promise<SimulationEvent[]> {
		const events: SimulationEvent[] = [];
		const fleet = await Fleet.build(options(events, { engine }));
		make(fleet, (minutes, action) => fleet.scheduler.at(START + Math.round(minutes * 60_000), action));
		await fleet.run(5 * HOUR);
		fleet.dispose();
		return events;
	}

	for (const [name, make] of trouble) {
		test(name, async () => {
			const events = await suffer("xs", make);
			assert.deepEqual(events, await suffer("node", make), "both engines tell the same");
			assert.equal(lost(events), 0);
			assert.equal(all(events, "crash").length, 0);
			const last = events.findLast((event) => "waiting" in event);
			assert.ok(last && "waiting" in last && last.waiting <= 1, "and the outbox is empty again");
			for (const { time } of all(events, "sleep")) {
				const woken = events.findLast((event) => event.type === "wake" && event.time <= time)!;
				assert.ok(time - woken.time <= 8000 + 500, `awake for ${time - woken.time} ms`);
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

	test("a broker that answers garbage is a counted failure, and everything waits", async () => {
		const { url, close } = await peer((socket) => socket.on("data", () => socket.write(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"))));
		const events = await run(HOUR, { manifest: manifest({ broker: { url: url.href } }), broker: url });
		close();
		assert.ok(all(events, "failed").length > 3);
		assert.ok(all(events, "failed").every(({ fault }) => fault === "peer"));
		assert.equal(all(events, "acknowledged").length, 0);
		assert.equal(lost(events), 0);
	});

	test("one that accepts and says nothing costs the time-out, not more", async () => {
		const { url, close } = await peer(() => {});
		const broker = { url: url.href, connectTimeout: "0.2s" };
		const events = await run(5 * 60_000, { manifest: manifest({ broker }), broker: url });
		close();
		assert.ok(all(events, "failed").length > 0);
		assert.equal(lost(events), 0);
		assert.equal(all(events, "limit").length, 0);
	});

	test("at the speed of the wall clock the broker's board is reachable from this machine", async () => {
		const events: SimulationEvent[] = [];
		const stop = new AbortController();
		let told: (port: number) => void = () => {};
		const listening = new Promise<number>((resolve) => {
			told = resolve;
		});
		const running = runSimulation({ ...options(events, { speed: 1, listening: (port) => told(port) }), duration: undefined, signal: stop.signal });
		const port = await Promise.race([listening, running]);
		const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5 });
		const message = new Promise<string>((resolve) => client.on("message", (topic, payload) => resolve(`${topic} ${payload}`)));
		await client.subscribeAsync("home/#");
		assert.match(await message, /^home\/temperature [\d.]+$/);
		await client.endAsync();
		stop.abort();
		await running;
		assert.doesNotMatch(JSON.stringify(events), /127\.0\.0\.1/);
	});

	test("a simulation that is stopped before it starts does not start", async () => {
		const events: SimulationEvent[] = [];
		await runSimulation({ ...options(events), duration: undefined, signal: AbortSignal.abort() });
		assert.deepEqual([...new Set(events.map(({ type }) => type))], ["node"]);
	});
});
