import type { Version } from "../../src/mqtt/constants";
import { Decoder, type DecoderHandler } from "../../src/mqtt/decoder";
import type { Packet } from "../../src/mqtt/packet";
import { latin1Text, type PlainPacket, toPlainPacket } from "./plain-packet";

export type Event = { packet: PlainPacket } | { error: number };

/** Records the callbacks of a decoder and checks their order. */
export class RecordingHandler implements DecoderHandler {
	readonly events: Event[] = [];
	/** Number of payload pieces of the last PUBLISH. */
	pieces = 0;
	message = "";
	#payload: string[] | undefined;
	#expectedBytes = 0;

	onPacket(packet: Packet): void {
		this.#check();
		if (packet.type === 3) throw new Error("PUBLISH in onPacket");
		this.events.push({ packet: toPlainPacket(packet) });
	}

	onPublish(packet: Packet): void {
		this.#check();
		this.events.push({ packet: toPlainPacket(packet) });
		this.#payload = [];
		this.#expectedBytes = packet.payloadLength;
		this.pieces = 0;
	}

	onPayload(bytes: Uint8Array, start: number, end: number, last: boolean): void {
		if (this.#payload === undefined) throw new Error("payload without PUBLISH");
		this.#payload.push(latin1Text(bytes, start, end));
		this.#expectedBytes -= end - start;
		this.pieces++;
		if (last !== (this.#expectedBytes === 0)) throw new Error("last is wrong");
		if (!last) return;
		const event = this.events[this.events.length - 1];
		if (event === undefined || !("packet" in event) || event.packet.type !== "PUBLISH")
			throw new Error("payload out of order");
		event.packet.payload = this.#payload.join("");
		this.#payload = undefined;
	}

	onError(reasonCode: number, message: string): void {
		if (this.events.some((event) => "error" in event)) throw new Error("two errors");
		if (this.#payload !== undefined) throw new Error("error within a payload");
		this.events.push({ error: reasonCode });
		this.message = message;
	}

	/** Whether a payload is incomplete. */
	get inPayload(): boolean {
		return this.#payload !== undefined;
	}

	#check(): void {
		if (this.#payload !== undefined) throw new Error("packet within a payload");
		if (this.events.some((event) => "error" in event)) throw new Error("packet after an error");
	}
}

export interface DecodeOptions {
	version: Version;
	from: "client" | "broker";
	size?: number;
	maximumPacketSize?: number;
	/** Lengths of the chunks; the remaining bytes are one chunk. */
	split?: readonly number[];
}

/** Decodes `bytes`, pushed in chunks at unaligned offsets of their arrays. */
export function decode(bytes: Uint8Array, options: DecodeOptions): RecordingHandler {
	const recorder = new RecordingHandler();
	const { version, from, size = 4096, maximumPacketSize = Number.POSITIVE_INFINITY, split = [] } = options;
	const decoder = new Decoder({ size, from, version, handler: recorder, maximumPacketSize });
	let at = 0;
	let next = 0;
	while (at < bytes.length) {
		const length = next < split.length ? (split[next++] as number) : bytes.length - at;
		const chunk = bytes.slice(at, at + length);
		at += chunk.length;
		const offset = at % 3;
		const room = new Uint8Array(chunk.length + offset + (at % 2)).fill(0xee);
		room.set(chunk, offset);
		decoder.push(room, offset, offset + chunk.length);
		room.fill(0xdd);
	}
	return recorder;
}

/** Splits into single bytes. */
export function oneByteChunks(bytes: Uint8Array): number[] {
	return new Array<number>(bytes.length).fill(1);
}
