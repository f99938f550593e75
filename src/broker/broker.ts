import type { ListenSettings } from "../config/settings";
import {
	type FailureCode,
	IMPLEMENTATION_SPECIFIC_ERROR,
	QUOTA_EXCEEDED,
	SERVER_SHUTTING_DOWN,
	SUBSCRIBE,
} from "../mqtt/constants";
import { AUTHENTICATING, CONNECTED, DRAINING } from "../session/broker-phase";
import type { AuthResult } from "./access/authorizer";
import type { AcceptLocal, BridgePart } from "./core/bridge-part";
import { Core } from "./core/core";
import type { Persistence } from "./core/persistence";
import { PacketWriter } from "./delivery/packet-writer";
import { resumeRetained } from "./delivery/retained-fill";
import { Router } from "./delivery/router";
import { SysTopics } from "./delivery/sys-topics";
import { ROOM } from "./handlers/admission";
import { ConnectHandler } from "./handlers/connect-handler";
import { Dispatcher } from "./handlers/dispatcher";
import { PublishHandler } from "./handlers/publish-handler";
import { SessionEnd } from "./handlers/session-end";
import { SubscribeHandler } from "./handlers/subscribe-handler";
import {
	type ClientCallback,
	forEachClient,
	forEachValue,
	type Usage,
	usageOf,
	type ValueCallback,
} from "./inspection";
import { Listeners } from "./listeners";
import { BrokerPersistence } from "./persist/broker-persistence";
import type { BrokerCounters } from "./pool/counters";
import type { Host } from "./pool/host";
import { ReadTurns } from "./read-turns";
import {
	type Connection,
	type ConnectionOwner,
	LOST,
	RETAINED_PENDING,
	TOLD,
	WEB_SOCKET_LISTENER,
} from "./session/connection";
import type { PacketHandler } from "./session/packet-reader";
import { Timeouts } from "./timeouts";
import { resumeWaiting } from "./waiting-logins";
import { WebServer } from "./web/web-server";

/** The listener that is opened first; WEB_SOCKET_LISTENER is the second. */
const MQTT_LISTENER = 0;

/** Delay before a failed save is retried when `persistInterval` is 0, ms. */
const SAVE_RETRY_MS = 1000;

const SUBSCRIBE_FIRST_BYTE = (SUBSCRIBE << 4) | 2;

/** Connection limit of the MQTT port: it may use the whole pool. */
const UNLIMITED = 0xffff;

/**
 * An MQTT broker for 3.1.1 and 5.0 clients on one port, and over WebSocket on a second port if configured.
 * All pools are allocated by the constructor, each connection when it is first needed; routing a message
 * allocates nothing. Exhausted pools are counted in {@link counters} and reported to the client as far as the
 * protocol allows.
 */
export class Broker implements ConnectionOwner, PacketHandler {
	readonly #core: Core;
	readonly #sessionEnd: SessionEnd;
	readonly #router: Router;
	readonly #sysTopics: SysTopics;
	readonly #dispatcher: Dispatcher;
	readonly #timeouts: Timeouts;
	readonly #listeners: Listeners;
	readonly #turns: ReadTurns;
	readonly #web: WebServer | undefined;
	#started = false;
	/** Index of the connection authenticated last. */
	#lastAuthenticated = 0;
	/**
	 * Time of the next `$SYS` publication, ms of the broker's clock; infinite while nobody subscribes to them.
	 */
	#reportAt = Number.POSITIVE_INFINITY;
	/** Time of the next save, ms of the broker's clock; infinite while nothing changes. */
	#saveAt = Number.POSITIVE_INFINITY;

	/** @param name shown on the web pages */
	constructor(host: Host, settings: ListenSettings, name = "Firefly") {
		const core = new Core(host, settings);
		const packetWriter = new PacketWriter(core);
		const sysTopics = new SysTopics(core);
		const router = new Router(core, packetWriter, sysTopics);
		const sessionEnd = new SessionEnd(core, packetWriter, router);
		const connectHandler = new ConnectHandler(core, packetWriter);
		core.reader.handler = this;
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
		this.#turns = new ReadTurns(core);
		this.#listeners = new Listeners(core, this, this.#timeouts);
		if (settings.webSocket !== undefined) this.#web = new WebServer(core, name);
		core.memory.tables.close();
		core.authorizer.onAuthResult = (index, result) => {
			this.beginCallback();
			try {
				if (index < 0) this.#web!.pages.authResult(index, result as AuthResult);
				else if (index > 0) this.onAuthResult(index, result as AuthResult);
				this.resumeWaiting(index);
			} catch (error) {
				this.reportInternalError(error);
			}
			this.endCallback();
		};
	}

	/** Adds the bridge that is configured. Call before start(). */
	attachBridge(create: (core: Core, accept: AcceptLocal) => BridgePart): void {
		const listeners = this.#listeners;
		this.#core.bridge = create(this.#core, (tcp, io) => listeners.acceptLocal(tcp, io));
		this.#sysTopics.includeBridge();
	}

	/** Counters of events and errors. */
	get counters(): BrokerCounters {
		return this.#core.counters;
	}

	/** The MQTT port in use; 0 before start(). */
	get port(): number {
		return this.#listeners.port(MQTT_LISTENER);
	}

	/** The port for WebSocket and the status page; 0 before start() or if none is configured. */
	get webSocketPort(): number {
		return this.#listeners.port(WEB_SOCKET_LISTENER);
	}

	/**
	 * Restores the stored state and opens the ports.
	 * @throws {Error} if the host has no listener, or no TLS or storage although the settings require it, or if
	 *   a port is already in use
	 */
	start(): void {
		if (this.#started) return;
		const core = this.#core;
		const { host, settings } = core;
		if (settings.tls !== undefined) throw new Error("this host has no TLS, which listen.tls asks for");
		if (settings.persist && core.persistence === undefined) this.restore();
		this.onTimer(); // after a restart or stop(), wills and the ends of sessions can be due
		const listeners = this.#listeners;
		listeners.listen(settings.port, host.tcp.io, UNLIMITED);
		this.#started = true;
		try {
			// One more, by which strangers come to their CONNECT, and whoever to the page
			if (this.#web !== undefined)
				listeners.listen(settings.webSocket!, this.#web.io, settings.webSockets + 1);
			core.bridge?.start();
		} catch (error) {
			this.stop();
			throw error;
		}
	}

	/** Closes the ports and all connections, then saves changed state. */
	stop(): void {
		this.#core.bridge?.stop();
		this.beginCallback();
		this.#listeners.close();
		this.#started = false;
		const { connections } = this.#core;
		for (let i = 1; i < connections.length; i++) this.#core.close(connections[i]!, SERVER_SHUTTING_DOWN);
		this.endCallback();
		for (let i = 1; i < connections.length; i++)
			if (connections[i]!.phase === DRAINING) connections[i]!.close();
		this.#core.persistence?.save();
		this.#reportAt = Number.POSITIVE_INFINITY;
		this.#saveAt = Number.POSITIVE_INFINITY;
		this.#timeouts.close();
		this.#turns.close();
	}

	/** Calls `callback` with the current value of every topic. The callback must not change the broker. */
	forEachValue(callback: ValueCallback): void {
		forEachValue(this.#core, callback);
	}

	/** Calls `callback` with each connected client. The callback must not change the broker. */
	forEachClient(callback: ClientCallback): void {
		forEachClient(this.#core, callback);
	}

	/** Pool usage, for a host that displays or checks it. */
	get usage(): Usage {
		return usageOf(this.#core);
	}

	// ConnectionOwner

	onReadable(connection: Connection, bytes: number): void {
		this.#core.clock.tick();
		connection.available = bytes;
		this.#core.reader.readPackets(connection);
		this.endCallback();
	}

	onWritable(connection: Connection, bytes: number): void {
		const { reader } = this.#core;
		this.beginCallback();
		connection.room = bytes;
		reader.readPackets(connection);
		try {
			if (connection.phase === CONNECTED) this.#router.pump(connection);
		} catch (error) {
			this.onInternalError(connection, error);
		}
		if (connection.tcp?.turnEnded === true) reader.endTurn(connection);
		if (connection.needsProbe) this.onUnread();
		this.endCallback();
	}

	onError(connection: Connection): void {
		this.beginCallback();
		if (connection.phase === DRAINING) connection.close();
		else this.onLost(connection, connection.tcp?.drains === true);
		this.endCallback();
	}

	onLost(connection: Connection, drains: boolean): void {
		// A view that was not written may have shortened the buffer, and what follows may allocate
		this.#core.memory.reopenSendArea();
		if (connection.phase === CONNECTED) this.#core.counters.connectionsLost++;
		this.#core.close(connection, drains ? TOLD : LOST);
	}

	beginCallback(): void {
		this.#core.clock.tick();
	}

	endCallback(): void {
		const core = this.#core;
		try {
			let ends = core.closingCount > 0;
			if (ends) this.#sessionEnd.endClosing();
			while (ends || core.closingCount > 0) {
				this.#sessionEnd.endClosing();
				// a closed connection can make its session end or its will due, or drain; a check can close others
				this.#timeouts.check(Math.min(this.#reportAt, this.#saveAt));
				ends = false;
			}
			if (core.retainedPaused !== 0) this.#timeouts.scheduleBy(core.clock.nowMs);
			if (core.persistence !== undefined) this.save(core.persistence);
			if (
				core.subscriptions.sysCount > 0 &&
				this.#reportAt === Number.POSITIVE_INFINITY &&
				this.#sysTopics.periodicCount > 0
			) {
				this.#reportAt = core.clock.nowMs + core.settings.systemInterval;
				this.#timeouts.scheduleBy(this.#reportAt);
			}
			if (this.#listeners.hasBacklog) this.#listeners.accept();
		} catch (error) {
			this.reportInternalError(error);
		}
	}

	// PacketHandler

	mustWait(connection: Connection): boolean {
		return this.#core.authorizer.mustWait(connection.network);
	}

	onPacket(connection: Connection, length: number): void {
		const timeoutBefore = connection.keepAliveTimeoutMs;
		const dispatcher = this.#dispatcher;
		let more = dispatcher.decode(connection, length);
		if (more && connection.firstByte === SUBSCRIBE_FIRST_BYTE) this.makeRoom(connection);
		if (more) more = dispatcher.handle(connection, length);
		if (dispatcher.connectReady) {
			this.makeRoom(connection);
			if (dispatcher.endOldSession(this.#sessionEnd)) this.#timeouts.checkSoon();
			more = dispatcher.answerConnect(connection);
		}
		if (more) this.#router.pump(connection);
		if (connection.keepAliveTimeoutMs !== timeoutBefore) this.#timeouts.watch(connection);
	}

	onProtocolError(connection: Connection, reasonCode: FailureCode): void {
		this.#core.counters.peerFaults++;
		this.#core.close(connection, reasonCode);
	}

	onTurnEnded(): void {
		this.#turns.schedule();
	}

	onUnread(): void {
		this.#timeouts.checkSoon();
	}

	onInternalError(connection: Connection, error: unknown): void {
		this.reportInternalError(error);
		// [MQTT-3.1.1:4.8.0-2]
		this.#core.close(connection, IMPLEMENTATION_SPECIFIC_ERROR);
	}

	/**
	 * Makes room for the client of a CONNECT, or for the filters of a SUBSCRIBE. What the sessions that give
	 * way leave to a subscriber waits until its SUBACK has left: it could use up the room for that.
	 */
	private makeRoom(connection: Connection): void {
		const core = this.#core;
		const { room } = connection;
		connection.room = 0;
		let begun = false;
		for (;;) {
			if (core.closingCount > 0) {
				// Their places and sessions are free already, but for these steps
				this.#sessionEnd.endClosing();
				this.#timeouts.scheduleBy(core.clock.nowMs);
			}
			const session = this.#dispatcher.nextToGiveWay(connection, begun);
			if (session === ROOM) break;
			begun = true;
			const other = core.connectionOf(session);
			if (other === undefined) {
				core.counters.sessionsEvicted++;
				this.#sessionEnd.endSession(session);
			} else {
				core.counters.connectionsEvicted++;
				core.close(other, QUOTA_EXCEEDED);
				this.#sessionEnd.endConnection(other);
				this.#timeouts.scheduleBy(core.clock.nowMs); // its session may expire, or its will become due
			}
		}
		connection.room = room;
		if (begun) connection.clientFlags |= RETAINED_PENDING; // the router goes on after the answer
	}

	/** Answers the CONNECT whose authentication has finished. */
	private onAuthResult(index: number, result: AuthResult): void {
		const { connections } = this.#core;
		const connection = connections[index];
		if (connection?.phase !== AUTHENTICATING) {
			this.#dispatcher.discardPendingConnect();
			return;
		}
		try {
			this.#dispatcher.onAuthResult(connection, result);
			this.makeRoom(connection);
			if (this.#dispatcher.endOldSession(this.#sessionEnd)) this.#timeouts.checkSoon();
			if (this.#dispatcher.answerConnect(connection)) this.#router.pump(connection);
			this.#timeouts.watch(connection);
		} catch (error) {
			this.onInternalError(connection, error);
		}
		this.#core.reader.resume(connection);
	}

	/** @param index of the authenticated connection; negative for a web request; 0: none, a pause is over */
	private resumeWaiting(index: number): void {
		if (index > 0) this.#lastAuthenticated = index;
		resumeWaiting(this.#core, this.#web?.pages, index, this.#lastAuthenticated);
	}

	private onTimer(): void {
		this.beginCallback();
		try {
			const core = this.#core;
			const { clock, reader } = core;
			reader.beginTurn();
			if (core.retainedPaused !== 0) resumeRetained(core, this.#router);
			if (this.#reportAt <= clock.nowMs && this.#router.publishSysTopics())
				this.#reportAt = this.nextReportAt();
			if (this.#saveAt <= clock.nowMs) {
				this.#saveAt = Number.POSITIVE_INFINITY;
				core.persistence?.save();
			}
			// One time-out, will or session at least: stored values can use up the budget of any number of turns
			if (reader.packetsLeft <= 0) reader.packetsLeft = 1;
			this.#timeouts.check(Math.min(this.#reportAt, this.#saveAt));
		} catch (error) {
			this.reportInternalError(error);
		}
		this.endCallback();
	}

	/** When the `$SYS` update after the one that is complete now is due, as #reportAt. */
	private nextReportAt(): number {
		const { subscriptions, clock, settings } = this.#core;
		if (subscriptions.sysCount === 0) return Number.POSITIVE_INFINITY;
		const next = this.#reportAt + settings.systemInterval;
		return next > clock.nowMs ? next : clock.nowMs + settings.systemInterval;
	}

	/** Restores the stored state. The broker also starts if the storage cannot be read. */
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
	}

	/** Saves changed state, or schedules the save. */
	private save(persistence: Persistence): void {
		const { clock, settings } = this.#core;
		if (settings.persistInterval === 0 && persistence.changed && !persistence.failing) persistence.save();
		if (this.#saveAt !== Number.POSITIVE_INFINITY || !(persistence.changed || persistence.awaitingWallClock))
			return;
		this.#saveAt = clock.nowMs + (settings.persistInterval === 0 ? SAVE_RETRY_MS : settings.persistInterval);
		this.#timeouts.scheduleBy(this.#saveAt);
	}

	/** Counts and traces an exception. One that reached the host would end the firmware. */
	private reportInternalError(error: unknown): void {
		this.#core.counters.internalErrors++;
		this.#core.host.trace(`broker: ${error}`);
	}
}
