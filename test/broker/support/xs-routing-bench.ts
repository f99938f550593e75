import { Broker } from "../../../src/broker/broker";
import { defaults } from "../../../src/config/defaults";
import type { Listener, ListenerOptions, TCP, TCPOptions } from "../../../src/device";

declare function native(name: string): (this: unknown, ...values: unknown[]) => unknown;

const read = native("read");
const write = native("write");
const load = native("load");
const store = native("store");
const erase = native("erase");

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
let ticks = 0;

interface Timer {
	readonly callback: () => void;
	/** Time of the next call, and from then on between two, ms. */
	due: number;
	interval: number;
}

const timers: Timer[] = [];

/** The scheduled timer that is due first; undefined if none is. */
function firstTimer(): Timer | undefined {
	let first: Timer | undefined;
	for (const timer of timers) if (first === undefined || timer.due < first.due) first = timer;
	return first?.due === Number.POSITIVE_INFINITY ? undefined : first;
}

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
		set(callback: () => void, delay: number, interval: number) {
			return timers.push({ callback, due: ticks + delay, interval }) - 1;
		},
		schedule(id: number, delay = Number.POSITIVE_INFINITY, interval = Number.POSITIVE_INFINITY) {
			timers[id].due = ticks + delay;
			timers[id].interval = interval;
		},
		clear(id: number) {
			if (id !== undefined) timers[id].due = Number.POSITIVE_INFINITY;
		},
	},
	time: {
		get ticks() {
			return ticks;
		},
		delta: (start: number, end: number) => end - start,
	},
	trace(message: string) {
		if (!message.startsWith("broker: closed ")) throw new Error(message);
	},
	storage: {
		open: () => ({
			read(key: string, buffer: Uint8Array) {
				const length = load.call(undefined, key, buffer) as number;
				return length < 0 ? undefined : length;
			},
			write: (key: string, value: Uint8Array) => void store.call(undefined, key, value),
			delete: (key: string) => void erase.call(undefined, key),
			close() {},
		}),
	},
};

const registerStep = (handle: (...values: never[]) => number) => native("keep").call(undefined, handle);

/** 0: creates the broker. @param settings those that are not the default ones, as JSON */
registerStep((settings: string) => {
	const broker = new Broker(host as never, { ...defaults.listen, anonymous: true, ...JSON.parse(settings) });
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

/** 3: the time until the first timer is due, ms; -1 if none is scheduled. */
registerStep(() => {
	const timer = firstTimer();
	return timer === undefined ? -1 : Math.max(timer.due - ticks, 0);
});

/** 4: lets time pass, ms. */
registerStep((ms: number) => {
	ticks += ms;
	return 0;
});

/** 5: calls the timer that is due first. */
registerStep(() => {
	const timer = firstTimer()!;
	timer.due += timer.interval;
	timer.callback();
	return 0;
});

/** 6: a socket takes `room` bytes again. */
registerStep((index: number, room: number) => {
	sockets[index].options.onWritable!(room);
	return 0;
});

/** 7: a connection is lost. */
registerStep((index: number) => {
	sockets[index].options.onError!();
	return 0;
});
