import { NO_MATCHING_SUBSCRIBERS, PUBREL, QUOTA_EXCEEDED, RETAIN, SUCCESS } from "../mqtt/constants";
import { type Connection, OPEN, TIMED, UNFILLED } from "./connection";
import type { Core } from "./core";
import { Message } from "./message";
import { Recipients } from "./recipients";
import { EXPIRED, NO_ROOM, SENT, type Sender, TOO_LARGE } from "./sender";
import type { System } from "./system";

/** Bytes of the longest PUBREL without a reason string. */
const PUBREL_ROOM = 5;

/**
 * Brings a published message to the store and to every subscriber: at once where the socket takes it and nothing waits, else into the session's queue.
 * A session whose queue is full loses the message; when the pools themselves are full, a message of QoS 1 or 2 is refused as a whole.
 */
export class Router {
	readonly #core: Core;
	readonly #sender: Sender;
	readonly #system: System;
	/** What is read from a queue or from the store. */
	readonly #stored: Message;
	readonly #recipients: Recipients;
	/** Whether stored values wait for an entry of the queues. */
	#starved = false;

	constructor(core: Core, sender: Sender, system: System) {
		this.#core = core;
		this.#sender = sender;
		this.#system = system;
		this.#stored = new Message(core.memory.bytes);
		this.#recipients = new Recipients(core);
	}

	/**
	 * Routes a message.
	 * @param from the session that published it
	 * @returns SUCCESS, NO_MATCHING_SUBSCRIBERS, or QUOTA_EXCEEDED: then a message of QoS 1 or 2 went nowhere, and a retained QoS 0 message was not kept, nor the
	 * one it replaces
	 */
	publish(message: Message, from: number): number {
		const code = this.route(message, from);
		// From here, as route() has much on the stack
		const { subscriptions, store } = this.#core;
		if (code !== QUOTA_EXCEEDED && subscriptions.systems > 0 && store.last !== 0) this.announce(this.#system.reports + store.last);
		return code;
	}

	/** @returns as publish() */
	private route(message: Message, from: number): number {
		const core = this.#core;
		const { subscriptions, queues, store } = core;
		const recipients = this.#recipients;
		const matched = recipients.gather(message, from);
		this.#sender.forget();
		if (message.qos !== 0 && !this.admits(matched, message)) return QUOTA_EXCEEDED;
		const kept = store.put(message) || (store.expire(core.clock.now) && store.put(message));
		if (!kept && message.qos !== 0) return QUOTA_EXCEEDED;
		core.host.event?.("retained", store.last, message.retain ? 1 : 0, message.payloadEnd - message.payloadStart);
		queues.begin();
		const found = subscriptions.found;
		for (let i = 0; i < matched; i++) {
			const subscription = found[i];
			this.deliver(
				subscriptions.session(subscription),
				message,
				recipients.qos(subscription),
				recipients.asPublished(subscription),
				recipients.identifier(subscription),
				subscriptions.share(subscription),
			);
		}
		queues.end();
		return kept ? (matched === 0 ? NO_MATCHING_SUBSCRIBERS : SUCCESS) : QUOTA_EXCEEDED;
	}

	/** Hands the broker's own topics that tell how it does to those who subscribed. */
	report(): void {
		const system = this.#system;
		for (let i = 1; i <= system.reports; i++) this.announce(i);
	}

	/** Hands one of the broker's own topics to those who subscribed, made anew for each, as sending it takes its place. */
	private announce(index: number): void {
		const { subscriptions, queues } = this.#core;
		const system = this.#system;
		const recipients = this.#recipients;
		const message = this.#stored;
		if (!system.read(index, message)) return;
		const matched = recipients.gather(message, 0);
		queues.begin();
		for (let i = 0; i < matched; i++) {
			const subscription = subscriptions.found[i];
			this.#sender.forget();
			if (i > 0) system.read(index, message);
			const identifier = recipients.identifier(subscription);
			this.deliver(
				subscriptions.session(subscription),
				message,
				0,
				recipients.asPublished(subscription),
				identifier,
				subscriptions.share(subscription),
			);
		}
		queues.end();
		this.#sender.forget();
	}

	/** Sends a connection what waits for it, as far as it goes: first its queue, in its order [MQTT-4.6.0-5] [MQTT-4.6.0-6], then stored values for new subscriptions. */
	pump(connection: Connection): void {
		const { queues, sessions } = this.#core;
		const session = connection.session;
		const message = this.#stored;
		while (connection.state === OPEN) {
			const entry = queues.first(session);
			if (entry === 0) {
				if ((connection.traits & UNFILLED) === 0 || !this.fill(connection)) return;
				continue;
			}
			let packetId = queues.packetId(entry);
			if (queues.released(entry)) {
				if (connection.room < PUBREL_ROOM) return;
				this.#sender.acknowledge(connection, PUBREL, packetId, SUCCESS); // [MQTT-4.4.0-1] [MQTT-4.3.3-4] [MQTT-4.3.3-6]
				queues.sent(session, packetId, true);
				continue;
			}
			const flags = queues.flags(entry);
			const reliable = (flags & 6) !== 0;
			if (reliable && queues.underWay(session) >= connection.window) return; // [MQTT-3.3.4-9] [MQTT-3.3.4-10] [MQTT-4.9.0-2] [MQTT-4.9.0-3]
			queues.read(entry, message);
			if (reliable && packetId === 0) packetId = this.packetId(session);
			const result = this.#sender.publish(connection, message, flags, packetId, queues.identifier(entry), false);
			if (result === NO_ROOM) return;
			if (result === SENT) this.told(message);
			else this.dropped(result);
			if (result === SENT && reliable) queues.sent(session, packetId, sessions.lasting(session) || queues.share(entry) !== 0);
			else queues.drop(session);
		}
	}

	/** Goes on with stored values that had to wait for room in the queues, once there is some. */
	resume(): void {
		const core = this.#core;
		if (!this.#starved || core.queues.free === 0) return;
		this.#starved = false;
		for (let i = 1; i < core.connections.length; i++) {
			const connection = core.connections[i]!;
			if (connection.state === OPEN && (connection.traits & UNFILLED) !== 0) this.pump(connection);
		}
	}

	/**
	 * A session ends, and its subscriptions have ended: what others of the same shared subscription can still get, they get. Only QoS 1: the others are not
	 * delivered twice at any price [MQTT-4.8.2-5].
	 */
	rescue(session: number): void {
		const { queues, subscriptions } = this.#core;
		const message = this.#stored;
		queues.suspend(session);
		this.expire();
		for (let entry = queues.first(session); entry !== 0; entry = queues.next(entry)) {
			const share = queues.share(entry);
			if (share === 0 || (queues.flags(entry) & 6) !== 2) continue;
			queues.read(entry, message);
			const { bytes, topicStart, topicEnd } = message;
			const count = subscriptions.match(bytes, topicStart, topicEnd);
			const { found } = subscriptions;
			let best = 0;
			let rank = 0;
			for (let i = 0; i < count; i++) {
				if (subscriptions.share(found[i]) !== share || subscriptions.qos(found[i]) === 0) continue;
				const own = this.#recipients.rank(found[i], message);
				if (own <= rank) continue;
				rank = own;
				best = found[i];
			}
			if (best === 0) continue;
			const heir = subscriptions.session(best);
			subscriptions.rotate(best);
			if (!queues.pass(entry, heir, queues.flags(entry) & 7, subscriptions.identifier(best), share)) continue;
			const connection = this.#core.connectionOf(heir);
			if (connection !== undefined) this.pump(connection);
		}
	}

	/** Drops what waits and has expired, as the pools are full; false if nothing has. */
	expire(): boolean {
		return this.#recipients.expire();
	}

	/** Whether the pools can take a message of QoS 1 or 2 for all who get it so and have room in their own queue. */
	private admits(matched: number, message: Message): boolean {
		return this.fits(matched, message) || (this.expire() && this.fits(matched, message));
	}

	private fits(matched: number, message: Message): boolean {
		const { subscriptions, queues, sessions } = this.#core;
		const { found } = subscriptions;
		let entries = 0;
		let kept = false;
		for (let i = 0; i < matched; i++) {
			const subscription = found[i];
			const session = subscriptions.session(subscription);
			const share = subscriptions.share(subscription);
			if (this.#recipients.qos(subscription) === 0) continue;
			if (this.#recipients.ready(session, message, message.qos)) {
				entries++;
				if (share !== 0 || sessions.lasting(session)) kept = true;
			} else if (!this.#recipients.full(session)) {
				entries++;
				kept = true;
			}
		}
		if (entries > queues.free) return false;
		queues.begin();
		return !kept || queues.holds(message);
	}

	private deliver(session: number, message: Message, granted: number, retainAsPublished: boolean, identifier: number, share: number): void {
		const { queues, counters, sessions } = this.#core;
		const qos = Math.min(granted, message.qos); // [MQTT-3.8.4-8] [MQTT-3.1.1:3.8.4-6]
		const flags = (qos << 1) | (retainAsPublished && message.retain ? RETAIN : 0); // [MQTT-3.3.1-12] [MQTT-3.3.1-13] [MQTT-3.1.1:3.3.1-9] [MQTT-3.3.1-3] [MQTT-4.3.2-2] [MQTT-4.3.3-2]
		const connection = this.#core.connectionOf(session);
		const keep = qos !== 0 && (share !== 0 || sessions.lasting(session));
		if (connection === undefined || connection.state !== OPEN) {
			if (qos === 0 || !sessions.lasting(session)) return; // a client that is away gets QoS 1 and 2 (§4.1), one without a lasting session nothing more
		} else if (this.#recipients.ready(session, message, qos) && (!keep || queues.reserve(message))) {
			const packetId = qos === 0 ? 0 : this.packetId(session);
			const sender = this.#sender;
			const result = sender.repeats(connection, flags, identifier)
				? sender.repeat(connection, packetId)
				: sender.publish(connection, message, flags, packetId, identifier, false);
			if (result === SENT) {
				if (qos !== 0) queues.passed(session, packetId, flags, identifier, share, keep);
				this.told(message);
				return;
			}
			if (result !== NO_ROOM) {
				this.dropped(result);
				return;
			}
		}
		if (qos !== 0 && this.#recipients.full(session) && queues.yield(session)) counters.droppedQueue++;
		if (queues.push(session, message, flags, identifier, share)) return;
		if (!this.expire() || !queues.push(session, message, flags, identifier, share)) counters.droppedQueue++;
	}

	/** Sends the next stored value for a new subscription; false when that must wait or nothing is left. */
	private fill(connection: Connection): boolean {
		const { subscriptions, store, queues, sessions, settings, authority } = this.#core;
		const system = this.#system;
		const session = connection.session;
		let subscription = connection.filling;
		if (subscription === 0) {
			subscription = subscriptions.takeFill(session);
			connection.filling = subscription;
			connection.filled = 0;
			if (subscription === 0) {
				connection.traits &= ~UNFILLED;
				return false;
			}
		}
		const current = settings.lastValue === "every";
		const stamped = (connection.traits & TIMED) !== 0;
		const message = this.#stored;
		const own = subscriptions.system(subscription);
		const last = own ? store.records + system.count : store.records;
		for (let record = connection.filled + 1; record <= last; record++) {
			connection.filled = record;
			if (record > store.records) {
				if (!system.read(record - store.records, message)) continue;
			} else if (store.offered(record, current)) store.messages.read(record, message);
			else continue;
			const { topicStart, topicEnd } = message;
			if (!subscriptions.covers(subscription, message.bytes, topicStart, topicEnd)) continue;
			if (!authority.receive(session, message.bytes, topicStart, topicEnd)) continue;
			const granted = subscriptions.qos(subscription);
			const qos = Math.min(granted, message.qos);
			const keep = qos !== 0 && sessions.lasting(session);
			if (keep && !queues.couldHold(message)) {
				this.dropped(TOO_LARGE);
				continue;
			}
			if (qos !== 0 && !this.enters(connection, message, keep)) {
				connection.filled = record - 1;
				return false;
			}
			const packetId = qos === 0 ? 0 : this.packetId(session);
			const flags = (qos << 1) | RETAIN; // [MQTT-3.1.1:3.3.1-8]
			const identifier = subscriptions.identifier(subscription);
			const result = this.#sender.publish(connection, message, flags, packetId, identifier, stamped && record <= store.records);
			if (result === SENT && qos !== 0) queues.passed(session, packetId, flags, identifier, 0, keep);
			queues.end();
			if (result === NO_ROOM) {
				connection.filled = record - 1;
				return false;
			}
			if (result === EXPIRED) store.drop(record); // [MQTT-3.3.2-5]
			if (result !== SENT) {
				this.dropped(result);
				continue;
			}
			this.told(message);
			return true;
		}
		connection.filling = 0;
		subscriptions.ledger?.mark(subscription);
		return true;
	}

	/** Whether there is room in the queues for a stored value that goes out with QoS 1 or 2; if it is to be kept, it is reserved. */
	private enters(connection: Connection, message: Message, keep: boolean): boolean {
		const { queues } = this.#core;
		queues.begin();
		if (queues.underWay(connection.session) >= connection.window) return false; // [MQTT-3.3.4-9]
		if (queues.free !== 0 && (!keep || queues.reserve(message))) return true;
		if (this.expire() && queues.free !== 0 && (!keep || queues.reserve(message))) return true;
		this.#starved = true;
		return false;
	}

	/** A packet identifier that is not under way [MQTT-2.2.1-4] [MQTT-3.1.1:2.3.1-4]. */
	private packetId(session: number): number {
		const { sessions, queues } = this.#core;
		let id = sessions.nextPacketId(session);
		while (queues.busy(session, id)) id = sessions.nextPacketId(session); // [MQTT-4.3.2-1] [MQTT-3.1.1:4.3.2-1] [MQTT-4.3.3-1] [MQTT-3.1.1:4.3.3-1]
		return id;
	}

	private told(message: Message): void {
		this.#core.counters.delivered++;
		this.#core.host.event?.("delivered", message.qos, message.payloadEnd - message.payloadStart);
	}

	private dropped(result: number): void {
		if (result === TOO_LARGE) this.#core.counters.droppedSize++;
		else this.#core.counters.droppedExpired++;
	}
}
