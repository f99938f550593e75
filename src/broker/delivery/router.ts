import {
	NO_MATCHING_SUBSCRIBERS,
	PUBREL,
	type QoS,
	QUOTA_EXCEEDED,
	RETAIN,
	RETAIN_AS_PUBLISHED,
	SUCCESS,
} from "../../mqtt/constants";
import { decodeUTF8 } from "../../mqtt/utf8";
import { CONNECTED } from "../../session/broker-phase";
import type { Core } from "../core/core";
import { Message } from "../pool/message";
import { nextFreePacketId } from "../session/acknowledgement";
import { type Connection, LAST_WORD_ROOM, RETAINED_PENDING } from "../session/connection";
import { dropOldestQos0 } from "../session/queue-release";
import { suspend } from "../session/queue-suspension";
import type { PacketWriter } from "./packet-writer";
import { canSendNow, countDelivered, countDropped, NO_ROOM, PublishWriter, SENT } from "./publish-writer";
import { dropExpired, isQueueFull, makeRoom, makeRoomInFlight, reserveContent } from "./queue-shares";
import { Recipients } from "./recipients";
import { sendRetained } from "./retained-fill";
import { nextMember } from "./shared-members";
import type { SysTopics } from "./sys-topics";

/** Minimum time between two traces of values that find no place. */
const TRACE_INTERVAL_MS = 60_000;
/** Start of such a trace; the topic follows. */
export const NO_PLACE_TRACE = "broker: no place for the retained value of";
/** Room for the longest PUBREL without a reason string. */
const PUBREL_ROOM = 5 + LAST_WORD_ROOM;

/**
 * SUCCESS or NO_MATCHING_SUBSCRIBERS; QUOTA_EXCEEDED: a QoS 1 or 2 message was not routed, or a retained QoS
 * 0 message was routed but not stored, and the message it replaces was deleted.
 */
export type RouteResult = typeof SUCCESS | typeof NO_MATCHING_SUBSCRIBERS | typeof QUOTA_EXCEEDED;

/**
 * Stores a published message and delivers it to every subscriber: at once if the socket has room and nothing
 * is queued, else through the session's queue. A session without room loses the message, and nobody else
 * does: neither the publisher nor the other subscribers notice. A message is refused only if its value cannot
 * be stored.
 */
export class Router {
	readonly #core: Core;
	readonly #packetWriter: PacketWriter;
	readonly #publishWriter: PublishWriter;
	readonly #sysTopics: SysTopics;
	/** Scratch message, read from a queue or the store. */
	readonly #stored: Message;
	readonly #recipients: Recipients;
	/** No value that finds no place is traced before this, ms of the broker's clock. */
	#nextTraceAt = 0;

	constructor(core: Core, packetWriter: PacketWriter, sysTopics: SysTopics) {
		this.#core = core;
		this.#packetWriter = packetWriter;
		this.#publishWriter = new PublishWriter(core);
		this.#sysTopics = sysTopics;
		this.#stored = new Message(core.memory.bytes);
		this.#recipients = new Recipients(core);
	}

	/**
	 * Routes a message.
	 * @param publisher the session that published it
	 */
	publish(message: Message, publisher: number): RouteResult {
		const code = this.route(message, publisher);
		// Called here and not in route(), which uses much of the stack
		const { subscriptions, store } = this.#core;
		if (code !== QUOTA_EXCEEDED && subscriptions.sysCount > 0 && store.lastRecord !== 0)
			this.publishSysTopic(this.#sysTopics.periodicCount + store.lastRecord);
		return code;
	}

	private route(message: Message, publisher: number): RouteResult {
		const core = this.#core;
		const subscriptions = core.subscriptions;
		const store = core.store;
		const contents = core.queues.contents;
		const recipients = this.#recipients;
		core.repeatableVersion = 0;
		const kept = store.put(message) || (store.dropExpired(core.clock.nowMs) && store.put(message));
		if (!kept && message.qos !== 0) return QUOTA_EXCEEDED;
		if (!kept) this.traceUnstored(message);
		const matched = recipients.gather(message, publisher, recipients.match(message, store.lastRecord));
		core.reader.packetsLeft -= matched;
		core.host.event?.(
			"retained",
			store.lastRecord,
			message.retain,
			message.payloadEnd - message.payloadStart,
		);
		contents.beginMessage();
		const found = subscriptions.found;
		for (let i = 0; i < matched; i++) {
			const subscription = found[i];
			this.deliver(
				subscriptions.session(subscription),
				message,
				recipients.options(subscription),
				recipients.identifier(subscription),
				subscriptions.share(subscription),
			);
		}
		contents.endMessage();
		return kept ? (matched === 0 ? NO_MATCHING_SUBSCRIBERS : SUCCESS) : QUOTA_EXCEEDED;
	}

	/**
	 * Traces the topic of a retained QoS 0 message that found no place, as its publisher cannot be told. At
	 * most one is traced in TRACE_INTERVAL_MS; all are counted.
	 */
	private traceUnstored({ bytes, topicStart, topicEnd }: Message): void {
		const { clock, host } = this.#core;
		if (clock.nowMs < this.#nextTraceAt) return;
		this.#nextTraceAt = clock.nowMs + TRACE_INTERVAL_MS;
		host.trace(`${NO_PLACE_TRACE} ${decodeUTF8(bytes, topicStart, topicEnd)}`);
	}

	/**
	 * Publishes the `$SYS/broker/…` topics that have changed to their subscribers, as far as the budget of the
	 * turn allows.
	 * @returns whether the update is complete
	 */
	publishSysTopics(): boolean {
		const { reader } = this.#core;
		const sysTopics = this.#sysTopics;
		for (let index = sysTopics.next(); index !== 0; index = sysTopics.next()) {
			this.publishSysTopic(index);
			if (--reader.packetsLeft <= 0) return false;
		}
		return true;
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
		const matched = recipients.gather(message, 0, recipients.match(message, 0));
		this.#core.reader.packetsLeft -= matched;
		queues.contents.beginMessage();
		for (let i = 0; i < matched; i++) {
			const subscription = subscriptions.found[i];
			this.#core.repeatableVersion = 0;
			if (i > 0) sysTopics.compose(index, message);
			this.deliver(
				subscriptions.session(subscription),
				message,
				recipients.options(subscription),
				recipients.identifier(subscription),
				subscriptions.share(subscription),
			);
		}
		queues.contents.endMessage();
		this.#core.repeatableVersion = 0;
	}

	/**
	 * Sends waiting messages while room and send quota allow it: first the session's queue, in order
	 * [MQTT-4.6.0-5] [MQTT-4.6.0-6], then stored values for new subscriptions.
	 */
	pump(connection: Connection): void {
		const core = this.#core;
		const queues = core.queues;
		const sessions = core.sessions;
		const session = connection.session;
		const message = this.#stored;
		while (connection.phase === CONNECTED) {
			const entry = queues.firstWaiting(session);
			if (entry === 0) {
				if ((connection.clientFlags & RETAINED_PENDING) === 0) return;
				if (!sendRetained(core, this.#publishWriter, this.#sysTopics, message, connection)) return;
				continue;
			}
			let packetId = queues.table.packetId(entry);
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
			if (reliable && queues.inFlight(session) >= connection.receiveMaximum) return;
			queues.read(entry, message);
			if (reliable && packetId === 0) packetId = nextFreePacketId(sessions, queues, session);
			const result = this.#publishWriter.publish(
				connection,
				message,
				flags,
				packetId,
				queues.table.identifier(entry),
				false,
			);
			if (result === NO_ROOM) return;
			if (result === SENT) countDelivered(core, message);
			else countDropped(core, result);
			if (result === SENT && reliable)
				queues.moveToInFlight(
					session,
					packetId,
					sessions.persistent(session) || queues.table.share(entry) !== 0,
				);
			else queues.dropFirst(session);
		}
	}

	/**
	 * Moves pending messages of shared subscriptions from an ending session, whose subscriptions were removed
	 * already, to other members. QoS 1 only: a QoS 2 message must not be sent to another client [MQTT-4.8.2-5].
	 */
	redistribute(session: number): void {
		const { queues, subscriptions, counters } = this.#core;
		suspend(queues, session);
		dropExpired(this.#core);
		for (let entry = queues.firstWaiting(session); entry !== 0; entry = queues.firstWaiting(session)) {
			const shared = queues.table.share(entry) !== 0 && (queues.flags(entry) & 6) === 2;
			const best = shared ? nextMember(this.#core, entry, this.#stored) : 0;
			if (best === 0) {
				if (shared) counters.droppedShared++;
				queues.dropFirst(session);
				continue;
			}
			const member = subscriptions.session(best);
			subscriptions.moveToEnd(best);
			queues.moveFirst(session, member, queues.flags(entry) & 7, subscriptions.identifier(best));
			const connection = this.#core.connectionOf(member);
			if (connection !== undefined) this.pump(connection);
		}
	}

	/**
	 * Delivers a message to one session, or queues it.
	 * @param options granted QoS, and RETAIN_AS_PUBLISHED
	 * @returns whether it was sent or is queued
	 */
	private deliver(
		session: number,
		message: Message,
		options: number,
		identifier: number,
		share: number,
	): boolean {
		const core = this.#core;
		const queues = core.queues;
		const sessions = core.sessions;
		const granted = (options & 3) as QoS;
		const qos = granted < message.qos ? granted : message.qos; // [MQTT-3.8.4-8] [MQTT-3.1.1:3.8.4-6]
		// [MQTT-3.3.1-12] [MQTT-3.3.1-13] [MQTT-3.1.1:3.3.1-9] [MQTT-3.3.1-3] [MQTT-4.3.2-2] [MQTT-4.3.3-2]
		const flags = (qos << 1) | (message.retain && (options & RETAIN_AS_PUBLISHED) !== 0 ? RETAIN : 0);
		const connection = core.connectionOf(session);
		if (connection === undefined || connection.phase !== CONNECTED) {
			// a persistent session without a connection queues QoS 1 and 2 (§4.1), any other session nothing
			if (qos === 0 || !sessions.persistent(session)) return false;
		} else if (canSendNow(queues, connection, message, qos)) {
			let packetId = 0;
			let keep = false;
			if (qos !== 0) {
				keep = makeRoomInFlight(core, session, message, share !== 0 || sessions.persistent(session));
				packetId = nextFreePacketId(sessions, queues, session);
			}
			const publishWriter = this.#publishWriter;
			const result = publishWriter.canRepeat(connection, flags, identifier)
				? publishWriter.repeat(connection, packetId)
				: publishWriter.publish(connection, message, flags, packetId, identifier, false);
			if (result === SENT) {
				if (qos !== 0) queues.addInFlight(session, packetId, flags, identifier, share, keep);
				countDelivered(core, message);
				return true;
			}
			if (result !== NO_ROOM) {
				countDropped(core, result);
				return false;
			}
		}
		// Tail call, which uses no stack on XS
		return this.enqueue(session, message, flags, identifier, share);
	}

	/** Queues a message for a session, which loses it if it has no room. @returns whether it is queued */
	private enqueue(
		session: number,
		message: Message,
		flags: number,
		identifier: number,
		share: number,
	): boolean {
		const { queues } = this.#core;
		const full = isQueueFull(this.#core, session);
		if (full && (flags & 6) !== 0 && dropOldestQos0(queues, session)) this.countLost(session);
		if (
			!queues.isFull(session) &&
			makeRoom(this.#core, session, 0) &&
			reserveContent(this.#core, session, message) &&
			queues.push(session, message, flags, identifier, share)
		)
			return true;
		this.countLost(session);
		return false;
	}

	/** Counts a message that a session has lost for lack of room. */
	private countLost(session: number): void {
		const { counters, queues } = this.#core;
		counters.droppedQueue++;
		queues.addLost(session, 1);
	}
}
