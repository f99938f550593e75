import { AddressQuery, isLocalName } from "../../src/mdns/address-query";
import { ACK, type ConnectionTap, type NetworkTap, RST, SYN } from "../capture/tap";
import { Random } from "../clock/random";
import type { Scheduler } from "../clock/scheduler";
import {
	type DatagramHandler,
	type HostDatagrams,
	type HostListener,
	type HostNetwork,
	isAddress,
	RECEIVE_WINDOW,
	SEND_ROOM,
} from "./socket";
import { type DatagramHost, VirtualDatagrams, virtualTimer, virtualUDP } from "./virtual-datagrams";
import { type SocketHost, VirtualSocket } from "./virtual-socket";

export interface VirtualNetworkOptions {
	/** One-way latency, ms. Default {@link DEFAULT_LATENCY_MS}. */
	readonly latency?: number;
	/** Names and their addresses. */
	readonly names?: ReadonlyMap<string, string>;
	/** Receives what is sent. */
	readonly tap?: NetworkTap | undefined;
	/** Of the packets that are lost or late. Default 0. */
	readonly seed?: number;
}

/** One-way latency between two hosts, ms: a small home network with Wi-Fi. */
export const DEFAULT_LATENCY_MS = 4;

const FIRST_EPHEMERAL_PORT = 49152;
const LAST_PORT = 65535;

/**
 * TCP and UDP between virtual hosts, with one fixed latency and no loss, except at hosts that are down or
 * black holes, or whose packets are lost or late.
 */
export class VirtualNetwork {
	readonly scheduler: Scheduler;
	readonly latency: number;
	readonly names: Map<string, string>;
	readonly tap: NetworkTap | undefined;
	/** Whether names are resolved. */
	resolvesNames = true;
	/** Decides which packets are lost or late. */
	readonly random: Random;
	readonly #hosts = new Map<string, VirtualHost>();

	constructor(scheduler: Scheduler, options: VirtualNetworkOptions = {}) {
		this.scheduler = scheduler;
		this.latency = options.latency ?? DEFAULT_LATENCY_MS;
		this.names = new Map(options.names);
		this.tap = options.tap;
		this.random = new Random(options.seed ?? 0, "network");
	}

	/** Adds a host. @param address IPv4, dotted, not taken yet */
	host(address: string): VirtualHost {
		if (!isAddress(address)) throw new Error(`invalid address ${address}`);
		if (this.#hosts.has(address)) throw new Error(`two hosts have the address ${address}`);
		const host = new VirtualHost(this, address);
		this.#hosts.set(address, host);
		return host;
	}

	get hosts(): Iterable<VirtualHost> {
		return this.#hosts.values();
	}

	find(address: string): VirtualHost | undefined {
		return this.#hosts.get(address);
	}

	/** Moves a host to another address, and its names with it; nobody answers at the old one any more. */
	move(from: string, to: string): void {
		const host = this.#hosts.get(from);
		if (host === undefined || this.#hosts.has(to)) throw new Error(`cannot move ${from} to ${to}`);
		this.#hosts.delete(from);
		this.#hosts.set(to, host);
		for (const [name, address] of this.names) if (address === from) this.names.set(name, to);
	}
}

/** A port that accepts connections. */
export class VirtualListener implements HostListener {
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

	/** Queues `socket`, whose handshake is complete, for accept(). */
	enqueue(socket: VirtualSocket): void {
		if (!this.#open) {
			socket.close();
			return;
		}
		this.#pending.push(socket);
		this.#host.network.scheduler.after(0, () => {
			if (this.#open && this.#pending.length > 0) this.#readable(this.#pending.length);
		});
	}

	accept(): VirtualSocket | undefined {
		return this.#pending.shift();
	}

	close(): void {
		if (!this.#open) return;
		this.#open = false;
		this.#host.removeListener(this.port);
		for (const socket of this.#pending.splice(0)) socket.close();
	}

	/** The device is gone: drops the listener without RST. */
	discard(): void {
		this.#open = false;
		this.#pending.length = 0;
	}
}

/** A network stack with one address. */
export class VirtualHost implements HostNetwork, SocketHost, DatagramHost {
	readonly network: VirtualNetwork;
	readonly address: string;
	up = true;
	/** Packets to and from this host are dropped. */
	blackHole = false;
	/** New connections receive RST despite a listener. */
	refusing = false;
	/** Share of the packets to and from this host that are lost, 0 … 1. */
	lossRate = 0;
	/** Longest time by which packets to and from this host are late, ms. */
	delay = 0;
	/** Bytes that a socket opened or accepted from now on can hold unacknowledged. */
	sendRoom = SEND_ROOM;
	/** Bytes received and not yet read that a socket opened or accepted from now on can hold. */
	receiveWindow = RECEIVE_WINDOW;
	/** RST discards what is received and not yet read, as on Windows; the SDK's class and Linux keep it. */
	discardsOnReset = false;
	readonly #listeners = new Map<number, VirtualListener>();
	readonly #sockets = new Set<VirtualSocket>();
	readonly #datagrams = new Map<number, VirtualDatagrams>();
	#nextEphemeralPort = FIRST_EPHEMERAL_PORT;
	#nextSourcePort = FIRST_EPHEMERAL_PORT;

	constructor(network: VirtualNetwork, address: string) {
		this.network = network;
		this.address = address;
	}

	/** Number of connections that this host still holds. */
	get connections(): number {
		return this.#sockets.size;
	}

	/** Whether packets can leave for `to` now. */
	canSendTo(to: SocketHost): boolean {
		return this.up && !this.blackHole && !to.blackHole;
	}

	/** Whether the packet that leaves for `to` now is lost on its way. */
	losesPacketTo(to: SocketHost): boolean {
		const rate = Math.max(this.lossRate, to.lossRate);
		return rate > 0 && this.network.random.number() < rate;
	}

	/** By how much the packet that leaves for `to` now is late, ms. */
	delayTo(to: SocketHost): number {
		const longest = Math.max(this.delay, to.delay);
		return longest > 0 ? Math.floor(this.network.random.number() * (longest + 1)) : 0;
	}

	/** Whether packets can arrive now. */
	canReceive(): boolean {
		return this.up && !this.blackHole;
	}

	connect(address: string, port: number): VirtualSocket {
		if (!isAddress(address)) throw new Error("invalid address");
		const { scheduler, latency } = this.network;
		const socket = new VirtualSocket(scheduler, this, latency);
		this.#sockets.add(socket);
		const tap = this.network.tap && this.#openTap(this.network.tap, address, port);
		socket.tap = tap?.client;
		const sendSyn = (): void => {
			const to = this.network.find(address);
			const retry = (): void => socket.retransmit(sendSyn);
			if (!to) {
				retry();
				return;
			}
			if (tap) socket.tapSegment(to, SYN);
			socket.transmitTo(to, () => to.#onSyn(socket, port, tap, retry), retry);
		};
		sendSyn();
		return socket;
	}

	listen(port: number, readable: (count: number) => void): VirtualListener {
		const chosen = port === 0 ? this.#nextEphemeralPort++ : port;
		if (this.#listeners.has(chosen)) throw new Error("socket bind");
		const listener = new VirtualListener(this, chosen, readable);
		this.#listeners.set(chosen, listener);
		return listener;
	}

	removeListener(port: number): void {
		this.#listeners.delete(port);
	}

	resolve(name: string, callback: (address: string | undefined) => void): void {
		const { scheduler, latency, names } = this.network;
		if (isAddress(name)) scheduler.after(0, () => callback(name));
		else if (isLocalName(name) && !names.has(name)) this.#resolveLocally(name, callback);
		else
			scheduler.after(2 * latency, () =>
				callback(this.canReceive() && this.network.resolvesNames ? names.get(name) : undefined),
			);
	}

	reset(): void {
		for (const listener of this.#listeners.values()) listener.discard();
		this.#listeners.clear();
		for (const socket of [...this.#sockets]) socket.abandon();
		for (const datagrams of [...this.#datagrams.values()]) datagrams.close();
	}

	openDatagrams(port: number, received: DatagramHandler): HostDatagrams {
		const chosen = port === 0 ? this.#nextEphemeralPort++ : port;
		if (this.#datagrams.has(chosen)) throw new Error("bind failed");
		const datagrams = new VirtualDatagrams(this, chosen, received);
		this.#datagrams.set(chosen, datagrams);
		return datagrams;
	}

	sendDatagram(from: VirtualDatagrams, bytes: Uint8Array, address: string, port: number): void {
		const { scheduler, latency, hosts } = this.network;
		if (!this.up) throw new Error("UDP send failed");
		if (this.blackHole || this.#loses()) return;
		for (const host of hosts)
			scheduler.after(latency, () => host.#receiveDatagram(bytes, address, port, this.address, from.port));
	}

	removeDatagrams(port: number): void {
		this.#datagrams.delete(port);
	}

	/** @param to an address, of this host or not, or a group */
	#receiveDatagram(bytes: Uint8Array, to: string, port: number, from: string, fromPort: number): void {
		const datagrams = this.#datagrams.get(port);
		if (!datagrams || (to !== this.address && !datagrams.groups.has(to))) return;
		// lwIP does not return to a host what it has sent to a group.
		if (from !== this.address && this.canReceive() && !this.#loses())
			datagrams.deliver(bytes, from, fromPort);
	}

	#loses(): boolean {
		return this.lossRate > 0 && this.network.random.number() < this.lossRate;
	}

	/** As lwIP does: by Multicast DNS, from a port of its own. */
	#resolveLocally(name: string, callback: (address: string | undefined) => void): void {
		const { scheduler, resolvesNames } = this.network;
		const fail = (): void => callback(undefined);
		if (!this.canReceive() || !resolvesNames) {
			scheduler.after(0, fail);
			return;
		}
		try {
			new AddressQuery({ udp: virtualUDP(this), timer: virtualTimer(scheduler) }, name, callback);
		} catch {
			scheduler.after(0, fail);
		}
	}

	/** Resets all connections, as if the program on this host were killed. */
	resetConnections(): void {
		for (const socket of [...this.#sockets]) socket.reset();
	}

	/** Nothing passes on the present connections any more, and neither end is told. */
	severConnections(): void {
		for (const socket of this.#sockets) socket.sever();
	}

	removeSocket(socket: VirtualSocket): void {
		this.#sockets.delete(socket);
	}

	/** Taps a connection that this host is about to open. */
	#openTap(network: NetworkTap, address: string, port: number): ConnectionTap | undefined {
		const source = this.#nextSourcePort++;
		if (this.#nextSourcePort > LAST_PORT) this.#nextSourcePort = FIRST_EPHEMERAL_PORT;
		return network.connection({
			client: { address: this.address, port: source },
			server: { address, port },
		});
	}

	/** SYN arrives. */
	#onSyn(client: VirtualSocket, port: number, tap: ConnectionTap | undefined, retry: () => void): void {
		const listener = this.#listeners.get(port);
		const { scheduler, latency } = this.network;
		const reply = new VirtualSocket(scheduler, this, latency);
		reply.tap = tap?.server;
		if (!listener || this.refusing) {
			if (tap) reply.tapSegment(client.host, RST | ACK);
			reply.transmitTo(client.host, () => client.terminate(), retry);
			return;
		}
		reply.peer = client;
		if (tap) reply.tapSegment(client.host, SYN | ACK);
		reply.transmitTo(
			client.host,
			() => {
				// The client has given up, or an earlier SYN/ACK reached it.
				if (client.terminated || client.peer) return;
				client.peer = reply;
				this.#sockets.add(reply);
				client.onHandshakeComplete();
				if (tap) client.tapSegment(this, ACK);
				client.transmitTo(this, () => acceptConnection(), acceptConnection);
			},
			retry,
		);
		function acceptConnection(): void {
			if (reply.terminated) return;
			reply.onHandshakeComplete();
			listener!.enqueue(reply);
		}
	}
}
