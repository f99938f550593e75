import type { ListenSettings } from "../config/settings";
import { IMPLEMENTATION_SPECIFIC_ERROR, SERVER_SHUTTING_DOWN } from "../mqtt/constants";
import { Core } from "./core";
import { PacketWriter } from "./delivery/packet-writer";
import { Router } from "./delivery/router";
import { SysTopics } from "./delivery/sys-topics";
import { ConnectHandler } from "./handlers/connect-handler";
import { Dispatcher } from "./handlers/dispatcher";
import { PublishHandler } from "./handlers/publish-handler";
import { SessionEnd } from "./handlers/session-end";
import { SubscribeHandler } from "./handlers/subscribe-handler";
import type { Host } from "./host";
import { Listeners } from "./listeners";
import { BrokerPersistence } from "./persist/broker-persistence";
import type { Persistence } from "./persist/persistence";
import type { BrokerCounters } from "./pool/counters";
import { Message } from "./pool/message";
import {
	type Connection,
	type ConnectionOwner,
	FREE,
	NO_KEEP_ALIVE,
	OPEN,
	OPENING,
} from "./session/connection";
import { Timeouts } from "./timeouts";
import { WebServer } from "./web/web-server";

// Ports, in the order in which they are opened
const MQTT_LISTENER = 0;
const WEB_SOCKET_LISTENER = 1;

/** Time until storing is tried again where it failed and is to be done at once, ms. */
const SAVE_RETRY_MS = 1000;

/** The connections that MQTT's own port may have: all there are. */
const UNLIMITED = 0xffff;

/**
 * Takes a current value: its topic and payload lie in [topicStart, topicEnd) and [payloadStart, payloadEnd)
 * of `bytes`, which is valid only during the call. `time` is when it arrived, ms since 1970 by the host's
 * clock as it is set now.
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
 * An MQTT broker for clients of 3.1.1 and 5.0 on one port, and over WebSocket on another where one is
 * configured. All pools are allocated by the constructor, each connection when it is first needed; routing a
 * message allocates nothing. What a full pool does is counted in {@link counters}, and told to the client by
 * the protocol's own means.
 */
export class Broker implements ConnectionOwner {
	readonly #core: Core;
	readonly #sessionEnd: SessionEnd;
	readonly #router: Router;
	readonly #sysTopics: SysTopics;
	readonly #dispatcher: Dispatcher;
	readonly #timeouts: Timeouts;
	readonly #retained: Message;
	readonly #listeners: Listeners;
	readonly #web: WebServer | undefined;
	#started = false;
	/**
	 * When `$SYS` topics are handed out next, ms of the broker's clock; infinite while nobody subscribes to
	 * them.
	 */
	#reportAt = Number.POSITIVE_INFINITY;
	/** When state is stored next, as #reportAt; infinite while nothing changes. */
	#saveAt = Number.POSITIVE_INFINITY;

	/** @param name shown to people */
	constructor(host: Host, settings: ListenSettings, name = "Firefly") {
		const core = new Core(host, settings);
		const packetWriter = new PacketWriter(core);
		const sysTopics = new SysTopics(core);
		const router = new Router(core, packetWriter, sysTopics);
		const sessionEnd = new SessionEnd(core, packetWriter, router);
		const connectHandler = new ConnectHandler(core, packetWriter, sessionEnd);
		this.#core = core;
		this.#router = router;
		this.#sysTopics = sysTopics;
		this.#sessionEnd = sessionEnd;
		this.#dispatcher = new Dispatcher(
			core,
			packetWriter,
			connectHandler,
			new PublishHandler(core, packetWriter, router),
			new SubscribeHandler(core, packetWriter, sysTopics),
		);
		this.#timeouts = new Timeouts(core, sessionEnd, () => this.onTimer());
		this.#retained = new Message(core.memory.bytes);
		this.#listeners = new Listeners(core, this, this.#timeouts);
		if (settings.webSocket !== undefined) this.#web = new WebServer(core, name);
		core.memory.tables.close();
		core.authorizer.onAuthResult = (index, reasonCode) => {
			this.beginCallback();
			try {
				if (index < 0) this.#web!.pages.authResult(index, reasonCode);
				else this.onAuthResult(index, reasonCode);
				this.resumeWaiting(index);
			} catch (error) {
				this.reportInternalError(error);
			}
			this.endCallback();
		};
	}

	/** What happened so far. */
	get counters(): BrokerCounters {
		return this.#core.counters;
	}

	/** The port in use; 0 before start(). */
	get port(): number {
		return this.#listeners.port(MQTT_LISTENER);
	}

	/** The port for WebSocket and the status page; 0 before start() and where none is configured. */
	get webSocketPort(): number {
		return this.#listeners.port(WEB_SOCKET_LISTENER);
	}

	/**
	 * Restores what was kept, and opens the ports.
	 * @throws {Error} when the host has no listener, no TLS or no storage where these are asked for, or a port
	 *   is taken
	 */
	start(): void {
		if (this.#started) return;
		const core = this.#core;
		const { host, settings } = core;
		if (settings.tls !== undefined) throw new Error("this host has no TLS, which listen.tls asks for");
		if (settings.persist && core.persistence === undefined) this.restore();
		const listeners = this.#listeners;
		listeners.listen(settings.port, host.tcp.io, UNLIMITED);
		this.#started = true;
		try {
			if (this.#web !== undefined) listeners.listen(settings.webSocket!, this.#web.io, settings.webSockets);
		} catch (error) {
			this.stop();
			throw error;
		}
	}

	/** Closes the ports and all connections, and stores what has changed. */
	stop(): void {
		this.beginCallback();
		this.#listeners.close();
		this.#started = false;
		const { connections } = this.#core;
		for (let i = 1; i < connections.length; i++) this.#core.close(connections[i]!, SERVER_SHUTTING_DOWN);
		this.endCallback();
		this.#core.persistence?.save();
		this.#saveAt = Number.POSITIVE_INFINITY;
		this.#timeouts.close();
	}

	/** Calls back with every topic's current value. The broker must not be changed meanwhile. */
	forEachValue(callback: ValueCallback): void {
		const { store, clock } = this.#core;
		clock.tick();
		const now = Date.now();
		const retained = this.#retained;
		for (let record = 1; record <= store.records; record++) {
			if (!store.isInitialValue(record, true)) continue;
			store.messages.readInto(record, retained);
			callback(
				retained.bytes,
				retained.topicStart,
				retained.topicEnd,
				retained.payloadStart,
				retained.payloadEnd,
				now - (clock.nowMs - retained.arrivedAtMs),
				retained.retain,
			);
		}
	}

	/** Pools in use, for a host that shows or checks them. */
	get usage(): Usage {
		const { connections, openCount, sessions, subscriptions, queues, store, settings } = this.#core;
		let sockets = 0;
		for (let i = 1; i < connections.length; i++) if (connections[i]!.state !== FREE) sockets++;
		return {
			sockets,
			connections: openCount,
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

	get authenticating(): boolean {
		return this.#core.authorizer.authenticating;
	}

	get wantsAddresses(): boolean {
		return this.#core.authorizer.needsAddresses;
	}

	beginCallback(): void {
		this.#core.clock.tick();
	}

	endCallback(): void {
		try {
			const { closingCount } = this.#core;
			this.#sessionEnd.endClosing();
			this.#router.resumeRetained();
			this.#sessionEnd.endClosing();
			if (closingCount > 0) {
				// sessions whose clients went may end by themselves, or their wills be due
				this.#timeouts.check(Math.min(this.#reportAt, this.#saveAt));
				this.#sessionEnd.endClosing();
			}
			if (this.#core.persistence !== undefined) this.save(this.#core.persistence);
			if (
				this.#core.subscriptions.sysCount > 0 &&
				this.#reportAt === Number.POSITIVE_INFINITY &&
				this.#sysTopics.periodicCount > 0
			) {
				this.#reportAt = this.#core.clock.nowMs + this.#core.settings.systemInterval;
				this.#timeouts.scheduleBy(this.#reportAt);
			}
			if (this.#listeners.hasBacklog) this.#listeners.accept();
		} catch (error) {
			this.reportInternalError(error);
		}
	}

	onPacket(connection: Connection, first: number, start: number, end: number): void {
		const timeoutBefore = connection.keepAliveTimeoutMs;
		const dispatcher = this.#dispatcher;
		let more = dispatcher.decode(connection, first, start, end) && dispatcher.handle(connection, start, end);
		if (dispatcher.connectReady) {
			dispatcher.endOldSession();
			more = dispatcher.answerConnect(connection);
		}
		if (more) this.#router.pump(connection);
		if (connection.keepAliveTimeoutMs !== timeoutBefore) this.#timeouts.watch(connection);
	}

	onProtocolError(connection: Connection, reasonCode: number): void {
		this.#core.counters.peerFaults++;
		this.#core.close(connection, reasonCode);
	}

	onWritable(connection: Connection): void {
		if (connection.state !== OPEN) return;
		if ((connection.clientFlags & NO_KEEP_ALIVE) !== 0) connection.lastReceivedAt = this.#core.clock.nowMs;
		this.#router.pump(connection);
	}

	onLost(connection: Connection): void {
		if (connection.state === OPEN) this.#core.counters.connectionsLost++;
		this.#core.close(connection, 0);
	}

	onInternalError(connection: Connection, error: unknown): void {
		this.reportInternalError(error);
		// [MQTT-3.1.1:4.8.0-2]
		this.#core.close(connection, IMPLEMENTATION_SPECIFIC_ERROR);
	}

	/** Answers the CONNECT that was judged. */
	private onAuthResult(index: number, reasonCode: number): void {
		const { connections } = this.#core;
		const connection = connections[index];
		if (connection?.state !== OPENING || !connection.awaitingAuth) {
			this.#dispatcher.discardPendingConnect();
			return;
		}
		connection.awaitingAuth = false;
		try {
			this.#dispatcher.onAuthResult(connection, reasonCode);
			this.#dispatcher.endOldSession();
			if (this.#dispatcher.answerConnect(connection)) this.#router.pump(connection);
			this.#timeouts.watch(connection);
		} catch (error) {
			this.onInternalError(connection, error);
		}
		connection.resume();
	}

	/**
	 * Goes on with those who waited while another was judged: in turn, so that nobody who tries again and again
	 * keeps the others waiting.
	 * @param last who was judged
	 */
	private resumeWaiting(last: number): void {
		const { connections } = this.#core;
		const pages = this.#web?.pages;
		const count = connections.length - 1;
		if (last > 0) pages?.resumeWaiting();
		const from = last > 0 ? last : Math.floor(Math.random() * count);
		for (let i = from; i < from + count; i++) {
			const connection = connections[1 + (i % count)]!;
			if (connection.state === OPENING) connection.resume();
		}
		if (last < 0) pages?.resumeWaiting();
	}

	private onTimer(): void {
		this.beginCallback();
		try {
			const { clock } = this.#core;
			if (this.#reportAt <= clock.nowMs) {
				this.#reportAt = Number.POSITIVE_INFINITY;
				this.#router.publishSysTopics();
			}
			if (this.#saveAt <= clock.nowMs) {
				this.#saveAt = Number.POSITIVE_INFINITY;
				this.#core.persistence?.save();
			}
			this.#timeouts.check(Math.min(this.#reportAt, this.#saveAt));
		} catch (error) {
			this.reportInternalError(error);
		}
		this.endCallback();
	}

	/** Restores what is stored. Without what cannot be read the broker serves all the same. */
	private restore(): void {
		const core = this.#core;
		const { storage } = core.host;
		if (storage === undefined) throw new Error("this host has no storage, which listen.persist asks for");
		this.beginCallback();
		try {
			core.persistence = new BrokerPersistence(core, storage.open({ path: "firefly", format: "buffer" }));
		} catch (error) {
			core.counters.storageFailures++;
			core.host.trace(`broker: state is neither restored nor kept: ${error}`);
		}
		this.onTimer(); // wills of clients that were connected, sessions whose time is over
	}

	/** Stores what has changed, now or in time. */
	private save(persistence: Persistence): void {
		const { clock, settings } = this.#core;
		if (settings.persistInterval === 0 && persistence.changed && !persistence.failing) persistence.save();
		if (this.#saveAt !== Number.POSITIVE_INFINITY || !(persistence.changed || persistence.awaitingWallClock))
			return;
		this.#saveAt = clock.nowMs + (settings.persistInterval === 0 ? SAVE_RETRY_MS : settings.persistInterval);
		this.#timeouts.scheduleBy(this.#saveAt);
	}

	/** An exception that got out to the host would end the firmware. */
	private reportInternalError(error: unknown): void {
		this.#core.counters.internalErrors++;
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
