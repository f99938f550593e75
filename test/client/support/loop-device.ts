import type { ClientDevice } from "../../../src/client/client";
import type { TCPOptions } from "../../../src/device";

// Runs inside XS, and allocates nothing once it is made.

const CONNECT = 1;
const PUBLISH = 3;
const PUBREL = 6;

/** The host, and the broker's end of its only socket. */
class LoopHost {
	readonly answers = new Uint8Array(256);
	readable = 0;
	options: TCPOptions = {};

	answer(type: number, high: number, low: number): void {
		const { answers } = this;
		answers[this.readable++] = type << 4;
		answers[this.readable++] = 2;
		answers[this.readable++] = high;
		answers[this.readable++] = low;
	}

	/** Packets are shorter than 128 bytes. */
	respond(bytes: Uint8Array): void {
		for (let at = 0; at < bytes.length; at += 2 + bytes[at + 1]) {
			const type = bytes[at] >> 4;
			if (type === CONNECT) this.answer(2, 0, 0);
			else if (type === PUBREL) this.answer(7, bytes[at + 2], bytes[at + 3]);
			else if (type === PUBLISH && (bytes[at] & 6) !== 0) {
				const id = at + 4 + ((bytes[at + 2] << 8) | bytes[at + 3]);
				this.answer((bytes[at] & 6) === 2 ? 4 : 5, bytes[id], bytes[id + 1]);
			}
		}
	}

	/** Delivers what was answered, and says that there is room. */
	turn(): void {
		while (this.readable > 0) this.options.onReadable?.(this.readable);
		this.options.onWritable?.(8192);
	}
}

/** A device whose only connection leads to a broker in the same machine. */
export function loopDevice(): { host: LoopHost; device: ClientDevice } {
	const host = new LoopHost();
	class LoopTCP {
		constructor(options: TCPOptions) {
			host.options = options;
		}
		read(buffer: Uint8Array): number {
			const { length } = buffer;
			for (let i = 0; i < length; i++) buffer[i] = host.answers[i];
			host.answers.copyWithin(0, length, host.readable);
			host.readable -= length;
			return length;
		}
		write(buffer: Uint8Array): number {
			host.respond(buffer);
			return 8192;
		}
		close(): void {}
	}
	const timer = { set: () => timer, schedule() {}, clear() {} };
	const device: ClientDevice = {
		tcp: { io: LoopTCP },
		timer,
		time: { ticks: 0, delta: () => 0 },
		resolve: (name, callback) => callback(name),
	};
	return { host, device };
}
