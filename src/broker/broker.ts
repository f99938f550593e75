import type { ListenSettings } from "../config/settings";
import { IMPLEMENTATION_SPECIFIC_ERROR, SERVER_SHUTTING_DOWN } from "../mqtt/constants";
import { type Connection, type ConnectionOwner, FREE, LENIENT, OPEN, OPENING } from "./connection";
import { Core } from "./core";
import type { Counters } from "./counters";
import { Doors } from "./doors";
import { Farewell } from "./farewell";
import { Handshake } from "./handshake";
import type { Host } from "./host";
import { Message } from "./message";
import { Patience } from "./patience";
import { Keeper } from "./persist/keeper";
import { Protocol } from "./protocol";
import { Publishing } from "./publishing";
import { Router } from "./router";
import type { Saver } from "./saver";
import { Sender } from "./sender";
import { Subscribing } from "./subscribing";
import { System } from "./system";
import { Web } from "./web/web";

// Ports, in the order in which they are opened
const MQTT = 0;
const WEB_SOCKET = 1;

/** Time until storing is tried again where it failed and is to be done at once, ms. */
const RETRY = 1000;

/** The connections that MQTT's own port may have: all there are. */
const UNLIMITED = 0xffff;

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
 * An MQTT broker for clients of 3.1.1 and 5.0 on one port, and over WebSocket on another where one is configured. All pools are allocated by the constructor, each connection when it is first needed; routing a message allocates nothing.
 * What a full pool does is counted in {@link counters}, and told to the client by the protocol's own means.
 */
export class Broker implements ConnectionOwner {
	readonly #core: Core;
	readonly #farewell: Farewell;
	readonly #router: Router;
	readonly #system: System;
	readonly #protocol: Protocol;
	readonly #patience: Patience;
	readonly #value: Message;
	readonly #doors: Doors;
	readonly #web: Web | undefined;
	#started = false;
	/** When `$SYS` topics are handed out next, ms of the broker's clock; infinite while nobody subscribes to them. */
	#reportAt = Number.POSITIVE_INFINITY;
	/** When state is stored next, as #reportAt; infinite while nothing changes. */
	#saveAt = Number.POSITIVE_INFINITY;

	/** @param name shown to people */
	constructor(host: Host, settings: ListenSettings, name = "Firefly") {
		const core = new Core(host, settings);
		const sender = new Sender(core);
		const system = new System(core);
		const router = new Router(core, sender, system);
		const farewell = new Farewell(core, sender, router);
		const handshake = new Handshake(core, sender, farewell);
		this.#core = core;
		this.#router = router;
		this.#system = system;
		this.#farewell = farewell;
		this.#protocol = new Protocol(core, sender, handshake, new Publishing(core, sender, router), new Subscribing(core, sender, system));
		this.#patience = new Patience(core, farewell, () => this.ring());
		this.#value = new Message(core.memory.bytes);
		this.#doors = new Doors(core, this, this.#patience);
		if (settings.webSocket !== undefined) this.#web = new Web(core, name);
		core.memory.tables.close();
		core.authority.verdict = (index, reasonCode) => {
			this.enter();
			try {
				if (index < 0) this.#web!.pages.judged(index, reasonCode);
				else this.judged(index, reasonCode);
				this.proceed(index);
			} catch (error) {
				this.stumbled(error);
			}
			this.leave();
		};
	}

	/** What happened so far. */
	get counters(): Counters {
		return this.#core.counters;
	}

	/** The port in use; 0 before start(). */
	get port(): number {
		return this.#doors.port(MQTT);
	}

	/** The port for WebSocket and the status page; 0 before start() and where none is configured. */
	get webSocketPort(): number {
		return this.#doors.port(WEB_SOCKET);
	}

	/** Restores what was kept, and opens the ports. @throws {Error} when the host has no listener, no TLS or no storage where these are asked for, or a port is taken */
	start(): void {
		if (this.#started) return;
		const core = this.#core;
		const { host, settings } = core;
		if (settings.tls !== undefined) throw new Error("this host has no TLS, which listen.tls asks for");
		if (settings.persist && core.keeper === undefined) this.restore();
		const doors = this.#doors;
		doors.open(settings.port, host.tcp.io, UNLIMITED);
		this.#started = true;
		try {
			if (this.#web !== undefined) doors.open(settings.webSocket!, this.#web.io, settings.webSockets);
		} catch (error) {
			this.stop();
			throw error;
		}
	}

	/** Closes the ports and all connections, and stores what has changed. */
	stop(): void {
		this.enter();
		this.#doors.close();
		this.#started = false;
		const { connections } = this.#core;
		for (let i = 1; i < connections.length; i++) this.#core.close(connections[i]!, SERVER_SHUTTING_DOWN);
		this.leave();
		this.#core.keeper?.save();
		this.#saveAt = Number.POSITIVE_INFINITY;
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

	get judging(): boolean {
		return this.#core.authority.judging;
	}

	get addresses(): boolean {
		return this.#core.authority.addresses;
	}

	enter(): void {
		this.#core.clock.tick();
	}

	leave(): void {
		try {
			const { closing } = this.#core;
			this.#farewell.settle();
			this.#router.resume();
			this.#farewell.settle();
			if (closing > 0) {
				// sessions whose clients went may end by themselves, or their wills be due
				this.#patience.check(Math.min(this.#reportAt, this.#saveAt));
				this.#farewell.settle();
			}
			if (this.#core.keeper !== undefined) this.save(this.#core.keeper);
			if (this.#core.subscriptions.systems > 0 && this.#reportAt === Number.POSITIVE_INFINITY && this.#system.reports > 0) {
				this.#reportAt = this.#core.clock.now + this.#core.settings.systemInterval;
				this.#patience.wake(this.#reportAt);
			}
			if (this.#doors.crowded) this.#doors.accept();
		} catch (error) {
			this.stumbled(error);
		}
	}

	packet(connection: Connection, first: number, start: number, end: number): void {
		const silence = connection.silence;
		const protocol = this.#protocol;
		let more = protocol.read(connection, first, start, end) && protocol.obey(connection, start, end);
		if (protocol.connecting) {
			protocol.clear();
			more = protocol.answer(connection);
		}
		if (more) this.#router.pump(connection);
		if (connection.silence !== silence) this.#patience.watch(connection);
	}

	fault(connection: Connection, reasonCode: number): void {
		this.#core.counters.faults++;
		this.#core.close(connection, reasonCode);
	}

	writable(connection: Connection): void {
		if (connection.state !== OPEN) return;
		if ((connection.traits & LENIENT) !== 0) connection.heard = this.#core.clock.now;
		this.#router.pump(connection);
	}

	lost(connection: Connection): void {
		if (connection.state === OPEN) this.#core.counters.lost++;
		this.#core.close(connection, 0);
	}

	broken(connection: Connection, error: unknown): void {
		this.stumbled(error);
		// [MQTT-3.1.1:4.8.0-2]
		this.#core.close(connection, IMPLEMENTATION_SPECIFIC_ERROR);
	}

	/** Answers the CONNECT that was judged. */
	private judged(index: number, reasonCode: number): void {
		const { connections } = this.#core;
		const connection = connections[index];
		if (connection?.state !== OPENING || !connection.pending) {
			this.#protocol.unheeded();
			return;
		}
		connection.pending = false;
		try {
			this.#protocol.judged(connection, reasonCode);
			this.#protocol.clear();
			if (this.#protocol.answer(connection)) this.#router.pump(connection);
			this.#patience.watch(connection);
		} catch (error) {
			this.broken(connection, error);
		}
		connection.resume();
	}

	/** Goes on with those who waited while another was judged: in turn, so that nobody who tries again and again keeps the others waiting. @param last who was judged */
	private proceed(last: number): void {
		const { connections } = this.#core;
		const pages = this.#web?.pages;
		const count = connections.length - 1;
		if (last > 0) pages?.proceed();
		const from = last > 0 ? last : Math.floor(Math.random() * count);
		for (let i = from; i < from + count; i++) {
			const connection = connections[1 + (i % count)]!;
			if (connection.state === OPENING) connection.resume();
		}
		if (last < 0) pages?.proceed();
	}

	private ring(): void {
		this.enter();
		try {
			const { clock } = this.#core;
			if (this.#reportAt <= clock.now) {
				this.#reportAt = Number.POSITIVE_INFINITY;
				this.#router.report();
			}
			if (this.#saveAt <= clock.now) {
				this.#saveAt = Number.POSITIVE_INFINITY;
				this.#core.keeper?.save();
			}
			this.#patience.check(Math.min(this.#reportAt, this.#saveAt));
		} catch (error) {
			this.stumbled(error);
		}
		this.leave();
	}

	/** Restores what is stored. Without what cannot be read the broker serves all the same. */
	private restore(): void {
		const core = this.#core;
		const { storage } = core.host;
		if (storage === undefined) throw new Error("this host has no storage, which listen.persist asks for");
		this.enter();
		try {
			core.keeper = new Keeper(core, storage.open({ path: "firefly", format: "buffer" }));
		} catch (error) {
			core.counters.storageFailed++;
			core.host.trace(`broker: state is neither restored nor kept: ${error}`);
		}
		this.ring(); // wills of clients that were connected, sessions whose time is over
	}

	/** Stores what has changed, now or in time. */
	private save(keeper: Saver): void {
		const { clock, settings } = this.#core;
		if (settings.persistInterval === 0 && keeper.changed && !keeper.failing) keeper.save();
		if (this.#saveAt !== Number.POSITIVE_INFINITY || !(keeper.changed || keeper.waits)) return;
		this.#saveAt = clock.now + (settings.persistInterval === 0 ? RETRY : settings.persistInterval);
		this.#patience.wake(this.#saveAt);
	}

	/** An exception that got out to the host would end the firmware. */
	private stumbled(error: unknown): void {
		this.#core.counters.internal++;
		this.#core.host.trace(`broker: ${error}`);
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
