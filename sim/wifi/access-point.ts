import type { Random } from "../clock/random";
import type { Scheduled, Scheduler } from "../clock/scheduler";

/** A span of time, ms. */
export interface Span {
	readonly from: number;
	readonly to: number;
}

/** Durations of the steps of a join, ms; each join draws from the spans. */
export interface JoinTimes {
	/** Starting the radio. */
	readonly start: Span;
	/** Scan of all 13 channels. */
	readonly scan: Span;
	/** Scan for one access point on one channel. */
	readonly probe: Span;
	/** Authentication, association and the four-way handshake. */
	readonly associate: Span;
	/** DHCP. */
	readonly address: Span;
}

/**
 * Chosen to match published measurements: DHCP costs 850 ms (glenn20/upy-esp32-experiments: 1,626 ms a report
 * with it, 774 ms without), and a cached access point takes a wake from about 4 s to 1 s (esphome pull
 * request 5931). The division between the steps is an estimate.
 */
export const JOIN_TIMES: JoinTimes = {
	start: { from: 40, to: 60 },
	scan: { from: 1400, to: 1700 },
	probe: { from: 20, to: 60 },
	associate: { from: 60, to: 150 },
	address: { from: 550, to: 950 },
};

export interface JoinTarget {
	readonly ssid: string;
	/** Hexadecimal. With {@link channel}: only this access point is tried. */
	readonly bssid: string | undefined;
	readonly channel: number | undefined;
}

export interface JoinHandler {
	connected(): void;
	addressed(): void;
	/** No packet gets through any more, but the station has not detected it yet. */
	down(): void;
	lostAddress(): void;
	/** @param reason the SDK's code: 0 lost or not found, −1 refused */
	disconnected(reason: number): void;
}

export interface Join {
	cancel(): void;
}

/** Attempts of the SDK's module before it reports a disconnection. */
const MAX_JOIN_TRIES = 6;
/** Time without beacons after which a station is disconnected, ms (ESP-IDF: 6 s). */
const BEACON_TIMEOUT_MS = 6000;

/** One access point, in range until an outage. */
export class AccessPoint {
	readonly bssid: string;
	channel: number;
	readonly #scheduler: Scheduler;
	readonly #times: JoinTimes;
	readonly #joins = new Set<JoinAttempt>();
	#present = true;

	constructor(scheduler: Scheduler, options: { bssid?: string; channel?: number; times?: JoinTimes } = {}) {
		this.#scheduler = scheduler;
		this.bssid = options.bssid ?? "02f17ef1f100";
		this.channel = options.channel ?? 6;
		this.#times = options.times ?? JOIN_TIMES;
	}

	get present(): boolean {
		return this.#present;
	}

	/** Begins (false) or ends an outage. */
	set present(present: boolean) {
		this.#present = present;
		if (!present) for (const join of [...this.#joins]) join.onOutage();
	}

	/** @param random the device's own stream */
	join(random: Random, station: JoinTarget, handler: JoinHandler): Join {
		return new JoinAttempt(this, this.#scheduler, this.#times, random, this.#joins, station, handler);
	}
}

class JoinAttempt implements Join {
	readonly #accessPoint: AccessPoint;
	readonly #scheduler: Scheduler;
	readonly #times: JoinTimes;
	readonly #random: Random;
	readonly #joins: Set<JoinAttempt>;
	readonly #target: JoinTarget;
	readonly #handler: JoinHandler;
	#remainingTries = MAX_JOIN_TRIES;
	#associated = false;
	#next: Scheduled | undefined;

	constructor(
		accessPoint: AccessPoint,
		scheduler: Scheduler,
		times: JoinTimes,
		random: Random,
		joins: Set<JoinAttempt>,
		target: JoinTarget,
		handler: JoinHandler,
	) {
		this.#accessPoint = accessPoint;
		this.#scheduler = scheduler;
		this.#times = times;
		this.#random = random;
		this.#joins = joins;
		this.#target = target;
		this.#handler = handler;
		joins.add(this);
		this.#after(times.start, () => this.#search());
	}

	cancel(): void {
		this.#joins.delete(this);
		this.#scheduler.cancel(this.#next);
	}

	/** The access point stopped sending beacons. */
	onOutage(): void {
		if (!this.#associated) return;
		this.#handler.down();
		this.#scheduler.cancel(this.#next);
		this.#next = this.#scheduler.after(BEACON_TIMEOUT_MS, () => {
			this.#handler.lostAddress();
			this.#end(0);
		});
	}

	#search(): void {
		const { bssid, channel } = this.#target;
		const known = bssid !== undefined && channel !== undefined;
		this.#after(known ? this.#times.probe : this.#times.scan, () => {
			const accessPoint = this.#accessPoint;
			const found =
				accessPoint.present &&
				(bssid === undefined || bssid === accessPoint.bssid) &&
				(channel === undefined || channel === accessPoint.channel);
			if (found) this.#associate();
			else if (--this.#remainingTries > 0) this.#search();
			else this.#end(0);
		});
	}

	#associate(): void {
		this.#after(this.#times.associate, () => {
			this.#associated = true;
			this.#handler.connected();
			if (this.#joins.has(this)) this.#after(this.#times.address, () => this.#handler.addressed());
		});
	}

	#end(reason: number): void {
		this.#joins.delete(this);
		this.#handler.disconnected(reason);
	}

	#after(span: Span, run: () => void): void {
		this.#next = this.#scheduler.after(Math.round(this.#random.between(span.from, span.to)), run);
	}
}
