import { dirname } from "node:path";
import type { SensorSettings } from "../src/config/settings";
import { Board } from "./board/board";
import { Contacts } from "./board/contacts";
import { Flash } from "./board/flash";
import type { SensorPort } from "./board/sensor-port";
import { BoardPrograms, retainedSize } from "./board-program";
import { Capture } from "./capture/capture";
import type { NetworkTap } from "./capture/tap";
import { Pace } from "./clock/pace";
import { Random } from "./clock/random";
import { Scheduler } from "./clock/scheduler";
import type { Engine, Image } from "./engine/engine";
import { createEngine } from "./engine/engine-factory";
import type { Fault } from "./faults/fault";
import { targetsOf } from "./faults/fault-targets";
import { formatFault } from "./faults/fault-text";
import { FaultySensors } from "./faults/faulty-sensors";
import { FaultyStorage } from "./faults/faulty-storage";
import { FaultInjector } from "./faults/injector";
import type { FaultBoard, FaultTarget } from "./faults/world";
import { declaredProperties } from "./manifest/declared-properties";
import type { PropertyDeclaration } from "./manifest/driver-declaration";
import { type JSONObject, type Manifest, readManifest } from "./manifest/manifest-reader";
import { withTransports } from "./manifest/transports";
import { GatewayNetwork } from "./network/gateway";
import { RealNetwork } from "./network/real";
import type { HostNetwork } from "./network/socket";
import type { TimeService } from "./network/time-server";
import { DEFAULT_LATENCY_MS, type VirtualHost, VirtualNetwork } from "./network/virtual";
import { Observer } from "./observer";
import { grantObserverAccess } from "./observer-credentials";
import { asObject, type BoardPlan, OBSERVER_ADDRESS, planBoards } from "./plan";
import type { SimulationEvent } from "./report/events";
import { readRecording } from "./sensors/csv";
import type { Recording } from "./sensors/recording";
import { ReplaySensors } from "./sensors/replay";
import { gridStepOf, Timeline } from "./sensors/timeline";
import { VirtualSensors } from "./sensors/virtual";
import type { SimulationManifest, SimulationOptions } from "./simulation-options";
import { AccessPoint } from "./wifi/access-point";

/** Start of simulated time without a recording, ms since 1970. */
export const DEFAULT_START_TIME = Date.UTC(2026, 0, 1);
/** Several nodes are powered on one after the other within this time: they are not in step, as real ones. */
const POWER_ON_SPREAD_MS = 10_000;
/** From the last acknowledgement of a recording to the end of the run, ms: time to send DISCONNECT. */
const DISCONNECT_GRACE_MS = 1000;

/** The boards of a simulation, their network, and their common time. */
export class Simulation {
	readonly scheduler: Scheduler;
	readonly pace: Pace;
	readonly network: VirtualNetwork;
	readonly accessPoint: AccessPoint;
	/** Hosts of the brokers on the virtual network. */
	readonly brokerHosts: VirtualHost[] = [];
	/** In power-on order. */
	readonly boards: Board[] = [];
	readonly #timeService: TimeService = { answers: true };
	readonly #faultBoards: FaultBoard[] = [];
	#injector: FaultInjector | undefined;
	/** The recording that the sensors replay. */
	readonly timeline: Timeline | undefined;
	readonly #options: SimulationOptions;
	readonly #recording: Recording | undefined;
	readonly #images: Image[] = [];
	readonly #realNetworks: RealNetwork[] = [];
	readonly #observers: Observer[] = [];
	readonly #capture: Capture | undefined;
	/** Nodes that have delivered the recording. */
	readonly #delivered = new Set<string>();
	readonly #boardsByName = new Map<string, Board>();
	/** Names of the boards by their address on the virtual network. */
	readonly #boardNames = new Map<string, string>();
	#stopping = false;

	private constructor(options: SimulationOptions, recording: Recording | undefined) {
		this.#options = options;
		this.#recording = recording;
		this.timeline = recording && new Timeline(recording, gridStepOf(recording));
		this.scheduler = new Scheduler(this.timeline?.start ?? DEFAULT_START_TIME);
		this.pace = new Pace(this.scheduler, { speed: options.speed });
		this.#capture = this.#createCapture();
		this.network = new VirtualNetwork(this.scheduler, {
			latency: options.latency ?? DEFAULT_LATENCY_MS,
			seed: options.seed,
			// The observer is no board: its connection is not captured.
			tap: this.#capture?.tap(({ client }) => {
				const node = this.#boardNames.get(client.address);
				return node === undefined ? undefined : { node };
			}),
		});
		this.accessPoint = new AccessPoint(this.scheduler);
	}

	/** Reads, links and assembles; nothing runs yet. Throws ManifestError, ReplayError and FaultTargetError. */
	static async build(options: SimulationOptions): Promise<Simulation> {
		const simulation = new Simulation(
			options,
			options.replay === undefined ? undefined : readRecording(options.replay, options.replayOptions),
		);
		try {
			await simulation.#assemble();
		} catch (error) {
			simulation.dispose();
			throw error;
		}
		return simulation;
	}

	/** The board that runs the manifest's own configuration. */
	get node(): Board {
		return this.boards[this.boards.length - 1]!;
	}

	/** Powers on all boards and runs. @param duration simulated ms */
	async run(duration: number | undefined): Promise<void> {
		const { nodes = 1 } = this.#options;
		// The broker's board, if there is one, and the first node at once; a recording is for all at once, too.
		const first = this.boards.length - nodes;
		for (const [index, board] of this.boards.entries()) {
			if (index <= first || this.#recording) board.powerOn();
			else
				this.scheduler.after(((index - first) * POWER_ON_SPREAD_MS) / nodes, () => {
					if (board.state === "off") board.powerOn();
				});
		}
		if (!this.#recording) for (const { contacts } of this.#faultBoards) contacts?.start();
		for (const observer of this.#observers) observer.start();
		this.#injector?.start();
		await this.pace.run(duration === undefined ? Infinity : this.scheduler.now + duration);
	}

	/** Ends {@link run}. */
	stop(): void {
		this.pace.stop();
	}

	/** Ends {@link run} at the time that the wall clock tells. */
	interrupt(): void {
		this.pace.interrupt();
	}

	/** The board of a name in events. */
	boardNamed(name: string): Board | undefined {
		return this.#boardsByName.get(name);
	}

	/** Reports that the power of a board has been taken away. */
	emitPowerOff(name: string): void {
		this.#emit(name, { type: "off" });
	}

	dispose(): void {
		this.pace.stop();
		for (const board of this.boards) board.powerOff();
		for (const network of this.#realNetworks) network.dispose();
		for (const image of this.#images) image.dispose();
	}

	async #assemble(): Promise<void> {
		const { manifest, broker, seed, speed, nodes, faults = [] } = this.#options;
		const read = withTransports(readManifest(manifest.path, manifest.json), broker?.href, manifest);
		const config = { ...read.config, ...definedOnly(manifest.overrides) };
		const plan = planBoards(config, {
			externalBroker: broker !== undefined,
			withStatusPage: speed === 1,
			...(nodes === undefined ? {} : { nodes }),
		});
		for (const { name, address } of plan.boards) this.#boardNames.set(address, name);
		for (const [name, address] of plan.names) this.network.names.set(name, address);
		for (const fault of faults)
			targetsOf(
				fault,
				plan.boards.map((board) => this.#faultTarget(board)),
			);
		const seeds = new Random(seed, "boards");
		const { progress, signal } = this.#options;
		const engine = await createEngine(this.#options.engine, {
			...(progress === undefined ? {} : { progress }),
			...(signal === undefined ? {} : { signal }),
		});
		const programs = new BoardPrograms(read);
		for (const board of plan.boards) await this.#addBoard(board, read, programs, engine, seeds.uint32());
		const name = (plan.boards.find(({ role }) => role === "sensor") ?? plan.boards[0]!).name;
		if (faults.length > 0) this.#injector = this.#createInjector(faults, name);
		for (const message of [...read.warnings, ...(this.#recording?.warnings ?? []), ...plan.warnings])
			this.#emit(name, { type: "trace", message });
	}

	async #addBoard(
		plan: BoardPlan,
		manifest: Manifest,
		programs: BoardPrograms,
		engine: Engine,
		seed: number,
	): Promise<void> {
		const { name, role, settings, address, mac } = plan;
		const { sensors } = settings;
		const declared = declaredProperties(manifest, sensors);
		this.#emit(name, {
			type: "node",
			role,
			sensors: sensors.map((sensor, index) => {
				const { name, decimals, unit = declared[index]?.unit } = sensor;
				return {
					name,
					...(unit === undefined ? {} : { unit }),
					...(decimals === undefined ? {} : { decimals }),
				};
			}),
		});
		const observed = plan.hasBroker && !this.#options.broker;
		const config = observed ? this.#addObserver(plan, new Random(seed, "observer")) : plan.config;
		const network = this.#createNetwork(plan);
		const contacts = new Contacts(
			this.scheduler,
			seed,
			sensors.filter((_, index) => declared[index]?.binary),
		);
		const sensorPort = new FaultySensors(this.#createSensorPort(sensors, seed, declared, contacts));
		const storage = new FaultyStorage(new Flash());
		const board = new Board({
			scheduler: this.scheduler,
			network,
			...(settings.wifi === undefined ? {} : { accessPoint: this.accessPoint }),
			latency: this.network.latency,
			timeService: this.#timeService,
			interruptible: this.#options.faults !== undefined,
			...(settings.time.server === undefined ? {} : { timeServer: settings.time.server }),
			mac,
			address,
			seed,
			sensors,
			sensorPort,
			contacts,
			storage,
			retained: retainedSize(manifest.defines),
			// Samples must match the recording's times, so the clock is set from the start and has no drift.
			...(this.timeline ? { clock: this.timeline.start, drift: 0 } : {}),
			emit: (event) => this.#emit(name, event),
		});
		this.boards.push(board);
		const host = this.network.find(address);
		this.#faultBoards.push({
			...this.#faultTarget(plan),
			board,
			sensors: sensorPort,
			contacts,
			storage,
			drift: board.drift,
			...(host === undefined ? {} : { host }),
			onPowerOff: () => this.emitPowerOff(name),
		});
		this.#boardsByName.set(name, board);
		const image = await engine.load(programs.program(plan, config), board.natives);
		this.#images.push(image);
		board.flash(image);
	}

	/** Adds an observer of a broker. @returns the board's configuration, with access for the observer */
	#addObserver({ name, config, settings, address }: BoardPlan, random: Random): JSONObject {
		const firefly = asObject(config.firefly);
		const { credentials, listen, warning } = grantObserverAccess(
			asObject(firefly.listen),
			settings.listen,
			random,
		);
		if (warning !== undefined) this.#emit(name, { type: "trace", message: warning });
		const observerHost = this.network.find(OBSERVER_ADDRESS) ?? this.network.host(OBSERVER_ADDRESS);
		this.#observers.push(
			new Observer(this.scheduler, observerHost, address, settings.listen.port, credentials, {
				value: (topic, payload, retained) => this.#emit(name, { type: "value", topic, payload, retained }),
			}),
		);
		return { ...config, firefly: { ...firefly, listen } };
	}

	#faultTarget({ name, settings, hasBroker }: BoardPlan): FaultTarget {
		return {
			name,
			hasSensors: settings.sensors.length > 0,
			hasBroker: hasBroker && this.#options.broker === undefined,
			isVirtual: this.#options.broker === undefined,
		};
	}

	#createInjector(faults: readonly Fault[], nodeName: string): FaultInjector {
		return new FaultInjector(
			{
				scheduler: this.scheduler,
				network: this.network,
				accessPoint: this.accessPoint,
				timeService: this.#timeService,
				boards: this.#faultBoards,
				random: new Random(this.#options.seed, "faults"),
			},
			faults,
			(fault, active) =>
				this.#emit(fault.board ?? nodeName, { type: "fault", fault: formatFault(fault), active }),
		);
	}

	#createNetwork({ name, address, hasBroker }: BoardPlan): HostNetwork {
		const { broker, speed, listenPort, listening } = this.#options;
		if (broker) return this.#createRealNetwork(this.#capture?.tap(() => ({ node: name })));
		const host = this.network.host(address);
		if (hasBroker) this.brokerHosts.push(host);
		if (!hasBroker || speed !== 1) return host;
		const tap = this.#capture?.brokerTap(name);
		return new GatewayNetwork(host, this.#createRealNetwork(tap, listenPort ?? 0, listening));
	}

	#createRealNetwork(
		tap: NetworkTap | undefined,
		listenPort?: number,
		listening?: (port: number, number: number) => void,
	): RealNetwork {
		const network = new RealNetwork(this.scheduler, this.pace, {
			tap,
			directory: dirname(this.#options.manifest.path),
			...(listenPort === undefined ? {} : { listenPort }),
			...(listening ? { listening } : {}),
		});
		this.#realNetworks.push(network);
		return network;
	}

	#createCapture(): Capture | undefined {
		const { packets, pcap } = this.#options;
		if (!packets && !pcap) return undefined;
		return new Capture({
			now: () => this.scheduler.now,
			pcap,
			packet: packets
				? ({ node, ...source }, packet) => this.#emit(node, { type: "packet", ...source, ...packet })
				: undefined,
		});
	}

	#createSensorPort(
		sensors: readonly SensorSettings[],
		seed: number,
		declarations: readonly (PropertyDeclaration | undefined)[],
		contacts: Contacts,
	): SensorPort {
		if (!this.#recording || !this.timeline) {
			const properties = sensors.map(({ property }) => property);
			return new VirtualSensors(this.scheduler, seed, properties, declarations, contacts);
		}
		const replayed = sensors.map(({ name, property }, i) => ({
			name,
			property,
			unit: declarations[i]?.unit,
		}));
		const { columns } = this.#options.replayOptions ?? {};
		return new ReplaySensors(this.scheduler, this.#recording, this.timeline, replayed, columns);
	}

	#emit(node: string, event: SimulationEvent): void {
		this.#options.listener.event({ time: this.scheduler.now, node, ...event });
		if (this.timeline) this.#stopWhenDelivered(node, event, this.timeline);
	}

	/** A recording is delivered when each node has reported its last row and no report is waiting. */
	#stopWhenDelivered(node: string, event: SimulationEvent, timeline: Timeline): void {
		if (event.type !== "accepted" && event.type !== "acknowledged" && event.type !== "sleep") return;
		if (event.waiting > 0) this.#delivered.delete(node);
		else if (event.type !== "accepted" && this.scheduler.now >= timeline.end) this.#delivered.add(node);
		if (this.#stopping || this.#delivered.size < (this.#options.nodes ?? 1)) return;
		this.#stopping = true;
		this.scheduler.after(DISCONNECT_GRACE_MS, () => this.stop());
	}
}

function definedOnly(overrides: SimulationManifest["overrides"]): JSONObject {
	return Object.fromEntries(
		Object.entries(overrides).filter((entry): entry is [string, string] => entry[1] !== undefined),
	);
}
