import { QUOTA_EXCEEDED, SUCCESS } from "../mqtt/constants";
import { NEVER } from "./clock";
import { CLOSING, type Connection } from "./connection";
import type { Core } from "./core";
import type { Router } from "./router";
import type { Sender } from "./sender";

/** Ends connections and sessions: DISCONNECT where the client understands it, the will where it is due, everything given back that does not last. */
export class Farewell {
	readonly #core: Core;
	readonly #sender: Sender;
	readonly #router: Router;

	constructor(core: Core, sender: Sender, router: Router) {
		this.#core = core;
		this.#sender = sender;
		this.#router = router;
	}

	/** Ends all connections that are to be closed, also those that fail meanwhile. */
	settle(): void {
		const core = this.#core;
		const { connections } = core;
		while (core.closing > 0) {
			for (let i = 1; i < connections.length; i++) {
				const connection = connections[i]!;
				if (connection.state === CLOSING) this.end(connection);
			}
		}
	}

	/** Ends one connection in state CLOSING, and its session unless that lasts. Its steps follow one another, as the last one may take much of the stack. */
	end(connection: Connection): void {
		const { session } = connection;
		this.part(connection);
		if (session === 0) return;
		if (!this.#core.sessions.lasting(session)) this.finish(session);
		else if (this.suspend(session)) this.publishWill(session);
	}

	/** Tells a client that it is over, and parts its session from it. */
	private part(connection: Connection): void {
		const core = this.#core;
		const { session, reason, filling } = connection;
		core.closing--;
		if (session !== 0 && connection.version === 5 && reason !== SUCCESS) this.#sender.disconnect(connection, reason); // [MQTT-3.14.0-1]
		connection.close();
		if (session === 0) return;
		core.aliases.clear(connection.index); // [MQTT-3.3.2-7]
		core.open--; // [MQTT-3.14.4-2]
		core.sessions.setConnection(session, 0);
		if (filling !== 0 && core.sessions.lasting(session)) core.subscriptions.wantFill(filling); // [MQTT-4.1.0-1] [MQTT-4.1.0-2]
	}

	/** A session goes on without its client. @returns whether its will is to be published now */
	private suspend(session: number): boolean {
		const { sessions, queues, clock } = this.#core;
		queues.suspend(session); // [MQTT-4.1.0-1] [MQTT-4.1.0-2] [MQTT-4.8.2-4] [MQTT-3.1.1:4.1.0-1]
		sessions.setEndsAt(session, clock.after(sessions.expiry(session))); // [MQTT-3.1.2-23]
		if (sessions.will(session) === 0) return false; // [MQTT-3.1.1:3.1.2-12]
		const delay = sessions.willDelay(session);
		if (delay !== 0) sessions.setWillAt(session, Math.min(clock.after(delay), NEVER - 1));
		return delay === 0;
	}

	/** Ends a session whose client is not connected. */
	finish(session: number): void {
		const { sessions, subscriptions, queues } = this.#core;
		subscriptions.removeAll(session);
		this.#router.rescue(session);
		queues.clear(session);
		if (sessions.will(session) !== 0) this.publishWill(session); // [MQTT-3.1.3-9]
		sessions.remove(session); // [MQTT-3.1.1:3.1.2-7]
	}

	/** Publishes the wills that are due, and ends the sessions whose time is over. @returns when the next one is due, s of the broker's clock */
	check(): number {
		const { sessions, clock } = this.#core;
		const now = clock.now / 1000;
		let next = NEVER;
		for (let session = 1; session <= sessions.last; session++) {
			if (!sessions.used(session) || sessions.connection(session) !== 0) continue;
			if (sessions.endsAt(session) <= now) {
				this.finish(session);
				continue;
			}
			if (sessions.willAt(session) <= now) this.publishWill(session); // [MQTT-3.1.3-9]
			next = Math.min(next, sessions.endsAt(session), sessions.willAt(session));
		}
		return next;
	}

	/** Publishes the will of a client that went without a DISCONNECT of reason code 0, and forgets it [MQTT-3.1.2-8] [MQTT-3.1.2-10]. */
	private publishWill(session: number): void {
		const { sessions, authority, counters, clock, will } = this.#core;
		sessions.wills.read(sessions.will(session), will);
		will.arrived = clock.now;
		try {
			if (authority.publish(session, will.bytes, will.topicStart, will.topicEnd)) {
				counters.wills++;
				if (this.#router.publish(will, session) === QUOTA_EXCEEDED) counters.quota++;
			} else counters.denied++;
		} finally {
			// also one that failed: it would fail again and again
			sessions.dropWill(session);
		}
	}
}
