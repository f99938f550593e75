import type { Random } from "../clock/random";
import type { Scheduled, Scheduler } from "../clock/scheduler";
import { DHCPServer, type Lease } from "./dhcp-server";

/** A span of time, ms. */
export interface Span {
	readonly from: number;
	readonly to: number;
}

/** Steps of a join. `probe`: a scan for one access point on one channel. */
export type JoinStep = "start" | "scan" | "probe" | "association" | "dhcp";

/** Durations of the steps, ms; each join draws from the spans. */
export type JoinTimes = Readonly<Record<JoinStep | "missedProbe", Span>>;

/**
 * A scan spends 120 ms on each of eleven channels, and listens for 360 ms on the two on which a station may
 * not send first (ESP-IDF's defaults); an emulated ESP32-C3 took 2.5 s for a join with a scan, and 30 to
 * 130 ms with access point and channel. A probe that nobody answers lasts as long as a scan of its channel.
 * DHCP there took 26 ms without the ARP check that the firmware
 * switches off; home routers are slower. The other steps are estimates.
 */
export const JOIN_TIMES: JoinTimes = {
	start: { from: 40, to: 60 },
	scan: { from: 2000, to: 2300 },
	probe: { from: 20, to: 60 },
	missedProbe: { from: 120, to: 130 },
	association: { from: 60, to: 150 },
	dhcp: { from: 30, to: 250 },
};

export interface JoinTarget {
	readonly ssid: string;
	/** The station's hardware address, hexadecimal. */
	readonly mac: string;
	/** Hexadecimal. With {@link channel}: only this access point is tried. */
	readonly bssid: string | undefined;
	readonly channel: number | undefined;
	/** IPv4 address to use without DHCP. */
	readonly address: string | undefined;
	/** What DHCP assigns if it can. */
	readonly preferredAddress: string;
}

export interface JoinHandler {
	/** A step has ended, also one without success. @param duration ms */
	step(step: JoinStep, duration: number): void;
	connected(): void;
	/**
	 * @param lease undefined: the address that the station brought
	 * @param usable whether packets get through: the address is the station's
	 */
	addressed(lease: Lease | undefined, usable: boolean): void;
	/** No packet gets through any more, but the station has not detected it yet. */
	down(): void;
	/** The end of the join. @param reason ESP-IDF's */
	disconnected(reason: number): void;
}

export interface Join {
	cancel(): void;
}

/** Reasons of ESP-IDF (`wifi_err_reason_t`). */
export const REASON_BEACON_TIMEOUT = 200;
export const REASON_NO_AP_FOUND = 201;
/** Time without beacons after which a station is disconnected, ms (ESP-IDF: 6 s). */
const BEACON_TIMEOUT_MS = 6000;

/** One access point, in range until an outage, and the DHCP server of its network. */
export class AccessPoint {
	/** Hexadecimal. */
	bssid: string;
	channel: number;
	readonly dhcp: DHCPServer;
	readonly scheduler: Scheduler;
	readonly times: JoinTimes;
	readonly #joins = new Set<JoinAttempt>();
	#present = true;

	constructor(scheduler: Scheduler, options: { bssid?: string; channel?: number; times?: JoinTimes } = {}) {
		this.scheduler = scheduler;
		this.bssid = options.bssid ?? "02f17ef1f100";
		this.channel = options.channel ?? 6;
		this.times = options.times ?? JOIN_TIMES;
		this.dhcp = new DHCPServer(scheduler);
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
		return new JoinAttempt(this, random, this.#joins, station, handler);
	}
}

class JoinAttempt implements Join {
	readonly #accessPoint: AccessPoint;
	readonly #random: Random;
	readonly #joins: Set<JoinAttempt>;
	readonly #target: JoinTarget;
	readonly #handler: JoinHandler;
	#associated = false;
	#next: Scheduled | undefined;

	constructor(
		accessPoint: AccessPoint,
		random: Random,
		joins: Set<JoinAttempt>,
		target: JoinTarget,
		handler: JoinHandler,
	) {
		this.#accessPoint = accessPoint;
		this.#random = random;
		this.#joins = joins;
		this.#target = target;
		this.#handler = handler;
		joins.add(this);
		this.#after("start", () => this.#search());
	}

	cancel(): void {
		this.#joins.delete(this);
		this.#accessPoint.scheduler.cancel(this.#next);
	}

	/** The access point stopped sending beacons. */
	onOutage(): void {
		if (!this.#associated) return;
		const { scheduler } = this.#accessPoint;
		this.#handler.down();
		scheduler.cancel(this.#next);
		this.#next = scheduler.after(BEACON_TIMEOUT_MS, () => this.#end(REASON_BEACON_TIMEOUT));
	}

	#search(): void {
		const { bssid, channel } = this.#target;
		if (bssid === undefined || channel === undefined)
			this.#after("scan", () => this.#searched(this.#isInRange()));
		else if (this.#isInRange()) this.#after("probe", () => this.#searched(this.#isInRange()));
		else this.#after("probe", () => this.#searched(false), this.#accessPoint.times.missedProbe);
	}

	/** Whether the access point sought sends on its channel now. */
	#isInRange(): boolean {
		const { bssid, channel } = this.#target;
		const accessPoint = this.#accessPoint;
		return (
			accessPoint.present &&
			(bssid === undefined || bssid === accessPoint.bssid) &&
			(channel === undefined || channel === accessPoint.channel)
		);
	}

	#searched(found: boolean): void {
		if (found) this.#associate();
		else this.#end(REASON_NO_AP_FOUND);
	}

	#associate(): void {
		this.#after("association", () => {
			if (!this.#accessPoint.present) {
				this.#end(REASON_NO_AP_FOUND);
				return;
			}
			this.#associated = true;
			this.#handler.connected();
			if (this.#joins.has(this)) this.#address();
		});
	}

	#address(): void {
		const { dhcp } = this.#accessPoint;
		const { mac, address, preferredAddress } = this.#target;
		if (address !== undefined) this.#handler.addressed(undefined, dhcp.holds(mac, address));
		else this.#after("dhcp", () => this.#handler.addressed(dhcp.assign(mac, preferredAddress), true));
	}

	#end(reason: number): void {
		this.#joins.delete(this);
		this.#handler.disconnected(reason);
	}

	#after(step: JoinStep, run: () => void, span?: Span): void {
		const { scheduler, times } = this.#accessPoint;
		const { from, to } = span ?? times[step];
		const duration = Math.round(this.#random.between(from, to));
		this.#next = scheduler.after(duration, () => {
			this.#handler.step(step, duration);
			run();
		});
	}
}
