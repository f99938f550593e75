import type { ConnectionFailure } from "../../src/fault";
import type { SecureConnection, SecureOptions } from "./secure-connection";

/** Events of a socket. They are called from the scheduler, never from inside a call of the owner. */
export interface SocketHandler {
	/** @param bytes that may be read now */
	readable(bytes: number): void;
	/** @param room bytes that may be written now; the first call means that the connection is up */
	writable(room: number): void;
	/**
	 * The connection is over, and everything received has been read.
	 * @param failure why, if TLS failed
	 */
	failed(failure?: ConnectionFailure): void;
}

/**
 * One TCP socket of a device, virtual or real. Behaves like the SDK's socket on lwIP, which is stricter than
 * a socket of Node.
 */
export interface HostSocket {
	handler: SocketHandler | undefined;
	readonly statistics: SocketStatistics;
	/** IP address of the peer, if the network knows it. */
	readonly remoteAddress?: string | undefined;
	/** The TLS connection that it is. */
	readonly secure?: Pick<SecureConnection, "session" | "isResumed"> | undefined;
	/** Fills `into` completely. Throws "invalid" if fewer bytes are available; returns undefined if none is. */
	read(into: Uint8Array): number | undefined;
	/**
	 * Writes all of `bytes` or throws: "not ready" before the connection is established or after it ended,
	 * "would block" if they exceed the room. Returns the room left; undefined once the connection is lost.
	 */
	write(bytes: Uint8Array): number | undefined;
	/**
	 * Sends what was written, then FIN, or RST if received bytes are unread, as in lwIP. No callback follows.
	 */
	close(): void;
	/** The device is gone: sends nothing more and responds to nothing. */
	abandon(): void;
}

export interface HostListener {
	/** The port in use, also if 0 was requested. */
	readonly port: number;
	/** The next accepted connection. */
	accept(): HostSocket | undefined;
	close(): void;
}

/** A UDP port of a board. */
export interface HostDatagrams {
	/** @throws "UDP send failed" while the host has no network */
	send(bytes: Uint8Array, address: string, port: number): void;
	/** Receives what is sent to a multicast group from now on. */
	join(group: string): void;
	close(): void;
}

/** Called from the scheduler. */
export type DatagramHandler = (bytes: Uint8Array, address: string, port: number) => void;

/** A board's network stack. */
export interface HostNetwork {
	/** Associated with Wi-Fi, or wired. */
	up: boolean;
	/** @param address an IPv4 address in dotted form; throws "invalid address" otherwise */
	connect(address: string, port: number): HostSocket;
	/** As {@link connect}, over TLS; absent: this network has none. */
	connectSecurely?(address: string, port: number, options: SecureOptions): HostSocket;
	/**
	 * @param readable called with the number of pending connections. Throws "socket bind" if the port is in
	 *   use.
	 */
	listen(port: number, readable: (count: number) => void): HostListener;
	/** @param port 0: any @throws "bind failed" if it is in use; absent: this network has no UDP */
	openDatagrams?(port: number, received: DatagramHandler): HostDatagrams;
	/** Calls back once, later. */
	resolve(name: string, callback: (address: string | undefined) => void): void;
	/** Removes all sockets and listeners of the device without FIN or RST (sleep, crash, power loss). */
	reset(): void;
}

/** TCP payload, and how often the owner had to wait for the peer. */
export class SocketStatistics {
	/** Bytes handed to write(). */
	sent = 0;
	/** Bytes that arrived. */
	received = 0;
	/** Serial waits: one from SYN to SYN/ACK, then one each time bytes arrive after bytes were sent. */
	roundTrips = 0;
	/** Time at which SYN was sent, virtual ms. */
	openedAt: number;
	/** Time at which bytes last arrived, virtual ms. */
	lastReceivedAt = 0;
	#awaitingReply = true;

	constructor(opened: number) {
		this.openedAt = opened;
	}

	countSent(bytes: number): void {
		this.sent += bytes;
		this.#awaitingReply = true;
	}

	/** @param bytes 0 for SYN/ACK */
	countReceived(bytes: number, now: number): void {
		this.received += bytes;
		if (bytes > 0) this.lastReceivedAt = now;
		if (this.#awaitingReply) this.roundTrips++;
		this.#awaitingReply = false;
	}
}

/** Bytes that a socket can hold unacknowledged: TCP_SND_BUF of ESP-IDF's lwIP on ESP32-C3 and later. */
export const SEND_ROOM = 5744;
/** Bytes received and not yet read that a socket can hold: TCP_WND of ESP-IDF's lwIP. */
export const RECEIVE_WINDOW = 5744;

const ADDRESS = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)$/;

/** Whether `text` is an IPv4 address in dotted form. */
export function isAddress(text: string): boolean {
	return ADDRESS.test(text);
}
