import {
	CLEAN_START,
	type FailureCode,
	HAS_PASSWORD,
	HAS_USERNAME,
	IS_BRIDGE,
	type QoS,
	type ReasonCode,
	UNSUBSCRIBE,
	type Version,
	WILL,
	WILL_RETAIN,
} from "./constants";
import { PropertyReader } from "./property-reader";

/**
 * A decoded packet. A decoder uses one object for all packets, so its content is valid only during the
 * callback. Ranges [start, end) index `bytes`. A field is valid only for the packet types that carry it;
 * otherwise it keeps an old value.
 */
export class Packet {
	/** The protocol version of the packet. */
	version: Version = 5;
	/** Packet type, CONNECT (1) to AUTH (15). */
	type = 0;
	/** The low nibble of the first byte. */
	flags = 0;
	/** The array that all ranges index; it belongs to the decoder or to the caller of its push(). */
	bytes: Uint8Array;
	/**
	 * PUBLISH with QoS above 0, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK:
	 * 1…65,535. 0 in a PUBLISH with QoS 0.
	 */
	packetId = 0;
	/**
	 * CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, DISCONNECT, AUTH and, after nextReason(), SUBACK and UNSUBACK:
	 * an MQTT 5.0 reason code; the return codes of a 3.1.1 CONNACK are translated.
	 */
	reasonCode: ReasonCode = 0;
	/** CONNACK. */
	sessionPresent = false;
	/** Every packet type that has properties; empty in MQTT 3.1.1. */
	readonly properties: PropertyReader;

	// PUBLISH
	topicStart = 0;
	/** Equal to topicStart if a topic alias replaces the topic. */
	topicEnd = 0;
	/** Bytes. */
	payloadLength = 0;
	/** Index of the first byte of the payload, in `bytes` or in bytes still to come. */
	payloadStart = 0;

	/** A view of `bytes`, if there is one: checks of topics are faster with it. */
	declare words?: DataView;

	// CONNECT. These and all fields that are only declared below exist only in packets made with `fromClient`
	/** CONNECT flags (§3.1.2.3). */
	declare connectFlags: number;
	/** Seconds; 0 is off. */
	declare keepAlive: number;
	declare clientIdStart: number;
	declare clientIdEnd: number;
	declare willTopicStart: number;
	declare willTopicEnd: number;
	declare willPayloadStart: number;
	declare willPayloadEnd: number;
	declare readonly willProperties: PropertyReader;
	declare usernameStart: number;
	declare usernameEnd: number;
	declare passwordStart: number;
	declare passwordEnd: number;

	// SUBSCRIBE and UNSUBSCRIBE, after nextFilter()
	declare filterStart: number;
	declare filterEnd: number;
	/** Subscription options (§3.8.3.1); 0 in UNSUBSCRIBE. */
	declare options: number;

	/**
	 * The payload of SUBSCRIBE, UNSUBSCRIBE, SUBACK and UNSUBACK, bytes [listStart, listEnd), and the current
	 * position in it.
	 */
	listStart = 0;
	listEnd = 0;
	private at = 0;

	/** Why a decoder refused the packet; a literal. */
	errorMessage = "";

	/**
	 * @param fromClient adds the fields of packets that only clients send @param bytes initial value of `bytes`
	 */
	constructor(fromClient = true, bytes: Uint8Array = new Uint8Array(0)) {
		this.bytes = bytes;
		this.properties = new PropertyReader(bytes);
		if (!fromClient) return;
		this.connectFlags = this.keepAlive = this.clientIdStart = this.clientIdEnd = 0;
		this.willTopicStart = this.willTopicEnd = this.willPayloadStart = this.willPayloadEnd = 0;
		this.willProperties = new PropertyReader(bytes);
		this.usernameStart = this.usernameEnd = this.passwordStart = this.passwordEnd = 0;
		this.filterStart = this.filterEnd = this.options = 0;
	}

	get qos(): QoS {
		return ((this.flags >> 1) & 3) as QoS; // QoS 3 is refused [MQTT-3.3.1-4]
	}

	get retain(): boolean {
		return (this.flags & 1) !== 0;
	}

	get dup(): boolean {
		return (this.flags & 8) !== 0;
	}

	get cleanStart(): boolean {
		return (this.connectFlags & CLEAN_START) !== 0;
	}

	/** Whether the client says that it is a bridge, see {@link BRIDGE_LEVEL}. */
	get isBridge(): boolean {
		return (this.connectFlags & IS_BRIDGE) !== 0;
	}

	get hasWill(): boolean {
		return (this.connectFlags & WILL) !== 0;
	}

	get willQoS(): QoS {
		return ((this.connectFlags >> 3) & 3) as QoS; // QoS 3 is refused [MQTT-3.1.2-12]
	}

	get willRetain(): boolean {
		return (this.connectFlags & WILL_RETAIN) !== 0;
	}

	get hasUsername(): boolean {
		return (this.connectFlags & HAS_USERNAME) !== 0;
	}

	get hasPassword(): boolean {
		return (this.connectFlags & HAS_PASSWORD) !== 0;
	}

	/** Sets the list to iterate over to [start, end) of `bytes`. */
	setList(start: number, end: number): void {
		this.listStart = start;
		this.listEnd = end;
		this.at = start;
	}

	/** Moves back to the start of the list. */
	rewind(): void {
		this.at = this.listStart;
	}

	/** Moves to the next topic filter of a SUBSCRIBE or UNSUBSCRIBE; false after the last. */
	nextFilter(): boolean {
		const at = this.at;
		if (at >= this.listEnd) return false;
		const bytes = this.bytes;
		const start = at + 2;
		const end = start + ((bytes[at] << 8) | bytes[at + 1]);
		this.filterStart = start;
		this.filterEnd = end;
		if (this.type === UNSUBSCRIBE) this.at = end;
		else {
			this.options = bytes[end];
			this.at = end + 1;
		}
		return true;
	}

	/**
	 * Moves to the next reason code of a SUBACK or UNSUBACK; false after the last. An UNSUBACK of MQTT 3.1.1
	 * has none.
	 */
	nextReason(): boolean {
		const at = this.at;
		if (at >= this.listEnd) return false;
		this.reasonCode = this.bytes[at] as ReasonCode; // those of another code are refused [MQTT-3.9.3-2]
		this.at = at + 1;
		return true;
	}

	/** Records the error message and returns the reason code. */
	refuse(reasonCode: FailureCode, errorMessage: string): FailureCode {
		this.errorMessage = errorMessage;
		return reasonCode;
	}
}
