import { Broker } from "../../../src/broker/broker";
import { defaults } from "../../../src/config/defaults";
import type { Listener, ListenerOptions, TCP, TCPOptions } from "../../../src/device";
import { Encoder } from "../../../src/mqtt/encoder";
import { utf8 } from "../../../src/mqtt/utf8";

declare function native(name: string): (this: unknown, handle: (...numbers: number[]) => number) => void;

/** A socket whose peer is here too: it reads what it was given at once, and notes the packet identifier of the last PUBLISH that was written. */
class Socket implements TCP {
	options: TCPOptions;
	input: Uint8Array = new Uint8Array(0);
	at = 0;
	end = 0;
	written = 0;
	packets = 0;
	packetId = 0;

	constructor(options: TCPOptions) {
		this.options = options;
		const from = options.from as Socket | undefined;
		if (from !== undefined) sockets[sockets.indexOf(from)] = this;
	}

	read(buffer: Uint8Array): number {
		const length = buffer.length;
		for (let i = 0; i < length; i++) buffer[i] = this.input[this.at++];
		return length;
	}

	write(buffer: Uint8Array): number {
		this.written += buffer.length;
		this.packets++;
		if ((buffer[0] & 0xf6) === 0x32) {
			const topic = buffer[1] > 127 ? 3 : 2;
			const at = topic + 2 + ((buffer[topic] << 8) | buffer[topic + 1]);
			this.packetId = (buffer[at] << 8) | buffer[at + 1];
		}
		return 5744;
	}

	close(): void {}

	give(bytes: Uint8Array, length: number): void {
		this.input = bytes;
		this.at = 0;
		this.end = length;
		this.options.onReadable!(length);
	}
}

const sockets: Socket[] = [];
const waiting: Socket[] = [];
let onReadable: (count: number) => void = () => {};
let ticks = 0;

const listener = {
	io: class implements Listener {
		port = 1883;
		constructor(options: ListenerOptions) {
			onReadable = options.onReadable!;
		}
		read(): TCP | undefined {
			return waiting.shift();
		}
		close(): void {}
	},
};

const host = {
	listener,
	tcp: { io: Socket },
	timer: { set: () => 1, schedule() {}, clear() {} },
	time: {
		get ticks() {
			return ++ticks;
		},
		delta: (start: number, end?: number) => (end ?? ticks) - start,
	},
	trace(message: string) {
		throw new Error(message);
	},
};

let broker: Broker;
const encoder = new Encoder({ size: 1024 });
let publish: Uint8Array;
const puback = new Uint8Array([0x40, 2, 0, 0]);
const topic = utf8("greenhouse/node-7/climate");

const keep = (handle: (...numbers: number[]) => number) => native("keep").call(undefined, handle);

/** 0: makes the broker. */
keep(() => {
	broker = new Broker(host as never, defaults.listen);
	broker.start();
	return 0;
});

/** 1: connects a client of a version and subscribes it to one filter. */
keep((index: number, version: number, qos: number) => {
	const socket = new Socket({});
	sockets.push(socket);
	waiting.push(socket);
	onReadable(1);
	const inside = sockets[index];
	inside.options.onWritable!(5744);
	encoder.version = version as 4 | 5;
	encoder.reset();
	const length = encoder.connect({ clientId: utf8(`client-${index}`), keepAlive: 60, cleanStart: true });
	inside.give(encoder.view.slice(0, length), length);
	encoder.reset();
	const subscribe = encoder.subscribe(1, [{ filter: utf8(index % 2 ? "greenhouse/+/climate" : "greenhouse/#"), options: qos }]);
	inside.give(encoder.view.slice(0, subscribe), subscribe);
	return inside.packets;
});

/** 2: prepares the PUBLISH that 3 sends. */
keep((version: number, qos: number, size: number, retain: number) => {
	encoder.version = version as 4 | 5;
	encoder.reset();
	const length = encoder.publish(topic, new Uint8Array(size).fill(0x35), size, (qos << 1) | retain, 9);
	publish = encoder.view.slice(0, length);
	return length;
});

/** 3: the first client publishes `count` times; every other acknowledges what it gets. */
keep((count: number) => {
	let before = 0;
	for (let i = 0; i < sockets.length; i++) before += sockets[i].packets;
	for (let n = 0; n < count; n++) {
		sockets[0].give(publish, publish.length);
		for (let i = 0; i < sockets.length; i++) {
			const socket = sockets[i];
			if (socket.packetId === 0) continue;
			puback[2] = socket.packetId >> 8;
			puback[3] = socket.packetId & 0xff;
			socket.packetId = 0;
			socket.give(puback, 4);
		}
	}
	let packets = 0;
	for (let i = 0; i < sockets.length; i++) packets += sockets[i].packets;
	return packets - before;
});

/** 4: the last client is not there any more; its place and all of its session is free. */
keep(() => {
	const socket = sockets.pop()!;
	socket.options.onError!();
	return broker.counters.lost;
});
