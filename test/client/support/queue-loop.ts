import { Client } from "../../../src/client/client";
import { PublishQueue } from "../../../src/client/queue/publish-queue";
import type { TCPOptions } from "../../../src/device";
import { utf8 } from "../../../src/mqtt/utf8";

// Runs inside XS: a client with a queue, and a broker that acknowledges; none of them allocates.

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
}

export default function main(keep: (run: (count: number) => void) => void): void {
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
	const client = new Client(
		{
			host: "10.0.0.1",
			port: 1883,
			version: 4,
			keepAlive: 60,
			pipeline: false,
			clientId: "loop",
			cleanStart: true,
			sessionExpiry: 0,
			connectTimeout: 5000,
			acknowledgeTimeout: 5000,
			pingTimeout: 2000,
			sendBuffer: 256,
			receiveBuffer: 128,
			inFlight: 4,
		},
		{
			onOpen: (sessionPresent) => queue.onOpen(sessionPresent),
			onWritable: () => queue.onWritable(),
			onAcknowledged: (packetId, reasonCode, tag) => queue.onAcknowledged(packetId, reasonCode, tag),
			onReceived: (packetId) => queue.onReceived(packetId),
			onClosed: () => queue.onClosed(),
		},
		{
			tcp: { io: LoopTCP },
			timer: timer as never,
			time: { ticks: 0, delta: () => 0 },
			resolve: (host, callback) => callback(host),
		},
	);
	const queue = new PublishQueue({ messages: 6, bytes: 256, policy: "reject" }, client, {});
	const topic = utf8("home/greenhouse/temperature");
	const payload = utf8("23.5");
	let flushed = 0;
	const onFlushed = (): void => {
		flushed++;
	};
	client.open();
	host.options.onWritable?.(8192);
	const turn = (): void => {
		while (host.readable > 0) host.options.onReadable?.(host.readable);
		host.options.onWritable?.(8192);
	};
	turn();
	keep((count) => {
		const before = flushed;
		for (let i = 0; i < count; i++) {
			for (let flags = 0; flags <= 4; flags += 2)
				if (queue.publish(topic, payload, payload.length, flags) < 0) throw new Error("full");
			queue.cancel(queue.publish(topic, payload, payload.length, 2));
			queue.flush(onFlushed);
			while (queue.count > 0) turn();
		}
		if (flushed !== before + count) throw new Error("not flushed");
	});
}
