import type { Time } from "../device";
import { PACKET_IDENTIFIER_NOT_FOUND, RETAIN, SUCCESS } from "../mqtt/constants";
import type { Encoder } from "../mqtt/encoder";
import type { PropertyWriter } from "../mqtt/property-writer";
import {
	actionOn,
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
import { ACKNOWLEDGE_DEADLINE, type Deadlines } from "./deadlines";
import { type BrokerLimits, publishSize } from "./limits";

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
const BLOCKED_ON_BUFFER = 2;
const BLOCKED_ON_QUOTA = 4;

/** Bytes of a PUBREL without reason code. */
const PUBREL_SIZE = 4;

export interface OutboundOptions {
	/** Messages. */
	readonly inFlight: number;
	/** Bytes. */
	readonly sendBuffer: number;
	/** ms */
	readonly acknowledgeTimeout: number;
}

/** Messages to the broker, until they are acknowledged. */
export class Outbound {
	/** Reasons for which publish() returned BUSY, BLOCKED_ON_… bits; 0 if it did not. */
	blockedOn = 0;
	#connackAccepted = false;
	#options: OutboundOptions;
	#encoder: Encoder;
	#limits: BrokerLimits;
	#deadlines: Deadlines;
	#time: Pick<Time, "delta">;
	#flusher: { flush(): void };
	#inFlight: InFlight;

	/** @param flusher writes the staged packets if the socket has room for them */
	constructor(
		options: OutboundOptions,
		encoder: Encoder,
		limits: BrokerLimits,
		deadlines: Deadlines,
		time: Pick<Time, "delta">,
		flusher: { flush(): void },
	) {
		this.#options = options;
		this.#encoder = encoder;
		this.#limits = limits;
		this.#deadlines = deadlines;
		this.#time = time;
		this.#flusher = flusher;
		this.#inFlight = new InFlight(options.inFlight);
	}

	/** QoS 1 and 2 messages not yet acknowledged. */
	get inFlightCount(): number {
		return this.#inFlight.count;
	}

	/** Whether a QoS 2 message still needs a PUBREL, which cannot follow DISCONNECT. */
	get owesPubrel(): boolean {
		return this.#inFlight.hasQos2;
	}

	reset(): void {
		this.blockedOn = 0;
		this.#connackAccepted = false;
		this.#inFlight.clear();
	}

	/** Handles a successful CONNACK: the acknowledgement timeout runs from now on. */
	onConnack(now: number): void {
		this.#connackAccepted = true;
		this.#inFlight.restartWaits(now);
		if (this.#inFlight.count > 0) this.startAcknowledgeDeadline();
	}

	/**
	 * @param packetId 0: one that is not in use
	 * @param reservedBytes bytes of the buffer that are not for messages
	 */
	publish(
		topic: Uint8Array,
		payload: Uint8Array,
		payloadLength: number,
		flags: number,
		properties: PropertyWriter | undefined,
		packetId: number,
		reservedBytes: number,
		now: number,
	): PublishResult {
		const encoder = this.#encoder;
		const limits = this.#limits;
		const { sendBuffer } = this.#options;
		const qos = (flags >> 1) & 3;
		const size = publishSize(
			encoder.version,
			topic.length,
			payloadLength,
			qos,
			properties === undefined ? 0 : properties.length,
		);
		if (size > sendBuffer) return REJECTED;
		// [MQTT-3.2.2-11] [MQTT-3.2.2-15]
		if (qos > limits.maximumQoS || size > limits.maximumPacketSize) {
			if (this.#connackAccepted) return REJECTED;
			// Cached limits are not final: this connection's CONNACK may allow the message.
			this.blockedOn |= BLOCKED_ON_CONNACK;
			return BUSY;
		}
		// The exchange of a QoS 2 message needs a session, which only CONNACK confirms.
		if (qos === 2 && !this.#connackAccepted) {
			this.blockedOn |= BLOCKED_ON_CONNACK;
			return BUSY;
		}
		const inFlight = this.#inFlight;
		// Only a PUBLISH with QoS 1 or 2 waits for the send quota. [MQTT-3.3.4-7] [MQTT-3.3.4-8] [MQTT-4.9.0-2]
		// [MQTT-4.9.0-3]
		if (
			qos > 0 &&
			(inFlight.count >= this.sendQuota() || (packetId > 0 && inFlight.state(packetId) !== IDLE))
		) {
			this.blockedOn |= BLOCKED_ON_QUOTA;
			return BUSY;
		}
		if (encoder.room < size + reservedBytes) {
			this.#flusher.flush();
			if (encoder.room < size + reservedBytes) {
				this.blockedOn |= BLOCKED_ON_BUFFER;
				return BUSY;
			}
		}
		const id = qos === 0 ? 0 : packetId > 0 ? packetId : inFlight.nextPacketId();
		// [MQTT-3.2.2-14] [MQTT-4.3.3-2]
		encoder.publish(
			topic,
			payload,
			payloadLength,
			limits.retainAvailable ? flags : flags & ~RETAIN,
			id,
			properties,
		);
		if (qos > 0) {
			inFlight.add(id, qos === 1 ? PUBACK_PENDING : PUBREC_PENDING, now);
			if (this.#connackAccepted) this.startAcknowledgeDeadline();
		}
		return id as PacketId;
	}

	/** Whether publish() may succeed again after BUSY. */
	canRetry(): boolean {
		const { blockedOn } = this;
		if ((blockedOn & BLOCKED_ON_CONNACK) !== 0 && this.#connackAccepted) return true;
		if ((blockedOn & BLOCKED_ON_BUFFER) !== 0 && this.#encoder.length === 0) return true;
		return (blockedOn & BLOCKED_ON_QUOTA) !== 0 && this.#inFlight.count < this.sendQuota();
	}

	/**
	 * Goes on with a QoS 2 message whose PUBREC arrived on an earlier connection of the session.
	 * [MQTT-4.4.0-1] [MQTT-4.3.3-6]
	 */
	resumePubrel(packetId: number, reservedBytes: number, now: number): PacketId | typeof BUSY {
		const encoder = this.#encoder;
		const inFlight = this.#inFlight;
		if (!this.#connackAccepted) this.blockedOn |= BLOCKED_ON_CONNACK;
		else if (inFlight.count >= this.sendQuota() || inFlight.state(packetId) !== IDLE)
			this.blockedOn |= BLOCKED_ON_QUOTA;
		else if (encoder.room < PUBREL_SIZE + reservedBytes) this.blockedOn |= BLOCKED_ON_BUFFER;
		else {
			encoder.pubrel(packetId);
			inFlight.add(packetId, PUBCOMP_PENDING, now);
			this.startAcknowledgeDeadline();
			return packetId as PacketId;
		}
		return BUSY;
	}

	/**
	 * Handles PUBACK, PUBREC or PUBCOMP as the table of deliveries says; stages PUBREL where it is the answer.
	 * [MQTT-4.4.0-2]
	 */
	onAcknowledgement(type: number, packetId: number, reasonCode: number, now: number): DeliveryAction {
		const inFlight = this.#inFlight;
		const state = inFlight.state(packetId);
		const packet = deliveryPacket(type, reasonCode);
		const action = actionOn(state, packet);
		inFlight.setState(packetId, stateAfter(state, packet) as SenderState, now);
		// Staged as PUBREC arrives, so that PUBRELs leave in the order of the PUBRECs. [MQTT-4.6.0-4]
		if (action === SEND_PUBREL) this.#encoder.pubrel(packetId);
		else if (action === SEND_PUBREL_NOT_FOUND)
			this.#encoder.pubrel(packetId, this.#encoder.version === 4 ? SUCCESS : PACKET_IDENTIFIER_NOT_FOUND);
		return action;
	}

	/** Called at ACKNOWLEDGE_DEADLINE. @returns whether a message waited too long; if not, waits on */
	acknowledgeOverdue(now: number): boolean {
		if (this.#inFlight.count === 0) return false;
		const remaining = this.#options.acknowledgeTimeout - this.#inFlight.longestWaitMs(this.#time, now);
		if (remaining <= 0) return true;
		this.#deadlines.start(ACKNOWLEDGE_DEADLINE, remaining);
		return false;
	}

	private startAcknowledgeDeadline(): void {
		const deadlines = this.#deadlines;
		if (!deadlines.running(ACKNOWLEDGE_DEADLINE))
			deadlines.start(ACKNOWLEDGE_DEADLINE, this.#options.acknowledgeTimeout);
	}

	/** Maximum number of messages in flight. [MQTT-4.9.0-1] */
	private sendQuota(): number {
		return Math.min(this.#limits.receiveMaximum, this.#inFlight.capacity);
	}
}
