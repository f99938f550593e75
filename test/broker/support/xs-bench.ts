import { Broker } from "../../../src/broker/broker";
import { defaults } from "../../../src/config/defaults";
import type { Listener, ListenerOptions, TCP } from "../../../src/device";
import { Encoder } from "../../../src/mqtt/encoder";
import { PropertyWriter } from "../../../src/mqtt/property-writer";
import { utf8 } from "../../../src/mqtt/utf8";
import { InMachineSocket } from "../../support/in-machine-socket";

declare function native(name: string): (this: unknown, ...values: unknown[]) => unknown;

/** A socket that records the acknowledgements that the packets written by the broker require. */
class Socket extends InMachineSocket {
	/** Number of acknowledgements due, in this socket's row of `answers`. */
	owedAnswers = 0;

	override write(buffer: Uint8Array): number | undefined {
		const room = super.write(buffer);
		const first = buffer[0];
		if (first >> 4 === 3 && (first & 6) !== 0) {
			const topic = buffer[1] > 127 ? 3 : 2;
			const at = topic + 2 + ((buffer[topic] << 8) | buffer[topic + 1]);
			this.oweAnswer((first & 6) === 2 ? 0x40 : 0x50, buffer[at], buffer[at + 1]);
		} else if (first === 0x50) this.oweAnswer(0x62, buffer[2], buffer[3]);
		else if (first === 0x62) this.oweAnswer(0x70, buffer[2], buffer[3]);
		return room;
	}

	oweAnswer(first: number, high: number, low: number): void {
		const at = ANSWER_ROW_BYTES * sockets.indexOf(this) + 3 * this.owedAnswers++;
		answers[at] = first;
		answers[at + 1] = high;
		answers[at + 2] = low;
	}

	/** Sends one acknowledgement; false if none is due. */
	answer(): boolean {
		if (this.owedAnswers === 0) return false;
		const row = ANSWER_ROW_BYTES * sockets.indexOf(this);
		acknowledgement[0] = answers[row];
		acknowledgement[2] = answers[row + 1];
		acknowledgement[3] = answers[row + 2];
		answers.copyWithin(row, row + 3, row + ANSWER_ROW_BYTES);
		this.owedAnswers--;
		this.deliver(acknowledgement);
		return true;
	}
}

/** Bytes of `answers` per socket: first byte and packet identifier of each acknowledgement due. */
const ANSWER_ROW_BYTES = 48;
const answers = new Uint8Array(16 * ANSWER_ROW_BYTES);
const sockets: Socket[] = [];
const backlog: Socket[] = [];
let onReadable: (count: number) => void = () => {};
let ticks = 0;
let onTimer: () => void = () => {};
const ping = new Uint8Array([0xc0, 0]);

const listener = {
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
};

const host = {
	listener,
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
			return ++ticks;
		},
		delta: (start: number, end?: number) => (end ?? ticks) - start,
	},
	trace(message: string) {
		if (!message.startsWith("broker: closed ")) throw new Error(message);
	},
};

let broker: Broker;
const encoder = new Encoder({ size: 1024 });
let publish: Uint8Array;
const acknowledgement = new Uint8Array([0x40, 2, 0, 0]);

const topic = utf8("greenhouse/node-7/climate");

const registerStep = (handle: (...numbers: number[]) => number) => native("keep").call(undefined, handle);

/** Key-value storage outside the machine. */
const storage = {
	open() {
		const [read, write, remove] = [native("read"), native("write"), native("delete")];
		return {
			read(key: string, buffer: Uint8Array) {
				const length = read.call(undefined, key, buffer) as number;
				return length < 0 ? undefined : length;
			},
			write: (key: string, value: Uint8Array) => void write.call(undefined, key, value),
			delete: (key: string) => void remove.call(undefined, key),
			close() {},
		};
	},
};

/** 0: creates the broker. @param persist 1: with storage */
registerStep((persist: number) => {
	broker = new Broker({ ...host, storage } as never, {
		...defaults.listen,
		anonymous: true,
		persist: persist === 1,
		persistInterval: 60_000,
	});
	broker.start();
	return 0;
});

/** Connects a client on a socket of its own. */
function connect(index: number, version: number, persistent: number): Socket {
	backlog.push(new Socket({}));
	onReadable(1);
	const brokerSocket = InMachineSocket.last as Socket;
	sockets.push(brokerSocket);
	brokerSocket.grant();
	encoder.version = version as 4 | 5;
	encoder.reset();
	const properties =
		persistent && version === 5 ? new PropertyWriter(8).sessionExpiryInterval(100) : undefined;
	const length = encoder.connect({
		clientId: utf8(`client-${index}`),
		keepAlive: 60,
		cleanStart: persistent === 0,
		properties,
	});
	brokerSocket.deliver(encoder.view.slice(0, length));
	return brokerSocket;
}

/** 1: connects a client of a version and subscribes it to one filter. */
registerStep((index: number, version: number, qos: number, persistent: number) => {
	const brokerSocket = connect(index, version, persistent);
	encoder.reset();
	const subscribe = encoder.subscribe(1, [
		{ filter: utf8(index % 2 ? "greenhouse/+/climate" : "greenhouse/#"), options: qos },
	]);
	brokerSocket.deliver(encoder.view.slice(0, subscribe));
	return brokerSocket.packets;
});

/** 2: prepares the PUBLISH that step 3 sends. */
registerStep((version: number, qos: number, size: number, retain: number) => {
	encoder.version = version as 4 | 5;
	encoder.reset();
	const length = encoder.publish(topic, new Uint8Array(size).fill(0x35), size, (qos << 1) | retain, 9);
	publish = encoder.view.slice(0, length);
	return length;
});

/** 3: the first client publishes `count` times; all clients acknowledge what they receive. */
registerStep((count: number) => {
	let before = 0;
	for (let i = 0; i < sockets.length; i++) before += sockets[i].packets;
	for (let n = 0; n < count; n++) {
		sockets[0].deliver(publish);
		let more = true;
		while (more) {
			more = false;
			for (let i = 0; i < sockets.length; i++) if (sockets[i].answer()) more = true;
		}
	}
	let packets = 0;
	for (let i = 0; i < sockets.length; i++) packets += sockets[i].packets;
	return packets - before;
});

/** 4: the last client's connection is lost, which frees its connection and session. */
registerStep(() => {
	const socket = sockets.pop()!;
	socket.fail();
	return broker.counters.connectionsLost;
});

/**
 * 5: a client connects, sends the PUBLISH of step 2, and disappears without a FIN; the next one with the same
 * identifier takes over.
 */
registerStep((version: number, persistent: number) => {
	const brokerSocket = connect(99, version, persistent);
	brokerSocket.deliver(publish);
	while (brokerSocket.answer());
	sockets.pop();
	return brokerSocket.packets;
});

/** 6: subscribes the last client to the broker's own topics, and calls the timer until it has them. */
registerStep((version: number) => {
	const brokerSocket = sockets[sockets.length - 1];
	encoder.version = version as 4 | 5;
	encoder.reset();
	const subscribe = encoder.subscribe(2, [{ filter: utf8("$SYS/#"), options: 0 }]);
	brokerSocket.deliver(encoder.view.slice(0, subscribe));
	for (let turn = 0; turn < 10; turn++) {
		ticks += 20;
		onTimer();
	}
	return brokerSocket.packets;
});

/** 7: advances the clock to the next $SYS update and calls the timer for its turns, `count` times. */
registerStep((count: number) => {
	const before = sockets[sockets.length - 1].packets;
	for (let i = 0; i < count; i++) {
		ticks += 9000;
		for (let j = 0; j < sockets.length; j++) sockets[j].deliver(ping);
		for (let turn = 0; turn < 10; turn++) {
			ticks += 200;
			onTimer();
		}
	}
	return sockets[sockets.length - 1].packets - before;
});

/** 8: makes the broker store its changes. */
registerStep(() => {
	ticks += 61_000;
	for (let j = 0; j < sockets.length; j++) sockets[j].deliver(ping);
	onTimer();
	return broker.counters.storageWrites;
});

/** 9: numbers of sessions, subscriptions, values and queued messages, a byte each. */
registerStep(() => {
	const { sessions, subscriptions, values, queued } = broker.usage;
	return (sessions << 24) | (subscriptions << 16) | (values << 8) | queued;
});
