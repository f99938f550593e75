import type { Time } from "../device";
import { RETAIN } from "../mqtt/constants";
import type { Encoder } from "../mqtt/encoder";
import type { PropertyWriter } from "../mqtt/property-writer";
import { ACKNOWLEDGE_DEADLINE, type Deadlines } from "./deadlines";
import { InFlight } from "./in-flight";
import { type BrokerLimits, publishSize } from "./limits";

/** Not now. */
export const BUSY = -1;
/** Not on this connection, nor on another with the same limits. */
export const REJECTED = -2;

// Why publish() said BUSY
export const BLOCKED_ON_CONNACK = 1;
const BLOCKED_ON_BUFFER = 2;
const BLOCKED_ON_QUOTA = 4;

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
	/** What has to come before publish() may succeed again after BUSY: WANTS_…, 0 after success. */
	blockedOn = 0;
	/** A QoS 0 message was staged: only the broker's close tells that it was read. */
	#qos0Unconfirmed = false;
	#connackAccepted = false;
	#options: OutboundOptions;
	#encoder: Encoder;
	#limits: BrokerLimits;
	#deadlines: Deadlines;
	#time: Pick<Time, "delta">;
	#flusher: { flush(): void };
	#inFlight: InFlight;

	/** @param flusher writes what is staged, if the socket takes it */
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

	/** QoS 1 messages that wait for PUBACK. */
	get inFlightCount(): number {
		return this.#inFlight.count;
	}

	/** Whether the broker has not confirmed everything. */
	get hasUnconfirmed(): boolean {
		return this.#qos0Unconfirmed || this.#inFlight.count > 0;
	}

	reset(): void {
		this.blockedOn = 0;
		this.#qos0Unconfirmed = false;
		this.#connackAccepted = false;
		this.#inFlight.clear();
	}

	/** CONNACK has come: from now on the broker owes acknowledgements. */
	onConnack(now: number): void {
		this.#connackAccepted = true;
		this.#inFlight.restartWaits(now);
		if (this.#inFlight.count > 0) this.startAcknowledgeDeadline();
	}

	/**
	 * @param packetId 0: one that is not in use
	 * @param reservedBytes bytes of the buffer that are not for messages
	 * @returns packet identifier, 0 for QoS 0, BUSY or NEVER
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
	): number {
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
		if (size > sendBuffer || qos === 2) return REJECTED;
		// [MQTT-3.2.2-11] [MQTT-3.2.2-15]
		if (qos > limits.maximumQoS || size > limits.maximumPacketSize) {
			if (this.#connackAccepted) return REJECTED;
			// Only this connection's CONNACK is final.
			this.blockedOn |= BLOCKED_ON_CONNACK;
			return BUSY;
		}
		const inFlight = this.#inFlight;
		// Nothing but PUBLISH with QoS 1 waits for the window. [MQTT-3.3.4-7] [MQTT-3.3.4-8] [MQTT-4.9.0-2]
		// [MQTT-4.9.0-3]
		if (
			qos > 0 &&
			(inFlight.count >= this.sendQuota() || (packetId > 0 && inFlight.awaitedPacketType(packetId) !== 0))
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
		// [MQTT-3.2.2-14]
		encoder.publish(
			topic,
			payload,
			payloadLength,
			limits.retainAvailable ? flags : flags & ~RETAIN,
			id,
			properties,
		);
		if (qos > 0) {
			inFlight.add(id, now);
			if (this.#connackAccepted) this.startAcknowledgeDeadline();
		} else this.#qos0Unconfirmed = true;
		return id;
	}

	/** Whether publish() may succeed again after BUSY. */
	canRetry(): boolean {
		const { blockedOn } = this;
		if ((blockedOn & BLOCKED_ON_CONNACK) !== 0 && this.#connackAccepted) return true;
		if ((blockedOn & BLOCKED_ON_BUFFER) !== 0 && this.#encoder.length === 0) return true;
		return (blockedOn & BLOCKED_ON_QUOTA) !== 0 && this.#inFlight.count < this.sendQuota();
	}

	/**
	 * PUBACK has come, be it a refusal. [MQTT-4.4.0-2]
	 * @returns whether it was awaited: else its identifier is one of an earlier connection
	 */
	onPuback(packetId: number): boolean {
		return this.#inFlight.remove(packetId);
	}

	/** For the ACKNOWLEDGE deadline. @returns whether a message waited too long; else goes on waiting */
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

	/** Messages that may be under way at once. [MQTT-4.9.0-1] */
	private sendQuota(): number {
		return Math.min(this.#limits.receiveMaximum, this.#inFlight.capacity);
	}
}
