import {
	type AcknowledgementType,
	PACKET_TOO_LARGE,
	PUBACK,
	PUBREC,
	PUBREL,
	type ReasonCode,
	reasonName,
	SUCCESS,
	UNSPECIFIED_ERROR,
} from "../../mqtt/constants";
import { Encoder } from "../../mqtt/encoder";
import { PropertyWriter } from "../../mqtt/property-writer";
import { utf8 } from "../../mqtt/utf8";
import type { Core } from "../core/core";
import { type Connection, NO_REASON_STRING } from "../session/connection";

/** Size of the longest packet except PUBLISH, SUBACK and UNSUBACK, bytes. */
const SMALL_PACKET_SIZE = 192;

/** Writes all packets to clients except PUBLISH, through an encoder. */
export class PacketWriter {
	/** Scratch properties of the packet to be encoded next. */
	readonly properties = new PropertyWriter(160);
	/** For the codes of a SUBACK or UNSUBACK. */
	readonly reasonCodes: Uint8Array;
	readonly #core: Core;
	/** An acknowledgement without a reason code, of a size of its own: the large buffer need not change its. */
	readonly #shortPacket: Uint8Array;
	readonly #smallEncoder: Encoder;
	/** For SUBACK and UNSUBACK; the small encoder if that is large enough. */
	readonly #largeEncoder: Encoder;
	/** The encoder used last. */
	#encoder: Encoder;

	constructor(core: Core) {
		this.#core = core;
		// the longest UNSUBACK answers an UNSUBSCRIBE full of the shortest filters, which take three bytes
		const codes = Math.ceil(core.settings.packetSize / 3);
		const size = codes + 8;
		this.reasonCodes = core.memory.tables.u8(codes);
		this.#shortPacket = core.memory.tables.u8(4);
		this.#smallEncoder = new Encoder({ size: SMALL_PACKET_SIZE });
		this.#largeEncoder = size > SMALL_PACKET_SIZE ? new Encoder({ size }) : this.#smallEncoder;
		this.#encoder = this.#smallEncoder;
	}

	/** An empty encoder for a packet to a connection. */
	encoderFor(connection: Connection, large = false): Encoder {
		const encoder = large ? this.#largeEncoder : this.#smallEncoder;
		this.#encoder = encoder;
		encoder.reset();
		encoder.version = connection.version;
		return encoder;
	}

	/**
	 * Writes the encoded packet. A connection reads a packet only if there is room for the answer. False if the
	 * connection is lost or closed.
	 */
	flush(connection: Connection): boolean {
		return this.prepare(connection, this.#encoder.length) && connection.write(this.#encoder.seal());
	}

	/** Called before a packet of `length` bytes is written; false if it is too long: the connection ends. */
	private prepare(connection: Connection, length: number): boolean {
		const core = this.#core;
		if (length > connection.maximumPacketSize) {
			core.close(connection, PACKET_TOO_LARGE); // [MQTT-3.1.2-24]
			return false;
		}
		const persistence = core.persistence;
		if (persistence?.changed && core.settings.persistInterval === 0) {
			// acknowledged messages must not be lost; saving overwrites the send area
			persistence.save();
			core.repeatableVersion = 0;
		}
		core.counters.bytesOut += length;
		return true;
	}

	/** Sends PUBACK, PUBREC, PUBREL or PUBCOMP. */
	acknowledge(
		connection: Connection,
		type: AcknowledgementType,
		packetId: number,
		reasonCode: ReasonCode,
	): void {
		if (reasonCode < UNSPECIFIED_ERROR) {
			this.confirm(connection, type, packetId, reasonCode);
			return;
		}
		this.encode(connection, type, packetId, reasonCode, undefined);
		if (this.wantsReasonString(connection)) {
			const { length } = this.#encoder;
			const reason = this.reasonProperty(reasonCode);
			// [MQTT-3.4.2-2] [MQTT-3.5.2-2] [MQTT-3.6.2-2] [MQTT-3.7.2-2]
			if (length + 1 + reason.length <= connection.maximumPacketSize)
				this.encode(connection, type, packetId, reasonCode, reason);
		}
		this.flush(connection);
	}

	/**
	 * Sends an acknowledgement that is no error, and needs no properties: that takes a third of what the
	 * encoder takes. A reason code of 0 is omitted (§3.4.2.1, §3.5.2.1, §3.6.2.1, §3.7.2.1); another one goes
	 * through the send area.
	 */
	private confirm(
		connection: Connection,
		type: AcknowledgementType,
		packetId: number,
		reasonCode: ReasonCode,
	): void {
		const size = reasonCode === SUCCESS ? 4 : 5;
		if (!this.prepare(connection, size)) return;
		const short = this.#shortPacket;
		short[0] = type === PUBREL ? (PUBREL << 4) | 2 : type << 4; // [MQTT-3.6.1-1]
		short[1] = size - 2;
		short[2] = packetId >> 8;
		short[3] = packetId;
		if (reasonCode === SUCCESS) {
			connection.write(short);
			return;
		}
		const core = this.#core;
		const memory = core.memory;
		core.repeatableVersion = 0;
		memory.bytes.set(short, memory.sendStart);
		memory.bytes[memory.sendStart + 4] = reasonCode;
		connection.write(memory.sendView(size));
		memory.reopenSendArea();
	}

	/** Sends SUBACK, with the reason string of the first rejected filter. */
	suback(connection: Connection, packetId: number, codes: Uint8Array, count: number): void {
		let length = this.encoderFor(connection, true).suback(packetId, codes, count);
		let refused: ReasonCode = 0;
		for (let i = 0; i < count && refused === 0; i++) if (codes[i] >= 0x80) refused = codes[i] as ReasonCode;
		if (refused !== 0 && this.wantsReasonString(connection)) {
			const reason = this.reasonProperty(refused);
			length += reason.length;
			if (length <= connection.maximumPacketSize && length + 1 < this.#encoder.size)
				this.encoderFor(connection, true).suback(packetId, codes, count, reason); // [MQTT-3.9.2-1]
		}
		this.flush(connection);
	}

	/** Sends a DISCONNECT of MQTT 5.0; messages have left the room for it. */
	disconnect(connection: Connection, reasonCode: ReasonCode): void {
		const encoder = this.encoderFor(connection);
		const reason = this.reasonProperty(reasonCode);
		const room = Math.min(connection.maximumPacketSize, connection.room);
		if (4 + reason.length <= room)
			encoder.disconnect(reasonCode, reason); // [MQTT-3.14.2-3]
		else if (room >= 3) encoder.disconnect(reasonCode);
		else return;
		this.flush(connection);
	}

	/** Sends a CONNACK with an error code. @throws {MQTTError} if the version has no code for it */
	refuseConnect(connection: Connection, reasonCode: ReasonCode): void {
		const encoder = this.encoderFor(connection);
		const properties = connection.version === 5 ? this.reasonProperty(reasonCode) : undefined;
		const length = encoder.connack(false, reasonCode, properties); // [MQTT-3.2.2-6] [MQTT-3.1.1:3.2.2-4]
		// [MQTT-3.2.2-19]
		if (length > connection.maximumPacketSize) this.encoderFor(connection).connack(false, reasonCode);
		this.flush(connection);
	}

	/** Whether a client accepts reason strings in acknowledgements [MQTT-3.1.2-29]. */
	private wantsReasonString(connection: Connection): boolean {
		return connection.version === 5 && (connection.clientFlags & NO_REASON_STRING) === 0;
	}

	private reasonProperty(reasonCode: ReasonCode): PropertyWriter {
		return this.properties.reset().reasonString(utf8(reasonName(reasonCode)));
	}

	private encode(
		connection: Connection,
		type: AcknowledgementType,
		packetId: number,
		reasonCode: ReasonCode,
		properties: PropertyWriter | undefined,
	): void {
		const encoder = this.encoderFor(connection);
		switch (type) {
			case PUBACK:
				encoder.puback(packetId, reasonCode, properties);
				return;
			case PUBREC:
				encoder.pubrec(packetId, reasonCode, properties);
				return;
			case PUBREL:
				encoder.pubrel(packetId, reasonCode, properties);
				return;
			default: // PUBCOMP
				encoder.pubcomp(packetId, reasonCode, properties);
		}
	}
}
