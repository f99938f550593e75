import type { QoS } from "../../mqtt/constants";
import { CONNECTED } from "../../session/broker-phase";
import type { Core } from "../core/core";
import { PUBLISH_OVERHEAD } from "../core/send-area";
import type { Message } from "../pool/message";
import { LAST_WORD_ROOM } from "../session/connection";
import { dropExpired } from "./queue-shares";

// Columns of a session: the number of the last message that matched, and the combined options of the
// subscriptions that matched it
const WIDTH = 4;
const MARK = 0;
const FLAGS = 1;
const IDENTIFIER = 2;
/** Number of matching subscriptions that have an identifier. */
const IDENTIFIER_COUNT = 3;

/** In FLAGS, beside the QoS. */
const AS_PUBLISHED = 4;

/** Selects the recipients of a message, and the QoS, flags and identifier of each copy. */
export class Recipients {
	readonly #core: Core;
	readonly #sums: Uint32Array;
	#mark = 0;

	constructor(core: Core) {
		this.#core = core;
		this.#sums = core.memory.tables.u32(WIDTH * (core.settings.sessions + 1));
	}

	/**
	 * Combines the options of each session's matching subscriptions, moves one subscription per copy to the
	 * front of `found`, and returns the number of copies.
	 *
	 * A session receives one copy with the highest QoS [MQTT-3.3.4-2] [MQTT-3.1.1:3.3.5-1]; if several of its
	 * subscriptions have an identifier, one copy per subscription, so that each copy carries its own
	 * [MQTT-3.3.4-5]. One member of a shared subscription receives a copy.
	 */
	gather(message: Message, publisher: number): number {
		const { subscriptions, authorizer } = this.#core;
		// [MQTT-3.3.2-3] [MQTT-4.5.0-1] [MQTT-3.1.1:3.3.2-3] [MQTT-3.1.1:4.5.0-1]
		const count = subscriptions.match(message.bytes, message.topicStart, message.topicEnd);
		const { found } = subscriptions;
		const sums = this.#sums;
		if (this.#mark > 0xffff_fff0) {
			sums.fill(0);
			this.#mark = 0;
		}
		const mark = ++this.#mark;
		let kept = 0;
		for (let i = 0; i < count; i++) {
			if (found[i] !== 0 && subscriptions.share(found[i]) !== 0) this.selectMember(i, count, message);
			const subscription = found[i];
			if (subscription === 0) continue;
			if (subscriptions.share(subscription) !== 0) {
				found[kept++] = subscription;
				continue;
			}
			const session = subscriptions.session(subscription);
			if (session === publisher && subscriptions.noLocal(subscription)) continue; // [MQTT-3.8.3-3]
			if (!authorizer.mayReceive(session, message.bytes, message.topicStart, message.topicEnd)) continue;
			const row = WIDTH * session;
			const qos = subscriptions.qos(subscription);
			const identifier = subscriptions.identifier(subscription);
			if (sums[row + MARK] !== mark) {
				sums[row + MARK] = mark;
				sums[row + FLAGS] = 0;
				sums[row + IDENTIFIER] = 0;
				sums[row + IDENTIFIER_COUNT] = 0;
			}
			if (qos > (sums[row + FLAGS] & 3)) sums[row + FLAGS] = (sums[row + FLAGS] & ~3) | qos;
			if (subscriptions.retainAsPublished(subscription)) sums[row + FLAGS] |= AS_PUBLISHED;
			if (identifier !== 0) {
				sums[row + IDENTIFIER] = identifier;
				sums[row + IDENTIFIER_COUNT]++;
			}
			found[kept++] = subscription;
		}
		const first = ++this.#mark;
		let copies = 0;
		for (let i = 0; i < kept; i++) {
			const subscription = found[i];
			if (subscriptions.share(subscription) !== 0) {
				found[copies++] = subscription;
				continue;
			}
			const row = WIDTH * subscriptions.session(subscription);
			// [MQTT-3.3.4-4]
			if (sums[row + IDENTIFIER_COUNT] > 1 || sums[row + MARK] !== first) found[copies++] = subscription;
			sums[row + MARK] = first;
		}
		return copies;
	}

	/**
	 * Selects one member of the shared subscription at `index` of `found`: among those with the highest rank()
	 * the next in turn. The selected member is stored at `index` and the others become 0; all become 0 if no
	 * member can receive the message.
	 */
	private selectMember(index: number, count: number, message: Message): void {
		const { subscriptions, counters } = this.#core;
		const { found } = subscriptions;
		const share = subscriptions.share(found[index]);
		const node = subscriptions.node(found[index]);
		let best = 0;
		let rank = 0;
		for (let i = index; i < count; i++) {
			const subscription = found[i];
			if (
				subscription === 0 ||
				subscriptions.share(subscription) !== share ||
				subscriptions.node(subscription) !== node
			)
				continue;
			found[i] = 0;
			const own = this.rank(subscription, message);
			if (own <= rank) continue;
			rank = own;
			best = subscription;
		}
		found[index] = best;
		if (best === 0) counters.droppedShared++;
		else subscriptions.moveToEnd(best);
	}

	/**
	 * How soon a subscription's session can receive a message: 3 at once, 2 after its queue, 1 after its client
	 * reconnects, 0 never.
	 */
	rank(subscription: number, message: Message): number {
		const { subscriptions, authorizer, sessions } = this.#core;
		const session = subscriptions.session(subscription);
		const granted = subscriptions.qos(subscription);
		const qos = granted < message.qos ? granted : message.qos;
		if (!authorizer.mayReceive(session, message.bytes, message.topicStart, message.topicEnd)) return 0;
		if (this.canSendNow(session, message, qos)) return 3;
		if (this.isQueueFull(session)) return 0;
		const connection = this.#core.connectionOf(session);
		if (connection !== undefined && connection.phase === CONNECTED) return 2;
		return qos !== 0 && sessions.persistent(session) ? 1 : 0;
	}

	/** Granted QoS of the copy for a subscription that gather() selected. */
	qos(subscription: number): QoS {
		const { subscriptions } = this.#core;
		// [MQTT-4.8.2-3]
		return this.hasOwnCopy(subscription)
			? subscriptions.qos(subscription)
			: ((this.#sums[WIDTH * subscriptions.session(subscription) + FLAGS] & 3) as QoS);
	}

	/** Whether the copy keeps the RETAIN flag. */
	retainAsPublished(subscription: number): boolean {
		const { subscriptions } = this.#core;
		if (this.hasOwnCopy(subscription)) return subscriptions.retainAsPublished(subscription);
		return (this.#sums[WIDTH * subscriptions.session(subscription) + FLAGS] & AS_PUBLISHED) !== 0;
	}

	/** The subscription identifier of the copy; 0 for none. */
	identifier(subscription: number): number {
		const { subscriptions } = this.#core;
		return this.hasOwnCopy(subscription)
			? subscriptions.identifier(subscription)
			: this.#sums[WIDTH * subscriptions.session(subscription) + IDENTIFIER];
	}

	/** Whether a message can be written to the socket at once. */
	canSendNow(session: number, message: Message, qos: QoS): boolean {
		const { queues } = this.#core;
		const connection = this.#core.connectionOf(session);
		// [MQTT-4.6.0-5] [MQTT-4.6.0-6] [MQTT-3.1.1:4.6.0-5] [MQTT-3.1.1:4.6.0-6]
		if (connection === undefined || connection.phase !== CONNECTED || queues.waiting(session) !== 0)
			return false;
		// [MQTT-3.3.4-9]
		if (qos !== 0 && queues.inFlight(session) >= connection.receiveMaximum) return false;
		return message.size + PUBLISH_OVERHEAD + LAST_WORD_ROOM <= connection.room;
	}

	/** Whether a session's queue is full, even after expired messages were dropped. */
	isQueueFull(session: number): boolean {
		const { queues } = this.#core;
		return queues.isFull(session) && (!dropExpired(this.#core) || queues.isFull(session));
	}

	/** Whether the copy belongs to this subscription alone. */
	private hasOwnCopy(subscription: number): boolean {
		const { subscriptions } = this.#core;
		return (
			subscriptions.share(subscription) !== 0 ||
			this.#sums[WIDTH * subscriptions.session(subscription) + IDENTIFIER_COUNT] > 1
		);
	}
}
