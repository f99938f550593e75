import { copyBytes, writeUint16 } from "./bytes";
import {
	AUTH,
	CONNACK,
	CONNECT,
	DISCONNECT,
	MAXIMUM_REMAINING_LENGTH,
	PACKET_TOO_LARGE,
	PINGREQ,
	PINGRESP,
	PROTOCOL_ERROR,
	PUBACK,
	PUBCOMP,
	PUBREC,
	PUBREL,
	type ReasonCode,
	SUBACK,
	SUBSCRIBE,
	TOPIC_NAME_INVALID,
	UNSUBACK,
	UNSUBSCRIBE,
	type Version,
} from "./constants";
import { connectLength, writeConnect } from "./encode/connect";
import { propertiesSize, writeAliasedProperties, writeProperties } from "./encode/properties";
import { aliasedHeaderSize, checkPacketId, publishHeaderSize, writePublishStart } from "./encode/publish";
import { reasonSize, writeReason } from "./encode/reason";
import { reasonCodesSize, writeReasonCodes } from "./encode/suback";
import { filtersSize, subscriptionsSize, writeFilters, writeSubscriptions } from "./encode/subscribe";
import { MQTTError } from "./error";
import type { ConnectFields, Subscription } from "./packet-fields";
import type { PropertyWriter } from "./property-writer";
import { connackReturnCode, reasonAllowed } from "./reasons";
import { validTopicName } from "./topics";
import { varintSize, writeVarint } from "./varint";

export interface EncoderOptions {
	/** Bytes of the buffer. At least 16. */
	size: number;
	/** 5 by default. */
	version?: Version;
}

/**
 * Stages MQTT packets in one fixed buffer. Each packet method stages one whole packet and returns its length
 * in bytes; it returns 0 and stages nothing if the packet does not fit after the staged ones, and throws
 * MQTTError, staging nothing, if it can never fit (0x95) or is not allowed. Allocates nothing after
 * construction, except for errors. Properties are omitted in MQTT 3.1.1.
 *
 * Strings are UTF-8 bytes and are checked. The topic of publish() is checked once per array, so its bytes
 * must not change later; that of publishHeader() is not checked, as it comes from a decoder. The session
 * enforces the limits that the peer announced (maximum packet size, receive maximum, topic aliases).
 */
export class Encoder {
	/** Length-tracking view of the buffer: exactly the staged bytes after seal(), the whole buffer before. */
	readonly view: Uint8Array;
	/** Bytes of the buffer. */
	readonly size: number;
	private readonly buffer: ArrayBuffer;
	private staged = 0;
	private protocolVersion: Version;
	private isVersion5: boolean;
	/**
	 * The last topic that publish() validated, and the size of a QoS 1 PUBLISH on it without properties and
	 * payload, in the current version.
	 */
	private cachedTopic: Uint8Array | undefined;
	private cachedTopicSize = 0;
	/** Bytes of the buffer that the view covers; 0 while it is sealed, so that each packet calls unseal(). */
	private viewLimit: number;

	constructor(options: EncoderOptions) {
		const size = Math.max(options.size, 16);
		this.protocolVersion = options.version ?? 5;
		this.isVersion5 = this.protocolVersion === 5;
		this.size = size;
		this.viewLimit = size;
		// Once the buffer has had its full length, later changes of length allocate nothing on XS
		this.buffer = new ArrayBuffer(0, { maxByteLength: size });
		this.view = new Uint8Array(this.buffer);
		this.buffer.resize(size);
	}

	get version(): Version {
		return this.protocolVersion;
	}

	set version(version: Version) {
		this.protocolVersion = version;
		this.isVersion5 = version === 5;
		this.cachedTopic = undefined;
	}

	/** Bytes staged. */
	get length(): number {
		return this.staged;
	}

	/** Bytes that can still be staged. */
	get room(): number {
		return this.size - this.staged;
	}

	/** @param hasValidText strings and the will's topic are known to be valid */
	connect(fields: ConnectFields, hasValidText = false): number {
		const remaining = connectLength(fields, this.protocolVersion, hasValidText);
		const at = this.writeFixedHeader(CONNECT << 4, remaining);
		return at < 0 ? 0 : this.commit(writeConnect(this.view, at, fields, this.protocolVersion));
	}

	/**
	 * In MQTT 3.1.1 the reason code is translated to a return code (see connackReturnCode). Throws 0x82 if
	 * there is none; the connection must then be closed without CONNACK.
	 */
	connack(sessionPresent: boolean, reasonCode: ReasonCode, properties?: PropertyWriter): number {
		const version = this.protocolVersion;
		// [MQTT-3.2.2-6] [MQTT-3.1.1:3.2.2-4]
		if (sessionPresent && reasonCode !== 0)
			throw new MQTTError(PROTOCOL_ERROR, "session present in a refusal");
		// [MQTT-3.2.2-8]
		if (!reasonAllowed(CONNACK, reasonCode, false))
			throw new MQTTError(PROTOCOL_ERROR, "reason code is not one of CONNACK");
		const code = version === 4 ? connackReturnCode(reasonCode) : reasonCode;
		// [MQTT-3.1.1:3.2.2-6]
		if (code < 0) throw new MQTTError(PROTOCOL_ERROR, "MQTT 3.1.1 has no return code for it");
		const at = this.writeFixedHeader(CONNACK << 4, 2 + propertiesSize(properties, version, CONNACK));
		if (at < 0) return 0;
		const view = this.view;
		view[at] = sessionPresent ? 1 : 0; // [MQTT-3.2.2-1]
		view[at + 1] = code;
		return this.commit(writeProperties(view, at + 2, properties, version));
	}

	/**
	 * @param payload copied from its start
	 * @param payloadLength bytes, an integer
	 * @param flags low nibble of the first byte: RETAIN | QOS1 | QOS2 | DUP
	 * @param packetId 1…65,535 with QoS 1 or 2, ignored with QoS 0
	 */
	publish(
		topic: Uint8Array,
		payload: Uint8Array,
		payloadLength: number,
		flags: number,
		packetId: number,
		properties?: PropertyWriter,
	): number {
		// Fast path for the most frequent packet of a node, a short QoS 1 message on the same topic as the last
		// one. writePublishStart() is inlined here, as on XS a call costs as much as the work. The bitwise
		// expression is not 0 for a size of 128 or more, flags other than QoS 1 with or without RETAIN, or a
		// packet identifier above 65,535.
		const from = this.staged;
		const size = this.cachedTopicSize + payloadLength;
		const end = from + size;
		if (
			topic !== this.cachedTopic ||
			properties ||
			!packetId ||
			(size >>> 7) | ((flags >> 1) ^ 1) | (packetId >>> 16)
		)
			return this.publishSlowPath(topic, payload, payloadLength, flags, packetId, properties);
		if (!(end + payload.length <= this.viewLimit) || payloadLength >>> 0 > payload.length)
			return this.publishSlowPath(topic, payload, payloadLength, flags, packetId, properties);
		const view = this.view;
		view[from] = 0x30 | flags;
		view[from + 1] = size - 2;
		view[from + 2] = 0;
		view[from + 3] = topic.length;
		view.set(topic, from + 4);
		let at = end - payloadLength;
		// A native copy is faster than a loop; bytes beyond payloadLength go to free space
		view.set(payload, at);
		if (this.isVersion5) view[--at] = 0; // [MQTT-2.2.2-1]
		view[at - 1] = packetId;
		view[at - 2] = packetId >> 8;
		this.staged = end;
		return size;
	}

	/**
	 * Stages a PUBLISH whose topic and payload are bytes [start, topicEnd) and [topicEnd, end) of one array.
	 * The topic must be valid: from a decoder, or checked by validTopicName().
	 */
	publishRange(
		bytes: Uint8Array,
		start: number,
		topicEnd: number,
		end: number,
		flags: number,
		packetId: number,
		properties?: PropertyWriter,
	): number {
		// Fast path for what a node sends: no DUP, no properties, the topic at the start of the array. The
		// bitwise expression is not 0 for a topic of no or of more than 128 bytes, a payload of 8,192 or more, so
		// that the packet is below 16,384, and a packet identifier above 65,535.
		const from = this.staged;
		const between = (packetId > 0 ? 2 : 0) + (this.isVersion5 ? 1 : 0);
		const remaining = 2 + end + between;
		const topicAt = from + (remaining < 128 ? 4 : 5);
		if (
			start | ((topicEnd - 1) >>> 7) | ((end - topicEnd) >>> 13) | (packetId >>> 16) ||
			properties !== undefined ||
			flags >>> 0 > 5 ||
			packetId > 0 !== flags > 1 ||
			!(topicAt + between + end <= this.viewLimit)
		)
			return this.publishRangeSlowPath(bytes, start, topicEnd, end, flags, packetId, properties);
		const view = this.view;
		let at = topicAt + topicEnd;
		if (topicAt + bytes.length <= this.viewLimit) {
			// Natively and at once, with what is behind them, to free space; then the payload makes room for what
			// is between.
			view.set(bytes, topicAt);
			view.copyWithin(at + between, at, topicAt + end);
		} else {
			copyBytes(view, topicAt, bytes, 0, topicEnd);
			copyBytes(view, at + between, bytes, topicEnd, end);
		}
		view[from] = 0x30 | flags;
		if (remaining < 128) view[from + 1] = remaining;
		else {
			view[from + 1] = remaining | 0x80;
			view[from + 2] = remaining >> 7;
		}
		view[topicAt - 2] = 0;
		view[topicAt - 1] = topicEnd;
		if (packetId > 0) {
			view[at] = packetId >> 8;
			view[at + 1] = packetId;
			at += 2;
		}
		if (this.isVersion5) view[at] = 0; // [MQTT-2.2.2-1]
		this.staged = topicAt + end + between;
		return this.staged - from;
	}

	/** publishRange() without the fast path. */
	private publishRangeSlowPath(
		bytes: Uint8Array,
		start: number,
		topicEnd: number,
		end: number,
		flags: number,
		packetId: number,
		properties: PropertyWriter | undefined,
	): number {
		const payloadLength = end - topicEnd;
		const header = publishHeaderSize(topicEnd - start, flags, packetId, properties, this.protocolVersion);
		if (!this.ensureRoom(header + payloadLength, header + payloadLength)) return 0;
		const length = this.publishHeader(bytes, start, topicEnd, payloadLength, flags, packetId, properties);
		return length + this.payload(bytes, topicEnd, end);
	}

	/**
	 * Stages a PUBLISH without its payload, whose `payloadLength` bytes must follow through payload() before
	 * any other packet. Returns the length of the header alone. The topic must be valid: from a decoder, or
	 * checked by validTopicName().
	 */
	publishHeader(
		topic: Uint8Array,
		topicStart: number,
		topicEnd: number,
		payloadLength: number,
		flags: number,
		packetId: number,
		properties?: PropertyWriter,
	): number {
		const topicLength = topicEnd - topicStart;
		const version = this.protocolVersion;
		const header = publishHeaderSize(topicLength, flags, packetId, properties, version);
		const remaining = header + payloadLength;
		if (!this.ensureRoom(remaining, header)) return 0;
		const view = this.view;
		let at = writePublishStart(view, this.staged, flags, remaining, topicLength);
		at = copyBytes(view, at, topic, topicStart, topicEnd);
		if ((flags & 6) !== 0) at = writeUint16(view, at, packetId);
		return this.commit(writeProperties(view, at, properties, version));
	}

	/**
	 * As publishHeader, with a topic alias, 1…65,535, which is not among the properties. MQTT 5.0 only.
	 * @param topicEnd = `topicStart`: the alias stands for the topic
	 */
	aliasedPublishHeader(
		topic: Uint8Array,
		topicStart: number,
		topicEnd: number,
		payloadLength: number,
		flags: number,
		packetId: number,
		properties: PropertyWriter | undefined,
		topicAlias: number,
	): number {
		const topicLength = topicEnd - topicStart;
		const header = aliasedHeaderSize(topicLength, flags, packetId, properties, this.protocolVersion);
		const remaining = header + payloadLength;
		if (!this.ensureRoom(remaining, header)) return 0;
		const view = this.view;
		let at = writePublishStart(view, this.staged, flags, remaining, topicLength);
		at = copyBytes(view, at, topic, topicStart, topicEnd);
		if ((flags & 6) !== 0) at = writeUint16(view, at, packetId);
		return this.commit(writeAliasedProperties(view, at, properties, topicAlias));
	}

	/** Stages as much of [start, end) as fits, and returns the number of bytes. */
	payload(bytes: Uint8Array, start: number, end: number): number {
		const from = this.staged;
		const count = Math.min(end - start, this.size - from);
		if (count <= 0) return 0;
		this.unseal();
		this.staged = copyBytes(this.view, from, bytes, start, start + count);
		return count;
	}

	/**
	 * MQTT 3.1.1 has no reason codes: an error (0x80 or above) throws there, as an acknowledgement would hide
	 * it.
	 */
	puback(packetId: number, reasonCode: ReasonCode = 0, properties?: PropertyWriter): number {
		return this.stageAcknowledgement(PUBACK, 0, packetId, reasonCode, properties);
	}

	/** As puback. */
	pubrec(packetId: number, reasonCode: ReasonCode = 0, properties?: PropertyWriter): number {
		return this.stageAcknowledgement(PUBREC, 0, packetId, reasonCode, properties);
	}

	/** As puback. */
	pubrel(packetId: number, reasonCode: ReasonCode = 0, properties?: PropertyWriter): number {
		return this.stageAcknowledgement(PUBREL, 2, packetId, reasonCode, properties); // [MQTT-3.6.1-1]
	}

	/** As puback. */
	pubcomp(packetId: number, reasonCode: ReasonCode = 0, properties?: PropertyWriter): number {
		return this.stageAcknowledgement(PUBCOMP, 0, packetId, reasonCode, properties);
	}

	subscribe(packetId: number, subscriptions: readonly Subscription[], properties?: PropertyWriter): number {
		const version = this.protocolVersion;
		checkPacketId(packetId); // [MQTT-2.2.1-3] [MQTT-3.1.1:2.3.1-1]
		const size = subscriptionsSize(subscriptions, version);
		// [MQTT-3.8.1-1]
		const at = this.writeFixedHeader(
			(SUBSCRIBE << 4) | 2,
			2 + propertiesSize(properties, version, SUBSCRIBE) + size,
		);
		if (at < 0) return 0;
		const view = this.view;
		return this.commit(
			writeSubscriptions(
				view,
				writeProperties(view, writeUint16(view, at, packetId), properties, version),
				subscriptions,
			),
		);
	}

	/**
	 * One MQTT 5.0 code per topic filter, in the order of the SUBSCRIBE: `codes` [0, count). MQTT 3.1.1: every
	 * code of 0x80 or above becomes 0x80.
	 */
	suback(packetId: number, codes: Uint8Array, count: number, properties?: PropertyWriter): number {
		return this.stageReasonCodes(SUBACK, packetId, codes, count, properties);
	}

	unsubscribe(packetId: number, filters: readonly Uint8Array[], properties?: PropertyWriter): number {
		const version = this.protocolVersion;
		checkPacketId(packetId); // [MQTT-2.2.1-3] [MQTT-3.1.1:2.3.1-1]
		const size = filtersSize(filters, version);
		// [MQTT-3.10.1-1]
		const at = this.writeFixedHeader(
			(UNSUBSCRIBE << 4) | 2,
			2 + propertiesSize(properties, version, UNSUBSCRIBE) + size,
		);
		if (at < 0) return 0;
		const view = this.view;
		return this.commit(
			writeFilters(
				view,
				writeProperties(view, writeUint16(view, at, packetId), properties, version),
				filters,
			),
		);
	}

	/** As suback; the codes are omitted in MQTT 3.1.1. */
	unsuback(packetId: number, codes: Uint8Array, count: number, properties?: PropertyWriter): number {
		return this.stageReasonCodes(UNSUBACK, packetId, codes, count, properties);
	}

	pingreq(): number {
		const at = this.writeFixedHeader(PINGREQ << 4, 0);
		return at < 0 ? 0 : this.commit(at);
	}

	pingresp(): number {
		const at = this.writeFixedHeader(PINGRESP << 4, 0);
		return at < 0 ? 0 : this.commit(at);
	}

	/** MQTT 3.1.1 has no reason codes: anything but 0 throws, as its DISCONNECT always means a normal end. */
	disconnect(reasonCode: ReasonCode = 0, properties?: PropertyWriter): number {
		const size = reasonSize(DISCONNECT, reasonCode, properties, this.protocolVersion);
		const at = this.writeFixedHeader(DISCONNECT << 4, size); // [MQTT-3.14.1-1]
		return at < 0
			? 0
			: this.commit(writeReason(this.view, at, size, reasonCode, properties, this.protocolVersion));
	}

	/** MQTT 5.0 only. The properties must have an authentication method. */
	auth(reasonCode: ReasonCode, properties?: PropertyWriter): number {
		const size = reasonSize(AUTH, reasonCode, properties, this.protocolVersion);
		const at = this.writeFixedHeader(AUTH << 4, size); // [MQTT-3.15.1-1]
		return at < 0
			? 0
			: this.commit(writeReason(this.view, at, size, reasonCode, properties, this.protocolVersion));
	}

	/**
	 * Shrinks the view to the staged bytes, ready for `tcp.write(view)`. Staging more, or reset(), restores its
	 * full length.
	 */
	seal(): Uint8Array {
		this.viewLimit = 0;
		this.buffer.resize(this.staged);
		return this.view;
	}

	/** Discards all staged packets. */
	reset(): void {
		this.staged = 0;
		this.unseal();
	}

	/** publish() without the fast path. */
	private publishSlowPath(
		topic: Uint8Array,
		payload: Uint8Array,
		payloadLength: number,
		flags: number,
		packetId: number,
		properties: PropertyWriter | undefined,
	): number {
		const version = this.protocolVersion;
		const topicLength = topic.length;
		if (!(payloadLength >= 0 && payloadLength <= payload.length))
			throw new MQTTError(PROTOCOL_ERROR, "payloadLength is not within the payload");
		const remaining = publishHeaderSize(topicLength, flags, packetId, properties, version) + payloadLength;
		if (topic !== this.cachedTopic && topicLength !== 0) {
			// [MQTT-3.3.2-1] [MQTT-3.3.2-2]
			if (!validTopicName(topic, 0, topicLength)) throw new MQTTError(TOPIC_NAME_INVALID, "not a topic name");
			this.cachedTopic = topic;
			this.cachedTopicSize = topicLength + (version === 4 ? 6 : 7);
		}
		if (!this.ensureRoom(remaining, remaining)) return 0;
		const view = this.view;
		let at = writePublishStart(view, this.staged, flags, remaining, topicLength);
		view.set(topic, at);
		at += topicLength;
		if ((flags & 6) !== 0) at = writeUint16(view, at, packetId);
		at = writeProperties(view, at, properties, version);
		if (at + payload.length <= this.viewLimit) {
			view.set(payload, at);
			return this.commit(at + payloadLength);
		}
		return this.commit(copyBytes(view, at, payload, 0, payloadLength));
	}

	private stageAcknowledgement(
		type: number,
		flags: number,
		packetId: number,
		reasonCode: ReasonCode,
		properties: PropertyWriter | undefined,
	): number {
		checkPacketId(packetId); // [MQTT-2.2.1-5] [MQTT-3.1.1:2.3.1-6]
		const size = reasonSize(type, reasonCode, properties, this.protocolVersion);
		const at = this.writeFixedHeader((type << 4) | flags, 2 + size);
		if (at < 0) return 0;
		return this.commit(
			writeReason(
				this.view,
				writeUint16(this.view, at, packetId),
				size,
				reasonCode,
				properties,
				this.protocolVersion,
			),
		);
	}

	private stageReasonCodes(
		type: number,
		packetId: number,
		codes: Uint8Array,
		count: number,
		properties: PropertyWriter | undefined,
	): number {
		const version = this.protocolVersion;
		checkPacketId(packetId); // [MQTT-2.2.1-6] [MQTT-3.1.1:2.3.1-7]
		const size = reasonCodesSize(type, codes, count, version);
		const at = this.writeFixedHeader(type << 4, 2 + propertiesSize(properties, version, type) + size);
		if (at < 0) return 0;
		const view = this.view;
		return this.commit(
			writeReasonCodes(
				view,
				writeProperties(view, writeUint16(view, at, packetId), properties, version),
				codes,
				size,
				version,
			),
		);
	}

	/**
	 * Writes the fixed header if it and `presentBytes` bytes after it fit after the staged packets.
	 * @returns the index after it, or -1
	 */
	private writeFixedHeader(first: number, remaining: number, presentBytes = remaining): number {
		const from = this.staged;
		const view = this.view;
		if (remaining < 128) {
			if (from + 2 + presentBytes > this.viewLimit && !this.ensureRoom(remaining, presentBytes)) return -1;
			view[from] = first;
			view[from + 1] = remaining;
			return from + 2;
		}
		if (!this.ensureRoom(remaining, presentBytes)) return -1;
		view[from] = first;
		return writeVarint(view, from + 1, remaining);
	}

	private ensureRoom(remaining: number, presentBytes: number): boolean {
		// §2.1.4
		if (remaining > MAXIMUM_REMAINING_LENGTH)
			throw new MQTTError(PACKET_TOO_LARGE, "packet is longer than 268,435,455 bytes");
		const total = 1 + varintSize(remaining) + presentBytes;
		if (total > this.size) throw new MQTTError(PACKET_TOO_LARGE, "packet is larger than the buffer");
		if (this.staged + total > this.size) return false;
		this.unseal();
		return true;
	}

	/** Undoes seal(). */
	private unseal(): void {
		if (this.viewLimit !== 0) return;
		this.viewLimit = this.size;
		this.buffer.resize(this.size);
	}

	/** Counts the packet that ends at `at` as staged; returns its length. */
	private commit(at: number): number {
		const length = at - this.staged;
		this.staged = at;
		return length;
	}
}
