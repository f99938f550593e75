import { Broker } from "../../../src/broker/broker";
import { defaults } from "../../../src/config/defaults";
import type { Listener, ListenerOptions, TCP } from "../../../src/device";
import { utf8 } from "../../../src/mqtt/utf8";
import { InMachineSocket } from "../../support/in-machine-socket";

declare function native(name: string): (this: unknown, handle: (...numbers: number[]) => number) => void;

const backlog: InMachineSocket[] = [];
const listeners: ((count: number) => void)[] = [];
let ticks = 0;

const host = {
	listener: {
		io: class implements Listener {
			port = 8080;
			constructor(options: ListenerOptions) {
				listeners.push(options.onReadable!);
			}
			read(): TCP | undefined {
				return backlog.shift();
			}
			close(): void {}
		},
	},
	tcp: { io: InMachineSocket },
	timer: { set: () => 1, schedule() {}, clear() {} },
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

const sockets: InMachineSocket[] = [];
let publish: Uint8Array;

/** A masked frame of a client. */
function frame(payload: Uint8Array): Uint8Array {
	const { length } = payload;
	const head = [0x82, 0x80 | (length < 126 ? length : 126)];
	if (length > 125) head.push(length >> 8, length & 255);
	head.push(1, 2, 3, 4);
	const bytes = new Uint8Array(head.length + length);
	bytes.set(head, 0);
	for (let i = 0; i < length; i++) bytes[head.length + i] = payload[i] ^ (1 + (i & 3));
	return bytes;
}

/** Written on its own, so that this peer does not share the project's errors. */
function packet(first: number, body: number[]): Uint8Array {
	const { length } = body;
	return new Uint8Array([first, ...(length < 128 ? [length] : [(length & 127) | 128, length >> 7]), ...body]);
}

const text = (string: string) => [0, string.length, ...utf8(string)];

const UPGRADE = utf8(
	"GET /mqtt HTTP/1.1\r\nHost: 192.168.1.10:8080\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
);
const GET = utf8("GET / HTTP/1.1\r\nHost: 192.168.1.10:8080\r\n\r\n");

function accept(listener: number): InMachineSocket {
	backlog.push(new InMachineSocket({}));
	listeners[listener](1);
	const socket = InMachineSocket.last;
	socket.grant();
	return socket;
}

const registerStep = (handle: (...numbers: number[]) => number) => native("keep").call(undefined, handle);

/** 0: creates the broker. @param overWebSocket 1: with the WebSocket port */
registerStep((overWebSocket: number) => {
	const broker = new Broker(
		host as never,
		{ ...defaults.listen, anonymous: true, ...(overWebSocket ? { webSocket: 8080, webSockets: 8 } : {}) },
		"greenhouse",
	);
	broker.start();
	return listeners.length;
});

/** 1: connects a client over WebSocket (1) or TCP (0), which subscribes to everything. */
registerStep((overWebSocket: number) => {
	const socket = accept(overWebSocket);
	sockets.push(socket);
	const connect = packet(0x10, [...text("MQTT"), 4, 2, 0, 60, ...text(`client-${sockets.length}`)]);
	const subscribe = packet(0x82, [0, 1, ...text("greenhouse/#"), 0]);
	if (overWebSocket) socket.deliver(UPGRADE);
	socket.deliver(overWebSocket ? frame(connect) : connect);
	socket.deliver(overWebSocket ? frame(subscribe) : subscribe);
	return socket.packets;
});

/** 2: prepares the PUBLISH that step 3 sends. */
registerStep((size: number) => {
	publish = frame(packet(0x30, [...text("greenhouse/node-7/climate"), ...new Uint8Array(size).fill(0x35)]));
	return publish.length;
});

/**
 * 3: the first client, which has to be one over WebSocket, publishes `count` times.
 * @returns number of packets sent to all clients
 */
registerStep((count: number) => {
	let before = 0;
	for (let i = 0; i < sockets.length; i++) before += sockets[i].packets;
	for (let n = 0; n < count; n++) sockets[0].deliver(publish);
	let packets = 0;
	for (let i = 0; i < sockets.length; i++) packets += sockets[i].packets;
	return packets - before;
});

/** 4: publishes `count` retained messages. */
registerStep((count: number) => {
	for (let i = 0; i < count; i++)
		sockets[0].deliver(frame(packet(0x31, [...text(`greenhouse/node-${i}/climate`), ...utf8("21.5")])));
	return count;
});

/** Bytes that the slow reader takes at once. */
const PIECE = 600;
let slowReader: InMachineSocket;
let slowReaderBytes = 0;

/** 5: requests the status page, but reads only its header and beginning. */
registerStep(() => {
	slowReader = accept(1);
	slowReader.frozen = true;
	slowReader.grant(PIECE);
	slowReader.deliver(GET);
	slowReaderBytes = PIECE - slowReader.room;
	return slowReaderBytes;
});

/** 6: reads further pieces. @returns bytes of the page received so far */
registerStep((pieces: number) => {
	for (let i = 0; i < pieces; i++) {
		slowReader.grant(PIECE);
		slowReaderBytes += PIECE - slowReader.room;
	}
	return slowReaderBytes;
});

/**
 * 7: connects a client over WebSocket (1) or TCP (0), with a persistent session and a will that all clients
 * receive; the next call takes over from it, with clean start (1) or without.
 */
registerStep((overWebSocket: number, version: number, qos: number, clean: number) => {
	const isV5 = version === 5;
	const will = [...text("greenhouse/will"), ...text("gone")];
	const flags = 0x24 | (qos << 3) | (clean << 1);
	const connect = packet(0x10, [
		...text("MQTT"),
		version,
		flags,
		0,
		60,
		...(isV5 ? [5, 17, 0, 0, 0, 9] : []),
		...text("taken"),
		...(isV5 ? [0] : []),
		...will,
	]);
	const socket = accept(overWebSocket);
	sockets.push(socket);
	if (overWebSocket) socket.deliver(UPGRADE);
	socket.deliver(overWebSocket ? frame(connect) : connect);
	return socket.packets;
});

/** 8: the last client subscribes to all topics or, with `sysTopics` 1, to the $SYS topics. */
registerStep((overWebSocket: number, sysTopics: number) => {
	const socket = sockets[sockets.length - 1];
	const subscribe = packet(0x82, [0, 2, ...text(sysTopics ? "$SYS/#" : "#"), 2]);
	socket.deliver(overWebSocket ? frame(subscribe) : subscribe);
	return socket.packets;
});
