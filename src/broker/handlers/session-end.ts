import { QUOTA_EXCEEDED, SUCCESS } from "../../mqtt/constants";
import { CLOSING } from "../../session/broker-phase";
import type { Core } from "../core/core";
import type { PacketWriter } from "../delivery/packet-writer";
import type { Router } from "../delivery/router";
import { NEVER_SECONDS } from "../pool/clock";
import { type Connection, LOST } from "../session/connection";
import { DRAIN_MS } from "../session/packet-reader";
import { suspend } from "../session/queue-suspension";
import { EndReport } from "./end-report";

/**
 * Ends connections and sessions: sends DISCONNECT to MQTT 5.0 clients, publishes wills that are due, and
 * releases everything that is not persistent.
 */
export class SessionEnd {
	readonly #core: Core;
	readonly #packetWriter: PacketWriter;
	readonly #router: Router;
	readonly #endReport: EndReport;

	constructor(core: Core, packetWriter: PacketWriter, router: Router) {
		this.#core = core;
		this.#packetWriter = packetWriter;
		this.#router = router;
		this.#endReport = new EndReport(core);
	}

	/** Ends all connections in phase CLOSING, including those that fail in the meantime. */
	endClosing(): void {
		const core = this.#core;
		const { connections } = core;
		while (core.closingCount > 0) {
			for (let i = 1; i < connections.length; i++) {
				const connection = connections[i]!;
				if (connection.phase === CLOSING) this.endConnection(connection);
			}
		}
	}

	/**
	 * Ends one connection in phase CLOSING, and its session unless it is persistent. The steps are not nested,
	 * as the last one may use much of the stack.
	 */
	endConnection(connection: Connection): void {
		const { session } = connection;
		this.disconnect(connection);
		if (session === 0) return;
		if (!this.#core.sessions.persistent(session)) this.endSession(session);
		else if (this.suspend(session)) this.publishWill(session);
	}

	/** Sends DISCONNECT, closes the connection and detaches its session. */
	private disconnect(connection: Connection): void {
		const core = this.#core;
		const { session, closeReason, retainedSubscription } = connection;
		core.closingCount--;
		if (closeReason >= 0x80) this.#endReport.report(session, connection.version, closeReason);
		// [MQTT-3.14.0-1]
		if (session !== 0 && connection.version === 5 && closeReason >= 0x80)
			this.#packetWriter.disconnect(connection, closeReason);
		this.closeSocket(connection, closeReason);
		if (session === 0) return;
		core.aliases.clear(connection.index); // [MQTT-3.3.2-7]
		core.openCount--; // [MQTT-3.14.4-2]
		core.sessions.setConnection(session, 0);
		// [MQTT-4.1.0-1] [MQTT-4.1.0-2]
		if (retainedSubscription !== 0 && core.sessions.persistent(session))
			core.subscriptions.requestRetained(retainedSubscription);
	}

	/**
	 * Closes a connection so that what was written to it arrives: at once if the host's sockets see to that or
	 * nothing can arrive, otherwise after its input is drained.
	 */
	private closeSocket(connection: Connection, closeReason: number): void {
		const { host, clock, reader } = this.#core;
		if (host.lingeringClose === true || closeReason === LOST) {
			connection.close();
			return;
		}
		connection.lastReceivedAt = clock.nowMs;
		connection.keepAliveTimeoutMs = DRAIN_MS;
		// After DISCONNECT the peer sends nothing and waits for the end [MQTT-3.14.4-1] [MQTT-3.14.4-2]
		reader.drain(connection, closeReason !== SUCCESS);
	}

	/** Suspends a persistent session. @returns whether its will must be published now */
	private suspend(session: number): boolean {
		const { sessions, queues, clock, counters } = this.#core;
		const lost = suspend(queues, session);
		queues.addLost(session, lost);
		counters.droppedQueue += lost;
		// [MQTT-4.1.0-1] [MQTT-4.1.0-2] [MQTT-4.8.2-4] [MQTT-3.1.1:4.1.0-1]
		sessions.setAbsentSince(session, Math.floor(clock.nowMs / 1000));
		sessions.setEndsAt(session, clock.deadlineSeconds(sessions.expirySeconds(session))); // [MQTT-3.1.2-23]
		if (sessions.will(session) === 0) return false; // [MQTT-3.1.1:3.1.2-12]
		const delay = sessions.willDelaySeconds(session);
		if (delay !== 0) sessions.setWillAt(session, Math.min(clock.deadlineSeconds(delay), NEVER_SECONDS - 1));
		return delay === 0;
	}

	/** Ends a session whose client is not connected. */
	endSession(session: number): void {
		const { sessions, subscriptions, queues } = this.#core;
		try {
			subscriptions.removeAll(session);
			this.#router.redistribute(session);
			if (sessions.will(session) !== 0) this.publishWill(session); // [MQTT-3.1.3-9]
		} finally {
			// also after a failure: nothing else would end a session that is not persistent
			queues.clear(session);
			queues.forgetEndedShares(subscriptions.tree);
			sessions.remove(session); // [MQTT-3.1.1:3.1.2-7]
		}
	}

	/**
	 * Publishes due wills and ends expired sessions.
	 * @returns when the next one is due, s of the broker's clock; NEVER_SECONDS if none is
	 */
	checkDue(): number {
		const { sessions, clock } = this.#core;
		const nowSeconds = clock.nowMs / 1000;
		let nextSeconds = NEVER_SECONDS;
		for (let session = 1; session <= sessions.capacity; session++) {
			if (!sessions.inUse(session) || sessions.connection(session) !== 0) continue;
			if (sessions.endsAtSeconds(session) <= nowSeconds) {
				this.endSession(session);
				continue;
			}
			if (sessions.willAtSeconds(session) <= nowSeconds) this.publishWill(session); // [MQTT-3.1.3-9]
			nextSeconds = Math.min(nextSeconds, sessions.endsAtSeconds(session), sessions.willAtSeconds(session));
		}
		return nextSeconds;
	}

	/**
	 * Publishes and deletes the will of a client that disconnected without a DISCONNECT of reason code 0
	 * [MQTT-3.1.2-8] [MQTT-3.1.2-10].
	 */
	private publishWill(session: number): void {
		const { sessions, authorizer, counters, clock, will } = this.#core;
		sessions.wills.readInto(sessions.will(session), will);
		will.arrivedAtMs = clock.nowMs;
		try {
			if (authorizer.mayPublish(session, will.bytes, will.topicStart, will.topicEnd)) {
				counters.willsPublished++;
				if (this.#router.publish(will, session) === QUOTA_EXCEEDED) this.publishUnstored(session);
			} else counters.publishesDenied++;
		} finally {
			// also after a failure, which would otherwise repeat forever
			sessions.dropWill(session);
		}
	}

	/**
	 * Publishes a retained will whose value finds no place, without storing it. The value that it would have
	 * replaced is dropped, as for a QoS 0 message: a will is not repeated, and the older value may say the
	 * contrary.
	 */
	private publishUnstored(session: number): void {
		const { counters, store, will } = this.#core;
		counters.publishesOverQuota++;
		if (will.qos === 0) return;
		const replaced = store.get(will.bytes, will.topicStart, will.topicEnd);
		if (replaced !== 0) store.drop(replaced);
		will.retain = false;
		this.#router.publish(will, session);
	}
}
