import type { ClientDevice } from "../../../src/client/client";
import type { TCPOptions, Timer, TimerId } from "../../../src/device";
import { InMachineSocket } from "../../support/in-machine-socket";

// Runs inside XS, and allocates nothing once it is made.

const CONNECT = 1;
const PUBLISH = 3;
const PUBREL = 6;
const SUBSCRIBE = 8;
const UNSUBSCRIBE = 10;
const PINGREQ = 12;
/** PUBLISH with QoS 2. */
const PUBLISH_QOS_2 = 16;

/** CONNACK with Topic Alias Maximum 8. */
const CONNACK = Uint8Array.of(0x20, 6, 0, 0, 3, 0x22, 0, 8);

/** A socket whose other end is an MQTT 5.0 broker that takes, acknowledges and grants everything. */
class FeatureSocket extends InMachineSocket {
	/** Bytes of a packet that are still to come; its acknowledgement, if it has one, follows the last. */
	#rest = 0;
	#type = 0;
	#idHigh = 0;
	#idLow = 0;

	constructor(options: TCPOptions) {
		super(options);
		this.input = new Uint8Array(256);
	}

	override write(bytes: Uint8Array): number | undefined {
		let at = 0;
		while (at < bytes.length) {
			if (this.#rest === 0) at = this.begin(bytes, at);
			const count = bytes.length - at < this.#rest ? bytes.length - at : this.#rest;
			at += count;
			this.#rest -= count;
			if (this.#rest === 0) this.acknowledge();
		}
		return super.write(bytes);
	}

	/** Delivers what was answered, and says that there is room. */
	override turn(): void {
		while (this.at < this.end) this.options.onReadable!.call(this, this.end - this.at);
		this.grant();
	}

	/** Reads a fixed header, with at most two bytes of length, and the identifier behind it. */
	private begin(bytes: Uint8Array, start: number): number {
		const long = bytes[start + 1] > 127;
		const body = start + (long ? 3 : 2);
		this.#rest = long ? (bytes[start + 1] & 127) + (bytes[start + 2] << 7) : bytes[start + 1];
		this.#type = bytes[start] >> 4;
		let id = body;
		if (this.#type === PUBLISH) {
			const qos = bytes[start] & 6;
			id += 2 + ((bytes[body] << 8) | bytes[body + 1]);
			if (qos === 0) this.#type = 0;
			else if (qos === 4) this.#type = PUBLISH_QOS_2;
		}
		this.#idHigh = bytes[id];
		this.#idLow = bytes[id + 1];
		return body;
	}

	private acknowledge(): void {
		switch (this.#type) {
			case CONNECT:
				if (this.at === this.end) this.at = this.end = 0;
				for (let i = 0; i < CONNACK.length; i++) this.input[this.end++] = CONNACK[i];
				break;
			case PUBLISH:
				this.answer(0x40, 2);
				break;
			case PUBLISH_QOS_2:
				this.answer(0x50, 2);
				break;
			case PUBREL:
				this.answer(0x70, 2);
				break;
			case SUBSCRIBE:
				this.answer(0x90, 4);
				break;
			case UNSUBSCRIBE:
				this.answer(0xb0, 4);
				break;
			case PINGREQ:
				this.answer(0xd0, 0);
				break;
		}
	}

	/** @param length 2: identifier; 4: identifier, no properties, and success; 0: nothing */
	private answer(first: number, length: number): void {
		const { input } = this;
		if (this.at === this.end) this.at = this.end = 0;
		input[this.end++] = first;
		input[this.end++] = length;
		if (length === 0) return;
		input[this.end++] = this.#idHigh;
		input[this.end++] = this.#idLow;
		if (length === 2) return;
		input[this.end++] = 0;
		input[this.end++] = 0;
	}
}

export interface FeatureDevice {
	readonly device: ClientDevice;
	/** Delivers what the broker has answered. */
	turn(): void;
	/** Runs what is due at once. */
	tick(): void;
	/** Sends bytes of the broker. */
	deliver(bytes: Uint8Array): void;
}

/** A device whose only connection leads to such a broker. */
export function featureDevice(): FeatureDevice {
	let onTimer: ((id: TimerId) => void) | undefined;
	const timer: Timer = {
		set(callback) {
			onTimer = callback;
			return timer;
		},
		schedule() {},
		clear() {},
	};
	let input: Uint8Array | undefined;
	return {
		device: {
			tcp: { io: FeatureSocket },
			timer,
			// What is to run at once is due, nothing else is.
			time: { ticks: 0, delta: () => 1 },
			resolve: (name, callback) => callback(name),
		},
		turn: () => InMachineSocket.last.turn(),
		tick: () => onTimer?.(timer),
		deliver(bytes) {
			const { last } = InMachineSocket;
			input ??= last.input;
			last.deliver(bytes);
			last.input = input;
			last.at = last.end = 0;
		},
	};
}
