import { NO_MATCHING_SUBSCRIBERS, QUOTA_EXCEEDED, RETAIN, SUCCESS } from "../mqtt/constants";
import { type Connection, OPEN } from "./connection";
import type { Core } from "./core";
import { Message } from "./message";
import { EXPIRED, NO_ROOM, OVERHEAD, SENT, type Sender, TOO_LARGE } from "./sender";

/**
 * Brings a published message to the store and to every subscriber: at once where the socket takes it and nothing waits, else into the session's queue.
 * A session whose queue is full loses the message; when the pools themselves are full, a QoS 1 message is refused as a whole.
 */
export class Router {
	readonly #core: Core;
	readonly #sender: Sender;
	/** What is read from a queue or from the store. */
	readonly #stored: Message;
	/** Sessions that the message in work matched, with the number of the message; and what all their subscriptions together say. */
	readonly #marks: Float64Array;
	readonly #qos: Uint8Array;
	readonly #retain: Uint8Array;
	readonly #identifiers: Uint32Array;
	readonly #named: Uint16Array;
	#mark = 0;
	/** Whether stored values wait for an entry of the queues. */
	#starved = false;

	constructor(core: Core, sender: Sender) {
		const size = core.settings.sessions + 1;
		const { tables } = core.memory;
		this.#core = core;
		this.#sender = sender;
		this.#stored = new Message(core.memory.bytes);
		this.#marks = tables.f64(size);
		this.#qos = tables.u8(size);
		this.#retain = tables.u8(size);
		this.#identifiers = tables.u32(size);
		this.#named = tables.u16(size);
	}

	/**
	 * Routes a message.
	 * @param from the session that published it
	 * @returns SUCCESS, NO_MATCHING_SUBSCRIBERS, or QUOTA_EXCEEDED: then a QoS 1 message went nowhere, and a retained QoS 0 message was not kept
	 */
	publish(message: Message, from: number): number {
		const core = this.#core;
		const { subscriptions, queues, store } = core;
		const matched = this.#gather(subscriptions.match(message.bytes, message.topicStart, message.topicEnd), message, from);
		queues.begin();
		this.#sender.forget();
		if (message.qos !== 0 && !this.#admits(matched, message)) return QUOTA_EXCEEDED;
		const kept = store.put(message);
		if (!kept && message.qos !== 0) return QUOTA_EXCEEDED;
		core.host.event?.("retained", store.last, message.retain ? 1 : 0, message.payloadEnd - message.payloadStart);
		const found = subscriptions.found;
		for (let i = 0; i < matched; i++) {
			const subscription = found[i];
			const session = subscriptions.session(subscription);
			if (this.#named[session] > 1)
				this.#deliver(
					session,
					message,
					subscriptions.qos(subscription),
					subscriptions.retainAsPublished(subscription),
					subscriptions.identifier(subscription),
				);
			else this.#deliver(session, message, this.#qos[session], this.#retain[session] !== 0, this.#identifiers[session]);
		}
		return kept ? (matched === 0 ? NO_MATCHING_SUBSCRIBERS : SUCCESS) : QUOTA_EXCEEDED;
	}

	/** Sends a connection what waits for it, as far as it goes: first its queue, then stored values for new subscriptions. */
	pump(connection: Connection): void {
		const { queues, counters } = this.#core;
		const session = connection.session;
		const message = this.#stored;
		while (connection.state === OPEN) {
			const entry = queues.first(session);
			if (entry === 0) {
				if (!connection.unfilled || !this.#fill(connection)) return;
				continue;
			}
			const flags = queues.flags(entry);
			const reliable = (flags & 6) !== 0;
			if (reliable && queues.underWay[session] >= connection.window) return; // [MQTT-3.3.4-9] [MQTT-4.9.0-2]
			queues.read(entry, message);
			const packetId = reliable ? this.#packetId(session) : 0;
			const result = this.#sender.publish(connection, message, flags, packetId, queues.identifier(entry));
			if (result === NO_ROOM) return;
			if (result === SENT) {
				counters.delivered++;
				this.#told(message);
			} else this.#dropped(result);
			if (result === SENT && reliable) queues.sent(session, packetId);
			else queues.drop(session);
		}
	}

	/** Goes on with stored values that had to wait for entries of the queues, once there are some. */
	resume(): void {
		const core = this.#core;
		if (!this.#starved || core.queues.free === 0) return;
		this.#starved = false;
		for (let i = 1; i < core.connections.length; i++) {
			const connection = core.connections[i]!;
			if (connection.state === OPEN && connection.unfilled) this.pump(connection);
		}
	}

	/**
	 * Sums up what each session's matching subscriptions say, and moves to the front of `found` one subscription for each copy to be delivered.
	 *
	 * A session gets one copy with the highest QoS [MQTT-3.3.4-2] [MQTT-3.1.1:3.3.5-1]; where several of its subscriptions carry an identifier, one copy for
	 * each subscription, so that every copy can name its own [MQTT-3.3.4-5].
	 */
	#gather(count: number, message: Message, from: number): number {
		const { subscriptions, authority } = this.#core;
		const { found } = subscriptions;
		const marks = this.#marks;
		const mark = ++this.#mark;
		let kept = 0;
		for (let i = 0; i < count; i++) {
			const subscription = found[i];
			const session = subscriptions.session(subscription);
			if (session === from && subscriptions.noLocal(subscription)) continue; // [MQTT-3.8.3-3]
			if (!authority.receive(session, message.bytes, message.topicStart, message.topicEnd)) continue;
			const identifier = subscriptions.identifier(subscription);
			if (marks[session] !== mark) {
				marks[session] = mark;
				this.#qos[session] = 0;
				this.#retain[session] = 0;
				this.#identifiers[session] = 0;
				this.#named[session] = 0;
			}
			if (subscriptions.qos(subscription) > this.#qos[session]) this.#qos[session] = subscriptions.qos(subscription);
			if (subscriptions.retainAsPublished(subscription)) this.#retain[session] = 1;
			if (identifier !== 0) {
				this.#identifiers[session] = identifier;
				this.#named[session]++;
			}
			found[kept++] = subscription;
		}
		const first = ++this.#mark;
		let copies = 0;
		for (let i = 0; i < kept; i++) {
			const subscription = found[i];
			const session = subscriptions.session(subscription);
			if (this.#named[session] > 1 || marks[session] !== first) found[copies++] = subscription;
			marks[session] = first;
		}
		return copies;
	}

	/** Whether the pools can take a QoS 1 message for all who get it with QoS 1 and have room in their own queue. */
	#admits(matched: number, message: Message): boolean {
		const { subscriptions, queues } = this.#core;
		const { found } = subscriptions;
		let entries = 0;
		let waits = false;
		for (let i = 0; i < matched; i++) {
			const subscription = found[i];
			const session = subscriptions.session(subscription);
			const qos = this.#named[session] > 1 ? subscriptions.qos(subscription) : this.#qos[session];
			if (qos === 0) continue;
			if (this.#ready(session, message, qos)) entries++;
			else if (!queues.full(session)) {
				entries++;
				waits = true;
			}
		}
		return entries <= queues.free && (!waits || queues.holds(message));
	}

	/** Whether a message can go straight to the socket. */
	#ready(session: number, message: Message, qos: number): boolean {
		const { queues } = this.#core;
		const connection = this.#core.connectionOf(session);
		if (connection === undefined || connection.state !== OPEN || queues.waiting[session] !== 0) return false;
		if (qos !== 0 && (queues.free === 0 || queues.underWay[session] >= connection.window)) return false; // [MQTT-3.3.4-9]
		return message.size + OVERHEAD <= connection.room;
	}

	#deliver(session: number, message: Message, granted: number, retainAsPublished: boolean, identifier: number): void {
		const { queues, counters } = this.#core;
		const qos = Math.min(granted, message.qos); // [MQTT-3.8.4-8] [MQTT-3.1.1:3.8.4-6]
		const flags = (qos << 1) | (retainAsPublished && message.retain ? RETAIN : 0); // [MQTT-3.3.1-12] [MQTT-3.3.1-13] [MQTT-3.1.1:3.3.1-9]
		const connection = this.#core.connectionOf(session);
		if (connection !== undefined && connection.state !== OPEN) return; // its session ends with it
		if (connection !== undefined && this.#ready(session, message, qos)) {
			const packetId = qos === 0 ? 0 : this.#packetId(session);
			const sender = this.#sender;
			const result = sender.repeats(connection, flags, identifier)
				? sender.repeat(connection, packetId)
				: sender.publish(connection, message, flags, packetId, identifier);
			if (result === SENT) {
				if (qos !== 0) queues.passed(session, packetId, flags);
				counters.delivered++;
				this.#told(message);
				return;
			}
			if (result !== NO_ROOM) {
				this.#dropped(result);
				return;
			}
		}
		if (queues.full(session) && qos !== 0 && queues.yield(session)) counters.droppedQueue++;
		if (!queues.push(session, message, flags, identifier)) counters.droppedQueue++;
	}

	/** Sends the next stored value for a new subscription; false when that must wait or nothing is left. */
	#fill(connection: Connection): boolean {
		const { subscriptions, store, queues, settings, counters, authority } = this.#core;
		const session = connection.session;
		let subscription = connection.filling;
		if (subscription === 0) {
			subscription = subscriptions.takeFill(session);
			connection.filling = subscription;
			connection.filled = 0;
			if (subscription === 0) {
				connection.unfilled = false;
				return false;
			}
		}
		const current = settings.lastValue === "every";
		const message = this.#stored;
		for (let record = connection.filled + 1; record <= store.records; record++) {
			connection.filled = record;
			if (!store.offered(record, current)) continue;
			store.messages.read(record, message);
			const { topicStart, topicEnd } = message;
			if (!subscriptions.covers(subscription, message.bytes, topicStart, topicEnd)) continue;
			if (!authority.receive(session, message.bytes, topicStart, topicEnd)) continue;
			const granted = subscriptions.qos(subscription);
			const qos = Math.min(granted, message.qos);
			if (qos !== 0 && (queues.free === 0 || queues.underWay[session] >= connection.window)) {
				if (queues.free === 0) this.#starved = true;
				connection.filled = record - 1;
				return false;
			}
			const packetId = qos === 0 ? 0 : this.#packetId(session);
			const flags = (qos << 1) | RETAIN; // [MQTT-3.3.1-8] [MQTT-3.1.1:3.3.1-8]
			const result = this.#sender.publish(connection, message, flags, packetId, subscriptions.identifier(subscription));
			if (result === NO_ROOM) {
				connection.filled = record - 1;
				return false;
			}
			if (result === EXPIRED) store.drop(record); // [MQTT-3.3.2-5]
			if (result !== SENT) {
				this.#dropped(result);
				continue;
			}
			if (qos !== 0) queues.passed(session, packetId, flags);
			counters.delivered++;
			this.#told(message);
			return true;
		}
		connection.filling = 0;
		return true;
	}

	/** A packet identifier that is not under way [MQTT-2.2.1-4] [MQTT-3.1.1:2.3.1-4]. */
	#packetId(session: number): number {
		const { sessions, queues } = this.#core;
		let id = sessions.nextPacketId(session);
		while (queues.busy(session, id)) id = sessions.nextPacketId(session);
		return id;
	}

	#told(message: Message): void {
		this.#core.host.event?.("delivered", message.qos, message.payloadEnd - message.payloadStart);
	}

	#dropped(result: number): void {
		if (result === TOO_LARGE) this.#core.counters.droppedSize++;
		else this.#core.counters.droppedExpired++;
	}
}
