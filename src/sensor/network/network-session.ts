import type { WiFiSettings } from "../../config/types";
import type { Device, WiFi } from "../../device";
import type { RetainedState } from "../retained/retained-state";
import type { NodeClock } from "../time/node-clock";
import {
	brokerAddress,
	forgetExpired,
	forgetLink,
	isAddress,
	knowsAccessPoint,
	knowsAddress,
	recordBrokerAddress,
	recordLink,
} from "./join-cache";

export interface NetworkSessionHandler {
	/** An IP address was assigned. @param signal in dBm; 0: unknown */
	onNetworkUp(signal: number): void;
	/** The join failed, or the network was lost; call {@link NetworkSession.join} to retry. */
	onNetworkDown(): void;
}

/** Nothing was taken from the last join. */
const NEW = 0;
/** The access point was, and the broker has not answered yet. */
const KNOWN_ACCESS_POINT = 1;
/** So was the address. */
const KNOWN_ADDRESS = 2;
/** The broker has answered. */
const CONFIRMED = 3;
type Proof = typeof NEW | typeof KNOWN_ACCESS_POINT | typeof KNOWN_ADDRESS | typeof CONFIRMED;

/**
 * Joins Wi-Fi, once per try; on a host that is always on a network, the session is up at once. A join that
 * takes something from the last one is a trial: if it fails, all channels are scanned in the same try.
 *
 * It is the device of the connection: while on trial, the broker's name need not be looked up.
 */
export class NetworkSession implements Pick<Device, "tcp" | "timer" | "time" | "resolve" | "trace"> {
	private readonly device: Device;
	private readonly settings: WiFiSettings | undefined;
	private readonly retained: RetainedState;
	private readonly clock: NodeClock;
	private readonly handler: NetworkSessionHandler;
	private wifi: WiFi | undefined;
	private up = false;
	private proof: Proof = NEW;
	/** Node time at the start of the join. */
	private joinedAt = 0;

	constructor(
		device: Device,
		settings: WiFiSettings | undefined,
		retained: RetainedState,
		clock: NodeClock,
		handler: NetworkSessionHandler,
	) {
		this.device = device;
		this.settings = settings;
		this.retained = retained;
		this.clock = clock;
		this.handler = handler;
		this.up = device.wifi === undefined || settings === undefined;
	}

	get tcp(): Device["tcp"] {
		return this.device.tcp;
	}

	get timer(): Device["timer"] {
		return this.device.timer;
	}

	get time(): Device["time"] {
		return this.device.time;
	}

	get event(): Device["event"] {
		return this.device.event;
	}

	trace(message: string): void {
		this.device.trace(message);
	}

	/** Like `Device.resolve`, for the broker; an address, and on trial a name too, is not looked up. */
	resolve(host: string, callback: (address: string | undefined) => void): void {
		const known = isAddress(host) ? host : this.onTrial ? brokerAddress(this.retained) : undefined;
		if (known !== undefined) callback(known);
		else
			this.device.resolve(host, (address) => {
				if (address !== undefined) recordBrokerAddress(this.retained, address);
				callback(address);
			});
	}

	get isUp(): boolean {
		return this.up;
	}

	/** Whether the present connection relies on what the last one has left, and the broker has not answered. */
	get onTrial(): boolean {
		return this.proof === KNOWN_ACCESS_POINT || this.proof === KNOWN_ADDRESS;
	}

	/** The broker has answered: what the connection relies on is right. */
	confirm(): void {
		this.proof = CONFIRMED;
	}

	/** Call when a try has failed: without an answer of the broker, nothing of it is used again. */
	forgetUnconfirmed(): void {
		if (this.proof !== CONFIRMED) forgetLink(this.retained);
		this.proof = NEW;
	}

	/** Joins, with what may be taken from the last join. @throws errors of the host's Wi-Fi */
	join(): void {
		forgetExpired(this.retained, this.clock.now);
		this.start();
	}

	/** Ends a trial: joins without anything from the last join. @throws errors of the host's Wi-Fi */
	joinAnew(): void {
		forgetLink(this.retained);
		this.start();
	}

	private start(): void {
		const wifi = this.device.wifi;
		const settings = this.settings;
		if (wifi === undefined || settings === undefined) {
			this.handler.onNetworkUp(0);
			return;
		}
		this.leave();
		this.joinedAt = this.clock.now;
		this.device.event?.("join");
		const retained = this.retained;
		this.proof = !knowsAccessPoint(retained)
			? NEW
			: knowsAddress(retained)
				? KNOWN_ADDRESS
				: KNOWN_ACCESS_POINT;
		this.wifi = new wifi.io(
			settings,
			(message, detail) => this.onMessage(message, Number(detail ?? 0)),
			retained.link,
		);
	}

	private onMessage(message: string, detail: number): void {
		if (message === "gotIP") {
			if (this.up) return;
			this.up = true;
			this.wifi?.readLink?.(this.retained.link);
			recordLink(this.retained, this.proof === NEW, this.proof !== KNOWN_ADDRESS, this.clock.now);
			this.device.event?.("joined", this.clock.now - this.joinedAt, detail, this.onTrial);
			this.handler.onNetworkUp(detail);
		} else if (message === "disconnect" || message === "lostIP") {
			if (this.proof === CONFIRMED) forgetLink(this.retained);
			this.leave();
			this.device.trace(`Wi-Fi: ${message}, reason ${detail}`);
			this.handler.onNetworkDown();
		}
	}

	leave(): void {
		if (this.settings === undefined || this.device.wifi === undefined) return;
		this.up = false;
		const wifi = this.wifi;
		this.wifi = undefined;
		wifi?.close();
	}
}
