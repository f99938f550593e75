import type { Core } from "../broker/core/core";
import { isPacketIdInUse } from "../broker/session/acknowledgement";
import type { Client } from "../client/client";
import { BUSY, REJECTED } from "../client/outbound";
import { NO_LOCAL, RETAIN_AS_PUBLISHED } from "../mqtt/constants";
import type { TopicRoute } from "./topic-routes";

/** Retained messages are sent only to a new subscription. */
const RETAIN_IF_NEW = 0x10;

/** The bridge's subscriptions at the other broker, sent one by one. */
export class UpstreamSubscriptions {
	readonly #routes: readonly TopicRoute[];
	/** Of each, beside its QoS; in MQTT 3.1.1 they are not sent. */
	#options: number;
	readonly #version: 4 | 5;
	/** Those that have to wait for a broker that knows bridges, as bits by their index. */
	readonly #returning: number;
	/** Those that are left out on this connection. */
	#leftOut = 0;
	/** Index of the next one; as many as there are: all were sent. */
	#next: number;
	#pending = false;
	/** Whether all were granted since the start: one that was refused is tried again on the next connection. */
	#known = false;
	#granted = true;

	/** @param returning routes over MQTT 3.1.1 by which what goes out comes back, as returningRoutes() */
	constructor(routes: readonly TopicRoute[], version: 4 | 5, returning: number) {
		this.#routes = routes;
		this.#version = version;
		this.#returning = version === 4 ? returning : 0;
		this.#options = NO_LOCAL | RETAIN_AS_PUBLISHED;
		this.#next = routes.length;
	}

	/**
	 * Call before the first connection.
	 * @param isKept whether this broker still has the retained messages of its last run: if not, it gets them
	 *   once more, though the subscriptions are not new
	 */
	start(isKept: boolean): void {
		this.#known = false;
		this.#options = isKept ? this.#options | RETAIN_IF_NEW : this.#options & ~RETAIN_IF_NEW;
	}

	/**
	 * Whether stored values are left out that the other broker sends in this session: a broker of MQTT 3.1.1
	 * sends them with every SUBSCRIBE, and cannot be told that they are known. From one that knows bridges, new
	 * ones have RETAIN as well.
	 */
	leavesOutStored(sessionPresent: boolean, knowsBridges: boolean): boolean {
		return this.#version === 4 && sessionPresent && !knowsBridges && (this.#options & RETAIN_IF_NEW) !== 0;
	}

	/**
	 * Begins on a new connection. In a session that surely has them they are not repeated.
	 * @returns whether some are left out, as what goes out would come back by them
	 */
	begin(client: Client, knowsBridges: boolean): boolean {
		const leftOut = knowsBridges ? 0 : this.#returning;
		if (this.#leftOut !== leftOut) this.#known = false;
		this.#leftOut = leftOut;
		this.#pending = false;
		this.resume(client);
		return leftOut !== 0;
	}

	private resume(client: Client): void {
		if (this.#known && client.isSubscribed) return;
		this.#known = false;
		this.#granted = true;
		this.#next = 0;
	}

	/**
	 * Sends the next one, unless another is not answered yet.
	 * @returns false: the other broker has no wildcards, or takes no packet as large as one of them
	 */
	send(client: Client, { queues, settings }: Core, session: number): boolean {
		let allowed = true;
		while (!this.#pending && this.#next < this.#routes.length) {
			if ((this.#leftOut & (1 << this.#next)) !== 0) {
				this.advance();
				continue;
			}
			// An identifier that no message of the session has, and none will have soon [MQTT-2.2.1-3]
			let packetId = 0xffff;
			for (let i = 0; i <= settings.inFlight && isPacketIdInUse(queues, session, packetId); i++) packetId--;
			const { filter, qos } = this.#routes[this.#next];
			const result = client.subscribe(
				[{ filter, options: this.#version === 4 ? qos : this.#options | qos }],
				undefined,
				packetId,
			);
			if (result === BUSY) break;
			if (result === REJECTED) {
				allowed = false;
				this.onSubscribed(false);
			} else this.#pending = true;
		}
		return allowed;
	}

	onSubscribed(granted: boolean): void {
		this.#pending = false;
		if (!granted) this.#granted = false;
		this.advance();
	}

	private advance(): void {
		this.#next++;
		if (this.#next < this.#routes.length) return;
		this.#known = this.#granted;
		this.#options |= RETAIN_IF_NEW;
	}
}
