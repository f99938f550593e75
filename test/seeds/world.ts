import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { Board } from "../../sim/board/board";
import { Flash } from "../../sim/board/flash";
import { Random } from "../../sim/clock/random";
import { Scheduler } from "../../sim/clock/scheduler";
import type { Image } from "../../sim/engine/engine";
import { createEngine, type EngineName } from "../../sim/engine/engine-factory";
import { formatFault } from "../../sim/faults/fault-text";
import { FaultySensors } from "../../sim/faults/faulty-sensors";
import { FaultyStorage } from "../../sim/faults/faulty-storage";
import { FaultInjector } from "../../sim/faults/injector";
import type { FaultBoard } from "../../sim/faults/world";
import { type JSONObject, readManifest } from "../../sim/manifest/manifest-reader";
import { linkProgram, type Program } from "../../sim/manifest/program";
import type { TimeService } from "../../sim/network/time-server";
import { VirtualNetwork } from "../../sim/network/virtual";
import type { TimedEvent } from "../../sim/report/events";
import { AccessPoint } from "../../sim/wifi/access-point";
import { readSettings } from "../../src/config/settings";
import { RETAINED_BYTES } from "../../src/retained-memory";
import { Draw } from "./draw";
import { OddClient } from "./odd-client";
import { MISSING_MESSAGES, PlaceProbe } from "./place-probe";
import { PoolProbe } from "./pool-probe";
import {
	type BoardPlan,
	BROKER_ADDRESS,
	PUBLISHER_TOPICS,
	SENSOR_PROPERTIES,
	type SeedPlan,
} from "./seed-plan";
import { TrackedSensors } from "./tracked-sensors";
import { WellBehavedClient } from "./well-behaved-client";

/** Start of every seed's run, ms since 1970. */
export const START_TIME = Date.UTC(2026, 0, 1);
const SUBSCRIBER_START_MS = 500;
const PUBLISHER_START_MS = 12_000;
/**
 * From the end of the clients to the check of the pools: what is left of sessions and connections has
 * expired.
 */
const EXPIRY_MS = 3_600_000;
/** Of a board's flash: more than any drawn broker stores. */
const FLASH_ENTRIES = 100_000;
/** Longest text of a published message, in characters. */
const LONGEST_PAYLOAD = 40;
const MANIFEST = fileURLToPath(new URL("../../manifest.json", import.meta.url));

/** A run of a seed, to its end. */
export interface SeedRun {
	readonly plan: SeedPlan;
	readonly events: readonly TimedEvent[];
	readonly subscriber: WellBehavedClient;
	readonly publisher: WellBehavedClient;
	/** By name of the board. */
	readonly sensors: ReadonlyMap<string, TrackedSensors>;
	/** When the last fault was over and everything had time to recover, ms since 1970. */
	readonly recoveredAt: number;
	/** `$SYS/broker/…` after all clients have gone and everything has expired. */
	readonly pools: ReadonlyMap<string, string>;
	/** Of all that happened. */
	readonly digest: string;
}

/** The firmware, linked once for all seeds; only the configuration differs. */
let linked: Program | undefined;

/** Runs a plan; nothing but the plan decides what happens. */
export async function runPlan(plan: SeedPlan, engine: EngineName): Promise<SeedRun> {
	const world = new World(plan);
	try {
		for (const board of plan.boards) await world.addBoard(board, engine);
		return world.run();
	} finally {
		world.dispose();
	}
}

function link(config: JSONObject): Program {
	return linkProgram(readManifest(MANIFEST, { include: ["./firmware/manifest.json"], config: {} }), {
		config,
		drivers: ["virtual"],
		properties: SENSOR_PROPERTIES.map((property) => [property]),
	});
}

/** Some drawn pools are too large for a chip, which `firefly check` would say; a seed is not about memory. */
function withMoreMemory(program: Program): Program {
	const { creation } = program;
	return { ...program, creation: { ...creation, static: 4 * creation.static } };
}

class World {
	readonly #plan: SeedPlan;
	readonly #scheduler = new Scheduler(START_TIME);
	readonly #network: VirtualNetwork;
	readonly #accessPoint: AccessPoint;
	readonly #timeService: TimeService = { answers: true };
	readonly #boards: FaultBoard[] = [];
	readonly #sensors = new Map<string, TrackedSensors>();
	readonly #images: Image[] = [];
	readonly #events: TimedEvent[] = [];
	readonly #hash = createHash("sha256");
	#recording = true;

	constructor(plan: SeedPlan) {
		this.#plan = plan;
		this.#network = new VirtualNetwork(this.#scheduler, {
			latency: plan.latency,
			names: new Map([["broker.home", BROKER_ADDRESS]]),
			seed: plan.seed,
		});
		this.#accessPoint = new AccessPoint(this.#scheduler);
	}

	async addBoard(plan: BoardPlan, engineName: EngineName): Promise<void> {
		const { name, address, mac, firefly } = plan;
		const problems: string[] = [];
		const config = { firefly };
		const settings = readSettings(config, { mac, chip: "esp32" }, (problem) => problems.push(problem));
		if (problems.length > 0) throw new Error(`seed ${this.#plan.seed}: ${name}: ${problems.join("; ")}`);
		const scheduler = this.#scheduler;
		const tracked = new TrackedSensors(scheduler);
		this.#sensors.set(name, tracked);
		const sensors = new FaultySensors(tracked);
		const storage = new FaultyStorage(new Flash(FLASH_ENTRIES));
		const host = this.#network.host(address);
		const board = new Board({
			scheduler,
			network: host,
			...(settings.wifi === undefined ? {} : { accessPoint: this.#accessPoint }),
			latency: this.#plan.latency,
			...(settings.time.server === undefined ? {} : { timeServer: settings.time.server }),
			timeService: this.#timeService,
			interruptible: true,
			mac,
			address,
			seed: new Random(this.#plan.seed, `board ${name}`).uint32(),
			sensors: settings.sensors,
			sensorPort: sensors,
			storage,
			retained: RETAINED_BYTES,
			emit: (event) => this.#record({ time: scheduler.now, node: name, ...event }),
		});
		this.#boards.push({
			name,
			hasSensors: settings.role !== "broker",
			hasBroker: settings.role !== "sensor",
			isVirtual: true,
			board,
			sensors,
			storage,
			drift: board.drift,
			host,
			onPowerOff: () => this.#record({ time: scheduler.now, node: name, type: "off" }),
		});
		// The Node engine takes the configuration from the program; that of XS is in a module.
		linked ??= link(config);
		const program = engineName === "xs" ? withMoreMemory(link(config)) : { ...linked, config };
		const image = await (await createEngine(engineName)).load(program, board.natives);
		this.#images.push(image);
		board.flash(image);
	}

	run(): SeedRun {
		const plan = this.#plan;
		const scheduler = this.#scheduler;
		const subscriber = this.#client(0, "subscriber", ["home/#", "pub/#", "status/#"]);
		const publisher = this.#client(1, "publisher", []);
		for (const [index, { at }] of plan.boards.entries())
			scheduler.after(at, () => this.#boards[index]!.board.powerOn());
		scheduler.after(SUBSCRIBER_START_MS, () => subscriber.start());
		scheduler.after(PUBLISHER_START_MS, () => publisher.start());
		this.#publish(publisher);
		plan.oddClients.forEach((odd, index) => {
			const host = this.#network.host(`192.168.4.${100 + index}`);
			new OddClient(scheduler, host, odd, plan.seed, `odd client ${index} acts`).start();
		});
		this.#injector.start();
		const recoveredAt = START_TIME + plan.active + plan.recovery;
		this.#runUntil(recoveredAt);
		// How the nodes end is no part of the run.
		this.#recording = false;
		const pools = this.#checkPools(subscriber, publisher);
		for (const client of [subscriber, publisher])
			this.#hash.update(JSON.stringify([client.connections, client.received, client.published]));
		this.#hash.update(JSON.stringify([...pools]));
		return {
			plan,
			events: this.#events,
			subscriber,
			publisher,
			sensors: this.#sensors,
			recoveredAt,
			pools,
			digest: this.#hash.digest("hex").slice(0, 16),
		};
	}

	dispose(): void {
		for (const { board } of this.#boards) board.powerOff();
		for (const image of this.#images) image.dispose();
	}

	get #injector(): FaultInjector {
		const { seed, faults } = this.#plan;
		return new FaultInjector(
			{
				scheduler: this.#scheduler,
				network: this.#network,
				accessPoint: this.#accessPoint,
				timeService: this.#timeService,
				boards: this.#boards,
				random: new Random(seed, "faults take effect"),
			},
			faults,
			(fault, active) =>
				this.#record({
					time: this.#scheduler.now,
					node: fault.board ?? "broker",
					type: "fault",
					fault: formatFault(fault),
					active,
				}),
		);
	}

	#client(index: number, id: string, filters: readonly string[]): WellBehavedClient {
		const host = this.#network.host(`192.168.4.${50 + index}`);
		return new WellBehavedClient(this.#scheduler, host, id, this.#plan.clients[index]!, filters);
	}

	#publish(publisher: WellBehavedClient): void {
		const draw = new Draw(this.#plan.seed, "messages");
		const { interval } = this.#plan.clients[1]!;
		let count = 0;
		const publish = (): void => {
			const qos = draw.pick([0, 1, 2] as const);
			const text = `${++count}`.padEnd(draw.integer(0, LONGEST_PAYLOAD), ".");
			publisher.publish(PUBLISHER_TOPICS[qos], text, qos, draw.chance(0.2));
			if (this.#scheduler.now - START_TIME < this.#plan.active) this.#scheduler.after(interval, publish);
		};
		this.#scheduler.after(PUBLISHER_START_MS, publish);
	}

	#checkPools(subscriber: WellBehavedClient, publisher: WellBehavedClient): Map<string, string> {
		for (const { board, hasBroker } of this.#boards) if (!hasBroker) board.powerOff();
		subscriber.stop();
		publisher.stop();
		// A broker that is a node as well is never alone.
		if (!this.#boards.some(({ hasBroker, hasSensors }) => hasBroker && hasSensors))
			this.#runUntil(this.#scheduler.now + EXPIRY_MS);
		const probe = new PoolProbe(
			this.#scheduler,
			this.#network.host("192.168.4.60"),
			this.#plan.clients[0]!.login,
		);
		probe.start();
		this.#runUntil(this.#scheduler.now + PoolProbe.DURATION_MS);
		probe.stop();
		const { sessions } = this.#plan.boards[0]!.firefly.listen as JSONObject;
		const places = new PlaceProbe(
			this.#scheduler,
			this.#network.host("192.168.4.61"),
			Number(sessions),
			this.#plan.clients[0]!.login,
		);
		places.start();
		this.#runUntil(this.#scheduler.now + places.duration);
		return new Map([...probe.values, [MISSING_MESSAGES, String(places.missing)]]);
	}

	#record(event: TimedEvent): void {
		if (!this.#recording) return;
		this.#events.push(event);
		this.#hash.update(JSON.stringify(event));
	}

	#runUntil(time: number): void {
		while (this.#scheduler.step(time));
		this.#scheduler.advance(time);
	}
}
