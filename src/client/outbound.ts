import type { Time } from "../device";
import { PACKET_IDENTIFIER_NOT_FOUND, RETAIN, SUCCESS } from "../mqtt/constants";
import type { Encoder } from "../mqtt/encoder";
import type { Packet } from "../mqtt/packet";
import type { PropertyWriter } from "../mqtt/property-writer";
import {
	actionOn,
	COMPLETE,
	type DeliveryAction,
	deliveryPacket,
	IDLE,
	PUBACK_PENDING,
	PUBCOMP_PENDING,
	PUBREC_PENDING,
	SEND_PUBREL,
	SEND_PUBREL_NOT_FOUND,
	type SenderState,
	stateAfter,
} from "../session/delivery";
import { InFlight } from "../session/in-flight";
import type { Negotiated } from "../session/negotiated";
import { ACKNOWLEDGE_DEADLINE, type Deadlines } from "./deadlines";
import { publishSize } from "./limits";
import { checkMessageProperties } from "./message-properties";

/** Result of publish(): not possible now. */
export const BUSY = -1;
/** Result of publish(): not possible on this connection, nor on another with the same limits. */
export const REJECTED = -2;

/**
 * 1 … 65535, or 0 for a message of QoS 0. The mark exists only for the compiler, which can so tell BUSY and
 * REJECTED from it.
 */
export type PacketId = number & { readonly mark: "packet identifier" };
export type PublishResult = PacketId | typeof BUSY | typeof REJECTED;

// Reasons for which publish() returned BUSY
export const BLOCKED_ON_CONNACK = 1;
export const BLOCKED_ON_BUFFER = 2;
const BLOCKED_ON_QUOTA = 4;
/** The payload of another message is incomplete. */
export const BLOCKED_ON_PAYLOAD = 16;
/** The table of what is in flight is full. */
export const BLOCKED_ON_TABLE = 8;

/** Bytes of a PUBREL without reason code. */
const PUBREL_SIZE = 4;

export interface OutboundOptions {
	/** Messages. */
	readonly inFlight: number;
	/** Bytes. */
	readonly sendBuffer: number;
	/** ms */
	readonly acknowledgeTimeout: number;
	/** See ClientOptions. */
	readonly manualRelease?: boolean;
}

/** The connection that the messages leave on. */
export interface OutboundConnection {
	readonly encoder: Encoder;
	/** Where answers are staged. */
	readonly answers: Encoder;
	readonly negotiated: Negotiated;
	readonly deadlines: Deadlines;
	/** Bytes of the send buffer that are not for messages. */
	readonly reservedBytes: number;
	/** Ticks at the start of the current callback of the host. */
	readonly now: number;
	/** Of a message whose payload follows piece by piece: see streamed-publish.ts. */
	payloadRemaining?: number;
	streamedId?: number;
	deferredAnswers?: Encoder;
	/** See `Client.isSubscribed`. */
	isSubscribed?: boolean | "unconfirmed";
	/** Writes the staged packets if the socket has room for them. */
	flush(): void;
}

/** Messages to the broker, until they are acknowledged. */
export class Outbound {
	/** Reasons for which publish() or a request returned BUSY, BLOCKED_ON_… bits; 0 if it did not. */
	blockedOn = 0;
	// Not #: streamed-publish.ts and requests.ts are functions over these.
	readonly options: OutboundOptions;
	readonly connection: OutboundConnection;
	private time: Pick<Time, "delta">;
	/** QoS 1 and 2 messages and requests not yet acknowledged. */
	readonly inFlight: InFlight;

	constructor(options: OutboundOptions, connection: OutboundConnection, time: Pick<Time, "delta">) {
		this.options = options;
		this.connection = connection;
		this.time = time;
		this.inFlight = new InFlight(options.inFlight);
	}

	/** Whether a QoS 2 message still needs a PUBREL, which cannot follow DISCONNECT. */
	get owesPubrel(): boolean {
		return this.inFlight.hasQos2;
	}

	reset(): void {
		this.blockedOn = 0;
		this.inFlight.clear();
	}

	/** Handles a successful CONNACK: the acknowledgement timeout runs from now on. */
	onConnack(now: number): void {
		const inFlight = this.inFlight;
		inFlight.restartWaits(now);
		if (inFlight.count + inFlight.requestCount > 0) this.startAcknowledgeDeadline();
	}

	/**
	 * @param packetId 0: one that is not in use
	 * @param tag see InFlight.add
	 */
	publish(
		topic: Uint8Array,
		payload: Uint8Array,
		payloadLength: number,
		flags: number,
		properties: PropertyWriter | undefined,
		packetId: number,
		tag: number,
	): PublishResult {
		const connection = this.connection;
		const encoder = connection.encoder;
		const { sendBuffer } = this.options;
		const qos = (flags >> 1) & 3;
		const size = publishSize(
			encoder.version,
			topic.length,
			payloadLength,
			qos,
			properties === undefined ? 0 : this.checkedLength(properties),
		);
		if (size > sendBuffer) return REJECTED;
		const obstacle = this.obstacle(qos, size, packetId);
		if (obstacle !== 0) return obstacle;
		if (encoder.room < size + connection.reservedBytes) {
			connection.flush();
			if (encoder.room < size + connection.reservedBytes) {
				this.blockedOn |= BLOCKED_ON_BUFFER;
				return BUSY;
			}
		}
		const id = this.identify(flags, packetId);
		encoder.publish(topic, payload, payloadLength, this.allowedFlags(flags), id, properties);
		this.record(id, flags, tag);
		return id;
	}

	/** See `Client.publishRange`. */
	publishRange(
		bytes: Uint8Array,
		start: number,
		topicEnd: number,
		end: number,
		flags: number,
		properties: PropertyWriter | undefined,
		packetId: number,
		tag: number,
	): PublishResult {
		const connection = this.connection;
		const encoder = connection.encoder;
		const qos = (flags >> 1) & 3;
		const length = properties === undefined ? 0 : properties.length;
		const size = publishSize(encoder.version, topicEnd - start, end - topicEnd, qos, length);
		if (size > this.options.sendBuffer) return REJECTED;
		const obstacle = this.obstacle(qos, size, packetId);
		if (obstacle !== 0) return obstacle;
		if (!this.hasRoom(size)) return BUSY;
		const id = (qos === 0 ? 0 : packetId > 0 ? packetId : this.inFlight.nextPacketId()) as PacketId;
		encoder.publishRange(bytes, start, topicEnd, end, this.allowedFlags(flags), id, properties);
		this.record(id, flags, tag);
		return id;
	}

	/** Bytes of the properties of a message. @throws MQTTError for what an application may not give it */
	checkedLength(properties: PropertyWriter): number {
		checkMessageProperties(properties);
		return properties.length;
	}

	/** Makes room in the buffer for so many bytes of a message. @returns false: `onWritable` follows */
	hasRoom(size: number): boolean {
		const connection = this.connection;
		const encoder = connection.encoder;
		const needed = size + connection.reservedBytes;
		if (encoder.room >= needed) return true;
		connection.flush();
		if (encoder.room >= needed) return true;
		this.blockedOn |= BLOCKED_ON_BUFFER;
		return false;
	}

	/** Why a message may not be sent now, or on this connection; 0: it may, if the buffer has room. */
	obstacle(qos: number, size: number, packetId: number): typeof BUSY | typeof REJECTED | 0 {
		const negotiated = this.connection.negotiated;
		// [MQTT-3.2.2-11] [MQTT-3.2.2-15]
		if (qos > negotiated.maximumQoS || size > negotiated.maximumPacketSize) {
			if (negotiated.isAgreed) return REJECTED;
			// Cached limits are not final: this connection's CONNACK may allow the message.
			this.blockedOn |= BLOCKED_ON_CONNACK;
			return BUSY;
		}
		// The exchange of a QoS 2 message needs a session, which only CONNACK confirms.
		if (qos === 2 && !negotiated.isAgreed) {
			this.blockedOn |= BLOCKED_ON_CONNACK;
			return BUSY;
		}
		const inFlight = this.inFlight;
		// Only a PUBLISH with QoS 1 or 2 waits for the send quota. [MQTT-3.3.4-7] [MQTT-3.3.4-8] [MQTT-4.9.0-1]
		// [MQTT-4.9.0-2] [MQTT-4.9.0-3]
		if (
			qos > 0 &&
			(!inFlight.hasQuota(negotiated.receiveMaximum) || (packetId > 0 && inFlight.find(packetId) >= 0))
		) {
			this.blockedOn |= BLOCKED_ON_QUOTA;
			return BUSY;
		}
		return 0;
	}

	/** @returns 0 with QoS 0; otherwise `packetId`, or instead of 0 one that is not in use */
	identify(flags: number, packetId: number): PacketId {
		if ((flags & 6) === 0) return 0 as PacketId;
		return (packetId > 0 ? packetId : this.inFlight.nextPacketId()) as PacketId;
	}

	/** Without RETAIN if the broker does not support it. [MQTT-3.2.2-14] [MQTT-4.3.3-2] */
	allowedFlags(flags: number): number {
		return this.connection.negotiated.retainAvailable ? flags : flags & ~RETAIN;
	}

	/** Records a message that was staged. */
	record(id: PacketId, flags: number, tag: number): void {
		if (id === 0) return;
		const connection = this.connection;
		this.inFlight.add(id, (flags & 6) === 2 ? PUBACK_PENDING : PUBREC_PENDING, connection.now, tag);
		if (connection.negotiated.isAgreed) this.startAcknowledgeDeadline();
	}

	/** A piece of a message was staged: its acknowledgement is awaited from now on. */
	restartWait(packetId: number): void {
		this.inFlight.setState(packetId, this.inFlight.state(packetId), this.connection.now);
	}

	/** Whether publish() may succeed again after BUSY. */
	canRetry(): boolean {
		const { blockedOn } = this;
		const { encoder, negotiated } = this.connection;
		if ((blockedOn & BLOCKED_ON_CONNACK) !== 0 && negotiated.isAgreed) return true;
		if ((blockedOn & BLOCKED_ON_BUFFER) !== 0 && encoder.length === 0) return true;
		if ((blockedOn & BLOCKED_ON_PAYLOAD) !== 0) return true;
		if ((blockedOn & BLOCKED_ON_TABLE) !== 0 && this.hasPlace) return true;
		return (blockedOn & BLOCKED_ON_QUOTA) !== 0 && this.inFlight.hasQuota(negotiated.receiveMaximum);
	}

	/**
	 * Goes on with a QoS 2 message whose PUBREC arrived on an earlier connection of the session.
	 * [MQTT-4.4.0-1] [MQTT-4.3.3-6]
	 */
	resumePubrel(packetId: number, tag: number): PacketId | typeof BUSY {
		const { encoder, negotiated, reservedBytes, now } = this.connection;
		const inFlight = this.inFlight;
		if (!negotiated.isAgreed) this.blockedOn |= BLOCKED_ON_CONNACK;
		else if (!inFlight.hasQuota(negotiated.receiveMaximum) || inFlight.find(packetId) >= 0)
			this.blockedOn |= BLOCKED_ON_QUOTA;
		else if (encoder.room < PUBREL_SIZE + reservedBytes) this.blockedOn |= BLOCKED_ON_BUFFER;
		else {
			encoder.pubrel(packetId);
			inFlight.add(packetId, PUBCOMP_PENDING, now, tag);
			this.startAcknowledgeDeadline();
			return packetId as PacketId;
		}
		return BUSY;
	}

	/**
	 * Handles PUBACK, PUBREC, PUBCOMP, SUBACK or UNSUBACK as the table of deliveries says; stages PUBREL where
	 * it is the answer.
	 * [MQTT-4.4.0-2]
	 * @param entry of its packet identifier, from `inFlight.find`
	 */
	onAcknowledgement(packet: Packet, entry: number, now: number): DeliveryAction {
		const inFlight = this.inFlight;
		const state = inFlight.stateAt(entry);
		const arrived = deliveryPacket(packet.type, packet.reasonCode);
		const action = actionOn(state, arrived);
		if (action === COMPLETE) {
			inFlight.remove(entry, state);
			return action;
		}
		if (action !== SEND_PUBREL && action !== SEND_PUBREL_NOT_FOUND) {
			inFlight.setStateAt(entry, stateAfter(state, arrived) as SenderState, now);
			return action;
		}
		if (this.options.manualRelease) {
			inFlight.setStateAt(entry, IDLE, now); // resumePubrel() adds it again
			return SEND_PUBREL;
		}
		inFlight.setStateAt(entry, stateAfter(state, arrived) as SenderState, now);
		// Staged as PUBREC arrives, so that PUBRELs leave in the order of the PUBRECs. [MQTT-4.6.0-4]
		const answers = this.connection.answers;
		const packetId = packet.packetId;
		if (action === SEND_PUBREL) answers.pubrel(packetId);
		else answers.pubrel(packetId, answers.version === 4 ? SUCCESS : PACKET_IDENTIFIER_NOT_FOUND);
		return action;
	}

	/** Called at ACKNOWLEDGE_DEADLINE. @returns whether something waited too long; if not, waits on */
	acknowledgeOverdue(now: number): boolean {
		const inFlight = this.inFlight;
		if (inFlight.count + inFlight.requestCount === 0) return false;
		const remaining = this.options.acknowledgeTimeout - inFlight.longestWaitMs(this.time, now);
		if (remaining <= 0) return true;
		this.connection.deadlines.start(ACKNOWLEDGE_DEADLINE, remaining);
		return false;
	}

	/** Whether one more message or request may be in flight. */
	get hasPlace(): boolean {
		const { capacity, count, requestCount } = this.inFlight;
		return count + requestCount < capacity;
	}

	/** Call when a message or request was staged, after CONNACK. */
	startAcknowledgeDeadline(): void {
		const deadlines = this.connection.deadlines;
		if (!deadlines.running(ACKNOWLEDGE_DEADLINE))
			deadlines.start(ACKNOWLEDGE_DEADLINE, this.options.acknowledgeTimeout);
	}
}
