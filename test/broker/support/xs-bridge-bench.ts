import { createBroker } from "../../../src/bridge/bridged-broker";
import type { Broker } from "../../../src/broker/broker";
import { defaults } from "../../../src/config/defaults";
import type { BridgeSettings } from "../../../src/config/types";
import type { Listener, ListenerOptions, TCP, TCPOptions } from "../../../src/device";
import { Encoder } from "../../../src/mqtt/encoder";
import { utf8 } from "../../../src/mqtt/utf8";
import { InMachineSocket } from "../../support/in-machine-socket";

declare function native(name: string): (this: unknown, ...values: unknown[]) => unknown;

const CONNACK = new Uint8Array([0x20, 3, 0, 0, 0]);
const SUBACK = new Uint8Array([0x90, 4, 0xff, 0xff, 0, 2]);
/** Bytes of `owed` for each acknowledgement due: first byte and packet identifier. */
const OWED_BYTES = 3;

/** The end of a client of the broker, or of the bridge's connection to the other broker. */
class Socket extends InMachineSocket {
	readonly owed = new Uint8Array(64 * OWED_BYTES);
	owedCount = 0;
	publishes = 0;
	readonly #answer = new Uint8Array(4);

	override write(buffer: Uint8Array): number | undefined {
		const room = super.write(buffer);
		// Several packets may leave in one write
		for (let at = 0; at < buffer.length; ) {
			const first = buffer[at];
			let length = buffer[at + 1];
			let body = at + 2;
			if (length > 127) length = (length & 127) + buffer[body++] * 128;
			if (first >> 4 === 3) {
				this.publishes++;
				const id = body + 2 + ((buffer[body] << 8) | buffer[body + 1]);
				if ((first & 6) !== 0) this.owe((first & 6) === 2 ? 0x40 : 0x50, buffer[id], buffer[id + 1]);
			} else if (first === 0x50) this.owe(0x62, buffer[body], buffer[body + 1]);
			else if (first === 0x62) this.owe(0x70, buffer[body], buffer[body + 1]);
			at = body + length;
		}
		return room;
	}

	owe(first: number, high: number, low: number): void {
		const at = OWED_BYTES * this.owedCount++;
		this.owed[at] = first;
		this.owed[at + 1] = high;
		this.owed[at + 2] = low;
	}

	/** Sends the first acknowledgement that is due; false if there is none. */
	answer(): boolean {
		if (this.owedCount === 0 || this.at < this.end) return false;
		const answer = this.#answer;
		answer[0] = this.owed[0];
		answer[1] = 2;
		answer[2] = this.owed[1];
		answer[3] = this.owed[2];
		this.owed.copyWithin(0, OWED_BYTES);
		this.owedCount--;
		this.deliver(answer);
		return true;
	}
}

const backlog: Socket[] = [];
let onReadable: (count: number) => void = () => {};
let ticks = 0;
/** Timers by number: what to call, when (0: not scheduled), and how often. */
const callbacks: (() => void)[] = [];
const dueAt = new Float64Array(32);
const repeats = new Float64Array(32);

const timer = {
	set(callback: () => void, delay: number, repeat = 0) {
		let id = callbacks.length;
		// A spent one serves again
		for (let i = 0; i < callbacks.length; i++) if (dueAt[i] === 0 && repeats[i] === 0) id = i;
		callbacks[id] = callback;
		dueAt[id] = ticks + delay;
		repeats[id] = repeat;
		return id + 1;
	},
	schedule(id: number, delay?: number, repeat = 0) {
		dueAt[id - 1] = delay === undefined ? 0 : ticks + delay;
		if (delay !== undefined) repeats[id - 1] = repeat;
	},
	clear(id?: number) {
		if (id === undefined) return;
		dueAt[id - 1] = 0;
		repeats[id - 1] = 0;
	},
};

/** A millisecond passes. */
function tick(): void {
	ticks++;
	for (let i = 0; i < callbacks.length; i++) {
		if (dueAt[i] === 0 || dueAt[i] > ticks) continue;
		dueAt[i] = repeats[i] === 0 ? 0 : ticks + repeats[i];
		callbacks[i]();
	}
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
	tcp: {
		io: class extends Socket {
			constructor(options: TCPOptions) {
				super(options);
				if (options.from === undefined) upstream = this;
			}
		},
	},
	timer,
	time: {
		get ticks() {
			return ticks;
		},
		delta: (start: number, end = ticks) => end - start,
	},
	resolve(name: string, callback: (address: string | undefined) => void) {
		callback(name);
	},
	trace(message: string) {
		if (!message.endsWith(": connected")) throw new Error(message);
	},
};

let broker: Broker;
let upstream: Socket;
let client: Socket;
let publish: Uint8Array;
let released: Uint8Array;

const bridge: BridgeSettings = {
	host: "10.0.0.1",
	port: 1883,
	version: 5,
	tryPrivate: true,
	clientId: "edge-bridge",
	keepAlive: 0,
	sessionExpiry: 100,
	connectTimeout: 1e6,
	acknowledgeTimeout: 1e6,
	pingTimeout: 1e6,
	retryMinimum: 1000,
	retryMaximum: 1000,
	inFlight: 8,
	topics: [
		{ filter: "out/#", direction: "out", qos: 2, localPrefix: "", remotePrefix: "far/" },
		{ filter: "in/#", direction: "in", qos: 2, localPrefix: "near/", remotePrefix: "far/" },
	],
};

const registerStep = (handle: (...numbers: number[]) => number) => native("keep").call(undefined, handle);

/** 0: creates the broker. @param bridged 1: with the bridge */
registerStep((bridged: number) => {
	broker = createBroker(
		host as never,
		{ listen: { ...defaults.listen, anonymous: true }, ...(bridged === 1 ? { bridge } : {}) },
		"edge",
	);
	broker.start();
	return broker.usage.sessions;
});

/** 1: the other broker accepts the bridge, which then has its session here. */
registerStep(() => {
	// The first connection only ends a session that may be there
	const first = upstream;
	first.grant();
	first.deliver(CONNACK);
	while (upstream === first) tick();
	upstream.grant();
	upstream.deliver(CONNACK);
	upstream.deliver(SUBACK);
	for (let i = 0; i < 5; i++) tick();
	return broker.usage.connections;
});

/** 2: a client connects that subscribes to what the bridge brings. */
registerStep(() => {
	backlog.push(new Socket({}));
	onReadable(1);
	client = InMachineSocket.last as Socket;
	client.grant();
	const encoder = new Encoder({ size: 128 });
	encoder.connect({ clientId: utf8("client"), keepAlive: 0, cleanStart: true });
	client.deliver(encoder.view.slice(0, encoder.length));
	encoder.reset();
	encoder.subscribe(1, [{ filter: utf8("near/#"), options: 2 }]);
	client.deliver(encoder.view.slice(0, encoder.length));
	return client.packets;
});

/** 3: prepares the PUBLISH of a direction. @param out 1: from this broker @param qos of it */
registerStep((out: number, qos: number, size: number) => {
	const encoder = new Encoder({ size: 1024 });
	const topic = utf8(out === 1 ? "out/climate" : "far/in/climate");
	encoder.publish(topic, new Uint8Array(size).fill(0x35), size, qos << 1, qos === 0 ? 0 : 9);
	publish = encoder.view.slice(0, encoder.length);
	encoder.reset();
	released = new Uint8Array([0x62, 2, 0, 9]);
	return publish.length;
});

/** 4: passes that PUBLISH on `count` times. @returns messages that arrived at the other side */
registerStep((out: number, qos: number, count: number) => {
	const from = out === 1 ? client : upstream;
	const to = out === 1 ? upstream : client;
	const before = to.publishes;
	for (let n = 0; n < count; n++) {
		from.deliver(publish);
		for (let i = 0; i < 20; i++) {
			tick();
			while (upstream.answer() || client.answer());
		}
	}
	return qos === 0 || released.length > 0 ? to.publishes - before : 0;
});
