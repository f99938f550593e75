import { NO_LOCAL, type QoS, RETAIN_AS_PUBLISHED } from "../../mqtt/constants";
import type { DirtyFlags } from "../pool/dirty-flags";
import type { Memory } from "../pool/memory";
import { TopicTree } from "./topic-tree";

/** Option bit of a subscription: its stored values are still to be sent. */
const RETAINED_PENDING = 0x80;
/** Option bit of a subscription, passed to add(): its filter matches only the broker's own topics. */
export const SYS_FILTER = 0x40;

// Columns of a subscription
const WIDTH = 6;
const SESSION = 0;
const NODE = 1;
const OPTIONS = 2;
/** The next subscription with the same filter; links the unused ones too. */
const NEXT_OF_NODE = 3;
const NEXT_OF_SESSION = 4;
/** The node of `$share/name`; 0 if the subscription is not shared. */
const SHARE = 5;

/**
 * The subscriptions of all sessions, numbered from 1; 0 means none. Each is in two lists, that of its
 * filter's node and that of its session. The cost of a change grows with the length of these lists; the cost
 * of finding the subscriptions that match a message does not depend on their total number. Topics and filters
 * are ranges [start, end) of the broker's memory.
 */
export class Subscriptions {
	readonly tree: TopicTree;
	/** Results of match(): `found[0]` up to the number it returned. */
	readonly found: Uint16Array;
	/** Whether the last add() replaced a subscription of the same session and filter. */
	existed = false;
	/** Subscriptions in use, and those among them with SYS_FILTER. */
	count = 0;
	sysCount = 0;
	/**
	 * Whether a subscription was added: other filters may match a topic than before. One that ends leaves the
	 * node of its filter empty until another is added. For whoever keeps nodes, who sets it back.
	 */
	added = false;
	/** Marks changes, if subscriptions are to survive a restart. */
	dirtyFlags: DirtyFlags | undefined = undefined;
	/** The columns of each subscription. */
	readonly #rows: Uint16Array;
	readonly #identifiers: Uint32Array;
	readonly #firstOfNode: Uint16Array;
	/** By session: its first subscription, and the number of its subscriptions. */
	readonly #ofSession: Uint16Array;
	#unused: number;

	/**
	 * @param records number of subscriptions
	 * @param sessions number of sessions
	 * @param levels of all filters together
	 * @param bytes for the text of these levels
	 */
	constructor(memory: Memory, records: number, sessions: number, levels: number, bytes: number) {
		const { tables } = memory;
		this.tree = new TopicTree(memory, levels, bytes);
		this.#unused = records > 0 ? 1 : 0;
		this.found = tables.u16(records);
		this.#rows = tables.u16(WIDTH * records + WIDTH);
		this.#identifiers = tables.u32(records + 1);
		this.#firstOfNode = tables.u16(levels + 1);
		this.#ofSession = tables.u16(2 * sessions + 2);
		for (let i = 1; i < records; i++) this.#rows[WIDTH * i + NEXT_OF_NODE] = i + 1;
	}

	/** The session that has it; 0 for one that is not in use. */
	session(subscription: number): number {
		return this.#rows[WIDTH * subscription + SESSION];
	}

	/** The granted QoS. */
	qos(subscription: number): QoS {
		return (this.#rows[WIDTH * subscription + OPTIONS] & 3) as QoS;
	}

	noLocal(subscription: number): boolean {
		return (this.#rows[WIDTH * subscription + OPTIONS] & NO_LOCAL) !== 0;
	}

	retainAsPublished(subscription: number): boolean {
		return (this.#rows[WIDTH * subscription + OPTIONS] & RETAIN_AS_PUBLISHED) !== 0;
	}

	/**
	 * The options, as passed to add().
	 * @param retainedPending whether stored values are still to be sent
	 */
	options(subscription: number, retainedPending: boolean): number {
		return this.#rows[WIDTH * subscription + OPTIONS] | (retainedPending ? RETAINED_PENDING : 0);
	}

	/** The subscription identifier, 0 if none was given. */
	identifier(subscription: number): number {
		return this.#identifiers[subscription];
	}

	/** The node of its filter, without the share name. */
	node(subscription: number): number {
		return this.#rows[WIDTH * subscription + NODE];
	}

	/** The node of the share name (§4.8.2); 0 if the subscription is not shared. */
	share(subscription: number): number {
		return this.#rows[WIDTH * subscription + SHARE];
	}

	/** Whether its filter matches a topic name. */
	matches(subscription: number, start: number, end: number): boolean {
		return this.tree.matches(this.#rows[WIDTH * subscription + NODE], start, end);
	}

	/** Whether its filter matches only the broker's own topics. */
	isSys(subscription: number): boolean {
		return (this.#rows[WIDTH * subscription + OPTIONS] & SYS_FILTER) !== 0;
	}

	/** Marks its stored values as still to be sent. */
	requestRetained(subscription: number): void {
		this.#rows[WIDTH * subscription + OPTIONS] |= RETAINED_PENDING;
		this.dirtyFlags?.mark(subscription);
	}

	/**
	 * Returns the next subscription of a session whose stored values are still to be sent, and clears that
	 * mark; 0 if there is none.
	 * @param previous number after which the search begins if it is a subscription of the session, so that all
	 *   of them take one pass
	 */
	takeRetainedPending(session: number, previous: number): number {
		const rows = this.#rows;
		const first = this.#ofSession[2 * session];
		let wrapped = rows[WIDTH * previous + SESSION] !== session;
		let subscription = wrapped ? first : rows[WIDTH * previous + NEXT_OF_SESSION];
		for (;;) {
			if (subscription === 0) {
				if (wrapped) return 0;
				wrapped = true;
				subscription = first;
				continue;
			}
			if ((rows[WIDTH * subscription + OPTIONS] & RETAINED_PENDING) !== 0) break;
			subscription = rows[WIDTH * subscription + NEXT_OF_SESSION];
		}
		rows[WIDTH * subscription + OPTIONS] &= ~RETAINED_PENDING;
		return subscription;
	}

	/** Number of subscriptions of a session. */
	countOf(session: number): number {
		return this.#ofSession[2 * session + 1];
	}

	/** The first subscription of a session, then the next one of the same session; 0 after the last. */
	firstOf(session: number): number {
		return this.#ofSession[2 * session];
	}

	next(subscription: number): number {
		return this.#rows[WIDTH * subscription + NEXT_OF_SESSION];
	}

	/**
	 * Adds a subscription, or replaces the one with the same filter [MQTT-3.8.4-3] [MQTT-3.1.1:3.8.4-3].
	 * @param shared start of a shared subscription's filter, after the share name; 0 if it is not shared
	 * @param limit of subscriptions of the session; one that exists is replaced in any case
	 * @returns 0 if subscriptions, levels or bytes are used up, or the session has its maximum: then nothing
	 *   has changed
	 */
	add(
		session: number,
		start: number,
		end: number,
		shared: number,
		options: number,
		identifier: number,
		limit = 0xffff,
	): number {
		const known = this.find(session, start, end, shared);
		this.existed = known !== 0;
		if (known === 0 && this.countOf(session) >= limit) return 0;
		const subscription = known === 0 ? this.allocate(session, start, end, shared) : known;
		if (subscription === 0) return 0;
		if (known === 0 && (options & SYS_FILTER) !== 0) this.sysCount++;
		const at = WIDTH * subscription + OPTIONS;
		// Stored values that an earlier SUBSCRIBE has asked for are still to be sent
		this.#rows[at] = known === 0 ? options : options | (this.#rows[at] & RETAINED_PENDING);
		this.#identifiers[subscription] = identifier;
		this.dirtyFlags?.mark(subscription);
		return subscription;
	}

	/** Removes one subscription; returns its number, 0 if there was none. */
	remove(session: number, start: number, end: number, shared: number): number {
		const subscription = this.find(session, start, end, shared);
		if (subscription === 0) return 0;
		const rows = this.#rows;
		if (this.#ofSession[2 * session] === subscription)
			this.#ofSession[2 * session] = rows[WIDTH * subscription + NEXT_OF_SESSION];
		else {
			let previous = this.#ofSession[2 * session];
			while (rows[WIDTH * previous + NEXT_OF_SESSION] !== subscription)
				previous = rows[WIDTH * previous + NEXT_OF_SESSION];
			rows[WIDTH * previous + NEXT_OF_SESSION] = rows[WIDTH * subscription + NEXT_OF_SESSION];
		}
		this.release(subscription);
		return subscription;
	}

	/** Removes all subscriptions of a session. */
	removeAll(session: number): void {
		let subscription = this.#ofSession[2 * session];
		this.#ofSession[2 * session] = 0;
		while (subscription !== 0) {
			const next = this.#rows[WIDTH * subscription + NEXT_OF_SESSION];
			this.release(subscription);
			subscription = next;
		}
	}

	/** Finds all subscriptions whose filter matches a topic name, and returns their number. */
	match(start: number, end: number): number {
		const tree = this.tree;
		const found = this.found;
		const nodes = tree.match(start, end);
		let count = 0;
		for (let i = 0; i < nodes; i++) {
			let subscription = this.#firstOfNode[tree.found[i]];
			while (subscription !== 0) {
				found[count++] = subscription;
				subscription = this.#rows[WIDTH * subscription + NEXT_OF_NODE];
			}
		}
		return count;
	}

	/** As match(), for a topic name that only the filters of two nodes match; the second may be 0, for none. */
	matchNodes(first: number, second: number): number {
		const rows = this.#rows;
		const found = this.found;
		const firstOfNode = this.#firstOfNode;
		let count = 0;
		for (let i = firstOfNode[first]; i !== 0; i = rows[WIDTH * i + NEXT_OF_NODE]) found[count++] = i;
		if (second === 0) return count;
		for (let i = firstOfNode[second]; i !== 0; i = rows[WIDTH * i + NEXT_OF_NODE]) found[count++] = i;
		return count;
	}

	/** Moves a subscription to the end of its node's list, so that match() finds it last. */
	moveToEnd(subscription: number): void {
		const rows = this.#rows;
		const node = rows[WIDTH * subscription + NODE];
		let last = subscription;
		while (rows[WIDTH * last + NEXT_OF_NODE] !== 0) last = rows[WIDTH * last + NEXT_OF_NODE];
		if (last === subscription) return;
		this.unlink(subscription, node);
		rows[WIDTH * subscription + NEXT_OF_NODE] = 0;
		rows[WIDTH * last + NEXT_OF_NODE] = subscription;
	}

	/** A session's subscription with a filter, given as to add(); 0 if it has none. */
	find(session: number, start: number, end: number, shared: number): number {
		const node = this.tree.find(shared === 0 ? start : shared, end);
		if (node === 0) return 0;
		const share = shared === 0 ? 0 : this.tree.find(start, shared - 1);
		if (shared !== 0 && share === 0) return 0;
		const rows = this.#rows;
		let subscription = this.#firstOfNode[node];
		while (
			subscription !== 0 &&
			(rows[WIDTH * subscription + SESSION] !== session || rows[WIDTH * subscription + SHARE] !== share)
		)
			subscription = rows[WIDTH * subscription + NEXT_OF_NODE];
		return subscription;
	}

	private allocate(session: number, start: number, end: number, shared: number): number {
		const subscription = this.#unused;
		if (subscription === 0) return 0;
		const { tree } = this;
		const node = tree.add(shared === 0 ? start : shared, end);
		if (node === 0) return 0;
		let share = 0;
		if (shared !== 0) {
			share = tree.add(start, shared - 1);
			if (share === 0) {
				tree.remove(node);
				return 0;
			}
		}
		const rows = this.#rows;
		const row = WIDTH * subscription;
		this.#unused = rows[row + NEXT_OF_NODE];
		rows[row + SESSION] = session;
		rows[row + NODE] = node;
		rows[row + SHARE] = share;
		rows[row + NEXT_OF_NODE] = this.#firstOfNode[node];
		this.#firstOfNode[node] = subscription;
		rows[row + NEXT_OF_SESSION] = this.#ofSession[2 * session];
		this.#ofSession[2 * session] = subscription;
		this.#ofSession[2 * session + 1]++;
		this.count++;
		this.added = true;
		return subscription;
	}

	/** Removes a subscription from its node's list and frees it. */
	private release(subscription: number): void {
		const rows = this.#rows;
		const row = WIDTH * subscription;
		const node = rows[row + NODE];
		this.unlink(subscription, node);
		if ((rows[row + OPTIONS] & SYS_FILTER) !== 0) this.sysCount--;
		rows[row + NEXT_OF_NODE] = this.#unused;
		this.#unused = subscription;
		this.dirtyFlags?.mark(subscription);
		this.#ofSession[2 * rows[row + SESSION] + 1]--;
		rows[row + SESSION] = 0;
		this.count--;
		this.tree.remove(node);
		if (rows[row + SHARE] !== 0) this.tree.remove(rows[row + SHARE]);
	}

	private unlink(subscription: number, node: number): void {
		const rows = this.#rows;
		const next = rows[WIDTH * subscription + NEXT_OF_NODE];
		if (this.#firstOfNode[node] === subscription) {
			this.#firstOfNode[node] = next;
			return;
		}
		let previous = this.#firstOfNode[node];
		while (rows[WIDTH * previous + NEXT_OF_NODE] !== subscription)
			previous = rows[WIDTH * previous + NEXT_OF_NODE];
		rows[WIDTH * previous + NEXT_OF_NODE] = next;
	}
}
