import { BINARY, CLOSE, CONTINUATION, FIN, PING, PONG } from "../../src/websocket/constants";
import type { Sender, TracedPacket } from "./traced-packet";

/** Longest head of an HTTP message, bytes; a longer one is not decoded. */
const MAX_HEAD_SIZE = 65_536;
const CONTROL_FRAMES: Readonly<Record<number, string>> = { [CLOSE]: "close", [PING]: "ping", [PONG]: "pong" };

/**
 * Unwraps one direction of MQTT over WebSocket (RFC 6455, MQTT §6): HTTP up to the switch of protocols, then
 * frames, from either end.
 */
export class WebSocketStream {
	readonly #sender: Sender;
	readonly #emit: (packet: TracedPacket) => void;
	readonly #unwrapped: (bytes: Uint8Array) => void;
	/** Received bytes of an incomplete head or frame. */
	#pending: Buffer = Buffer.alloc(0);
	#state: "head" | "frames" | "body" = "head";

	/** @param unwrapped called with the content of frames of data */
	constructor(sender: Sender, emit: (packet: TracedPacket) => void, unwrapped: (bytes: Uint8Array) => void) {
		this.#sender = sender;
		this.#emit = emit;
		this.#unwrapped = unwrapped;
	}

	push(bytes: Uint8Array): void {
		if (this.#state === "body") return;
		this.#pending = Buffer.concat([this.#pending, bytes]);
		while (this.#state === "head" ? this.#takeHead() : this.#state === "frames" && this.#takeFrame());
	}

	#takeHead(): boolean {
		const end = this.#pending.indexOf("\r\n\r\n");
		if (end < 0) {
			if (this.#pending.length > MAX_HEAD_SIZE) this.#state = "body";
			return false;
		}
		const size = end + 4;
		const text = this.#pending.toString("latin1", 0, end);
		this.#pending = this.#pending.subarray(size);
		const line = text.split("\r\n", 1)[0]!;
		this.#emit({ sender: this.#sender, packet: "HTTP", size, text: line.replace(/ ?HTTP\/1\.\d ?/, "") });
		if (this.#sender === "client") {
			if (/^upgrade: *websocket/im.test(text)) this.#state = "frames";
		} else this.#state = / 101 /.test(line) ? "frames" : "body";
		return true;
	}

	/** Takes a complete frame (§5.2). */
	#takeFrame(): boolean {
		const pending = this.#pending;
		if (pending.length < 2) return false;
		const [first, second] = [pending[0]!, pending[1]!];
		const shortLength = second & 0x7f;
		const lengthSize = shortLength === 126 ? 2 : shortLength === 127 ? 8 : 0;
		const maskSize = second >> 7 ? 4 : 0;
		const start = 2 + lengthSize + maskSize;
		if (pending.length < start) return false;
		const length = lengthSize === 0 ? shortLength : Number(readUint(pending, 2, lengthSize));
		const size = start + length;
		if (pending.length < size) return false;
		const payload = Uint8Array.from(pending.subarray(start, size));
		if (maskSize > 0) for (let i = 0; i < length; i++) payload[i]! ^= pending[start - 4 + (i & 3)]!;
		this.#pending = pending.subarray(size);
		const opcode = first & ~(FIN | 0x70);
		if (opcode === BINARY || opcode === CONTINUATION) this.#unwrapped(payload);
		else this.#emit({ sender: this.#sender, packet: "WebSocket", size, text: frameText(opcode, payload) });
		return true;
	}
}

function readUint(bytes: Buffer, at: number, size: number): bigint {
	return size === 2 ? BigInt(bytes.readUInt16BE(at)) : bytes.readBigUInt64BE(at);
}

function frameText(opcode: number, payload: Uint8Array): string {
	const name = CONTROL_FRAMES[opcode] ?? `frame with opcode ${opcode}`;
	return opcode === CLOSE && payload.length >= 2 ? `${name} ${(payload[0]! << 8) | payload[1]!}` : name;
}
