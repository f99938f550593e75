import { Broker } from "../../../src/broker/broker";
import type { Listener, ListenerOptions, TCP, TCPOptions } from "../../../src/device";
import { settings } from "./fuzz-settings";

type Native = (this: unknown, ...values: unknown[]) => number;

declare function native(name: string): Native;

const read = native("read");
const write = native("write");
const close = native("close");
const hostOf = native("host");
const attach = native("attach");
const listen = native("listen");
const accept = native("accept");
const set = native("set");
const schedule = native("schedule");
const ticks = native("ticks");
const fail = native("fail");
const topic = native("topic");

/** A socket whose peer is outside this machine. */
class Socket implements TCP {
	readonly id: number;
	options: TCPOptions | undefined;

	constructor(id: number, options?: TCPOptions) {
		this.id = id;
		this.options = options;
		if (options === undefined) return;
		attach.call(undefined, id);
		sockets[id] = this;
	}

	get remoteAddress(): string {
		return `10.0.0.${hostOf.call(undefined, this.id)}`;
	}

	read(buffer: Uint8Array): number | undefined {
		return read.call(undefined, this.id, buffer);
	}

	write(buffer: Uint8Array): number | undefined {
		return write.call(undefined, this.id, buffer);
	}

	close(): void {
		this.options = undefined;
		sockets[this.id] = undefined;
		close.call(undefined, this.id);
	}
}

/** Sockets by number. Not a Map: on XS a Map sometimes keeps a deleted entry. */
const sockets: (Socket | undefined)[] = [];
const listeners = new Map<number, (count: number) => void>();
const timers: (() => void)[] = [];

const host = {
	listener: {
		io: class implements Listener {
			readonly port: number;
			constructor(options: ListenerOptions) {
				this.port = options.port;
				listeners.set(options.port, options.onReadable!);
				listen.call(undefined, options.port);
			}
			read(): TCP | undefined {
				const id = accept.call(undefined, this.port);
				return id === 0 ? undefined : new Socket(id);
			}
			close(): void {}
		},
	},
	tcp: {
		io: class extends Socket {
			constructor(options: TCPOptions) {
				super((options.from as Socket).id, options);
			}
		},
	},
	timer: {
		set(callback: () => void, delay: number, repeat: number) {
			timers.push(callback);
			return set.call(undefined, timers.length - 1, delay, repeat);
		},
		schedule(id: number, delay?: number, repeat?: number) {
			schedule.call(undefined, id, delay, repeat);
		},
		clear() {},
	},
	time: {
		get ticks() {
			return ticks.call(undefined);
		},
		delta(start: number, end: number) {
			return (end - start) | 0;
		},
	},
	trace(message: string) {
		fail.call(undefined, message);
	},
};

let broker: Broker;

const registerStep = (handle: (...numbers: number[]) => number) => {
	native("keep").call(undefined, handle);
};

/** 0: creates the broker. */
registerStep(() => {
	broker = new Broker(host as never, settings);
	broker.start();
	return 0;
});

/** 1: bytes can be read. */
registerStep((id, bytes) => {
	sockets[id]!.options!.onReadable!(bytes);
	return 0;
});

/** 2: bytes can be written. */
registerStep((id, bytes) => {
	sockets[id]!.options!.onWritable!(bytes);
	return 0;
});

/** 3: a peer has closed. */
registerStep((id) => {
	sockets[id]!.options!.onError!();
	return 0;
});

/** 4: connections wait at a port. */
registerStep((port, count) => {
	listeners.get(port)!(count);
	return 0;
});

/** 5: a timer expires. */
registerStep((index) => {
	timers[index]();
	return 0;
});

/** 6: usage of a pool, by its number in the order of xs-subject.ts. */
registerStep((pool) => {
	const { usage } = broker;
	switch (pool) {
		case 0:
			return usage.sockets;
		case 1:
			return usage.connections;
		case 2:
			return usage.sessions;
		case 3:
			return usage.sessionBytes;
		case 4:
			return usage.subscriptions;
		case 5:
			return usage.filterLevels;
		case 6:
			return usage.filterBytes;
		case 7:
			return usage.values;
		case 8:
			return usage.valueBytes;
		case 9:
			return usage.queued;
		default:
			return usage.queuedBytes;
	}
});

/** 7: passes each topic that has a value to `topic`. */
registerStep(() => {
	broker.forEachValue((bytes, start, end) => topic.call(undefined, bytes, start, end));
	return 0;
});

/** 8: number of internal errors. */
registerStep(() => broker.counters.internalErrors);

/**
 * 9: throws and catches an error. The machine keeps the last error from outside, with a slot for each call on
 * the stack: this one always has the same size.
 */
registerStep(() => {
	try {
		return fail.call(undefined, "the last error");
	} catch {
		return 0;
	}
});
