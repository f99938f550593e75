import type { ListenSettings } from "../config/settings";
import type { Listener } from "../device";
import { IMPLEMENTATION_SPECIFIC_ERROR, SERVER_SHUTTING_DOWN } from "../mqtt/constants";
import { Connection, type ConnectionOwner, FREE, OPEN } from "./connection";
import { Core, type Host } from "./core";
import type { Counters } from "./counters";
import { Farewell } from "./farewell";
import { Handshake } from "./handshake";
import { Message } from "./message";
import { Patience } from "./patience";
import { Protocol } from "./protocol";
import { Publishing } from "./publishing";
import { Router } from "./router";
import { Sender } from "./sender";
import { Subscribing } from "./subscribing";

/**
 * Takes a current value: its topic and payload lie in [topicStart, topicEnd) and [payloadStart, payloadEnd) of `bytes`, which is valid only during the call.
 * `time` is when it arrived, ms since 1970 by the host's clock as it is set now.
 */
export type ValueCallback = (
	bytes: Uint8Array,
	topicStart: number,
	topicEnd: number,
	payloadStart: number,
	payloadEnd: number,
	time: number,
	retained: boolean,
) => void;

/**
 * An MQTT broker for clients of 3.1.1 and 5.0 on one port. All pools are allocated by the constructor, each connection when it is first needed; routing a message allocates nothing.
 * What a full pool does is counted in {@link counters}, and told to the client by the protocol's own means.
 */
export class Broker implements ConnectionOwner {
	readonly #core: Core;
	readonly #farewell: Farewell;
	readonly #router: Router;
	readonly #protocol: Protocol;
	readonly #patience: Patience;
	readonly #value: Message;
	#listener: Listener | undefined;
	/** Whether connections wait to be accepted until one is free. */
	#backlog = false;

	constructor(host: Host, settings: ListenSettings) {
		const core = new Core(host, settings);
		const sender = new Sender(settings.packetSize, core.clock);
		const router = new Router(core, sender);
		const farewell = new Farewell(core, sender, router);
		const handshake = new Handshake(core, sender, farewell);
		this.#core = core;
		this.#router = router;
		this.#farewell = farewell;
		this.#protocol = new Protocol(core, sender, router, handshake, new Publishing(core, sender, router), new Subscribing(core, sender));
		this.#patience = new Patience(core, () => this.#ring());
		this.#value = new Message(core.memory.bytes);
	}

	/** What happened so far. */
	get counters(): Counters {
		return this.#core.counters;
	}

	/** The port in use; 0 before start(). */
	get port(): number {
		return this.#listener?.port ?? 0;
	}

	/** Opens the port. @throws {Error} when the host has no listener or the port is taken */
	start(): void {
		if (this.#listener !== undefined) return;
		const { host, settings } = this.#core;
		if (host.listener === undefined) throw new Error("this host cannot listen");
		this.#listener = new host.listener.io({
			port: settings.port,
			onReadable: () => {
				this.enter();
				this.#accept();
				this.leave();
			},
		});
	}

	/** Closes the port and all connections. */
	stop(): void {
		this.enter();
		this.#listener?.close();
		this.#listener = undefined;
		this.#backlog = false;
		const { connections } = this.#core;
		for (let i = 1; i < connections.length; i++) this.#core.close(connections[i]!, SERVER_SHUTTING_DOWN);
		this.leave();
		this.#patience.close();
	}

	/** Calls back with every topic's current value. The broker must not be changed meanwhile. */
	forEachValue(callback: ValueCallback): void {
		const { store, clock } = this.#core;
		clock.tick();
		const now = Date.now();
		const value = this.#value;
		for (let record = 1; record <= store.records; record++) {
			if (!store.offered(record, true)) continue;
			store.messages.read(record, value);
			callback(value.bytes, value.topicStart, value.topicEnd, value.payloadStart, value.payloadEnd, now - (clock.now - value.arrived), value.retain);
		}
	}

	/** Pools in use, for a host that shows or checks them. */
	get usage(): Usage {
		const { connections, open, sessions, subscriptions, queues, store, settings } = this.#core;
		let sockets = 0;
		for (let i = 1; i < connections.length; i++) if (connections[i]!.state !== FREE) sockets++;
		return {
			sockets,
			connections: open,
			sessions: sessions.count,
			sessionBytes: sessions.bytes,
			subscriptions: subscriptions.count,
			filterLevels: subscriptions.tree.count,
			filterBytes: subscriptions.tree.bytes,
			values: store.count,
			valueBytes: store.messages.arena.used,
			queued: settings.queuedMessages - queues.free,
			queuedBytes: queues.contents.arena.used,
		};
	}

	// ConnectionOwner

	enter(): void {
		this.#core.clock.tick();
	}

	leave(): void {
		try {
			this.#farewell.settle();
			this.#router.resume();
			this.#farewell.settle();
			if (this.#backlog) this.#accept();
		} catch (error) {
			// an exception that got out to the host would end the firmware
			this.#core.counters.internal++;
			this.#core.host.trace(`broker: ${error}`);
		}
	}

	packet(connection: Connection, first: number, start: number, end: number): void {
		const silence = connection.silence;
		this.#protocol.packet(connection, first, start, end);
		if (connection.silence !== silence) this.#patience.watch(connection);
	}

	fault(connection: Connection, reasonCode: number): void {
		this.#core.counters.faults++;
		this.#core.close(connection, reasonCode);
	}

	writable(connection: Connection): void {
		if (connection.state !== OPEN) return;
		if (connection.lenient) connection.heard = this.#core.clock.now;
		this.#router.pump(connection);
	}

	lost(connection: Connection): void {
		if (connection.state === OPEN) this.#core.counters.lost++;
		this.#core.close(connection, 0);
	}

	broken(connection: Connection, error: unknown): void {
		this.#core.counters.internal++;
		this.#core.host.trace(`broker: ${error}`);
		this.#core.close(connection, IMPLEMENTATION_SPECIFIC_ERROR);
	}

	/** Takes connections that wait, as long as there is a place for them. */
	#accept(): void {
		const { connections, counters, host, clock, settings, memory } = this.#core;
		const listener = this.#listener;
		this.#backlog = false;
		if (listener === undefined) return;
		const places = settings.connections + settings.handshakes;
		for (let i = 1; i <= places; i++) {
			const known = connections[i];
			if (known !== undefined && known.state !== FREE) continue;
			const tcp = listener.read();
			if (tcp === undefined) return;
			counters.accepted++;
			const connection = known ?? new Connection(i, this, memory, settings.packetSize);
			connections[i] = connection;
			connection.heard = clock.now;
			connection.silence = settings.connectTimeout;
			try {
				connection.adopt(tcp, host.tcp.io);
				this.#patience.watch(connection);
			} catch {
				// the peer was gone before it was its turn
				connection.close();
				try {
					tcp.close();
				} catch {
					// gone
				}
				i--;
			}
		}
		this.#backlog = true;
	}

	#ring(): void {
		this.enter();
		this.#patience.check();
		this.leave();
	}
}

/** How full the pools are. */
export interface Usage {
	readonly sockets: number;
	readonly connections: number;
	readonly sessions: number;
	readonly sessionBytes: number;
	readonly subscriptions: number;
	readonly filterLevels: number;
	readonly filterBytes: number;
	readonly values: number;
	readonly valueBytes: number;
	readonly queued: number;
	readonly queuedBytes: number;
}
