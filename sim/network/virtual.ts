import type { Scheduler } from "../clock/scheduler";
import { type HostListener, type HostNetwork, type HostSocket, isAddress } from "./socket";
import { type Plug, VirtualSocket } from "./virtual-socket";

export interface VirtualNetworkOptions {
	/** One way, ms. Default {@link LATENCY}. */
	readonly latency?: number;
	/** Names and their addresses. */
	readonly names?: ReadonlyMap<string, string>;
}

/** One-way latency between two hosts, ms: a small home network with Wi-Fi. */
export const LATENCY = 4;

const EPHEMERAL = 49152;

/** TCP between virtual hosts, with one fixed latency and nothing lost, except at hosts that are down or black holes. */
export class VirtualNetwork {
	readonly scheduler: Scheduler;
	readonly latency: number;
	readonly names: Map<string, string>;
	readonly #hosts = new Map<string, VirtualHost>();

	constructor(scheduler: Scheduler, options: VirtualNetworkOptions = {}) {
		this.scheduler = scheduler;
		this.latency = options.latency ?? LATENCY;
		this.names = new Map(options.names);
	}

	/** Adds a host. @param address IPv4, dotted, not taken yet */
	host(address: string): VirtualHost {
		if (!isAddress(address)) throw new Error(`invalid address ${address}`);
		if (this.#hosts.has(address)) throw new Error(`two hosts have the address ${address}`);
		const host = new VirtualHost(this, address);
		this.#hosts.set(address, host);
		return host;
	}

	find(address: string): VirtualHost | undefined {
		return this.#hosts.get(address);
	}
}

class VirtualListener implements HostListener {
	readonly port: number;
	readonly #host: VirtualHost;
	readonly #readable: (count: number) => void;
	readonly #pending: VirtualSocket[] = [];
	#open = true;

	constructor(host: VirtualHost, port: number, readable: (count: number) => void) {
		this.port = port;
		this.#host = host;
		this.#readable = readable;
	}

	/** The handshake of `socket` is complete. */
	offer(socket: VirtualSocket): void {
		if (!this.#open) {
			socket.close();
			return;
		}
		this.#pending.push(socket);
		this.#host.network.scheduler.after(0, () => {
			if (this.#open && this.#pending.length > 0) this.#readable(this.#pending.length);
		});
	}

	accept(): HostSocket | undefined {
		return this.#pending.shift();
	}

	close(): void {
		if (!this.#open) return;
		this.#open = false;
		this.#host.unlisten(this.port);
		for (const socket of this.#pending.splice(0)) socket.close();
	}

	/** The device is gone. */
	vanish(): void {
		this.#open = false;
		this.#pending.length = 0;
	}
}

/** A network stack with one address. */
export class VirtualHost implements HostNetwork, Plug {
	readonly network: VirtualNetwork;
	readonly address: string;
	up = true;
	/** Packets to and from this host disappear. */
	blackHole = false;
	/** New connections are answered with RST although somebody listens. */
	refusing = false;
	readonly #listeners = new Map<number, VirtualListener>();
	readonly #sockets = new Set<VirtualSocket>();
	#ephemeral = EPHEMERAL;

	constructor(network: VirtualNetwork, address: string) {
		this.network = network;
		this.address = address;
	}

	/** Connections that this host still holds. */
	get connections(): number {
		return this.#sockets.size;
	}

	/** Whether packets leave here for `to` now. */
	reaches(to: Plug): boolean {
		return this.up && !this.blackHole && !to.blackHole;
	}

	/** Whether packets arrive here now. */
	isReached(): boolean {
		return this.up && !this.blackHole;
	}

	connect(address: string, port: number): HostSocket {
		if (!isAddress(address)) throw new Error("invalid address");
		const { scheduler, latency } = this.network;
		const socket = new VirtualSocket(scheduler, this, latency);
		this.#sockets.add(socket);
		const knock = (): void => {
			const to = this.network.find(address);
			const again = (): void => socket.retransmit(knock);
			if (to) socket.carry(to, () => to.#knocked(socket, port, again), again);
			else again();
		};
		knock();
		return socket;
	}

	listen(port: number, readable: (count: number) => void): HostListener {
		const chosen = port === 0 ? this.#ephemeral++ : port;
		if (this.#listeners.has(chosen)) throw new Error("socket bind");
		const listener = new VirtualListener(this, chosen, readable);
		this.#listeners.set(chosen, listener);
		return listener;
	}

	unlisten(port: number): void {
		this.#listeners.delete(port);
	}

	resolve(name: string, callback: (address: string | undefined) => void): void {
		const { scheduler, latency, names } = this.network;
		if (isAddress(name)) scheduler.after(0, () => callback(name));
		else scheduler.after(2 * latency, () => callback(this.isReached() ? names.get(name) : undefined));
	}

	reset(): void {
		for (const listener of this.#listeners.values()) listener.vanish();
		this.#listeners.clear();
		for (const socket of [...this.#sockets]) socket.abandon();
	}

	/** The program behind this host's port is killed: its connections are reset. */
	kill(): void {
		for (const socket of [...this.#sockets]) {
			const peer = socket.peer;
			if (peer) socket.carry(peer.host, () => peer.die(), again);
			socket.die();
		}
		function again(): void {}
	}

	forget(socket: VirtualSocket): void {
		this.#sockets.delete(socket);
	}

	/** SYN arrives. */
	#knocked(client: VirtualSocket, port: number, again: () => void): void {
		const listener = this.#listeners.get(port);
		const { scheduler, latency } = this.network;
		const reply = new VirtualSocket(scheduler, this, latency);
		if (!listener || this.refusing) {
			reply.carry(client.host, () => client.die(), again);
			return;
		}
		reply.peer = client;
		reply.carry(
			client.host,
			() => {
				// The client gave up meanwhile, or an earlier SYN/ACK reached it.
				if (client.dead || client.peer) return;
				client.peer = reply;
				this.#sockets.add(reply);
				client.up();
				client.carry(this, () => admit(), admit);
			},
			again,
		);
		function admit(): void {
			if (reply.dead) return;
			reply.up();
			listener!.offer(reply);
		}
	}
}
