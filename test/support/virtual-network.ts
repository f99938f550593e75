import { ACK, FIN, RST, SYN } from "../../sim/capture/tap";
import type { HostListener, HostSocket } from "../../sim/network/socket";
import { VirtualNetwork as SimulatedNetwork, type VirtualHost } from "../../sim/network/virtual";
import type { Device, TCP, TCPOptions } from "../../src/device";
import { VirtualClock } from "./virtual-clock";

export interface VirtualNetworkOptions {
	/** One-way latency, ms. */
	latency?: number;
	/** Send room of a client's idle socket, bytes. */
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
	/** FIN is RST, too. */
	readonly kind: "SYN" | "data" | "FIN";
	readonly bytes: Uint8Array;
}

const CLIENT_ADDRESS = "10.0.0.2";
const SERVER_ADDRESS = "10.0.0.1";
/** Packets to this host are dropped. */
const LOST_ADDRESS = "10.0.0.3";

/** The simulator's network between one client and the scripted peers of a test. */
export class VirtualNetwork {
	readonly clock: VirtualClock;
	readonly latency: number;
	readonly suppressWritable: boolean;
	readonly suppressErrors: boolean;
	readonly writeAfterEnd: "undefined" | "throws";
	/** Segments in sending order, without plain acknowledgements. */
	readonly log: LoggedSegment[] = [];
	/** SYNs to these ports are never answered. */
	readonly blackHoles = new Set<number>();
	/** By port; other ports refuse. */
	readonly listeners = new Map<number, (peer: ScriptedPeer) => void>();
	/** Names known to `device.resolve`; undefined: the answer never arrives. */
	readonly names = new Map<string, string | undefined>();
	/** Sockets of both ends not closed yet. */
	openSockets = 0;
	readonly #client: VirtualHost;
	readonly #server: VirtualHost;
	readonly #hostListeners = new Map<number, HostListener>();

	constructor(options: VirtualNetworkOptions = {}, clock = new VirtualClock()) {
		this.clock = clock;
		this.latency = options.latency ?? 10;
		this.suppressWritable = options.suppressWritable ?? false;
		this.suppressErrors = options.suppressErrors ?? false;
		this.writeAfterEnd = options.writeAfterEnd ?? "undefined";
		const tapOf = (from: "client" | "server") => ({
			segment: (flags: number, _position: number, bytes: Uint8Array) => this.#logSegment(from, flags, bytes),
		});
		const network = new SimulatedNetwork(clock.scheduler, {
			latency: this.latency,
			tap: { connection: () => ({ client: tapOf("client"), server: tapOf("server") }) },
		});
		this.#client = network.host(CLIENT_ADDRESS);
		if (options.capacity !== undefined) this.#client.sendRoom = options.capacity;
		this.#server = network.host(SERVER_ADDRESS);
		network.host(LOST_ADDRESS).up = false;
	}

	/** The network parts of a device. */
	get device(): Pick<Device, "tcp" | "timer" | "time" | "resolve"> {
		const network = this;
		class ClientTCP extends VirtualTCP {
			constructor(options: TCPOptions) {
				super(network, network.#connect(options.port ?? 0), options);
			}
		}
		return {
			tcp: { io: ClientTCP },
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
		this.listeners.set(port, accept);
	}

	#connect(port: number): HostSocket {
		this.#openPort(port);
		return this.#client.connect(this.blackHoles.has(port) ? LOST_ADDRESS : SERVER_ADDRESS, port);
	}

	/** Listens on the port, or no longer, as {@link listeners} says now. */
	#openPort(port: number): void {
		const listener = this.#hostListeners.get(port);
		if (this.listeners.has(port) === (listener !== undefined)) return;
		if (listener !== undefined) {
			listener.close();
			this.#hostListeners.delete(port);
			return;
		}
		const opened = this.#server.listen(port, () => {
			const socket = opened.accept();
			if (socket !== undefined) this.listeners.get(port)?.(new ScriptedPeer(this, socket));
		});
		this.#hostListeners.set(port, opened);
	}

	#logSegment(from: "client" | "server", flags: number, bytes: Uint8Array): void {
		const log = (kind: LoggedSegment["kind"], content: Uint8Array): void => {
			this.log.push({ at: this.clock.now, from, kind, bytes: content });
		};
		if (flags & SYN && !(flags & ACK)) log("SYN", bytes);
		if (bytes.length > 0) log("data", bytes.slice());
		if (flags & (FIN | RST)) log("FIN", bytes.subarray(bytes.length));
	}
}

/** A client's socket as ECMA-419 has it, or as a platform that omits callbacks. */
class VirtualTCP implements TCP {
	readonly #network: VirtualNetwork;
	readonly #socket: HostSocket;
	#ended = false;
	#closed = false;
	#wasWritable = false;

	constructor(network: VirtualNetwork, socket: HostSocket, options: TCPOptions) {
		this.#network = network;
		this.#socket = socket;
		network.openSockets++;
		socket.handler = {
			readable: (bytes) => options.onReadable?.(bytes),
			writable: (room) => {
				if (this.#wasWritable && network.suppressWritable) return;
				this.#wasWritable = true;
				options.onWritable?.(room);
			},
			failed: () => {
				this.#ended = true;
				if (!network.suppressErrors) options.onError?.();
			},
		};
	}

	read(buffer: Uint8Array): number | undefined {
		this.#check();
		return this.#socket.read(buffer);
	}

	write(buffer: Uint8Array): number | undefined {
		this.#check();
		if (!this.#ended) return this.#socket.write(buffer);
		if (this.#network.writeAfterEnd === "throws") throw new Error("write failed");
		return undefined;
	}

	close(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#network.openSockets--;
		this.#socket.close();
	}

	#check(): void {
		if (this.#closed) throw new Error("invalid host data");
	}
}

/** The remote end of a test: a scripted peer without a limit on sending. */
export class ScriptedPeer {
	onData: (bytes: Uint8Array) => void = () => {};
	onEnd: () => void = () => {};
	/** All received chunks. */
	readonly received: Uint8Array[] = [];
	/** Whether the test has closed it. */
	closed = false;
	readonly #network: VirtualNetwork;
	readonly #socket: HostSocket;
	readonly #unsent: Uint8Array[] = [];
	#room = 0;
	#isEnding = false;

	constructor(network: VirtualNetwork, socket: HostSocket) {
		this.#network = network;
		this.#socket = socket;
		network.openSockets++;
		socket.handler = {
			readable: (count) => {
				const bytes = new Uint8Array(count);
				socket.read(bytes);
				this.received.push(bytes);
				this.onData(bytes);
			},
			writable: (room) => {
				this.#room = room;
				this.#send();
			},
			failed: () => {
				this.#unsent.length = 0;
				this.onEnd();
				if (this.#isEnding) this.#close();
			},
		};
	}

	write(bytes: Uint8Array): void {
		if (this.closed || this.#isEnding) return;
		this.#unsent.push(bytes);
		this.#send();
	}

	/** Sends what was written, and closes the connection. */
	end(): void {
		this.#isEnding = true;
		this.#send();
	}

	#send(): void {
		for (let bytes = this.#unsent[0]; bytes !== undefined && this.#room > 0; bytes = this.#unsent[0]) {
			const part = bytes.subarray(0, this.#room);
			const room = this.#write(part);
			if (room === undefined) {
				this.#unsent.length = 0;
				break;
			}
			this.#room = room;
			if (part.length === bytes.length) this.#unsent.shift();
			else this.#unsent[0] = bytes.subarray(part.length);
		}
		if (this.#isEnding && this.#unsent.length === 0) this.#close();
	}

	/** @returns the room left; undefined if the client has ended the connection */
	#write(bytes: Uint8Array): number | undefined {
		try {
			return this.#socket.write(bytes);
		} catch (error) {
			// While the last data is read, its end is known already.
			if (error instanceof Error && error.message === "not ready") return undefined;
			throw error;
		}
	}

	#close(): void {
		if (this.closed) return;
		this.closed = true;
		this.#network.openSockets--;
		this.#socket.close();
	}
}
