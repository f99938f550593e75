import { QUOTA_EXCEEDED, SUCCESS } from "../mqtt/constants";
import { CLOSING, type Connection } from "./connection";
import type { Core } from "./core";
import type { Router } from "./router";
import type { Sender } from "./sender";

/** Ends connections, and with each its session: DISCONNECT where the client understands it, the will where it is due, everything given back. */
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

	/** Ends one connection in state CLOSING. */
	end(connection: Connection): void {
		const core = this.#core;
		const { sessions, subscriptions, queues } = core;
		const session = connection.session;
		core.closing--;
		if (session === 0) {
			connection.close();
			return;
		}
		const reason = connection.reason;
		if (connection.version === 5 && reason !== SUCCESS && connection.room >= 4) {
			this.#sender.to(connection).disconnect(reason); // [MQTT-3.14.0-1]
			this.#sender.flush(connection);
		}
		connection.close();
		core.open--;
		sessions.connection[session] = 0;
		queues.clear(session);
		subscriptions.removeAll(session);
		this.#publishWill(session);
		sessions.remove(session);
	}

	/** The will of a session that ends without DISCONNECT [MQTT-3.1.2-8] [MQTT-3.1.3-9]. As sessions end with their connections, a will delay ends too. */
	#publishWill(session: number): void {
		const { sessions, authority, counters, clock, will } = this.#core;
		const record = sessions.will[session];
		if (record === 0) return;
		sessions.wills.read(record, will);
		will.arrived = clock.now;
		if (!authority.publish(session, will.bytes, will.topicStart, will.topicEnd)) {
			counters.denied++;
			return;
		}
		counters.wills++;
		if (this.#router.publish(will, session) === QUOTA_EXCEEDED) counters.quota++;
	}
}
