import { NO_MATCHING_SUBSCRIBERS, PUBREL, QUOTA_EXCEEDED, RETAIN, SUCCESS } from "../../mqtt/constants";
import type { Core } from "../core/core";
import { Message } from "../pool/message";
import { type Connection, OPEN, RETAINED_PENDING, WANTS_TIMESTAMP } from "../session/connection";
import { EXPIRED, NO_ROOM, type PacketWriter, SENT, TOO_LARGE } from "./packet-writer";
import { Recipients } from "./recipients";
import type { SysTopics } from "./sys-topics";

/** Bytes of the longest PUBREL without a reason string. */
const PUBREL_ROOM = 5;

/**
 * Stores a published message and delivers it to every subscriber: at once if the socket has room and nothing
 * is queued, else through the session's queue. A session whose queue is full loses the message; if the shared
 * pools are full, a QoS 1 or 2 message is refused as a whole.
 */
export class Router {
	readonly #core: Core;
	readonly #packetWriter: PacketWriter;
	readonly #sysTopics: SysTopics;
	/** Scratch message, read from a queue or the store. */
	readonly #stored: Message;
	readonly #recipients: Recipients;
	/** Whether stored values wait for room in the queues. */
	#retainedDeferred = false;

	constructor(core: Core, packetWriter: PacketWriter, sysTopics: SysTopics) {
		this.#core = core;
		this.#packetWriter = packetWriter;
		this.#sysTopics = sysTopics;
		this.#stored = new Message(core.memory.bytes);
		this.#recipients = new Recipients(core);
	}

	/**
	 * Routes a message.
	 * @param publisher the session that published it
	 * @returns SUCCESS, NO_MATCHING_SUBSCRIBERS, or QUOTA_EXCEEDED: a QoS 1 or 2 message was not routed, or a
	 *   retained QoS 0 message was routed but not stored, and the message it replaces was deleted
	 */
	publish(message: Message, publisher: number): number {
		const code = this.route(message, publisher);
		// Called here and not in route(), which uses much of the stack
		const { subscriptions, store } = this.#core;
		if (code !== QUOTA_EXCEEDED && subscriptions.sysCount > 0 && store.lastRecord !== 0)
			this.publishSysTopic(this.#sysTopics.periodicCount + store.lastRecord);
		return code;
	}

	/** @returns as publish() */
	private route(message: Message, publisher: number): number {
		const core = this.#core;
		const { subscriptions, queues, store } = core;
		const recipients = this.#recipients;
		const matched = recipients.gather(message, publisher);
		this.#packetWriter.invalidate();
		if (message.qos !== 0 && !this.admits(matched, message)) return QUOTA_EXCEEDED;
		const kept = store.put(message) || (store.dropExpired(core.clock.nowMs) && store.put(message));
		if (!kept && message.qos !== 0) return QUOTA_EXCEEDED;
		core.host.event?.(
			"retained",
			store.lastRecord,
			message.retain ? 1 : 0,
			message.payloadEnd - message.payloadStart,
		);
		queues.beginMessage();
		const found = subscriptions.found;
		for (let i = 0; i < matched; i++) {
			const subscription = found[i];
			this.deliver(
				subscriptions.session(subscription),
				message,
				recipients.qos(subscription),
				recipients.retainAsPublished(subscription),
				recipients.identifier(subscription),
				subscriptions.share(subscription),
			);
		}
		queues.endMessage();
		return kept ? (matched === 0 ? NO_MATCHING_SUBSCRIBERS : SUCCESS) : QUOTA_EXCEEDED;
	}

	/** Publishes the `$SYS/broker/…` topics to their subscribers. */
	publishSysTopics(): void {
		const sysTopics = this.#sysTopics;
		for (let i = 1; i <= sysTopics.periodicCount; i++) this.publishSysTopic(i);
	}

	/**
	 * Publishes one `$SYS` topic to its subscribers. It is composed anew for each, as sending overwrites it.
	 */
	private publishSysTopic(index: number): void {
		const { subscriptions, queues } = this.#core;
		const sysTopics = this.#sysTopics;
		const recipients = this.#recipients;
		const message = this.#stored;
		if (!sysTopics.compose(index, message)) return;
		const matched = recipients.gather(message, 0);
		queues.beginMessage();
		for (let i = 0; i < matched; i++) {
			const subscription = subscriptions.found[i];
			this.#packetWriter.invalidate();
			if (i > 0) sysTopics.compose(index, message);
			const identifier = recipients.identifier(subscription);
			this.deliver(
				subscriptions.session(subscription),
				message,
				0,
				recipients.retainAsPublished(subscription),
				identifier,
				subscriptions.share(subscription),
			);
		}
		queues.endMessage();
		this.#packetWriter.invalidate();
	}

	/**
	 * Sends waiting messages while room and send quota allow it: first the session's queue, in order
	 * [MQTT-4.6.0-5] [MQTT-4.6.0-6], then stored values for new subscriptions.
	 */
	pump(connection: Connection): void {
		const { queues, sessions } = this.#core;
		const session = connection.session;
		const message = this.#stored;
		while (connection.state === OPEN) {
			const entry = queues.firstWaiting(session);
			if (entry === 0) {
				if ((connection.clientFlags & RETAINED_PENDING) === 0 || !this.sendRetained(connection)) return;
				continue;
			}
			let packetId = queues.packetId(entry);
			if (queues.released(entry)) {
				if (connection.room < PUBREL_ROOM) return;
				// [MQTT-4.4.0-1] [MQTT-4.3.3-4] [MQTT-4.3.3-6]
				this.#packetWriter.acknowledge(connection, PUBREL, packetId, SUCCESS);
				queues.moveToInFlight(session, packetId, true);
				continue;
			}
			const flags = queues.flags(entry);
			const reliable = (flags & 6) !== 0;
			// [MQTT-3.3.4-9] [MQTT-3.3.4-10] [MQTT-4.9.0-2] [MQTT-4.9.0-3]
			if (reliable && queues.inFlight(session) >= connection.sendQuota) return;
			queues.read(entry, message);
			if (reliable && packetId === 0) packetId = this.nextFreePacketId(session);
			const result = this.#packetWriter.publish(
				connection,
				message,
				flags,
				packetId,
				queues.identifier(entry),
				false,
			);
			if (result === NO_ROOM) return;
			if (result === SENT) this.countDelivered(message);
			else this.countDropped(result);
			if (result === SENT && reliable)
				queues.moveToInFlight(session, packetId, sessions.persistent(session) || queues.share(entry) !== 0);
			else queues.dropFirst(session);
		}
	}

	/** Resumes stored values that waited for room in the queues. */
	resumeRetained(): void {
		const core = this.#core;
		if (!this.#retainedDeferred || core.queues.free === 0) return;
		this.#retainedDeferred = false;
		for (let i = 1; i < core.connections.length; i++) {
			const connection = core.connections[i]!;
			if (connection.state === OPEN && (connection.clientFlags & RETAINED_PENDING) !== 0)
				this.pump(connection);
		}
	}

	/**
	 * Moves pending messages of shared subscriptions from an ending session, whose subscriptions were removed
	 * already, to other members. QoS 1 only: a QoS 2 message must not be sent to another client [MQTT-4.8.2-5].
	 */
	redistribute(session: number): void {
		const { queues, subscriptions } = this.#core;
		const message = this.#stored;
		queues.suspend(session);
		this.dropExpired();
		for (let entry = queues.firstWaiting(session); entry !== 0; entry = queues.next(entry)) {
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
			const nextMember = subscriptions.session(best);
			subscriptions.moveToEnd(best);
			if (
				!queues.enqueueCopy(entry, nextMember, queues.flags(entry) & 7, subscriptions.identifier(best), share)
			)
				continue;
			const connection = this.#core.connectionOf(nextMember);
			if (connection !== undefined) this.pump(connection);
		}
	}

	/** Drops expired messages from the queues; false if there are none. */
	dropExpired(): boolean {
		return this.#recipients.dropExpired();
	}

	/**
	 * Whether the pools have room for a QoS 1 or 2 message for every recipient with QoS above 0 whose own queue
	 * is not full.
	 */
	private admits(matched: number, message: Message): boolean {
		return this.fits(matched, message) || (this.dropExpired() && this.fits(matched, message));
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
			if (this.#recipients.canSendNow(session, message, message.qos)) {
				entries++;
				if (share !== 0 || sessions.persistent(session)) kept = true;
			} else if (!this.#recipients.isQueueFull(session)) {
				entries++;
				kept = true;
			}
		}
		if (entries > queues.free) return false;
		queues.beginMessage();
		return !kept || queues.fits(message);
	}

	private deliver(
		session: number,
		message: Message,
		granted: number,
		retainAsPublished: boolean,
		identifier: number,
		share: number,
	): void {
		const { queues, counters, sessions } = this.#core;
		const qos = Math.min(granted, message.qos); // [MQTT-3.8.4-8] [MQTT-3.1.1:3.8.4-6]
		// [MQTT-3.3.1-12] [MQTT-3.3.1-13] [MQTT-3.1.1:3.3.1-9] [MQTT-3.3.1-3] [MQTT-4.3.2-2] [MQTT-4.3.3-2]
		const flags = (qos << 1) | (retainAsPublished && message.retain ? RETAIN : 0);
		const connection = this.#core.connectionOf(session);
		const keep = qos !== 0 && (share !== 0 || sessions.persistent(session));
		if (connection === undefined || connection.state !== OPEN) {
			// a persistent session without a connection queues QoS 1 and 2 (§4.1), any other session nothing
			if (qos === 0 || !sessions.persistent(session)) return;
		} else if (this.#recipients.canSendNow(session, message, qos) && (!keep || queues.reserve(message))) {
			const packetId = qos === 0 ? 0 : this.nextFreePacketId(session);
			const packetWriter = this.#packetWriter;
			const result = packetWriter.canRepeat(connection, flags, identifier)
				? packetWriter.repeat(connection, packetId)
				: packetWriter.publish(connection, message, flags, packetId, identifier, false);
			if (result === SENT) {
				if (qos !== 0) queues.addInFlight(session, packetId, flags, identifier, share, keep);
				this.countDelivered(message);
				return;
			}
			if (result !== NO_ROOM) {
				this.countDropped(result);
				return;
			}
		}
		if (qos !== 0 && this.#recipients.isQueueFull(session) && queues.dropOldestQos0(session))
			counters.droppedQueue++;
		if (queues.push(session, message, flags, identifier, share)) return;
		if (!this.dropExpired() || !queues.push(session, message, flags, identifier, share))
			counters.droppedQueue++;
	}

	/** Sends the next stored value for a new subscription; false if it must wait or none is left. */
	private sendRetained(connection: Connection): boolean {
		const { subscriptions, store, queues, sessions, settings, authorizer } = this.#core;
		const sysTopics = this.#sysTopics;
		const session = connection.session;
		let subscription = connection.retainedSubscription;
		if (subscription === 0) {
			subscription = subscriptions.takeRetainedPending(session);
			connection.retainedSubscription = subscription;
			connection.retainedCursor = 0;
			if (subscription === 0) {
				connection.clientFlags &= ~RETAINED_PENDING;
				return false;
			}
		}
		const current = settings.lastValue === "every";
		const withTimestamp = (connection.clientFlags & WANTS_TIMESTAMP) !== 0;
		const message = this.#stored;
		const isSys = subscriptions.isSys(subscription);
		const last = isSys ? store.records + sysTopics.count : store.records;
		for (let record = connection.retainedCursor + 1; record <= last; record++) {
			connection.retainedCursor = record;
			if (record > store.records) {
				if (!sysTopics.compose(record - store.records, message)) continue;
			} else if (store.isInitialValue(record, current)) store.messages.readInto(record, message);
			else continue;
			const { topicStart, topicEnd } = message;
			if (!subscriptions.matches(subscription, message.bytes, topicStart, topicEnd)) continue;
			if (!authorizer.mayReceive(session, message.bytes, topicStart, topicEnd)) continue;
			const granted = subscriptions.qos(subscription);
			const qos = Math.min(granted, message.qos);
			const keep = qos !== 0 && sessions.persistent(session);
			if (keep && !queues.fitsWhenEmpty(message)) {
				this.countDropped(TOO_LARGE);
				continue;
			}
			if (qos !== 0 && !this.reserveRetained(connection, message, keep)) {
				connection.retainedCursor = record - 1;
				return false;
			}
			const packetId = qos === 0 ? 0 : this.nextFreePacketId(session);
			const flags = (qos << 1) | RETAIN; // [MQTT-3.1.1:3.3.1-8]
			const identifier = subscriptions.identifier(subscription);
			const result = this.#packetWriter.publish(
				connection,
				message,
				flags,
				packetId,
				identifier,
				withTimestamp && record <= store.records,
			);
			if (result === SENT && qos !== 0) queues.addInFlight(session, packetId, flags, identifier, 0, keep);
			queues.endMessage();
			if (result === NO_ROOM) {
				connection.retainedCursor = record - 1;
				return false;
			}
			if (result === EXPIRED) store.drop(record); // [MQTT-3.3.2-5]
			if (result !== SENT) {
				this.countDropped(result);
				continue;
			}
			this.countDelivered(message);
			return true;
		}
		connection.retainedSubscription = 0;
		subscriptions.dirtyFlags?.mark(subscription);
		return true;
	}

	/**
	 * Whether the queues have room for a stored value that is sent with QoS 1 or 2. Reserves its content if
	 * `keep` is set.
	 */
	private reserveRetained(connection: Connection, message: Message, keep: boolean): boolean {
		const { queues } = this.#core;
		queues.beginMessage();
		if (queues.inFlight(connection.session) >= connection.sendQuota) return false; // [MQTT-3.3.4-9]
		if (queues.free !== 0 && (!keep || queues.reserve(message))) return true;
		if (this.dropExpired() && queues.free !== 0 && (!keep || queues.reserve(message))) return true;
		this.#retainedDeferred = true;
		return false;
	}

	/** A packet identifier that is not in flight [MQTT-2.2.1-4] [MQTT-3.1.1:2.3.1-4]. */
	private nextFreePacketId(session: number): number {
		const { sessions, queues } = this.#core;
		let id = sessions.nextPacketId(session);
		// [MQTT-4.3.2-1] [MQTT-3.1.1:4.3.2-1] [MQTT-4.3.3-1] [MQTT-3.1.1:4.3.3-1]
		while (queues.isPacketIdInUse(session, id)) id = sessions.nextPacketId(session);
		return id;
	}

	private countDelivered(message: Message): void {
		this.#core.counters.messagesDelivered++;
		this.#core.host.event?.("delivered", message.qos, message.payloadEnd - message.payloadStart);
	}

	private countDropped(result: number): void {
		if (result === TOO_LARGE) this.#core.counters.droppedSize++;
		else this.#core.counters.droppedExpired++;
	}
}
