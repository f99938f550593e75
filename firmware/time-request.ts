import type { Device, Time, Timer, TimerId } from "../src/device";
import { readTime, SNTP_SIZE, writeRequest } from "./sntp";

/** A datagram: its bytes and where it came from. */
export type Datagram = ArrayBuffer & { readonly address: string; readonly port: number };

/** ECMA-419's UDP socket, limited to the members that are used. */
export interface UDP {
	/** undefined: no datagram is waiting. */
	read(): Datagram | undefined;
	write(bytes: Uint8Array, address: string, port: number): void;
	close(): void;
}

export type UDPConstructor = new (options: { onReadable: (count: number) => void }) => UDP;

const SNTP_PORT = 123;
/** Time, in ms, after which a request is sent again: networks lose datagrams. */
const RESEND_MS = 1000;
/** Requests that are sent before the server counts as not answering. */
const MAXIMUM_REQUESTS = 5;

/**
 * Asks an SNTP server (RFC 4330) for the time, to the millisecond: the fraction of its timestamp is used, and
 * half of the round trip is added. The SDK's own client drops the fraction, and dates readings up to a second
 * early. What remains is half of the difference between the ways there and back.
 */
export class TimeRequest {
	#timer: Timer;
	#time: Time;
	#callback: (timeMs: number | undefined) => void;
	#request = new Uint8Array(SNTP_SIZE);
	#address = "";
	#socket: UDP | undefined;
	#timeout: TimerId | undefined;
	#requestsLeft = MAXIMUM_REQUESTS;
	#sentAt = 0;
	#ended = false;

	/**
	 * @param callback called once, with ms since 1970 or, without an answer, undefined
	 * @throws errors of the resolver and of the host's sockets, if they occur at once
	 */
	constructor(
		device: Pick<Device, "timer" | "time" | "resolve">,
		UDPSocket: UDPConstructor,
		server: string,
		callback: (timeMs: number | undefined) => void,
	) {
		this.#timer = device.timer;
		this.#time = device.time;
		this.#callback = callback;
		device.resolve(server, (address) => {
			if (address === undefined) this.end(undefined);
			else this.open(UDPSocket, address);
		});
	}

	private open(UDPSocket: UDPConstructor, address: string): void {
		this.#address = address;
		try {
			this.#socket = new UDPSocket({ onReadable: () => this.receive() });
			this.#timeout = this.#timer.set(() => this.send(), RESEND_MS, RESEND_MS);
			this.send();
		} catch {
			this.end(undefined);
		}
	}

	private send(): void {
		if (this.#requestsLeft-- === 0) {
			this.end(undefined);
			return;
		}
		writeRequest(this.#request);
		this.#sentAt = this.#time.ticks;
		try {
			this.#socket?.write(this.#request, this.#address, SNTP_PORT);
		} catch {
			// The network is down at the moment: the next request may leave.
		}
	}

	private receive(): void {
		const now = this.#time.ticks;
		for (let datagram = this.#socket?.read(); datagram !== undefined; datagram = this.#socket?.read()) {
			const answer = new Uint8Array(datagram);
			const timeMs = readTime(answer, this.#request, this.#time.delta(this.#sentAt, now));
			if (timeMs !== undefined) {
				this.end(Number.isNaN(timeMs) ? undefined : timeMs);
				return;
			}
		}
	}

	private end(timeMs: number | undefined): void {
		if (this.#ended) return;
		this.#ended = true;
		this.#timer.clear(this.#timeout);
		this.#socket?.close();
		this.#socket = undefined;
		this.#callback(timeMs);
	}
}
