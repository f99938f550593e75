import { isFailure, SUCCESS } from "../../mqtt/constants";
import { CLOSING } from "../../session/broker-phase";
import type { Core } from "../core/core";
import type { PacketWriter } from "../delivery/packet-writer";
import type { Router } from "../delivery/router";
import { NEVER_SECONDS } from "../pool/clock";
import { type CloseReason, type Connection, LOST } from "../session/connection";
import { DRAIN_MS } from "../session/packet-reader";
import { suspend } from "../session/queue-suspension";
import { EndReport } from "./end-report";
import { beginWillDelay, publishWill } from "./wills";

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
		else if (this.suspend(session)) publishWill(this.#core, this.#router, session);
	}

	/** Sends DISCONNECT, closes the connection and detaches its session. */
	private disconnect(connection: Connection): void {
		const core = this.#core;
		const { session, closeReason, retainedSubscription } = connection;
		core.closingCount--;
		if (isFailure(closeReason)) {
			this.#endReport.report(session, connection.version, closeReason);
			// [MQTT-3.14.0-1]
			if (session !== 0 && connection.version === 5) this.#packetWriter.disconnect(connection, closeReason);
		}
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
	private closeSocket(connection: Connection, closeReason: CloseReason): void {
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
		return beginWillDelay(this.#core, session);
	}

	/** Ends a session whose client is not connected. */
	endSession(session: number): void {
		const { sessions, subscriptions, queues } = this.#core;
		try {
			subscriptions.removeAll(session);
			this.#router.redistribute(session);
			if (sessions.will(session) !== 0) publishWill(this.#core, this.#router, session); // [MQTT-3.1.3-9]
		} finally {
			// also after a failure: nothing else would end a session that is not persistent
			queues.clear(session);
			queues.forgetEndedShares(subscriptions.tree);
			sessions.remove(session); // [MQTT-3.1.1:3.1.2-7]
		}
	}

	/**
	 * Publishes due wills and ends expired sessions, as far as the budget of the turn allows.
	 * @returns when the next one is due, s of the broker's clock: 0 if one waits for the next turn,
	 *   NEVER_SECONDS if none is
	 */
	checkDue(): number {
		const { sessions, clock, reader } = this.#core;
		const nowSeconds = clock.nowMs / 1000;
		let nextSeconds = NEVER_SECONDS;
		for (let session = 1; session <= sessions.capacity; session++) {
			if (!sessions.inUse(session) || sessions.connection(session) !== 0) continue;
			const endsNow = sessions.endsAtSeconds(session) <= nowSeconds;
			if (endsNow || sessions.willAtSeconds(session) <= nowSeconds) {
				if (reader.packetsLeft <= 0) return 0;
				reader.packetsLeft--;
			}
			if (endsNow) {
				this.endSession(session);
				continue;
			}
			// [MQTT-3.1.3-9]
			if (sessions.willAtSeconds(session) <= nowSeconds) publishWill(this.#core, this.#router, session);
			nextSeconds = Math.min(nextSeconds, sessions.endsAtSeconds(session), sessions.willAtSeconds(session));
		}
		return nextSeconds;
	}
}
