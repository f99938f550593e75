import type { FailureCode, Version } from "../../src/mqtt/constants";
import { Decoder, type DecoderHandler } from "../../src/mqtt/decoder";
import type { Packet } from "../../src/mqtt/packet";
import { describePacket, describePublish } from "./describe-packet";
import { describePayload, hexText, PAYLOAD_LIMIT } from "./payload-text";
import type { Sender, TracedPacket } from "./traced-packet";

/** The largest packet that is decoded, bytes; of a PUBLISH without its payload. */
const MAX_PACKET_SIZE = 131_072;
/** Bytes shown of what is not decoded. */
const HEAD_LIMIT = 16;

/** Decodes the packets of one direction of a connection. */
export class PacketStream implements DecoderHandler {
	readonly #sender: Sender;
	readonly #emit: (packet: TracedPacket) => void;
	readonly #decoder: Decoder;
	/** The decoder gets single bytes, so that the end of each packet is known. */
	readonly #byte = new Uint8Array(1);
	/** The first bytes of the current packet, and its size up to now. */
	readonly #head: number[] = [];
	#size = 0;
	#publish: ReturnType<typeof describePublish> | undefined;
	#payload: number[] = [];
	#failed = false;
	/** Why the decoder refused a packet. */
	#problem = "";

	constructor(sender: Sender, emit: (packet: TracedPacket) => void) {
		this.#sender = sender;
		this.#emit = emit;
		this.#decoder = new Decoder({ size: MAX_PACKET_SIZE, from: sender, handler: this });
	}

	/** Set from the CONNECT that a client has sent. */
	get version(): Version {
		return this.#decoder.version;
	}

	set version(version: Version) {
		this.#decoder.version = version;
	}

	push(bytes: Uint8Array): void {
		if (this.#failed) {
			this.#emit({
				sender: this.#sender,
				packet: "undecoded",
				size: bytes.length,
				bytes: hexText(bytes.subarray(0, HEAD_LIMIT)),
			});
			return;
		}
		for (let i = 0; i < bytes.length && !this.#failed; i++) {
			if (this.#head.length < HEAD_LIMIT) this.#head.push(bytes[i]!);
			this.#size++;
			this.#byte[0] = bytes[i]!;
			this.#decoder.push(this.#byte, 0, 1);
			if (this.#failed) this.#emitMalformed(bytes.subarray(i + 1));
		}
	}

	onPacket(packet: Packet): void {
		this.#emit({ sender: this.#sender, size: this.#size, ...describePacket(packet) });
		this.#next();
	}

	onPublish(packet: Packet): void {
		this.#publish = describePublish(packet);
	}

	onPayload(bytes: Uint8Array, start: number, end: number, last: boolean): void {
		const head = this.#payload;
		for (let i = start; i < end && head.length < PAYLOAD_LIMIT; i++) head.push(bytes[i]!);
		const publish = this.#publish;
		if (!last || publish === undefined) return;
		const { message } = publish;
		const payload = describePayload(Uint8Array.from(head), message.payloadSize);
		this.#emit({
			sender: this.#sender,
			size: this.#size,
			...publish,
			message: { ...message, ...payload },
		});
		this.#payload = [];
		this.#next();
	}

	onError(_reasonCode: FailureCode, message: string): void {
		this.#failed = true;
		this.#problem = message;
	}

	/** @param rest bytes that arrived with the malformed packet */
	#emitMalformed(rest: Uint8Array): void {
		this.#emit({
			sender: this.#sender,
			packet: "malformed",
			size: this.#size + rest.length,
			text: this.#problem,
			bytes: hexText(Uint8Array.from([...this.#head, ...rest.subarray(0, HEAD_LIMIT)].slice(0, HEAD_LIMIT))),
		});
	}

	#next(): void {
		this.#head.length = 0;
		this.#size = 0;
	}
}
