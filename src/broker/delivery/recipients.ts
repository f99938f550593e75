import { RETAIN_AS_PUBLISHED } from "../../mqtt/constants";
import type { Core } from "../core/core";
import type { Message } from "../pool/message";
import { selectMember } from "./shared-members";

// Columns of a session: the number of the last message that matched, and the combined options of the
// subscriptions that matched it
const WIDTH = 4;
const MARK = 0;
/** QoS, and RETAIN_AS_PUBLISHED. */
const OPTIONS = 1;
const IDENTIFIER = 2;
/** Number of matching subscriptions that have an identifier. */
const IDENTIFIER_COUNT = 3;

/** Selects the recipients of a message, and the options and the identifier of each copy. */
export class Recipients {
	readonly #core: Core;
	/** In the row of session 0, which is none: 1 in MARK if several subscriptions of a session match. */
	readonly #sums: Uint32Array;
	#mark = 0;

	constructor(core: Core) {
		this.#core = core;
		this.#sums = core.memory.tables.u32(WIDTH * (core.settings.sessions + 1));
	}

	/**
	 * Finds the matching subscriptions, as Subscriptions.match(). Most topics have one matching filter or two,
	 * which the topic's record in the store remembers.
	 * @param record of the message in the store; 0 if it has none
	 */
	match(message: Message, record: number): number {
		const core = this.#core;
		const subscriptions = core.subscriptions;
		const store = core.store;
		if (subscriptions.added) {
			store.forgetFilters();
			subscriptions.added = false;
		}
		const node = record === 0 ? -1 : store.firstFilter(record);
		if (node === 0) return 0;
		if (node > 0) return subscriptions.matchNodes(node, store.secondFilter(record));
		// [MQTT-3.3.2-3] [MQTT-4.5.0-1] [MQTT-3.1.1:3.3.2-3] [MQTT-3.1.1:4.5.0-1]
		const count = subscriptions.match(message.topicStart, message.topicEnd);
		if (record !== 0) this.remember(record, count);
		return count;
	}

	/** Remembers the filters of the first `count` of `found` with a record, unless they are more than two. */
	private remember(record: number, count: number): void {
		const { subscriptions, store } = this.#core;
		const { found } = subscriptions;
		// Those of one filter follow one another
		const first = count === 0 ? 0 : subscriptions.node(found[0]);
		const last = count === 0 ? 0 : subscriptions.node(found[count - 1]);
		for (let i = 0; i < count; i++) {
			const node = subscriptions.node(found[i]);
			if (node !== first && node !== last) return;
		}
		store.setFilters(record, first, first === last ? 0 : last);
	}

	/**
	 * Moves one subscription per copy to the front of `found`, and returns the number of copies.
	 *
	 * A session receives one copy with the highest QoS [MQTT-3.3.4-2] [MQTT-3.1.1:3.3.5-1]; if several of its
	 * subscriptions have an identifier, one copy per subscription, so that each copy carries its own
	 * [MQTT-3.3.4-5]. One member of a shared subscription receives a copy.
	 * @param count of matching subscriptions, what match() returned
	 */
	gather(message: Message, publisher: number, count: number): number {
		const core = this.#core;
		const subscriptions = core.subscriptions;
		const found = subscriptions.found;
		const sums = this.#sums;
		if (this.#mark > 0xffff_fff0) {
			sums.fill(0);
			this.#mark = 0;
		}
		const mark = ++this.#mark;
		let kept = 0;
		let overlaps = 0;
		for (let i = 0; i < count; i++) {
			if (found[i] === 0) continue;
			if (subscriptions.share(found[i]) !== 0) {
				selectMember(core, i, count, message);
				if (found[i] !== 0) found[kept++] = found[i];
				continue;
			}
			const subscription = found[i];
			const session = subscriptions.session(subscription);
			if (session === publisher && subscriptions.noLocal(subscription)) continue; // [MQTT-3.8.3-3]
			if (
				!core.authorizer.mayReceive(session, message.bytes, message.topicStart, message.topicEnd, publisher)
			)
				continue;
			if (sums[WIDTH * session] === mark) overlaps = 1;
			sums[WIDTH * session] = mark;
			found[kept++] = subscription;
		}
		sums[MARK] = overlaps;
		return overlaps === 0 ? kept : this.combine(kept);
	}

	/**
	 * Combines the options of each session's subscriptions among the first `count` of `found`.
	 * @returns the number of copies, see gather()
	 */
	private combine(count: number): number {
		const { subscriptions } = this.#core;
		const { found } = subscriptions;
		const sums = this.#sums;
		const mark = ++this.#mark;
		for (let i = 0; i < count; i++) {
			const subscription = found[i];
			if (subscriptions.share(subscription) !== 0) continue;
			const row = WIDTH * subscriptions.session(subscription);
			const qos = subscriptions.qos(subscription);
			const identifier = subscriptions.identifier(subscription);
			if (sums[row + MARK] !== mark) {
				sums[row + MARK] = mark;
				sums[row + OPTIONS] = 0;
				sums[row + IDENTIFIER] = 0;
				sums[row + IDENTIFIER_COUNT] = 0;
			}
			if (qos > (sums[row + OPTIONS] & 3)) sums[row + OPTIONS] = (sums[row + OPTIONS] & ~3) | qos;
			sums[row + OPTIONS] |= subscriptions.options(subscription, false) & RETAIN_AS_PUBLISHED;
			if (identifier !== 0) {
				sums[row + IDENTIFIER] = identifier;
				sums[row + IDENTIFIER_COUNT]++;
			}
		}
		const first = ++this.#mark;
		let copies = 0;
		for (let i = 0; i < count; i++) {
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

	/** Options of the copy for a subscription that gather() selected: granted QoS, and RETAIN_AS_PUBLISHED. */
	options(subscription: number): number {
		const subscriptions = this.#core.subscriptions;
		// [MQTT-4.8.2-3]
		return this.#sums[MARK] === 0 || this.hasOwnCopy(subscription)
			? subscriptions.options(subscription, false)
			: this.#sums[WIDTH * subscriptions.session(subscription) + OPTIONS];
	}

	/** The subscription identifier of the copy; 0 for none. */
	identifier(subscription: number): number {
		const subscriptions = this.#core.subscriptions;
		return this.#sums[MARK] === 0 || this.hasOwnCopy(subscription)
			? subscriptions.identifier(subscription)
			: this.#sums[WIDTH * subscriptions.session(subscription) + IDENTIFIER];
	}

	/** Whether the copy belongs to this subscription alone, where those of a session overlap. */
	private hasOwnCopy(subscription: number): boolean {
		const { subscriptions } = this.#core;
		return (
			subscriptions.share(subscription) !== 0 ||
			this.#sums[WIDTH * subscriptions.session(subscription) + IDENTIFIER_COUNT] > 1
		);
	}
}
