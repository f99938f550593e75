import type { Listener, TCP, TCPConstructor } from "../device";
import { awaitsAuthentication, DRAINING, FREE, isBeforeConnack } from "../session/broker-phase";
import type { Core } from "./core/core";
import { Connection, type ConnectionOwner, LOCAL_LISTENER } from "./session/connection";
import type { Timeouts } from "./timeouts";

/**
 * Timeout of a handshake while connections wait in the backlog and the peer's address holds more than its
 * share of handshake slots, ms.
 */
export const IDLE_HANDSHAKE_MS = 1000;
/** The same for a connection whose HTTP request is complete but whose answer has not left, ms. */
export const SLOW_ANSWER_MS = 4000;
/**
 * The shortest such timeout, to which it is halved with each connection closed, until none waits in the
 * backlog any more. A client that has waited there has already sent its CONNECT.
 */
export const MINIMUM_HANDSHAKE_MS = 100;
/** Interval between two checks of these shares, ms. */
const RECHECK_MS = 100;

/** A port, and the socket constructor for its connections. */
interface ListeningPort {
	readonly listener: Listener;
	readonly io: TCPConstructor;
	/** Maximum number of simultaneous connections. */
	readonly limit: number;
	/** Whether connections may be waiting to be accepted. */
	hasBacklog: boolean;
}

/**
 * The ports on which the broker listens. Their connections share one pool: if it is used up, or a port has
 * reached its limit, connections wait to be accepted.
 */
export class Listeners {
	/** Whether connections wait for a free slot. */
	hasBacklog = false;
	readonly #core: Core;
	readonly #owner: ConnectionOwner;
	readonly #timeouts: Timeouts;
	#ports: ListeningPort[] = [];
	/** Index of the port served last. Ports take turns, so that a busy one does not starve the others. */
	#turn = 0;
	/** Earliest time of the next evictIdleHandshakes() check, ms of the broker's clock. */
	#recheckAt = 0;
	/** IDLE_HANDSHAKE_MS … MINIMUM_HANDSHAKE_MS. */
	#idleLimitMs = IDLE_HANDSHAKE_MS;
	/** Time since which connections have waited for a slot; infinite while none waits. */
	#backlogSince = Number.POSITIVE_INFINITY;

	constructor(core: Core, owner: ConnectionOwner, timeouts: Timeouts) {
		this.#core = core;
		this.#owner = owner;
		this.#timeouts = timeouts;
	}

	/** Opens a port. @throws {Error} if the host has no listener or the port is already in use */
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
					this.#owner.endCallback(); // calls accept()
				},
			}),
			io,
			limit,
			hasBacklog: false,
		});
	}

	/** The port in use; 0 if there is none. */
	port(index: number): number {
		return this.#ports[index]?.listener.port ?? 0;
	}

	/** Accepts waiting connections while slots are free. */
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
		if (this.hasBacklog) this.evictIdleHandshakes();
		else {
			this.#idleLimitMs = IDLE_HANDSHAKE_MS;
			this.#backlogSince = Number.POSITIVE_INFINITY;
		}
	}

	/**
	 * Shortens the timeout of idle handshakes while connections wait in the backlog, so that peers that open
	 * connections without sending CONNECT, or half a request, do not block all others. One address (one network
	 * for IPv6) keeps half of the handshake slots, and the rest only for IDLE_HANDSHAKE_MS. Once others have
	 * waited twice as long, that holds for every slot, as idle peers may be many; and the more of them there
	 * are, the shorter that time gets, down to MINIMUM_HANDSHAKE_MS. Connections that wait for the broker are
	 * not idle. If the platform does not know addresses, all connections count as those of one.
	 */
	private evictIdleHandshakes(): void {
		const { connections, settings, clock } = this.#core;
		const { nowMs } = clock;
		if (nowMs < this.#backlogSince) this.#backlogSince = nowMs;
		const timeouts = this.#timeouts;
		if (nowMs < this.#recheckAt) {
			timeouts.scheduleBy(this.#recheckAt);
			return;
		}
		this.#recheckAt = nowMs + RECHECK_MS;
		const idleLimitMs = this.#idleLimitMs;
		const waitsLong = nowMs - this.#backlogSince >= 2 * IDLE_HANDSHAKE_MS;
		const share = waitsLong ? 0 : Math.max(1, Math.ceil(settings.handshakes / 2));
		for (let i = 1; i < connections.length; i++) {
			const connection = connections[i]!;
			const { phase, keepAliveTimeoutMs, network } = connection;
			if (!isBeforeConnack(phase) || awaitsAuthentication(phase)) continue;
			const limit = connection.tcp?.answering === true ? SLOW_ANSWER_MS : idleLimitMs;
			if (keepAliveTimeoutMs <= limit) continue;
			let others = 0;
			for (let j = 1; j < i && others < share; j++) {
				const other = connections[j]!;
				if (isBeforeConnack(other.phase) && other.network === network) others++;
			}
			if (others < share) continue;
			if (connection.lastReceivedAt + limit <= nowMs) {
				connection.keepAliveTimeoutMs = limit;
				this.#idleLimitMs = Math.max(MINIMUM_HANDSHAKE_MS, this.#idleLimitMs / 2);
			}
			timeouts.scheduleBy(connection.lastReceivedAt + limit);
		}
		if (share !== 0) timeouts.scheduleBy(this.#backlogSince + 2 * IDLE_HANDSHAKE_MS);
	}

	close(): void {
		const ports = this.#ports;
		this.#ports = [];
		this.hasBacklog = false;
		for (let i = 0; i < ports.length; i++) ports[i].listener.close();
	}

	/** Accepts one connection; false if none is waiting or no slot is free. */
	private acceptFrom(index: number): boolean {
		const listeningPort = this.#ports[index];
		if (!listeningPort.hasBacklog) return false;
		const core = this.#core;
		const { counters } = core;
		const slot = this.freeSlot(index, listeningPort.limit);
		if (slot === 0) return false;
		const tcp = listeningPort.listener.read();
		if (tcp === undefined) {
			listeningPort.hasBacklog = false;
			return false;
		}
		counters.connectionsAccepted++;
		this.serve(slot, index, tcp, listeningPort.io);
		return true;
	}

	/** See AcceptLocal: a connection within this device. */
	acceptLocal(tcp: TCP, io: TCPConstructor): Connection | undefined {
		const slot = this.freeSlot(LOCAL_LISTENER, 1);
		if (slot === 0) return undefined;
		this.serve(slot, LOCAL_LISTENER, tcp, io);
		return this.#core.connections[slot];
	}

	private serve(slot: number, index: number, tcp: TCP, io: TCPConstructor): void {
		const { connections, clock, settings, reader } = this.#core;
		const connection = connections[slot] ?? new Connection(slot, this.#owner, reader.partialPackets);
		connections[slot] = connection;
		connection.listenerIndex = index;
		connection.lastReceivedAt = clock.nowMs;
		connection.keepAliveTimeoutMs = settings.connectTimeout;
		try {
			connection.adopt(tcp, io);
			this.#timeouts.watch(connection);
		} catch {
			// the peer closed the connection before it was accepted
			connection.close();
			try {
				tcp.close();
			} catch {
				// already closed
			}
		}
	}

	/**
	 * The first free slot, or one whose connection only drains and is closed; 0 if there is none or the port
	 * has reached its limit.
	 */
	private freeSlot(index: number, limit: number): number {
		const { connections, settings } = this.#core;
		const slots = settings.connections + settings.handshakes;
		let slot = 0;
		let draining = 0;
		let open = 0;
		for (let i = slots; i > 0; i--) {
			const connection = connections[i];
			if (connection === undefined || connection.phase === FREE) slot = i;
			else if (connection.phase === DRAINING) draining = i;
			else if (connection.listenerIndex === index) open++;
		}
		if (open >= limit) return 0;
		if (slot !== 0 || draining === 0) return slot;
		connections[draining]!.close();
		return draining;
	}
}
