import type { QoS } from "../../mqtt/constants";
import type { Core } from "../core/core";
import type { Message } from "../pool/message";
import { selectMember } from "./shared-members";

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
		const count = subscriptions.match(message.topicStart, message.topicEnd);
		const { found } = subscriptions;
		const sums = this.#sums;
		if (this.#mark > 0xffff_fff0) {
			sums.fill(0);
			this.#mark = 0;
		}
		const mark = ++this.#mark;
		let kept = 0;
		for (let i = 0; i < count; i++) {
			if (found[i] !== 0 && subscriptions.share(found[i]) !== 0) selectMember(this.#core, i, count, message);
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

	/** Whether the copy belongs to this subscription alone. */
	private hasOwnCopy(subscription: number): boolean {
		const { subscriptions } = this.#core;
		return (
			subscriptions.share(subscription) !== 0 ||
			this.#sums[WIDTH * subscriptions.session(subscription) + IDENTIFIER_COUNT] > 1
		);
	}
}
