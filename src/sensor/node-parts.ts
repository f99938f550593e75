import type { Settings } from "../config/types";
import type { Device, TimerId } from "../device";
import type { DropReason } from "../device-events";
import type { Fault } from "../fault";
import type { ReasonCode } from "../mqtt/constants";
import type { NodeCommands } from "./commands/node-commands";
import { ANNOUNCED_SIZE } from "./discovery/announced-record";
import type { ReportExchange } from "./exchange/report-exchange";
import { BatteryGuard } from "./measure/battery-guard";
import { Collector } from "./measure/collector";
import { WakePins } from "./measure/wake-pins";
import { NetworkSession, type NetworkSessionHandler } from "./network/network-session";
import { NodeTimers } from "./node-timers";
import { FlashOutbox } from "./outbox/flash-outbox";
import { Outbox, type OutboxHandler } from "./outbox/outbox";
import { Diagnostics } from "./report/diagnostics";
import type { ExchangeParts } from "./report/exchange-parts";
import { ReportEncoder } from "./report/report-encoder";
import { headerSize } from "./retained/layout";
import { RetainedState } from "./retained/retained-state";
import { countingDevice } from "./retained/run-counts";
import type { DerivedSettings } from "./settings/derived-settings";
import { NodeClock } from "./time/node-clock";

/** Bytes of retained memory for reports, with fewer of which these are not kept there. */
const SMALLEST_RING = 256;

/**
 * What a node is made of, and what the phases of its wake share: `wake-up`, `sampling-phase`, `report-phase`,
 * `try-end`, `update-phase` and `sleep-phase`. One object, as each further one would take RAM; what a
 * configuration does not ask for is not made.
 */
export abstract class NodeParts implements ExchangeParts, NetworkSessionHandler, OutboxHandler {
	readonly device: Device;
	readonly settings: Settings;
	readonly derived: DerivedSettings;
	/** Whether the node sleeps between events; a broker on this chip must stay awake. */
	readonly deepSleep: boolean;
	/** There are no sensors, there is no broker, or the configuration is unusable. */
	idle: boolean;
	readonly retained: RetainedState;
	/** Bytes of retained memory that are not for commands. */
	readonly retainedEnd: number;
	readonly outbox: Outbox;
	readonly encoder: ReportEncoder;
	readonly clock: NodeClock;
	readonly collector: Collector;
	readonly network: NetworkSession;
	/** Made with the exchange. */
	declare client: ExchangeParts["client"];
	/** Made with the first try. */
	exchange: ReportExchange | undefined;
	/** Node time at start. */
	startedAt = 0;
	/** Whether a try is in progress, from the decision to report until its end. */
	reporting = false;
	/** The node has asked for its sleep: nothing runs any more. */
	asleep = false;
	readonly timers: NodeTimers;
	/** The outbox, if it survives a loss of power. */
	declare readonly flash?: FlashOutbox;
	/** Absent if the battery is not watched. */
	declare readonly battery?: BatteryGuard;
	/** Absent if none are configured. */
	declare readonly diagnostics?: Diagnostics;
	/** Absent if no pin wakes it. */
	declare readonly wakePins?: WakePins;
	/** Only if it takes commands. */
	declare readonly commands?: NodeCommands;

	/** @param commands of a node that takes any; the settings are then its */
	constructor(
		device: Device,
		settings: Settings,
		derived: DerivedSettings,
		commands: NodeCommands | undefined,
	) {
		if (commands !== undefined) this.commands = commands;
		this.settings = settings;
		this.derived = derived;
		this.idle = settings.sensors.length === 0 || settings.broker.host === "";
		this.deepSleep = settings.sleep.mode === "deep" && settings.role === "sensor";
		const { sensors, outbox } = settings;
		let memory = device.retained;
		const extension = derived.extension;
		const reserved =
			headerSize(sensors.length, extension.size) + (settings.discovery === undefined ? 0 : ANNOUNCED_SIZE);
		let end = commands === undefined ? memory.length : commands.retainedBytes;
		if (end < reserved + SMALLEST_RING) {
			device.trace(
				`retained memory of ${memory.length} bytes is too small: the outbox will not survive sleep`,
			);
			memory = new Uint8Array(reserved + outbox.size);
			end = memory.length;
		}
		this.retainedEnd = end;
		const ringSize = Math.min(outbox.size, end - reserved);
		const { size, counts } = extension;
		this.retained = new RetainedState(
			memory,
			sensors.length,
			derived.sensorsHash,
			ringSize,
			size,
			counts,
			device.checksum,
		);
		if (counts > 0) device = countingDevice(device, this);
		this.device = device;
		this.encoder = new ReportEncoder(settings, derived, device);
		const longestRecord = this.encoder.longestRecord;
		if (outbox.storage === "flash") {
			const keepsStates = sensors.some(({ qos }) => qos === 2);
			this.flash = new FlashOutbox(this.retained, outbox.policy, longestRecord, this, device, keepsStates);
			this.outbox = this.flash;
		} else this.outbox = new Outbox(this.retained, outbox.policy, longestRecord, this);
		this.clock = new NodeClock(device, this.retained);
		const battery = settings.battery;
		if (battery !== undefined && this.deepSleep && this.retained.extension) {
			const index = sensors.findIndex(({ name }) => name === battery.sensor);
			this.battery = new BatteryGuard(battery, index, this.retained.extension, extension.battery);
		}
		this.collector = new Collector(
			device,
			settings,
			derived,
			this.retained,
			this.outbox,
			this.encoder,
			this.clock,
			this.battery,
		);
		const { diagnostics, wakePins } = derived;
		if (wakePins !== undefined && this.deepSleep && this.retained.extension) {
			const { pinWakeLimit } = settings.sleep;
			const state = this.retained.extension;
			this.wakePins = new WakePins(wakePins, state, extension.wakePins, device, pinWakeLimit);
			this.collector.wakePins = this.wakePins;
		}
		if (settings.diagnostics !== undefined && diagnostics !== undefined && this.retained.extension)
			this.diagnostics = new Diagnostics(
				settings.diagnostics.every,
				diagnostics,
				this.retained.extension,
				extension.diagnostics,
				device,
			);
		this.timers = new NodeTimers(device.timer, (id) => this.onTimer(id));
		this.network = new NetworkSession(device, settings.wifi, this.retained, this.clock, this);
	}

	/** A connection stays open for later reports. */
	get staysConnected(): boolean {
		return !this.deepSleep;
	}

	protected abstract onTimer(id: TimerId): unknown;
	abstract onDropped(sequence: number, reason: DropReason): void;
	abstract onNetworkUp(signal: number): void;
	abstract onNetworkDown(): void;
	abstract onOpened(): void;
	abstract onRefused(topic: number, fault: Fault, reasonCode: ReasonCode, pauseMs: number): void;
	abstract onDone(): void;
	abstract onFailed(fault: Fault, reasonCode: ReasonCode, message: string): void;
	abstract onDelivered(): void;
	abstract startCommandTimer(ms: number): void;
	abstract onRestart(): void;
	abstract onImageDue(): void;
	abstract onFetched(): void;
}
