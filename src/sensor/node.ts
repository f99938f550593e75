import type { Settings } from "../config/types";
import type { Device, TimerId } from "../device";
import type { DropReason } from "../device-events";
import type { Fault } from "../fault";
import { type ReasonCode, reasonName } from "../mqtt/constants";
import { BatteryGuard } from "./battery-guard";
import { Collector } from "./collector";
import { makeAllDue, sampleAll } from "./commands/all-sensors";
import type { NodeCommands } from "./commands/node-commands";
import { type DerivedSettings, deriveSettings } from "./derived-settings";
import { Diagnostics } from "./diagnostics";
import { ANNOUNCED_SIZE } from "./discovery/announced-record";
import { mayAnnounce } from "./discovery/announcer";
import { AnnouncingExchange } from "./discovery/announcing-exchange";
import type { ReportExchangeHandler } from "./exchange-parts";
import { forgetAddresses } from "./join-cache";
import { headerSize, REAL_DRIFT } from "./layout";
import { NetworkSession, type NetworkSessionHandler } from "./network-session";
import { NodeClock } from "./node-clock";
import {
	TASK_AWAKE_LIMIT,
	TASK_BOOT,
	TASK_COMMAND,
	TASK_CONNECT,
	TASK_DONE,
	TASK_JOIN_ANEW,
	TASK_NETWORK_DOWN,
	TASK_NETWORK_UP,
	TASK_NONE,
	TASK_REPORT,
	TASK_SAMPLE,
	TASK_SYNCHRONISE,
	type Task,
} from "./node-tasks";
import { NEXT_EVENT_TIMER, NodeTimers, STEP_TIMER, WATCHDOG_TIMER } from "./node-timers";
import { Outbox, type OutboxHandler } from "./outbox";
import { ReportEncoder } from "./report-encoder";
import { ReportExchange } from "./report-exchange";
import { RetainedState } from "./retained-state";
import {
	AWAKE_WAIT_LIMIT_MS,
	alignRetryWithSample,
	awakeWait,
	LONGEST_SLEEP_MS,
	RETRY_TOLERANCE_MS,
	sleepLength,
} from "./schedule";
import { nextPauseEnd, refusalCount } from "./topic-backoff";
import { clearFailedTries, countFailedTry, failedTries, nextRetryAt } from "./try-backoff";
import { adoptRetained } from "./wake-up";

/** Maximum time, in ms, that a wake waits for a time server. */
const SYNC_LIMIT_MS = 3000;
/** Sleep, in ms, after an internal error: one that recurs at every boot must not drain the battery. */
const ERROR_SLEEP_MS = 60_000;
/**
 * Maximum time, in ms, from the start of a connection to CONNACK with an address or a broker's address from
 * the last join: a network that has changed does not answer at all.
 */
const TRIAL_LIMIT_MS = 2000;
/** Share of `awakeLimit` that a driver may take: after that, hardly anything is left for a report. */
const DRIVER_SHARE = 0.75;
/** Interval, in ms, of checks whether a connection has closed. */
const CLOSING_RECHECK_MS = 100;

/**
 * A sensor node: wakes, samples, filters, stores reports in the outbox, delivers them, sleeps. All state that
 * must survive is in retained memory by the time it matters, so that the node may lose power at any time.
 */
export class SensorNode implements ReportExchangeHandler, NetworkSessionHandler, OutboxHandler {
	readonly #device: Device;
	readonly #settings: Settings;
	readonly #derived: DerivedSettings;
	readonly #deepSleep: boolean;
	/** There are no sensors, there is no broker, or the configuration is unusable. */
	#idle: boolean;
	readonly #retained: RetainedState;
	/** Bytes of retained memory that are not for commands. */
	readonly #retainedEnd: number;
	readonly #outbox: Outbox;
	readonly #encoder: ReportEncoder;
	readonly #clock: NodeClock;
	readonly #collector: Collector;
	readonly #network: NetworkSession;
	#exchange: ReportExchange | undefined;
	/** Node time at start. */
	#startedAt = 0;
	/** Whether a try is in progress, from the decision to report until its end. */
	#reporting = false;
	#asleep = false;
	/** Task to run after the present one. */
	#nextTask: Task = TASK_NONE;
	readonly #timers: NodeTimers;
	/** Absent if the battery is not watched. */
	declare private readonly battery?: BatteryGuard;
	/** Absent if none are configured. */
	declare private readonly diagnostics?: Diagnostics;
	/** Only if it takes commands. */
	declare private readonly commands?: NodeCommands;

	/**
	 * @param derived derived from the same settings, or from their template
	 * @param commands of a node that takes any; the settings are then its
	 */
	constructor(
		device: Device,
		settings: Settings,
		derived: DerivedSettings = deriveSettings(settings),
		commands?: NodeCommands,
	) {
		if (commands !== undefined) this.commands = commands;
		this.#device = device;
		this.#settings = settings;
		this.#derived = derived;
		// A broker on this chip must stay awake.
		this.#idle = settings.sensors.length === 0 || settings.broker.host === "";
		this.#deepSleep = settings.sleep.mode === "deep" && settings.role === "sensor";
		const { sensors, outbox } = settings;
		let memory = device.retained;
		const { extension } = derived;
		const reserved =
			headerSize(sensors.length, extension.size) + (settings.discovery === undefined ? 0 : ANNOUNCED_SIZE);
		let end = commands === undefined ? memory.length : commands.retainedBytes;
		if (end < reserved + 256) {
			device.trace(
				`retained memory of ${memory.length} bytes is too small: the outbox will not survive sleep`,
			);
			memory = new Uint8Array(reserved + outbox.size);
			end = memory.length;
		}
		this.#retainedEnd = end;
		const ringSize = Math.min(outbox.size, end - reserved);
		this.#retained = new RetainedState(memory, sensors.length, derived.sensorsHash, ringSize, extension.size);
		this.#encoder = new ReportEncoder(settings, derived, device);
		this.#outbox = new Outbox(this.#retained, outbox.policy, this.#encoder.longestRecord, this);
		this.#clock = new NodeClock(device, this.#retained);
		const { battery } = settings;
		if (battery !== undefined && this.#deepSleep && this.#retained.extension) {
			const index = sensors.findIndex(({ name }) => name === battery.sensor);
			this.battery = new BatteryGuard(battery, index, this.#retained.extension, extension.battery);
		}
		this.#collector = new Collector(
			device,
			settings,
			derived,
			this.#retained,
			this.#outbox,
			this.#encoder,
			this.#clock,
			this.battery,
		);
		const { diagnostics } = derived;
		if (settings.diagnostics !== undefined && diagnostics !== undefined && this.#retained.extension)
			this.diagnostics = new Diagnostics(
				settings.diagnostics.every,
				diagnostics,
				this.#retained.extension,
				extension.diagnostics,
				device,
			);
		this.#timers = new NodeTimers(device.timer, (id) => this.runTasks(this.taskOf(id)));
		this.#network = new NetworkSession(device, settings.wifi, this.#retained, this.#clock, this);
	}

	/** Call once at boot. Never throws; in deep mode it ends with `Device.sleep.deep`. */
	start(): void {
		this.runTasks(TASK_BOOT);
	}

	private taskOf(id: TimerId): Task {
		const expired = this.#timers.nameOf(id);
		if (expired === WATCHDOG_TIMER) return TASK_AWAKE_LIMIT;
		if (expired === NEXT_EVENT_TIMER) return TASK_SAMPLE;
		if (!this.#exchange?.busy) return TASK_CONNECT;
		return this.#exchange.isAccepted ? TASK_COMMAND : TASK_JOIN_ANEW;
	}

	/**
	 * Runs the task of a host's callback and the tasks that follow from it, in a loop instead of nested calls,
	 * as the stack is small.
	 */
	private runTasks(firstTask: Task): void {
		if (this.#asleep) return;
		try {
			for (let task = firstTask; task !== TASK_NONE; task = this.#nextTask) {
				this.#nextTask = TASK_NONE;
				switch (task) {
					case TASK_BOOT:
						this.boot();
						break;
					case TASK_SAMPLE:
						this.sampleAndReport();
						break;
					case TASK_AWAKE_LIMIT:
						this.handleAwakeLimit();
						break;
					case TASK_REPORT:
						this.report();
						break;
					case TASK_NETWORK_UP:
						this.handleNetworkUp();
						break;
					case TASK_NETWORK_DOWN:
						this.handleNetworkDown();
						break;
					case TASK_SYNCHRONISE:
						this.synchronise();
						break;
					case TASK_CONNECT:
						this.connect();
						break;
					case TASK_JOIN_ANEW:
						this.joinAnew();
						break;
					case TASK_COMMAND:
						this.runCommand();
						break;
					case TASK_DONE:
						this.#reporting = false;
						this.battery?.endTry();
						this.waitOrSleep(0);
						break;
				}
			}
		} catch (error) {
			this.#nextTask = TASK_NONE;
			this.handleInternalError(error);
		}
	}

	private boot(): void {
		const { sleep } = this.#device;
		const restored = this.#retained.restore(this.#derived.extension.hash);
		const { reason } = sleep;
		// After a reset by hand or a loss of power the driver that was being called is not the cause.
		const mayPause = reason === "deep-sleep" || reason === "crash" || reason === "watchdog";
		const interrupted = mayPause && restored === "valid" ? this.#retained.interruptedDriver : -1;
		const crashed = reason === "deep-sleep" && restored === "valid" && this.#retained.wasInterrupted;
		if (!this.#clock.restore(reason)) forgetAddresses(this.#retained);
		this.#startedAt = this.#clock.now;
		// The firmware sleeps a while after a crash before the node runs.
		this.diagnostics?.start(crashed ? "crash" : reason, this.#startedAt);
		if (this.#deepSleep) this.#timers.start(WATCHDOG_TIMER, this.#settings.sleep.awakeLimit);
		adoptRetained(this.#device, this.#retained, this.#outbox, restored, this.#derived.brokerHash);
		this.#collector.start(restored !== "valid", mayPause);
		if (interrupted >= 0) this.#collector.recordInterruptedDriver(interrupted);
		if (this.commands?.isFirstTrial) {
			clearFailedTries(this.#retained);
			makeAllDue(this.#retained, this.#clock.now);
		}
		if (this.#idle)
			this.#device.trace(
				this.#settings.sensors.length === 0 ? "no sensors are configured" : "no broker is configured",
			);
		this.#nextTask = TASK_SAMPLE;
	}

	/** Takes the samples that are due, then reports, or waits for the next event. */
	private sampleAndReport(): void {
		// In deep mode the timer runs once; otherwise it is set again below.
		if (this.#deepSleep) this.#timers.stop(NEXT_EVENT_TIMER);
		if (!this.#idle) {
			const waitMs = awakeWait(this.#collector.earliestDue, this.#clock.now);
			if (waitMs > 0) {
				this.#timers.start(NEXT_EVENT_TIMER, waitMs);
				return;
			}
			this.#collector.collect(this.#deepSleep ? this.#settings.sleep.awakeLimit * DRIVER_SHARE : Infinity);
			if (!this.#reporting) {
				if (this.#deepSleep && this.goesOnSampling()) return;
				if (this.shouldReport()) {
					this.#reporting = true;
					this.#nextTask = TASK_REPORT;
				}
			} else if (this.#exchange?.busy) this.#exchange.pump();
		}
		this.waitOrSleep(0);
	}

	/** Waits for the next sample of a value that has begun, in the first half of a wake: then it reports. */
	private goesOnSampling(): boolean {
		const { continuesAt } = this.#collector;
		if (continuesAt === Infinity) return false;
		const { now } = this.#clock;
		const waitMs = continuesAt - now;
		if (waitMs > AWAKE_WAIT_LIMIT_MS || now - this.#startedAt >= this.#settings.sleep.awakeLimit / 2)
			return false;
		this.#timers.start(NEXT_EVENT_TIMER, Math.max(waitMs, 1));
		return true;
	}

	private shouldReport(): boolean {
		if (this.#exchange?.busy) return false;
		return this.nextTryAt() - this.#clock.now <= RETRY_TOLERANCE_MS;
	}

	/**
	 * Node time of the next try to report; Infinity: there is nothing to report. A node that stays connected
	 * connects even then.
	 */
	private nextTryAt(): number {
		const retry = nextRetryAt(this.#retained);
		if (!this.#deepSleep) return retry;
		if (this.battery?.isSilent) return Infinity;
		const sendableAt = this.#outbox.sendableAt(this.#encoder.grouped);
		return Math.max(retry, Math.min(sendableAt, this.diagnostics?.dueAt ?? Infinity));
	}

	private report(): void {
		if (this.commands !== undefined) this.commands.hasTried = true;
		if (!this.createExchange()) {
			this.#reporting = false;
			this.waitOrSleep(0);
			return;
		}
		if (!this.#deepSleep) this.#timers.start(WATCHDOG_TIMER, this.#settings.sleep.awakeLimit);
		if (this.#network.isUp) this.#nextTask = TASK_SYNCHRONISE;
		else this.join(false);
	}

	/** @param anew whether nothing of the last join may be used */
	private join(anew: boolean): void {
		try {
			if (anew) this.#network.joinAnew();
			else this.#network.join();
		} catch (error) {
			this.endTry("wifi", 0, `no Wi-Fi: ${error}`);
		}
	}

	/** What was taken from the last join has led nowhere: nothing of it is used any more. */
	private joinAnew(): void {
		this.#timers.stop(STEP_TIMER);
		if (!this.#reporting) return;
		this.#device.trace("the network is not as it was: joining anew");
		this.#exchange?.abort();
		this.join(true);
	}

	/**
	 * Creates the exchange. Fails if no CONNECT can be made with this configuration, which is then not tried
	 * again.
	 */
	private createExchange(): boolean {
		const device = this.#device;
		try {
			this.#exchange ??= new (this.mayAnnounce() ? AnnouncingExchange : ReportExchange)(
				this.#network,
				this.#settings,
				!this.#deepSleep,
				this.#retained,
				this.#outbox,
				this.#encoder,
				this.#clock,
				this,
				this.diagnostics,
				this.commands,
				this.#derived,
				device,
				this.#retainedEnd,
			);
			return true;
		} catch (error) {
			this.#idle = true;
			device.event?.("failed", "configuration", 0, 1);
			device.trace(`nothing can be reported with this configuration: ${error}`);
			return false;
		}
	}

	private mayAnnounce(): boolean {
		const { discovery } = this.#settings;
		if (discovery === undefined) return false;
		const { memory } = this.#retained;
		const hash = this.#derived.announcementHash ?? 0;
		return mayAnnounce(discovery, this.#device, memory, this.#retainedEnd, hash);
	}

	private handleNetworkUp(): void {
		if (this.#reporting) this.#nextTask = TASK_SYNCHRONISE;
	}

	/**
	 * Requests the time if necessary, and waits for the answer if wall time is unknown: reports should contain
	 * a time.
	 */
	private synchronise(): void {
		const device = this.#device;
		const { server } = this.#settings.time;
		if (device.setClock === undefined || server === undefined || !this.#clock.needsSync) {
			this.#nextTask = TASK_CONNECT;
			return;
		}
		if (Number.isNaN(this.#clock.wallOffset)) {
			const limitMs = Math.min(SYNC_LIMIT_MS, this.#settings.sleep.awakeLimit >> 1);
			this.#timers.start(STEP_TIMER, limitMs);
		} else this.#nextTask = TASK_CONNECT;
		this.#clock.countSyncRequest();
		try {
			device.setClock(server, (set) => {
				if (set) this.#clock.recordSync();
				// Not from here, where the memory and the stack of the request are still in use
				if (this.#reporting && this.#network.isUp && !this.#exchange?.busy) this.#timers.start(STEP_TIMER, 1);
			});
		} catch (error) {
			device.trace(`no time from ${server}: ${error}`);
			this.#nextTask = TASK_CONNECT;
		}
	}

	private connect(): void {
		this.#timers.stop(STEP_TIMER);
		if (!this.#reporting || this.#exchange?.busy) return;
		if (this.#network.onTrial) this.#timers.start(STEP_TIMER, TRIAL_LIMIT_MS);
		this.#exchange?.connect();
	}

	/** The time for the next step with commands has come. */
	private runCommand(): void {
		this.#timers.stop(STEP_TIMER);
		if (!this.#exchange?.runCommandStep()) return;
		sampleAll(this.#collector, this.#retained, this.#clock.now);
		this.#exchange.pump();
	}

	// Callbacks of the parts. None lets an exception escape to the host, which would end the application.

	/** For the outbox. */
	onDropped(sequence: number, reason: DropReason): void {
		this.#device.event?.("dropped", sequence, this.#outbox.waitingCount, reason);
	}

	/** For the network. */
	onNetworkUp(signal: number): void {
		if (this.diagnostics !== undefined) this.diagnostics.signal = signal;
		this.runTasks(TASK_NETWORK_UP);
	}

	/** For the network. */
	onNetworkDown(): void {
		this.runTasks(TASK_NETWORK_DOWN);
	}

	/** For the exchange. */
	onOpened(): void {
		this.#network.confirm();
		this.#timers.stop(STEP_TIMER);
		if (!this.#deepSleep) this.#timers.stop(WATCHDOG_TIMER);
	}

	/** For the exchange. */
	onRefused(topic: number, fault: Fault, reasonCode: ReasonCode, pauseMs: number): void {
		const { sensors } = this.#settings;
		this.#device.event?.("failed", fault, reasonCode, refusalCount(this.#retained, topic));
		const subject = this.#encoder.grouped ? "its reports" : `reports of ${sensors[topic].name}`;
		this.#device.trace(
			`the broker does not take ${subject}: ${reasonName(reasonCode)}; next try in ${pauseMs} ms`,
		);
		// Without deep sleep the try does not end, so that the end of the pause needs a timer.
		if (!this.#deepSleep) this.waitOrSleep(0);
	}

	/** For the exchange. */
	onDone(): void {
		this.runTasks(TASK_DONE);
	}

	/** For the exchange. */
	onFailed(fault: Fault, reasonCode: ReasonCode, message: string): void {
		try {
			if (this.#asleep) return;
			if (this.#network.onTrial) this.runTasks(TASK_JOIN_ANEW);
			else this.endTry(fault, reasonCode, message);
		} catch (error) {
			this.handleInternalError(error);
		}
	}

	/** For the exchange. */
	onDelivered(): void {
		clearFailedTries(this.#retained);
		this.commands?.confirm();
	}

	/** For the exchange. */
	startCommandTimer(ms: number): void {
		if (ms > 0) this.#timers.start(STEP_TIMER, ms);
		else this.#timers.stop(STEP_TIMER);
	}

	/** For the exchange. */
	onRestart(): void {
		this.sleep(this.#clock.now);
	}

	/** Ends the try; pending reports wait for the next one. */
	private endTry(fault: Fault, reasonCode: ReasonCode, message: string): void {
		this.scheduleRetry(fault, reasonCode, message);
		if (!this.#deepSleep && this.commands?.countFailedTry()) this.sleep(this.#clock.now);
		else this.waitOrSleep(0);
	}

	private scheduleRetry(fault: Fault, reasonCode: ReasonCode, message: string): void {
		this.#reporting = false;
		this.battery?.endTry();
		this.#network.forgetUnconfirmed();
		this.#timers.stop(STEP_TIMER);
		if (!this.#deepSleep) this.#timers.stop(WATCHDOG_TIMER);
		const pauseMs = countFailedTry(this.#retained, this.#settings.backoff, this.#clock.now);
		this.#device.event?.("failed", fault, reasonCode, failedTries(this.#retained));
		this.#device.trace(
			`not reported: ${message}; ${this.#outbox.waitingCount} waiting, next try in ${pauseMs} ms`,
		);
	}

	/** The join failed or the network was lost. */
	private handleNetworkDown(): void {
		if (!this.#reporting) return;
		if (this.#network.onTrial) {
			this.#nextTask = TASK_JOIN_ANEW;
			return;
		}
		this.#exchange?.abort();
		this.endTry("wifi", 0, "no Wi-Fi");
	}

	/** The wake, or without sleep this try, has reached `awakeLimit`. */
	private handleAwakeLimit(): void {
		this.#device.event?.("limit", this.#clock.now - this.#startedAt, this.#outbox.waitingCount);
		if (!this.#deepSleep) this.#timers.stop(WATCHDOG_TIMER);
		if (this.#reporting) {
			this.#exchange?.abort();
			if (!this.#network.isUp) this.#network.leave();
			this.endTry("limit", 0, "awakeLimit is over");
		} else this.waitOrSleep(0);
	}

	private handleInternalError(error: unknown): void {
		try {
			this.#exchange?.abort();
			this.scheduleRetry("program", 0, `${error}`);
			this.waitOrSleep(ERROR_SLEEP_MS);
		} catch {
			this.#asleep = true;
			this.#device.sleep.deep(ERROR_SLEEP_MS);
		}
	}

	/**
	 * Nothing can be done now: sleeps, or sets the timer, until the next event. @param leastMs minimum duration
	 */
	private waitOrSleep(leastMs: number): void {
		if (this.#asleep) return;
		const { now } = this.#clock;
		let until = this.#idle ? now + LONGEST_SLEEP_MS : this.#collector.earliestDue;
		if (!this.#idle) {
			const retry = this.#reporting ? nextPauseEnd(this.#retained, now) : this.nextTryAt();
			until = Math.min(until, alignRetryWithSample(retry, until));
		}
		until = Math.max(until, now + leastMs);
		if (!this.#deepSleep)
			this.#timers.start(
				NEXT_EVENT_TIMER,
				Math.max(until - now, this.#exchange?.busy && !this.#reporting ? CLOSING_RECHECK_MS : 1),
			);
		else if (!this.#reporting) this.sleep(until);
	}

	private sleep(until: number): void {
		const { reals } = this.#retained;
		this.#collector.close();
		this.commands?.beforeSleep();
		const { now } = this.#clock;
		const sleepMs = sleepLength(until, now, reals[REAL_DRIFT]);
		this.#clock.saveTimes(sleepMs);
		this.diagnostics?.recordSleep(now);
		this.#retained.commit();
		this.#retained.clearBootMark();
		this.#asleep = true;
		this.#device.event?.("sleep", sleepMs, this.#outbox.waitingCount, now - this.#startedAt);
		this.#device.sleep.deep(sleepMs);
	}
}
