import type { Listener, TCPConstructor } from "../device";
import { networkOf } from "./access/ip-network";
import type { Core } from "./core";
import { Connection, type ConnectionOwner, FREE, OPENING } from "./session/connection";
import type { Timeouts } from "./timeouts";

/**
 * Time that a connection has for its CONNECT while others wait for a place and its address has more than its
 * share of them, ms.
 */
export const IDLE_HANDSHAKE_MS = 1000;
/** Pause between two looks at that, ms. */
const RECHECK_MS = 250;

/** A port, and what its connections are read with. */
interface ListeningPort {
	readonly listener: Listener;
	readonly io: TCPConstructor;
	/** Its connections at once, at most. */
	readonly limit: number;
	/** Whether connections may wait there to be accepted. */
	hasBacklog: boolean;
}

/**
 * The ports on which the broker listens. Their connections share one pool: where it is used up, or a port has
 * its share, connections wait to be accepted.
 */
export class Listeners {
	/** Whether connections wait until a place is free. */
	hasBacklog = false;
	readonly #core: Core;
	readonly #owner: ConnectionOwner;
	readonly #timeouts: Timeouts;
	#ports: ListeningPort[] = [];
	/** The port whose turn it is: one that is crowded must not keep others from being served. */
	#turn = 0;
	/** Not before this is looked again at who takes too many places, ms of the broker's clock. */
	#recheckAt = 0;

	constructor(core: Core, owner: ConnectionOwner, timeouts: Timeouts) {
		this.#core = core;
		this.#owner = owner;
		this.#timeouts = timeouts;
	}

	/** Opens a port. @throws {Error} when the host has no listener or the port is taken */
	listen(port: number, io: TCPConstructor, limit: number): void {
		const { listener } = this.#core.host;
		if (listener === undefined) throw new Error("this host cannot listen");
		const index = this.#ports.length;
		this.#ports.push({
			listener: new listener.io({
				port,
				onReadable: () => {
					const listeningPort = this.#ports[index];
					if (listeningPort === undefined) return;
					listeningPort.hasBacklog = true;
					this.hasBacklog = true;
					this.#owner.beginCallback();
					this.#owner.endCallback(); // which lets accept() have its turn
				},
			}),
			io,
			limit,
			hasBacklog: false,
		});
	}

	/** The port in use; 0 where there is none. */
	port(index: number): number {
		return this.#ports[index]?.listener.port ?? 0;
	}

	/** Takes connections that wait, as long as there is a place for them. */
	accept(): void {
		const ports = this.#ports;
		const count = ports.length;
		let idle = 0;
		this.hasBacklog = false;
		while (idle < count) {
			this.#turn = (this.#turn + 1) % count;
			if (this.acceptFrom(this.#turn)) idle = 0;
			else idle++;
		}
		for (let i = 0; i < count; i++) if (ports[i].hasBacklog) this.hasBacklog = true;
		if (this.hasBacklog && this.#owner.wantsAddresses && !this.#owner.authenticating)
			this.evictIdleHandshakes();
	}

	/**
	 * While others wait, one address, or one network of IPv6, can hold half of the handshakes' places until the
	 * connect time-out, and the rest for HASTE: whoever opens connections and says nothing is not to keep
	 * everybody else out. Not while a CONNECT is judged, as those of others may wait for that.
	 */
	private evictIdleHandshakes(): void {
		const { connections, settings, clock } = this.#core;
		const { nowMs } = clock;
		const timeouts = this.#timeouts;
		if (nowMs < this.#recheckAt) {
			timeouts.scheduleBy(this.#recheckAt);
			return;
		}
		this.#recheckAt = nowMs + RECHECK_MS;
		const share = Math.max(1, Math.ceil(settings.handshakes / 2));
		for (let i = 1; i < connections.length; i++) {
			const connection = connections[i]!;
			const { state, keepAliveTimeoutMs, address } = connection;
			if (state !== OPENING || keepAliveTimeoutMs <= IDLE_HANDSHAKE_MS || address === undefined) continue;
			const network = networkOf(address);
			let others = 0;
			for (let j = 1; j < i && others < share; j++) {
				const other = connections[j]!;
				if (other.state === OPENING && other.address !== undefined && networkOf(other.address) === network)
					others++;
			}
			if (others < share) continue;
			if (connection.lastReceivedAt + IDLE_HANDSHAKE_MS <= nowMs)
				connection.keepAliveTimeoutMs = IDLE_HANDSHAKE_MS;
			timeouts.scheduleBy(connection.lastReceivedAt + IDLE_HANDSHAKE_MS);
		}
	}

	close(): void {
		const ports = this.#ports;
		this.#ports = [];
		this.hasBacklog = false;
		for (let i = 0; i < ports.length; i++) ports[i].listener.close();
	}

	/** Takes one connection; false if there is none, or no place for it. */
	private acceptFrom(index: number): boolean {
		const listeningPort = this.#ports[index];
		if (!listeningPort.hasBacklog) return false;
		const core = this.#core;
		const { connections, counters, clock, settings } = core;
		const slot = this.freeSlot(index, listeningPort.limit);
		if (slot === 0) return false;
		const tcp = listeningPort.listener.read();
		if (tcp === undefined) {
			listeningPort.hasBacklog = false;
			return false;
		}
		counters.connectionsAccepted++;
		const connection =
			connections[slot] ?? new Connection(slot, this.#owner, core.memory, settings.packetSize);
		connections[slot] = connection;
		connection.listenerIndex = index;
		connection.lastReceivedAt = clock.nowMs;
		connection.keepAliveTimeoutMs = settings.connectTimeout;
		try {
			connection.adopt(tcp, listeningPort.io);
			this.#timeouts.watch(connection);
		} catch {
			// the peer was gone before it was its turn
			connection.close();
			try {
				tcp.close();
			} catch {
				// gone
			}
		}
		return true;
	}

	/** The first free place; 0 where there is none, or where the port has as many connections as it may. */
	private freeSlot(index: number, limit: number): number {
		const { connections, settings } = this.#core;
		const slots = settings.connections + settings.handshakes;
		let slot = 0;
		let open = 0;
		for (let i = slots; i > 0; i--) {
			const connection = connections[i];
			if (connection === undefined || connection.state === FREE) slot = i;
			else if (connection.listenerIndex === index) open++;
		}
		return open < limit ? slot : 0;
	}
}
