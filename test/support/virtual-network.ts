import type { Device, Listener, ListenerOptions, TCP, TCPOptions } from "../../src/device";
import { VirtualClock } from "./virtual-clock";

export interface VirtualNetworkOptions {
	/** One-way latency, ms. */
	latency?: number;
	/** Send room of an idle socket, bytes; acknowledged bytes are restored 2 × latency after a write. */
	capacity?: number;
	/** A client's socket calls onWritable only once, never after a write. */
	suppressWritable?: boolean;
	/** onError is never called. */
	suppressErrors?: boolean;
	/** Behaviour of write() once the end of the connection has arrived. */
	writeAfterEnd?: "undefined" | "throws";
}

/** A segment and the time at which it was sent, ms. */
export interface LoggedSegment {
	readonly at: number;
	readonly from: "client" | "server";
	readonly kind: "SYN" | "data" | "FIN";
	readonly bytes: Uint8Array;
}

const NO_BYTES = new Uint8Array(0);

/** In-memory TCP with latency and without loss, with the interface of ECMA-419 and the strictest checks. */
export class VirtualNetwork {
	readonly clock: VirtualClock;
	latency: number;
	readonly capacity: number;
	readonly suppressWritable: boolean;
	readonly suppressErrors: boolean;
	readonly writeAfterEnd: "undefined" | "throws";
	/** Segments in sending order. */
	readonly log: LoggedSegment[] = [];
	/** SYNs to these ports are never answered. */
	readonly blackHoles = new Set<number>();
	readonly listeners = new Map<number, (socket: VirtualTCP) => void>();
	/** Names known to `device.resolve`; undefined: the answer never arrives. */
	readonly names = new Map<string, string | undefined>();
	/** Sockets not closed yet. */
	openSockets = 0;

	constructor(options: VirtualNetworkOptions = {}, clock = new VirtualClock()) {
		this.clock = clock;
		this.latency = options.latency ?? 10;
		this.capacity = options.capacity ?? 5744;
		this.suppressWritable = options.suppressWritable ?? false;
		this.suppressErrors = options.suppressErrors ?? false;
		this.writeAfterEnd = options.writeAfterEnd ?? "undefined";
	}

	/** The network parts of a device. */
	get device(): Pick<Device, "tcp" | "listener" | "timer" | "time" | "resolve"> {
		const network = this;
		class ClientTCP extends VirtualTCP {
			constructor(options: TCPOptions) {
				super(network, "client", options);
			}
		}
		class VirtualListener implements Listener {
			readonly port: number;
			#waiting: VirtualTCP[] = [];
			constructor(options: ListenerOptions) {
				this.port = options.port || 49_152 + network.listeners.size;
				network.listeners.set(this.port, (socket) => {
					this.#waiting.push(socket);
					options.onReadable?.(1);
				});
			}
			read(): TCP | undefined {
				return this.#waiting.shift();
			}
			close(): void {
				network.listeners.delete(this.port);
			}
		}
		return {
			tcp: { io: ClientTCP },
			listener: { io: VirtualListener },
			timer: this.clock.timer,
			time: this.clock.time,
			resolve: (host, callback) => {
				if (/^[\d.]+$/.test(host)) callback(host);
				else if (!this.names.has(host)) this.clock.after(this.latency * 2, () => callback(undefined));
				else {
					const address = this.names.get(host);
					if (address !== undefined) this.clock.after(this.latency * 2, () => callback(address));
				}
			},
		};
	}

	/** Accepts connections on a port with a scripted peer. */
	serve(port: number, accept: (peer: ScriptedPeer) => void): void {
		this.listeners.set(port, (socket) => accept(new ScriptedPeer(socket)));
	}

	logSegment(from: "client" | "server", kind: "SYN" | "data" | "FIN", bytes: Uint8Array): void {
		this.log.push({ at: this.clock.now, from, kind, bytes });
	}
}

/** One end of a connection. */
export class VirtualTCP implements TCP {
	network: VirtualNetwork;
	side: "client" | "server";
	remote: VirtualTCP | undefined;
	/** Received bytes that have not been read. */
	inbox: Uint8Array = NO_BYTES;
	/** The FIN of the other end has arrived. */
	ended = false;
	closed = false;
	#options: TCPOptions;
	#connected = false;
	#room = 0;
	#endReported = false;

	constructor(network: VirtualNetwork, side: "client" | "server", options: TCPOptions) {
		this.network = network;
		this.side = side;
		this.#options = options;
		network.openSockets++;
		if (options.from !== undefined) this.#adopt(options.from as VirtualTCP);
		else if (side === "client") this.#connect();
	}

	read(buffer: Uint8Array): number | undefined {
		this.#check();
		if (this.inbox.length === 0) return undefined;
		if (buffer.length === 0 || buffer.length > this.inbox.length) throw new Error("invalid");
		buffer.set(this.inbox.subarray(0, buffer.length));
		this.inbox = this.inbox.slice(buffer.length);
		if (this.inbox.length === 0 && this.ended) this.network.clock.after(0, () => this.#reportEnd());
		return buffer.length;
	}

	write(buffer: Uint8Array): number | undefined {
		this.#check();
		if (!this.#connected) throw new Error("not ready");
		if (this.ended) {
			if (this.network.writeAfterEnd === "throws") throw new Error("write failed");
			return undefined;
		}
		if (buffer.length > this.#room) throw new Error("would block");
		const { network } = this;
		const bytes = buffer.slice();
		network.logSegment(this.side, "data", bytes);
		this.#room -= bytes.length;
		const { remote } = this;
		network.clock.after(network.latency, () => {
			if (remote === undefined || remote.closed) {
				// The remote end answers with a reset.
				network.clock.after(network.latency, () => this.end());
				return;
			}
			remote.deliver(bytes);
			network.clock.after(network.latency, () => this.#restoreRoom(bytes.length));
		});
		return this.#room;
	}

	close(): void {
		if (this.closed) return;
		this.closed = true;
		const { network, remote } = this;
		network.openSockets--;
		if (remote === undefined) return;
		network.logSegment(this.side, "FIN", NO_BYTES);
		network.clock.after(network.latency, () => remote.end());
	}

	/** Called when bytes arrive. */
	deliver(bytes: Uint8Array): void {
		if (this.closed || this.ended) return;
		const inbox = new Uint8Array(this.inbox.length + bytes.length);
		inbox.set(this.inbox);
		inbox.set(bytes, this.inbox.length);
		this.inbox = inbox;
		this.#options.onReadable?.(inbox.length);
	}

	/** Called when a FIN or a reset arrives. */
	end(): void {
		if (this.closed || this.ended) return;
		this.ended = true;
		if (this.inbox.length === 0) this.#reportEnd();
	}

	establish(): void {
		if (this.closed) return;
		this.#connected = true;
		this.#room = this.network.capacity;
		this.#options.onWritable?.(this.#room);
	}

	#restoreRoom(bytes: number): void {
		this.#room += bytes;
		if (this.closed || this.ended) return;
		if (this.network.suppressWritable && this.side === "client") return;
		this.#options.onWritable?.(this.#room);
	}

	#reportEnd(): void {
		if (this.closed || this.#endReported || this.network.suppressErrors) return;
		this.#endReported = true;
		this.#options.onError?.();
	}

	#check(): void {
		if (this.closed) throw new Error("invalid host data");
	}

	#connect(): void {
		const { network } = this;
		const { port = 0 } = this.#options;
		network.logSegment("client", "SYN", NO_BYTES);
		if (network.blackHoles.has(port)) return;
		network.clock.after(network.latency, () => {
			const accept = network.listeners.get(port);
			if (this.closed) return;
			if (accept === undefined) {
				network.clock.after(network.latency, () => this.end());
				return;
			}
			const server = new VirtualTCP(network, "server", {});
			server.remote = this;
			this.remote = server;
			network.clock.after(network.latency, () => this.establish());
			server.establish();
			accept(server);
		});
	}

	/** Takes over the connection of a socket from a listener. */
	#adopt(donor: VirtualTCP): void {
		const { network, remote } = donor;
		this.side = "server";
		this.remote = remote;
		if (remote !== undefined) remote.remote = this;
		this.inbox = donor.inbox;
		this.ended = donor.ended;
		if (!donor.closed) network.openSockets--;
		donor.closed = true;
		donor.remote = undefined;
		donor.deliver = (bytes) => this.deliver(bytes);
		donor.end = () => this.end();
		network.clock.after(0, () => {
			this.establish();
			if (this.inbox.length > 0) this.#options.onReadable?.(this.inbox.length);
			else if (this.ended) this.#reportEnd();
		});
	}
}

/** The remote end of a test: a scripted peer without a limit on sending. */
export class ScriptedPeer {
	readonly socket: VirtualTCP;
	onData: (bytes: Uint8Array) => void = () => {};
	onEnd: () => void = () => {};
	/** All received chunks. */
	readonly received: Uint8Array[] = [];

	constructor(socket: VirtualTCP) {
		this.socket = socket;
		socket.deliver = (bytes) => {
			if (socket.closed) return;
			this.received.push(bytes);
			this.onData(bytes);
		};
		socket.end = () => {
			if (socket.closed || socket.ended) return;
			socket.ended = true;
			this.onEnd();
		};
	}

	write(bytes: Uint8Array): void {
		const { network, remote } = this.socket;
		if (this.socket.closed) return;
		network.logSegment("server", "data", bytes);
		network.clock.after(network.latency, () => remote?.deliver(bytes));
	}

	/** Closes the connection. */
	end(): void {
		this.socket.close();
	}
}
