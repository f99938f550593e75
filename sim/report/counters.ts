import type { Fault } from "../../src/fault";
import { Deliveries } from "./deliveries";
import { EnergyMeter } from "./energy";
import type { SensorDescription, TimedEvent } from "./events";
import { Histogram } from "./histogram";

/** State of one node. */
export type NodeState =
	| "off"
	| "booting"
	| "awake"
	| "joining"
	| "connecting"
	| "connected"
	| "asleep"
	| "crashed";

type SampleEvent = TimedEvent & { readonly type: "sample" | "gathered" };

/** Counts the events of one node. */
export class NodeCounters {
	readonly node: string;
	readonly role: "sensor" | "broker";
	readonly sensors: readonly SensorDescription[];
	readonly alwaysOn: boolean;
	readonly energy = new EnergyMeter();
	/** ms from the start of the firmware to deep sleep. */
	readonly awake = new Histogram();
	readonly failed = new Map<Fault, number>();
	readonly deliveries = new Deliveries();
	/** Failed readings by sensor. */
	readonly failedReadings = new Map<string, number>();
	readonly values = new Map<string, number | undefined>();
	state: NodeState = "off";
	/** End of the current sleep. */
	wakesAt = 0;
	boots = 0;
	wakes = 0;
	samples = 0;
	filtered = 0;
	published = 0;
	repeated = 0;
	/** Wi-Fi joins that succeeded, and those of them with the access point of the last connection. */
	joins = 0;
	fastJoins = 0;
	waiting = 0;
	limits = 0;
	crashes = 0;
	sent = 0;
	received = 0;
	roundTrips = 0;
	/** Connections that delivered at least one report, and the reports delivered. */
	exchanges = 0;
	delivered = 0;
	/** Sensors a value of which has begun. */
	readonly #gathering = new Set<string>();
	#wokeAt = 0;

	constructor(event: TimedEvent & { readonly type: "node" }) {
		this.node = event.node;
		this.role = event.role;
		this.sensors = event.sensors;
		this.alwaysOn = event.alwaysOn ?? false;
	}

	get accepted(): number {
		return this.deliveries.accepted;
	}

	get acknowledged(): number {
		return this.deliveries.acknowledged;
	}

	get dropped(): number {
		return this.deliveries.dropped;
	}

	/** Accepted reports that are unaccounted for: without a loss of power, anything but 0 is a defect. */
	get lost(): number {
		return this.accepted - this.acknowledged - this.waiting - this.dropped;
	}

	event(event: TimedEvent): void {
		if (this.role === "sensor") this.energy.event(event);
		this.deliveries.event(event);
		switch (event.type) {
			case "boot":
				this.boots++;
				this.state = "booting";
				// The content of retained memory is lost.
				if (event.reason === "power-on" || event.reason === "brown-out") this.waiting = 0;
				break;
			case "wake":
				this.wakes++;
				this.state = "awake";
				this.#wokeAt = event.time;
				this.waiting = event.waiting ?? this.waiting;
				break;
			case "sample":
				this.#sample(event);
				this.values.set(event.sensor, event.value);
				break;
			case "gathered":
				this.#sample(event);
				break;
			case "filtered":
				this.filtered++;
				break;
			case "accepted":
			case "dropped":
				this.waiting = event.waiting;
				break;
			case "join":
				this.state = "joining";
				break;
			case "joined":
				this.state = "awake";
				this.joins++;
				if (event.fast) this.fastJoins++;
				break;
			case "open":
				this.state = "connecting";
				break;
			case "connected":
				this.state = "connected";
				break;
			case "publish":
				if (event.again) this.repeated++;
				else this.published++;
				break;
			case "acknowledged":
				this.waiting = event.waiting;
				break;
			case "exchange":
				this.#exchange(event);
				break;
			case "failed":
				this.failed.set(event.fault, (this.failed.get(event.fault) ?? 0) + 1);
				break;
			case "limit":
				this.limits++;
				break;
			case "sleep":
				this.state = "asleep";
				this.wakesAt = event.time + event.duration;
				this.waiting = event.waiting;
				this.awake.add(event.time - this.#wokeAt);
				break;
			case "off":
				this.state = "off";
				break;
			case "crash":
				this.crashes++;
				this.state = "crashed";
				break;
		}
	}

	#sample({ type, sensor, value }: SampleEvent): void {
		if (type === "gathered") this.#gathering.add(sensor);
		// A value of samples that are counted.
		else if (this.#gathering.delete(sensor)) return;
		this.samples++;
		if (value === undefined) this.failedReadings.set(sensor, (this.failedReadings.get(sensor) ?? 0) + 1);
	}

	#exchange(event: TimedEvent & { readonly type: "exchange" }): void {
		if (this.state !== "asleep") this.state = "awake";
		this.sent += event.sent;
		this.received += event.received;
		if (event.reports === 0) return;
		this.exchanges++;
		this.roundTrips += event.roundTrips;
		this.delivered += event.reports;
	}
}

/** Counts the events of a simulation. */
export class SimulationCounters {
	readonly nodes = new Map<string, NodeCounters>();
	/** Time of the first event, and ({@link now}) of the last one or the end. */
	start: number | undefined;
	now = 0;

	/** The simulation ends at `time`: everything is counted to there, a final sleep included. */
	end(time: number): void {
		this.now = Math.max(this.now, time);
	}

	/** Counts an event. @returns the counters of its node */
	event(event: TimedEvent): NodeCounters {
		this.start ??= event.time;
		this.now = Math.max(this.now, event.time);
		let node = this.nodes.get(event.node);
		if (node === undefined) {
			node = new NodeCounters(
				event.type === "node"
					? event
					: { time: event.time, node: event.node, type: "node", role: "sensor", sensors: [] },
			);
			this.nodes.set(event.node, node);
		}
		node.event(event);
		return node;
	}
}
