import type { Packet } from "../../mqtt/packet";
import { decodeUTF8 } from "../../mqtt/utf8";
import { bytesOf } from "./bytes";
import type { ByteBuffer, ReadableOptions } from "./options";

const MORE: ReadableOptions = Object.freeze({ more: true });
const LAST: ReadableOptions = Object.freeze({ more: false });

/** The message that is being received, and the bytes of it that the application has not read. */
export class IncomingMessage {
	#bytes: Uint8Array | undefined;
	#start = 0;
	#end = 0;
	#topic: string | undefined;
	#QoS = 0;
	#length = 0;

	/** Bytes that `read` gives. */
	get available(): number {
		return this.#end - this.#start;
	}

	begin(packet: Packet): void {
		this.#topic = decodeUTF8(packet.bytes, packet.topicStart, packet.topicEnd);
		this.#QoS = packet.qos;
		this.#length = packet.payloadLength;
	}

	/** The next bytes of its payload are [start, end). @returns what describes them to the application */
	receive(bytes: Uint8Array, start: number, end: number, last: boolean): ReadableOptions {
		this.#bytes = bytes;
		this.#start = start;
		this.#end = end;
		const topic = this.#topic;
		if (topic === undefined) return last ? LAST : MORE;
		this.#topic = undefined;
		return { more: !last, topic, QoS: this.#QoS, byteLength: this.#length };
	}

	/** Discards what was not read. */
	clear(): void {
		this.#start = this.#end;
		this.#bytes = undefined;
	}

	/**
	 * @param target number of bytes (by default all), or where they go
	 * @returns the bytes, or the number of bytes in `target`; undefined if there are none
	 * @throws RangeError for a number below 0; nothing was read
	 */
	read(target: number | ByteBuffer = this.available): ArrayBuffer | number | undefined {
		const bytes = this.#bytes;
		const { available } = this;
		if (bytes === undefined || available === 0) return undefined;
		if (typeof target === "number") {
			const count = Math.min(Math.trunc(target), available);
			if (!(count >= 0)) throw new RangeError(`read(${target})`);
			const start = this.#start;
			this.#start += count;
			return bytes.slice(start, this.#start).buffer as ArrayBuffer;
		}
		const view = bytesOf(target);
		const count = view.length < available ? view.length : available;
		for (let i = 0, from = this.#start; i < count; i++) view[i] = bytes[from + i];
		this.#start += count;
		return count;
	}
}
