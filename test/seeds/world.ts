import { Board } from "../../sim/board/board";
import { Contacts } from "../../sim/board/contacts";
import { Flash } from "../../sim/board/flash";
import { Random } from "../../sim/clock/random";
import { Scheduler } from "../../sim/clock/scheduler";
import type { Image } from "../../sim/engine/engine";
import type { EngineName } from "../../sim/engine/engine-factory";
import { formatFault } from "../../sim/faults/fault-text";
import { FaultySensors } from "../../sim/faults/faulty-sensors";
import { FaultyStorage } from "../../sim/faults/faulty-storage";
import { FaultInjector } from "../../sim/faults/injector";
import type { FaultBoard } from "../../sim/faults/world";
import type { TimeService } from "../../sim/network/time-server";
import { VirtualNetwork } from "../../sim/network/virtual";
import type { TimedEvent } from "../../sim/report/events";
import { AccessPoint } from "../../sim/wifi/access-point";
import { readSettings, type SensorSettings } from "../../src/config/settings";
import { RETAINED_BYTES } from "../../src/retained-memory";
import { Commander } from "./commander";
import { GuestParty } from "./guests/guest-party";
import type { GuestKind, GuestProblem } from "./guests/guest-plan";
import { isHomie } from "./homie-draw";
import { type TakenImage, takenImage } from "./image-server";
import { OddClient } from "./odd-client";
import { RunDigest } from "./run-digest";
import {
	type BoardPlan,
	BROKER_ADDRESS,
	HUB,
	HUB_TOPICS,
	PIN_SENSOR,
	PUBLISHER_TOPICS,
	type SeedPlan,
} from "./seed-plan";
import { loadFirmware } from "./seed-program";
import { SettingsLog, type StoredSettings } from "./settings-log";
import { Site, type SitePlan, type SiteRun } from "./site";
import { TrackedSensors } from "./tracked-sensors";
import type { WellBehavedClient } from "./well-behaved-client";

/** Start of every seed's run, ms since 1970. */
export const START_TIME = Date.UTC(2026, 0, 1);
/** What the clients of two bridged brokers subscribe to beside their own topics. */
const BRIDGED_FILTERS = ["up/#", "hub/#", "site/#"];
/** Without messages, at the end of a run with a bridge, ms. */
const QUIET_END_MS = 10_000;
/**
 * From the end of the clients to the check of the pools: what is left of sessions and connections has
 * expired.
 */
const EXPIRY_MS = 3_600_000;
/** Of a board's flash: more than any drawn broker stores. */
const FLASH_ENTRIES = 100_000;
/** The value of a digital pin changes. */
export interface PinChange {
	/** ms since 1970 */
	readonly time: number;
	readonly value: number;
}

/** What a guest has seen. */
export interface GuestRun {
	readonly kind: GuestKind;
	readonly problems: readonly GuestProblem[];
	/** Episodes without a problem. */
	readonly passed: number;
}

/** A run of a seed, to its end. */
export interface SeedRun {
	readonly plan: SeedPlan;
	readonly events: readonly TimedEvent[];
	readonly subscriber: WellBehavedClient;
	readonly publisher: WellBehavedClient;
	/** The broker that this one is bridged to, and its clients; absent: there is none. */
	readonly hub?: SiteRun;
	/** Who tells nodes what to do; absent: nobody. */
	readonly commander?: WellBehavedClient;
	/** By name of the board: when which settings of the command `set` were stored. */
	readonly settings: ReadonlyMap<string, readonly StoredSettings[]>;
	/** By name of the board: the image that runs in the end. */
	readonly images: ReadonlyMap<string, TakenImage>;
	/** By name of the board. */
	readonly sensors: ReadonlyMap<string, TrackedSensors>;
	/** Of the boards with a sensor of a pin, what it would have read from when on. */
	readonly pins: ReadonlyMap<string, readonly PinChange[]>;
	/** In the order of the plan. */
	readonly guests: readonly GuestRun[];
	/** When the last fault was over and everything had time to recover, ms since 1970. */
	readonly recoveredAt: number;
	/** `$SYS/broker/…` after all clients have gone and everything has expired. */
	readonly pools: ReadonlyMap<string, string>;
	/** Of all that happened. */
	readonly digest: string;
}

/** Both brokers with their clients, or the only one. */
export function sitesOf({ subscriber, publisher, pools, hub }: SeedRun): readonly SiteRun[] {
	const site: SiteRun = { board: "broker", subscriber, publisher, pools };
	return hub === undefined ? [site] : [site, hub];
}

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

class World {
	readonly #plan: SeedPlan;
	readonly #scheduler = new Scheduler(START_TIME);
	readonly #network: VirtualNetwork;
	readonly #accessPoint: AccessPoint;
	readonly #timeService: TimeService = { answers: true };
	readonly #boards: FaultBoard[] = [];
	readonly #sensors = new Map<string, TrackedSensors>();
	readonly #pins = new Map<string, PinChange[]>();
	readonly #settings = new Map<string, readonly StoredSettings[]>();
	readonly #images: Image[] = [];
	readonly #events: TimedEvent[] = [];
	readonly #digest = new RunDigest();
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
		const contacts = new Contacts(scheduler, this.#plan.seed, settings.sensors);
		const tracked = new TrackedSensors(scheduler, contacts);
		this.#sensors.set(name, tracked);
		const sensors = new FaultySensors(tracked);
		const storage = new FaultyStorage(new Flash(FLASH_ENTRIES));
		const settingsLog = new SettingsLog(storage, () => scheduler.now);
		this.#settings.set(name, settingsLog.changes);
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
			contacts,
			storage: settingsLog,
			retained: RETAINED_BYTES,
			emit: (event) => this.#record({ time: scheduler.now, node: name, ...event }),
		});
		this.#trackPins(name, contacts, settings.sensors);
		this.#boards.push({
			name,
			hasSensors: settings.role !== "broker",
			hasBroker: settings.role !== "sensor",
			isVirtual: true,
			board,
			sensors,
			contacts,
			storage,
			drift: board.drift,
			host,
			onPowerOff: () => this.#record({ time: scheduler.now, node: name, type: "off" }),
		});
		const image = await loadFirmware(config, board.natives, engineName);
		this.#images.push(image);
		board.flash(image);
	}

	run(): SeedRun {
		const plan = this.#plan;
		const scheduler = this.#scheduler;
		const sites = this.#sitePlans.map((site) => new Site(scheduler, this.#network, plan, site));
		for (const [index, { at }] of plan.boards.entries())
			scheduler.after(at, () => this.#boards[index]!.board.powerOn());
		for (const site of sites) site.start();
		plan.oddClients.forEach((odd, index) => {
			const host = this.#network.host(`192.168.4.${100 + index}`);
			new OddClient(scheduler, host, odd, plan.seed, `odd client ${index} acts`).start();
		});
		const commander = plan.commands && new Commander(scheduler, this.#network, plan.commands);
		commander?.start();
		this.#injector.start();
		const recoveredAt = START_TIME + plan.active + plan.recovery;
		const guests = new GuestParty(scheduler, this.#network, plan, recoveredAt).start();
		this.#runUntil(recoveredAt);
		const images = new Map(
			this.#boards.map(({ name, board }) => [
				name,
				takenImage(board.imageFlash, plan.commands?.images ?? []),
			]),
		);
		// How the nodes end is no part of the run.
		this.#recording = false;
		commander?.client.stop();
		if (commander !== undefined) this.#digest.add([commander.client.received, [...images]]);
		if (guests.length > 0) this.#digest.add(guests.map(({ problems, passed }) => [problems, passed]));
		this.#checkPools(sites);
		for (const { subscriber, publisher, pools } of sites) {
			for (const { connections, received, published } of [subscriber, publisher])
				this.#digest.add([connections, received, published]);
			this.#digest.add([...pools]);
		}
		const [{ subscriber, publisher, pools }, hub] = sites as [Site, Site?];
		return {
			plan,
			events: this.#events,
			subscriber,
			publisher,
			...(hub === undefined ? {} : { hub }),
			...(commander === undefined ? {} : { commander: commander.client }),
			settings: this.#settings,
			images,
			sensors: this.#sensors,
			pins: this.#pins,
			guests,
			recoveredAt,
			pools,
			digest: this.#digest.end(),
		};
	}

	dispose(): void {
		for (const { board } of this.#boards) board.powerOff();
		for (const image of this.#images) image.dispose();
	}

	/** Notes what the driver of a pin would read, whenever that changes. */
	#trackPins(board: string, contacts: Contacts, sensors: readonly SensorSettings[]): void {
		const options = sensors.find(({ name }) => name === PIN_SENSOR)?.options;
		if (options === undefined) return;
		const changes: PinChange[] = [];
		this.#pins.set(board, changes);
		const { onChange } = contacts;
		contacts.onChange = () => {
			const value = contacts.valueOf(options)!;
			if (value !== changes.at(-1)?.value) changes.push({ time: this.#scheduler.now, value });
			onChange();
		};
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

	/** The broker with its clients; then the one that it is bridged to, if there is one. */
	get #sitePlans(): SitePlan[] {
		const { boards, clients, hub, active, recovery } = this.#plan;
		const bridged = hub === undefined ? [] : BRIDGED_FILTERS;
		const announced = boards.some(isHomie)
			? ["homie/#"]
			: boards.some(({ firefly }) => firefly.discovery !== undefined)
				? ["homeassistant/#"]
				: [];
		// So that what crosses a bridge after the faults is seen as well
		const publishUntil = hub === undefined ? active : active + recovery - QUIET_END_MS;
		const sites: SitePlan[] = [
			{
				board: boards[0]!,
				hosts: { subscriber: "192.168.4.50", publisher: "192.168.4.51", probes: "192.168.4.60" },
				clients,
				filters: ["home/#", "pub/#", "status/#", ...bridged, ...announced],
				topics: PUBLISHER_TOPICS,
				publishUntil,
				label: "",
				lastingSessions: hub?.isMutual ? 1 : 0,
			},
		];
		if (hub !== undefined)
			sites.push({
				board: boards.find(({ name }) => name === HUB)!,
				hosts: { subscriber: "192.168.4.52", publisher: "192.168.4.53", probes: "192.168.4.62" },
				clients: hub.clients,
				filters: ["pub/#", ...bridged],
				topics: HUB_TOPICS,
				publishUntil,
				label: " hub",
				lastingSessions: 1,
			});
		return sites;
	}

	#checkPools(sites: readonly Site[]): void {
		for (const { board, hasBroker } of this.#boards) if (!hasBroker) board.powerOff();
		for (const site of sites) site.stop();
		const runFor = (ms: number): void => this.#runUntil(this.#scheduler.now + ms);
		// A broker that is a node as well is never alone.
		const isAlone = !this.#boards.some(({ hasBroker, hasSensors }) => hasBroker && hasSensors);
		if (isAlone || sites.length > 1) runFor(EXPIRY_MS);
		for (const site of sites) site.checkPools(runFor);
	}

	#record(event: TimedEvent): void {
		if (!this.#recording) return;
		this.#events.push(event);
		this.#digest.add(event);
	}

	#runUntil(time: number): void {
		while (this.#scheduler.step(time));
		this.#scheduler.advance(time);
	}
}
