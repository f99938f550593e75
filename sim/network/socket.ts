/**
 * How a socket tells its owner what happened; called from the scheduler, never from inside one of the owner's
 * own calls.
 */
export interface SocketHandler {
	/** @param bytes that may be read now */
	readable(bytes: number): void;
	/** @param room bytes that may be written now; the first call means that the connection is up */
	writable(room: number): void;
	/** The connection is over, and everything received has been read. */
	failed(): void;
}

/**
 * One TCP socket of a device, virtual or real. Behaves as the SDK's socket on lwIP does, which is stricter
 * than a desk's.
 */
export interface HostSocket {
	handler: SocketHandler | undefined;
	readonly statistics: SocketStatistics;
	/** IP address of the other end, where the network knows it. */
	readonly remoteAddress?: string | undefined;
	/** Fills `into` completely. Throws "invalid" when fewer bytes are there; undefined when none is. */
	read(into: Uint8Array): number | undefined;
	/**
	 * Takes all of `bytes` or throws: "not ready" before the connection is up or after it ended, "would block"
	 * past the room. Returns the room left; undefined once the connection is lost.
	 */
	write(bytes: Uint8Array): number | undefined;
	/**
	 * What was written still leaves, then FIN; unread received bytes make it RST, as in lwIP. No callback
	 * follows.
	 */
	close(): void;
	/** The device is gone: nothing more leaves, nothing is answered. */
	abandon(): void;
}

export interface HostListener {
	/** The port in use, also where 0 was asked for. */
	readonly port: number;
	/** The next accepted connection. */
	accept(): HostSocket | undefined;
	close(): void;
}

/** What a board's network stack offers. */
export interface HostNetwork {
	/** Associated with Wi-Fi, or wired. */
	up: boolean;
	/** @param address an IPv4 address in dotted form; throws "invalid address" otherwise */
	connect(address: string, port: number): HostSocket;
	/**
	 * @param readable called with the number of waiting connections. Throws "socket bind" when the port is
	 *   taken.
	 */
	listen(port: number, readable: (count: number) => void): HostListener;
	/** Calls back once, later. */
	resolve(name: string, callback: (address: string | undefined) => void): void;
	/** Every socket and listener of the device vanishes without a word (sleep, crash, power loss). */
	reset(): void;
}

/** TCP payload, and how often the owner had to wait for the other side. */
export class SocketStatistics {
	/** Bytes handed to write(). */
	sent = 0;
	/** Bytes that arrived. */
	received = 0;
	/** Serial waits: SYN until SYN/ACK is one; then one each time bytes arrive after bytes were sent. */
	roundTrips = 0;
	/** When SYN left, virtual ms. */
	openedAt: number;
	/** When bytes last arrived, virtual ms. */
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
