import type { ClientDevice } from "../../../src/client/client";
import type { TCPOptions } from "../../../src/device";
import { InMachineSocket } from "../../support/in-machine-socket";

// Runs inside XS, and allocates nothing once it is made.

const CONNECT = 1;
const PUBLISH = 3;
const PUBREL = 6;

/** A socket whose other end is a broker that takes and acknowledges everything. */
class AcknowledgedSocket extends InMachineSocket {
	constructor(options: TCPOptions) {
		super(options);
		this.input = new Uint8Array(256);
	}

	override write(buffer: Uint8Array): number | undefined {
		this.respond(buffer);
		return super.write(buffer);
	}

	/** Delivers what was answered, and says that there is room. */
	override turn(): void {
		while (this.at < this.end) this.options.onReadable!.call(this, this.end - this.at);
		this.grant();
	}

	/** Packets are shorter than 128 bytes. */
	private respond(bytes: Uint8Array): void {
		if (this.at === this.end) this.at = this.end = 0;
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

	private answer(type: number, high: number, low: number): void {
		const { input } = this;
		input[this.end++] = type << 4;
		input[this.end++] = 2;
		input[this.end++] = high;
		input[this.end++] = low;
	}
}

/** A device whose only connection leads to a broker in the same machine; `turn` advances it. */
export function loopDevice(): { turn: () => void; device: ClientDevice } {
	const timer = { set: () => timer, schedule() {}, clear() {} };
	const device: ClientDevice = {
		tcp: { io: AcknowledgedSocket },
		timer,
		time: { ticks: 0, delta: () => 0 },
		resolve: (name, callback) => callback(name),
	};
	return { turn: () => InMachineSocket.last.turn(), device };
}
