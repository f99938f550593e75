import { ACK, FIN, RST, SYN } from "../../sim/capture/tap";
import type { HostSocket } from "../../sim/network/socket";
import {
	VirtualNetwork as SimulatedNetwork,
	type VirtualHost,
	type VirtualListener,
} from "../../sim/network/virtual";
import type { Device, TCPOptions } from "../../src/device";
import { NetworkPeer } from "./network-peer";
import { NetworkTCP } from "./network-sockets";
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
	readonly listeners = new Map<number, (peer: NetworkPeer) => void>();
	/** Names known to `device.resolve`; undefined: the answer never arrives. */
	readonly names = new Map<string, string | undefined>();
	/** A client's sockets that it has not closed yet. */
	openSockets = 0;
	readonly #client: VirtualHost;
	readonly #server: VirtualHost;
	readonly #hostListeners = new Map<number, VirtualListener>();

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
		class DeviceTCP extends ClientTCP {
			constructor(options: TCPOptions) {
				super(network, network.#connect(options.port ?? 0), options);
			}
		}
		return {
			tcp: { io: DeviceTCP },
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
	serve(port: number, accept: (peer: NetworkPeer) => void): void {
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
			if (socket !== undefined) this.listeners.get(port)?.(new NetworkPeer(socket));
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
class ClientTCP extends NetworkTCP {
	readonly #network: VirtualNetwork;
	#ended = false;
	#closed = false;

	constructor(network: VirtualNetwork, socket: HostSocket, options: TCPOptions) {
		let wasWritable = false;
		super(socket, {
			...options,
			onWritable: (room) => {
				if (wasWritable && network.suppressWritable) return;
				wasWritable = true;
				options.onWritable?.(room);
			},
			onError: () => {
				this.#ended = true;
				if (!network.suppressErrors) options.onError?.();
			},
		});
		this.#network = network;
		network.openSockets++;
	}

	override write(buffer: Uint8Array): number | undefined {
		if (!this.#ended || this.#closed) return super.write(buffer);
		if (this.#network.writeAfterEnd === "throws") throw new Error("write failed");
		return undefined;
	}

	override close(): void {
		if (this.#closed) return;
		this.#closed = true;
		this.#network.openSockets--;
		super.close();
	}
}
