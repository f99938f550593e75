import type { ClientDevice } from "../../../src/client/client";
import { encodeBase64 } from "../../../src/crypto/base64";
import { SHA1, SHA1_SIZE } from "../../../src/crypto/sha1";
import type { Device, TCPOptions } from "../../../src/device";
import { utf8 } from "../../../src/mqtt/utf8";
import WebSocket from "../../../src/websocket/client/socket";
import { GUID } from "../../../src/websocket/constants";
import { InMachineSocket } from "../../support/in-machine-socket";

// Runs inside XS, and allocates nothing once a connection is made.

const CONNECT = 1;
const PUBLISH = 3;
const PUBREL = 6;
const BINARY = 0x82;
/** Where the key of a request is; it is the last field. */
const KEY_LENGTH = 24;

/** A socket whose other end is a broker with WebSocket that takes and acknowledges everything. */
class WebSocketBroker extends InMachineSocket {
	readonly packet = new Uint8Array(256);

	constructor(options: TCPOptions) {
		super(options);
		this.input = new Uint8Array(512);
	}

	override write(buffer: Uint8Array): number | undefined {
		if (buffer[0] === 0x47) this.accept(buffer);
		else if (buffer[0] === BINARY) this.respond(buffer);
		return super.write(buffer);
	}

	/** Delivers what was answered, and says that there is room. */
	override turn(): void {
		while (this.at < this.end) this.options.onReadable!.call(this, this.end - this.at);
		this.grant();
	}

	private accept(request: Uint8Array): void {
		const start = request.length - 4 - KEY_LENGTH;
		const digest = new Uint8Array(SHA1_SIZE);
		new SHA1()
			.update(request, start, start + KEY_LENGTH)
			.update(GUID, 0, GUID.length)
			.digest(digest, 0);
		const head = utf8(
			"HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Accept: ",
		);
		this.input.set(head, 0);
		const at = encodeBase64(digest, 0, SHA1_SIZE, this.input, head.length);
		this.input.set(utf8("\r\n\r\n"), at);
		this.end = at + 4;
	}

	/** Frames and packets are shorter than 126 and 128 bytes. */
	private respond(frames: Uint8Array): void {
		if (this.at === this.end) this.at = this.end = 0;
		const length = frames[1] & 0x7f;
		const { packet } = this;
		for (let i = 0; i < length; i++) packet[i] = frames[6 + i] ^ frames[2 + (i & 3)];
		for (let at = 0; at < length; at += 2 + packet[at + 1]) {
			const type = packet[at] >> 4;
			if (type === CONNECT) this.answer(2, 0, 0);
			else if (type === PUBREL) this.answer(7, packet[at + 2], packet[at + 3]);
			else if (type === PUBLISH && (packet[at] & 6) !== 0) {
				const id = at + 4 + ((packet[at + 2] << 8) | packet[at + 3]);
				this.answer((packet[at] & 6) === 2 ? 4 : 5, packet[id], packet[id + 1]);
			}
		}
	}

	private answer(type: number, high: number, low: number): void {
		const { input } = this;
		input[this.end++] = BINARY;
		input[this.end++] = 4;
		input[this.end++] = type << 4;
		input[this.end++] = 2;
		input[this.end++] = high;
		input[this.end++] = low;
	}
}

/** A device whose only connection is a WebSocket to a broker in the same machine; `turn` advances it. */
export function webSocketDevice(): { turn: () => void; device: ClientDevice } {
	const timer = { set: () => timer, schedule() {}, clear() {} };
	const device: ClientDevice = {
		tcp: { io: WebSocket, TCP: { io: WebSocketBroker }, path: "/mqtt", timer } as Device["tcp"],
		timer,
		time: { ticks: 0, delta: () => 0 },
		resolve: (name, callback) => callback(name),
	};
	return { turn: () => InMachineSocket.last.turn(), device };
}
