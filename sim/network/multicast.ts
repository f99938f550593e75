import { createSocket, type Socket } from "node:dgram";
import { networkInterfaces } from "node:os";
import type { Datagram, UDP, UDPConstructor, UDPOptions } from "../../src/device";

/** An IPv4 address of this machine, and the mask of its network, in dotted form. */
export interface NetworkInterface {
	readonly address: string;
	readonly netmask: string;
	/** The loopback. */
	readonly internal: boolean;
}

export function ipv4Interfaces(): readonly NetworkInterface[] {
	return Object.values(networkInterfaces())
		.flatMap((addresses) => addresses ?? [])
		.filter(({ family }) => family === "IPv4");
}

/** Datagrams that wait to be read; those beyond are lost. */
const MAXIMUM_WAITING = 100;

/**
 * UDP sockets of this machine that send and receive multicast on one of its interfaces; the port may be in
 * use by other programs too.
 * @param failed called with errors, after which a socket receives nothing
 */
export function multicastSockets(address: string, failed: (error: Error) => void): UDPConstructor {
	return class extends MulticastSocket {
		constructor(options: UDPOptions) {
			super(address, failed, options);
		}
	};
}

class MulticastSocket implements UDP {
	readonly #interface: string;
	readonly #socket: Socket;
	readonly #waiting: Datagram[] = [];
	#isBound = false;
	#isClosed = false;
	/** Calls for the bound socket. */
	readonly #deferred: (() => void)[] = [];
	/** Datagrams on their way into the kernel. */
	#sending = 0;
	readonly #failed: (error: Error) => void;

	constructor(address: string, failed: (error: Error) => void, options: UDPOptions) {
		const { port = 0, timeToLive = 255, onReadable } = options;
		this.#interface = address;
		this.#failed = failed;
		const socket = createSocket({ type: "udp4", reuseAddr: port !== 0 });
		this.#socket = socket;
		socket.on("error", (error) => this.#fail(error));
		socket.on("message", (bytes, { address, port }) => {
			if (this.#isClosed || this.#waiting.length === MAXIMUM_WAITING) return;
			this.#waiting.push(Object.assign(Uint8Array.from(bytes).buffer, { address, port }));
			onReadable(this.#waiting.length);
		});
		socket.bind(port, () => {
			try {
				socket.setMulticastInterface(address);
				socket.setMulticastTTL(timeToLive);
				socket.setTTL(timeToLive);
				this.#isBound = true;
				for (const run of this.#deferred.splice(0)) run();
			} catch (error) {
				this.#fail(error as Error);
			}
		});
	}

	read(): Datagram | undefined {
		return this.#waiting.shift();
	}

	write(bytes: Uint8Array, address: string, port: number): void {
		const copy = bytes.slice();
		this.#whenBound(() => {
			this.#sending++;
			// An interface that is down at the moment loses the datagram, as any network may.
			this.#socket.send(copy, port, address, () => {
				this.#sending--;
				this.#release();
			});
		});
	}

	add(group: string): void {
		this.#whenBound(() => this.#socket.addMembership(group, this.#interface));
	}

	/** What was written still leaves. */
	close(): void {
		if (this.#isClosed) return;
		this.#isClosed = true;
		this.#whenBound(() => this.#release());
	}

	#whenBound(run: () => void): void {
		if (this.#isBound) run();
		else this.#deferred.push(run);
	}

	#release(): void {
		if (!this.#isClosed || this.#sending > 0) return;
		this.#sending = Infinity;
		this.#socket.close();
	}

	#fail(error: Error): void {
		if (this.#sending === Infinity) return;
		this.#sending = Infinity;
		this.#socket.close();
		if (!this.#isClosed) this.#failed(error);
	}
}
