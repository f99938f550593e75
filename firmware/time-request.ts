import type { Device, TimerId, UDP, UDPConstructor } from "../src/device";
import { readTime, SNTP_SIZE, writeRequest } from "./sntp";

/** What sets a host's clock: its UDP sockets, and seconds since 1970 with microseconds. */
export interface HostClock {
	readonly udp: UDPConstructor;
	set(seconds: number, microseconds: number): void;
}

type TimeDevice = Pick<Device, "timer" | "time" | "resolve">;

const SNTP_PORT = 123;
/** Time, in ms, after which a request is sent again: networks lose datagrams. */
const RESEND_MS = 1000;
/** Requests that are sent before the server counts as not answering. */
const MAXIMUM_REQUESTS = 5;
const ENDED = -2;

/**
 * Asks an SNTP server (RFC 4330) for the time, to the millisecond: the fraction of its timestamp is used, and
 * half of the round trip is added. The SDK's own client drops the fraction, and dates readings up to a second
 * early. What remains is half of the difference between the ways there and back.
 */
export class TimeRequest {
	#device: TimeDevice;
	#clock: HostClock;
	#callback: (set: boolean) => void;
	#before: ((timeMs: number) => void) | undefined;
	#request = new Uint8Array(SNTP_SIZE);
	#address = "";
	#socket: UDP | undefined;
	#timeout: TimerId | undefined;
	/** Requests that may still be sent; ENDED after the end. */
	#requestsLeft = MAXIMUM_REQUESTS;
	#sentAt = 0;

	/**
	 * @param clock is set to the time of the answer
	 * @param callback called once, with whether the clock was set
	 * @param before called just before the clock is set, with the time to come in ms since 1970
	 * @throws errors of the resolver and of the host's sockets, if they occur at once
	 */
	constructor(
		device: TimeDevice,
		clock: HostClock,
		server: string,
		callback: (set: boolean) => void,
		before?: (timeMs: number) => void,
	) {
		this.#device = device;
		this.#clock = clock;
		this.#callback = callback;
		this.#before = before;
		// Closures that hold this only are the smallest.
		device.resolve(server, (address) => this.onResolved(address));
	}

	private onResolved(address: string | undefined): void {
		if (address === undefined) {
			this.end(NaN);
			return;
		}
		this.#address = address;
		try {
			this.#socket = new this.#clock.udp({ onReadable: () => this.receive() });
			this.#timeout = this.#device.timer.set(() => this.send(), RESEND_MS, RESEND_MS);
			this.send();
		} catch {
			this.end(NaN);
		}
	}

	private send(): void {
		if (this.#requestsLeft-- === 0) {
			this.end(NaN);
			return;
		}
		writeRequest(this.#request);
		this.#sentAt = this.#device.time.ticks;
		try {
			this.#socket?.write(this.#request, this.#address, SNTP_PORT);
		} catch {
			// The network is down at the moment: the next request may leave.
		}
	}

	private receive(): void {
		const { time } = this.#device;
		const now = time.ticks;
		for (let datagram = this.#socket?.read(); datagram !== undefined; datagram = this.#socket?.read()) {
			const answer = new Uint8Array(datagram);
			const timeMs = readTime(answer, this.#request, time.delta(this.#sentAt, now));
			if (timeMs !== undefined) {
				this.end(timeMs);
				return;
			}
		}
	}

	/** @param timeMs ms since 1970; NaN: there was no answer, or none with a time */
	private end(timeMs: number): void {
		if (this.#requestsLeft === ENDED) return;
		this.#requestsLeft = ENDED;
		this.#device.timer.clear(this.#timeout);
		this.#socket?.close();
		this.#socket = undefined;
		const known = !Number.isNaN(timeMs);
		if (known) {
			this.#before?.(timeMs);
			const seconds = Math.floor(timeMs / 1000);
			this.#clock.set(seconds, Math.floor((timeMs - seconds * 1000) * 1000));
		}
		this.#callback(known);
	}
}
