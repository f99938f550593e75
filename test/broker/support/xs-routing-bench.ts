import { Broker } from "../../../src/broker/broker";
import { defaults } from "../../../src/config/defaults";
import type { Listener, ListenerOptions, TCP, TCPOptions } from "../../../src/device";

declare function native(name: string): (this: unknown, ...values: unknown[]) => unknown;

const read = native("read");
const write = native("write");

/** A socket whose work Node does, as native code does it on a device. */
class Socket implements TCP {
	readonly options: TCPOptions;
	readonly index = sockets.push(this) - 1;

	constructor(options: TCPOptions) {
		this.options = options;
	}

	read(buffer: Uint8Array): number {
		return read.call(undefined, this.index, buffer) as number;
	}

	write(buffer: Uint8Array): number {
		return write.call(undefined, this.index, buffer) as number;
	}

	close(): void {}
}

const sockets: Socket[] = [];
/** What the listener hands over, which the broker makes a socket of. */
const backlog: TCP[] = [];
let onReadable: (count: number) => void = () => {};
let onTimer: () => void = () => {};
let ticks = 0;

const host = {
	listener: {
		io: class implements Listener {
			port = 1883;
			constructor(options: ListenerOptions) {
				onReadable = options.onReadable!;
			}
			read(): TCP | undefined {
				return backlog.shift();
			}
			close(): void {}
		},
	},
	tcp: { io: Socket },
	timer: {
		set(callback: () => void) {
			onTimer = callback;
			return 1;
		},
		schedule() {},
		clear() {},
	},
	time: {
		get ticks() {
			return ticks;
		},
		delta: (start: number, end: number) => end - start,
	},
	trace(message: string) {
		throw new Error(message);
	},
};

const registerStep = (handle: (...numbers: number[]) => number) => native("keep").call(undefined, handle);

/** 0: creates the broker. */
registerStep(() => {
	const broker = new Broker(host as never, { ...defaults.listen, anonymous: true });
	broker.start();
	return 0;
});

/** 1: accepts a connection. @returns the index of its socket @param room bytes that it takes */
registerStep((room: number) => {
	backlog.push({} as TCP);
	onReadable(1);
	const socket = sockets[sockets.length - 1];
	socket.options.onWritable!(room);
	return socket.index;
});

/** 2: `count` bytes have arrived at a socket. */
registerStep((index: number, count: number) => {
	sockets[index].options.onReadable!(count);
	return 0;
});

/** 3: lets time pass, ms, and calls the broker's timer. */
registerStep((ms: number) => {
	ticks += ms;
	onTimer();
	return 0;
});
