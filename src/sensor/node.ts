import type { Settings } from "../config/types";
import type { Device, TimerId } from "../device";
import { reasonName } from "../mqtt/constants";
import { backoff } from "./backoff";
import { Clock } from "./clock";
import { Collector } from "./collector";
import type { DropPolicy, Fault } from "./events";
import { FAULT_CONFIGURATION, FAULT_LIMIT, FAULT_PROGRAM, FAULT_WIFI } from "./events";
import { Exchange, type ExchangeHandler } from "./exchange";
import { headerSize, REAL_DRIFT, REAL_RETRY, WORD_ATTEMPTS, WORD_BROKER, WORD_DROPPED, WORD_FLAGS, WORD_SEQUENCE, WORD_WAKES } from "./layout";
import { Network, type NetworkHandler } from "./network";
import { Outbox, type OutboxHandler } from "./outbox";
import { type Plan, planOf } from "./plan";
import { forgiveAll, nextRelease, refusalsOf } from "./refusals";
import { Reports } from "./reports";
import { Retained } from "./retained";
import { LONGEST_SLEEP, RETRY_TOLERANCE, sleepLength, together, waitFor } from "./schedule";

/** Most of a wake, in ms, that is spent on waiting for a time server. */
const SYNCHRONISE_LIMIT = 3000;
/** Sleep, in ms, after a fault of the program: what fails at every boot is not to empty the battery. */
const FAULT_PAUSE = 60_000;
/** Longest time that a timer is set for, in ms. */
const LONGEST_TIMER = 86_400_000;
/** How soon, in ms, to look again whether a connection has closed. */
const CLOSING_PAUSE = 100;

// What a host's callback asks for
const START = 0;
const STEP = 1;
const LIMIT = 2;
const JOINED = 3;
const DOWN = 4;
const CONNECT = 5;
const DONE = 6;
const SYNCHRONISE = 7;
const REPORT = 8;
const NOTHING = 9;

/**
 * A sensor node: wakes, samples, filters, keeps what is worth a report in the outbox, delivers it, sleeps. Everything that
 * has to survive is in retained memory by the time it counts, so that the node may be cut off anywhere.
 */
export class SensorNode implements ExchangeHandler, NetworkHandler, OutboxHandler {
	readonly #device: Device;
	readonly #settings: Settings;
	readonly #plan: Plan;
	readonly #deep: boolean;
	/** There is nothing to report, nobody to report to, or no way to do it. */
	#idle: boolean;
	readonly #retained: Retained;
	readonly #outbox: Outbox;
	readonly #reports: Reports;
	readonly #clock: Clock;
	readonly #collector: Collector;
	readonly #network: Network;
	#exchange: Exchange | undefined;
	/** Node time at start. */
	#startedAt = 0;
	#joinedAt = 0;
	/** Between the decision to report and its end. */
	#reporting = false;
	#asleep = false;
	/** What is to be done at the end of the present step. */
	#next = NOTHING;
	#timer: TimerId | undefined;
	#watchdog: TimerId | undefined;
	#synchronising: TimerId | undefined;
	/** What the host's timers call. */
	readonly #onTimer = (id: TimerId): void => this.guard(id === this.#watchdog ? LIMIT : id === this.#synchronising ? CONNECT : STEP);

	/** @param plan of the same settings, or of their template */
	constructor(device: Device, settings: Settings, plan: Plan = planOf(settings)) {
		this.#device = device;
		this.#settings = settings;
		this.#plan = plan;
		// A broker on this chip has to stay awake.
		this.#idle = settings.sensors.length === 0 || settings.broker.host === "";
		this.#deep = settings.sleep.mode === "deep" && settings.role === "sensor";
		const { sensors, outbox } = settings;
		let memory = device.retained;
		if (memory.length < headerSize(sensors.length) + 256) {
			device.trace(`retained memory of ${memory.length} bytes is too small: the outbox will not survive sleep`);
			memory = new Uint8Array(headerSize(sensors.length) + outbox.size);
		}
		this.#retained = new Retained(memory, sensors.length, plan.sensors, outbox.size);
		this.#reports = new Reports(settings, plan, device);
		this.#outbox = new Outbox(this.#retained, outbox.policy, this.#reports.longest, this);
		this.#clock = new Clock(device, this.#retained);
		this.#collector = new Collector(device, settings, plan, this.#retained, this.#outbox, this.#reports, this.#clock);
		this.#network = new Network(device, settings.wifi, this);
	}

	/** Call once at boot. Never throws; in deep mode it ends with `Device.sleep.deep`. */
	start(): void {
		this.guard(START);
	}

	/** Does what the host's callback, or the step before, asks for: one after the other, as the stack is short. */
	private guard(what: number): void {
		if (this.#asleep) return;
		try {
			for (let step = what; step !== NOTHING; step = this.#next) {
				this.#next = NOTHING;
				switch (step) {
					case START:
						this.begin();
						break;
					case STEP:
						this.step();
						break;
					case LIMIT:
						this.limit();
						break;
					case REPORT:
						this.report();
						break;
					case JOINED:
						this.joined();
						break;
					case DOWN:
						this.down();
						break;
					case SYNCHRONISE:
						this.synchronise();
						break;
					case CONNECT:
						this.connect();
						break;
					case DONE:
						this.#reporting = false;
						this.rest(0);
						break;
				}
			}
		} catch (error) {
			this.#next = NOTHING;
			this.fault(error);
		}
	}

	private begin(): void {
		const { sleep } = this.#device;
		const words = this.#retained.words;
		const restored = this.#retained.restore();
		this.#clock.restore(sleep.reason);
		this.#startedAt = this.#clock.now;
		if (this.#deep) this.watch();
		if (restored === "changed") this.#outbox.discard();
		else this.#outbox.recover();
		const { broker } = this.#plan;
		if (words[WORD_BROKER] !== broker) {
			words[WORD_BROKER] = broker;
			words[WORD_FLAGS] = 0;
			forgiveAll(this.#retained);
		}
		words[WORD_WAKES]++;
		const dropped = words[WORD_DROPPED] + words[WORD_DROPPED + 1] + words[WORD_DROPPED + 2] + words[WORD_DROPPED + 3];
		this.#device.event?.("wake", this.#outbox.waiting, words[WORD_SEQUENCE], dropped);
		this.#collector.start(restored !== "valid");
		if (this.#idle) this.#device.trace(this.#settings.sensors.length === 0 ? "no sensors are configured" : "no broker is configured");
		this.#next = STEP;
	}

	/** Samples what is due, then reports, or waits for what comes next. */
	private step(): void {
		// In deep mode it is wanted once; elsewhere it is set anew below.
		if (this.#deep && this.#timer !== undefined) this.#device.timer.schedule(this.#timer);
		if (!this.#idle) {
			const wait = waitFor(this.#collector.earliest, this.#clock.now);
			if (wait > 0) {
				this.schedule(wait);
				return;
			}
			this.#collector.collect();
			if (!this.#reporting) {
				if (this.mayReport()) {
					this.#reporting = true;
					this.#next = REPORT;
				}
			} else if (this.#exchange?.busy) this.#exchange.pump();
		}
		this.rest(0);
	}

	private mayReport(): boolean {
		if (this.#exchange?.busy) return false;
		return this.nextTry() - this.#clock.now <= RETRY_TOLERANCE;
	}

	/** Node time of the next try to report; Infinity: there is nothing to report. A node that is always on connects all the same. */
	private nextTry(): number {
		const retry = this.#retained.reals[REAL_RETRY];
		return this.#deep ? Math.max(retry, this.#outbox.released(this.#reports.grouped)) : retry;
	}

	private report(): void {
		if (!this.prepare()) {
			this.#reporting = false;
			this.rest(0);
			return;
		}
		if (!this.#deep) this.watch();
		if (this.#network.up) this.#next = SYNCHRONISE;
		else {
			this.#joinedAt = this.#clock.now;
			this.#device.event?.("join");
			try {
				this.#network.join();
			} catch (error) {
				this.failed(FAULT_WIFI, 0, `no Wi-Fi: ${error}`);
			}
		}
	}

	/** Makes what a report needs. It fails for a configuration with which no CONNECT can be made: that is not tried again. */
	private prepare(): boolean {
		const device = this.#device;
		try {
			this.#exchange ??= new Exchange(device, this.#settings, !this.#deep, this.#retained, this.#outbox, this.#reports, this.#clock, this);
			return true;
		} catch (error) {
			this.#idle = true;
			device.event?.("failed", FAULT_CONFIGURATION, 0, 1);
			device.trace(`nothing can be reported with this configuration: ${error}`);
			return false;
		}
	}

	private joined(): void {
		this.#device.event?.("joined", this.#clock.now - this.#joinedAt);
		if (this.#reporting) this.#next = SYNCHRONISE;
	}

	/** Asks for the time when it is needed, and waits for the answer when nothing is known of it: reports are to have a time. */
	private synchronise(): void {
		const device = this.#device;
		const { server } = this.#settings.time;
		if (device.setClock === undefined || server === undefined || !this.#clock.stale) {
			this.#next = CONNECT;
			return;
		}
		if (Number.isNaN(this.#clock.offset)) {
			const limit = Math.min(SYNCHRONISE_LIMIT, this.#settings.sleep.awakeLimit >> 1);
			this.#synchronising = device.timer.set(this.#onTimer, limit, limit);
		}
		this.#clock.asked();
		try {
			device.setClock(server, (set) => {
				if (set) this.#clock.synchronised();
				if (this.#synchronising !== undefined) this.guard(CONNECT);
			});
		} catch (error) {
			device.trace(`no time from ${server}: ${error}`);
			this.stopSynchronising();
		}
		if (this.#synchronising === undefined) this.#next = CONNECT;
	}

	private connect(): void {
		this.stopSynchronising();
		if (!this.#reporting || this.#exchange?.busy) return;
		this.#exchange?.open();
	}

	// What the parts tell. None lets an exception out to the host, which would end the app.

	/** For the outbox. */
	onDropped(sequence: number, policy: DropPolicy): void {
		this.#device.event?.("dropped", sequence, this.#outbox.waiting, policy);
	}

	/** For the network. */
	onUp(): void {
		this.guard(JOINED);
	}

	/** For the network. */
	onDown(): void {
		this.guard(DOWN);
	}

	/** For the exchange. */
	onOpened(): void {
		if (!this.#deep) this.unwatch();
	}

	/** For the exchange. */
	onRefused(topic: number, fault: Fault, reasonCode: number, pause: number): void {
		const { sensors } = this.#settings;
		this.#device.event?.("failed", fault, reasonCode, refusalsOf(this.#retained, topic));
		const what = this.#reports.grouped ? "its reports" : `reports of ${sensors[topic].name}`;
		this.#device.trace(`the broker does not take ${what}: ${reasonName(reasonCode)}; next try in ${pause} ms`);
		// Where nothing ends the try, the pause's end needs a timer.
		if (!this.#deep) this.rest(0);
	}

	/** For the exchange. */
	onDone(): void {
		this.guard(DONE);
	}

	/** For the exchange. */
	onFailed(fault: Fault, reasonCode: number, message: string): void {
		try {
			if (!this.#asleep) this.failed(fault, reasonCode, message);
		} catch (error) {
			this.fault(error);
		}
	}

	/** For the exchange. */
	onDelivered(): void {
		this.#retained.words[WORD_ATTEMPTS] = 0;
		this.#retained.reals[REAL_RETRY] = 0;
	}

	/** The try is over; what waits, waits for the next. */
	private failed(fault: Fault, reasonCode: number, message: string): void {
		this.postpone(fault, reasonCode, message);
		this.rest(0);
	}

	private postpone(fault: Fault, reasonCode: number, message: string): void {
		const { words, reals } = this.#retained;
		const { minimum, maximum } = this.#settings.backoff;
		this.#reporting = false;
		this.stopSynchronising();
		if (!this.#deep) this.unwatch();
		const failures = ++words[WORD_ATTEMPTS];
		const pause = backoff(failures, minimum, maximum, Math.random());
		reals[REAL_RETRY] = this.#clock.now + pause;
		this.#device.event?.("failed", fault, reasonCode, failures);
		this.#device.trace(`not reported: ${message}; ${this.#outbox.waiting} waiting, next try in ${pause} ms`);
	}

	/** No network, or no more. */
	private down(): void {
		if (!this.#reporting) return;
		this.#exchange?.abort();
		this.failed(FAULT_WIFI, 0, "no Wi-Fi");
	}

	/** The wake, or without sleep this try, has taken as long as it may. */
	private limit(): void {
		this.#device.event?.("limit", this.#clock.now - this.#startedAt, this.#outbox.waiting);
		if (!this.#deep) this.unwatch();
		if (this.#reporting) {
			this.#exchange?.abort();
			if (!this.#network.up) this.#network.leave();
			this.failed(FAULT_LIMIT, 0, "awakeLimit is over");
		} else this.rest(0);
	}

	private fault(error: unknown): void {
		try {
			this.#exchange?.abort();
			this.postpone(FAULT_PROGRAM, 0, `${error}`);
			this.rest(FAULT_PAUSE);
		} catch {
			this.#asleep = true;
			this.#device.sleep.deep(FAULT_PAUSE);
		}
	}

	/** Nothing can be done now: sleeps, or sets the timer, until something can. @param least ms */
	private rest(least: number): void {
		if (this.#asleep) return;
		const { now } = this.#clock;
		let until = this.#idle ? now + LONGEST_SLEEP : this.#collector.earliest;
		if (!this.#idle) {
			const retry = this.#reporting ? nextRelease(this.#retained, now) : this.nextTry();
			until = Math.min(until, together(retry, until));
		}
		until = Math.max(until, now + least);
		if (!this.#deep) this.schedule(Math.max(until - now, this.#exchange?.busy && !this.#reporting ? CLOSING_PAUSE : 1));
		else if (!this.#reporting) this.sleep(until);
	}

	private sleep(until: number): void {
		const { reals } = this.#retained;
		this.#collector.close();
		const { now } = this.#clock;
		const length = sleepLength(until, now, reals[REAL_DRIFT]);
		this.#clock.stamp(length);
		this.#retained.commit();
		this.#retained.leave();
		this.#asleep = true;
		this.#device.event?.("sleep", length, this.#outbox.waiting, now - this.#startedAt);
		this.#device.sleep.deep(length);
	}

	/** Calls `step` after `delay` ms. */
	private schedule(delay: number): void {
		const { timer } = this.#device;
		const ms = Math.min(Math.ceil(delay), LONGEST_TIMER);
		if (this.#timer === undefined) this.#timer = timer.set(this.#onTimer, ms, ms);
		else timer.schedule(this.#timer, ms, ms);
	}

	private watch(): void {
		const { timer } = this.#device;
		const { awakeLimit } = this.#settings.sleep;
		if (this.#watchdog === undefined) this.#watchdog = timer.set(this.#onTimer, awakeLimit, awakeLimit);
		else timer.schedule(this.#watchdog, awakeLimit, awakeLimit);
	}

	private unwatch(): void {
		if (this.#watchdog !== undefined) this.#device.timer.schedule(this.#watchdog);
	}

	private stopSynchronising(): void {
		this.#device.timer.clear(this.#synchronising);
		this.#synchronising = undefined;
	}
}
