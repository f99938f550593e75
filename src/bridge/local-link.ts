import { ANSWER_ROOM, type Connection, LAST_WORD_ROOM } from "../broker/session/connection";
import type { TCP, TCPConstructor, TCPOptions } from "../device";
import { CONNACK, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, QOS1, SUBACK } from "../mqtt/constants";
import { decodePublish } from "../mqtt/decode/publish";
import type { Packet } from "../mqtt/packet";
import { IdRing } from "./id-ring";

/** Room that the broker sees while it reads a packet of the bridge: it answers whatever waits to leave. */
const ANSWERING_ROOM = 0x7fff_ffff;

/** In place of the address of a peer. */
export const LOCAL_ADDRESS = "bridge";
const DISCONNECT_PACKET: Uint8Array = Object.freeze([0xe0, 0]) as unknown as Uint8Array;

/** Called when a packet of the broker has arrived; must only schedule. */
type OnArrival = () => void;

/**
 * The bridge's connection to its own broker: the broker's end is a socket in the form of ECMA-419, this end
 * has the packets. The broker writes each packet as a whole. PUBLISHes wait here in order; answers to what
 * the bridge sends, and PUBRELs, are noted at once, so that no PUBLISH holds them up.
 *
 * The broker must not be called from within `write()`, which runs in the middle of its work, with its send
 * area shortened: nothing is allocated there.
 */
export class LocalLink implements TCP {
	/** In place of the address of a peer: it counts as a network of its own. */
	readonly remoteAddress = LOCAL_ADDRESS;
	/** The broker's end; undefined while there is no connection. */
	connection: Connection | undefined = undefined;
	/** Type, identifier and reason code of the last answer to what the bridge sent; type 0: none. */
	answerType = 0;
	answerId = 0;
	answerReason = 0;
	/** Whether the broker may send messages: not where nobody takes them, as those of QoS 0 would be lost. */
	takesMessages = false;
	/** PUBRELs that wait to be passed on. */
	readonly releases: IdRing;
	/** PUBLISHes, one after the other, each with `gap` bytes before it. */
	readonly bytes: Uint8Array;
	/** Where the first of them begins, behind its gap, and where the last one ends. */
	private start = 0;
	private end = 0;
	private readonly gap: number;
	/** Bytes of `bytes` that the broker may fill; behind them there is room for one more PUBLISH. */
	private readonly limit: number;
	private readonly onArrival: OnArrival;
	/** What the broker reads. */
	private input: Uint8Array | undefined;
	private inputAt = 0;
	private readonly short = new Uint8Array(5);

	/**
	 * @param largestPacket of the broker, bytes
	 * @param gap bytes before each PUBLISH
	 * @param inFlight messages of QoS 1 and 2 from the broker
	 */
	constructor(largestPacket: number, gap: number, inFlight: number, onArrival: OnArrival) {
		this.gap = gap;
		// Where nothing waits the broker reads acknowledgements, which takes ANSWER_ROOM
		this.limit = Math.max(largestPacket, ANSWER_ROOM) + LAST_WORD_ROOM + gap;
		this.bytes = new Uint8Array(this.limit + largestPacket + gap);
		this.releases = new IdRing(inFlight);
		this.onArrival = onArrival;
	}

	/** Bytes that the broker may write. */
	get room(): number {
		return this.takesMessages ? Math.max(0, this.limit - this.end - this.gap) : 0;
	}

	/** Whether a PUBLISH waits. */
	get hasMessage(): boolean {
		return this.end > this.start;
	}

	/** Decodes the PUBLISH that waits first. */
	readMessage(packet: Packet): void {
		const { bytes } = this;
		let at = this.start;
		packet.bytes = bytes;
		packet.version = 5;
		packet.type = PUBLISH;
		packet.flags = bytes[at++] & 15;
		let remaining = 0;
		let shift = 0;
		for (;;) {
			const byte = bytes[at++];
			remaining += (byte & 127) << shift;
			shift += 7;
			if (byte < 128) break;
		}
		const code = decodePublish(packet, bytes, at, at + remaining, false);
		if (code !== 0) throw new Error(`bridge: a message of the broker: ${packet.errorMessage}`);
	}

	/** Bytes of the PUBLISH that waits first, which was read. */
	dropMessage({ payloadStart, payloadLength }: Packet): void {
		this.start = payloadStart + payloadLength + this.gap;
		if (this.start < this.end) return;
		this.start = 0;
		this.end = 0;
	}

	/**
	 * Passes a whole packet to the broker, which handles it before this returns. @returns whether it did
	 * @param answers whether the packet is answered with nothing but an acknowledgement, for which there is
	 *   always room
	 */
	deliver(packet: Uint8Array, length: number, answers: boolean): boolean {
		const { connection } = this;
		if (connection === undefined) return false;
		this.input = packet;
		this.inputAt = 0;
		this.answerType = 0;
		if (answers) connection.room = ANSWERING_ROOM;
		connection.owner.onReadable(connection, length);
		if (connection.room === ANSWERING_ROOM) connection.room = this.room;
		this.input = undefined;
		return this.inputAt === length;
	}

	/**
	 * The same for an acknowledgement, or PUBREL. @param reasonCode 0: it is left out
	 * @param answers see {@link deliver}
	 */
	deliverShort(type: number, packetId: number, reasonCode: number, answers: boolean): boolean {
		const packet = this.short;
		packet[0] = (type << 4) | (type === PUBREL ? QOS1 : 0);
		packet[1] = reasonCode === 0 ? 2 : 3;
		packet[2] = packetId >> 8;
		packet[3] = packetId;
		packet[4] = reasonCode;
		return this.deliver(packet, packet[1] + 2, answers);
	}

	/** Tells the broker that it may write again. */
	reportRoom(): void {
		const { connection } = this;
		connection?.owner.onWritable(connection, this.room);
	}

	/** Ends the connection, if there is one; the session stays. */
	disconnect(): void {
		this.deliver(DISCONNECT_PACKET, 2, true);
		const { connection } = this;
		connection?.owner.onError(connection);
		this.connection = undefined;
		this.clear();
	}

	// TCP, for the broker

	read(buffer: Uint8Array): number {
		const input = this.input;
		if (input === undefined) throw new Error("nothing to read");
		const at = this.inputAt;
		for (let i = 0; i < buffer.length; i++) buffer[i] = input[at + i];
		this.inputAt = at + buffer.length;
		return buffer.length;
	}

	write(packet: Uint8Array): number | undefined {
		const { length } = packet;
		if (length === 0) return this.room; // a probe
		const type = packet[0] >> 4;
		// Behind the remaining length, of which each byte but the last is 128 or more (§1.5.5)
		let body = 1;
		while (packet[body++] > 127);
		const id = length > body + 1 ? (packet[body] << 8) | packet[body + 1] : 0;
		switch (type) {
			case PUBLISH:
				if (!this.append(packet)) return undefined;
				break;
			case PUBREL:
				if (!this.releases.push(id)) return undefined;
				break;
			case CONNACK:
			case PUBACK:
			case PUBREC:
			case PUBCOMP:
			case SUBACK:
				this.answerType = type;
				this.answerId = id;
				// That of the only filter of a SUBACK comes last
				this.answerReason = length > body + 2 ? packet[type === SUBACK ? length - 1 : body + 2] : 0;
				break;
		}
		this.onArrival();
		return this.room;
	}

	/** The broker ends the connection. */
	close(): void {
		this.connection = undefined;
		this.clear();
		this.onArrival();
	}

	private append(packet: Uint8Array): boolean {
		const { bytes } = this;
		const at = this.end + this.gap;
		if (at + packet.length > bytes.length) return false;
		if (this.end === 0) this.start = at;
		bytes.set(packet, at);
		this.end = at + packet.length;
		return true;
	}

	private clear(): void {
		this.start = 0;
		this.end = 0;
		this.releases.clear();
	}
}

/** Takes the place of a socket's class where the broker takes a connection over: it is the link itself. */
export const LinkAdoption: TCPConstructor = class {
	constructor({ from }: TCPOptions) {
		// biome-ignore lint/correctness/noConstructorReturn: a class of ECMA-419, whose instance exists already
		return from as LocalLink;
	}
} as unknown as TCPConstructor;
