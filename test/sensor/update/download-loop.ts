import type { ImageSlots, TCP, TCPOptions, TimerId } from "../../../src/device";
import { ImageDownload } from "../../../src/sensor/update/image-download";
import { ImageReceiver } from "../../../src/sensor/update/image-receiver";
import { parseImageURL } from "../../../src/sensor/update/image-url";

// Runs inside XS: a download from a server that repeats the start of an image, into a slot that counts bytes.

/** Bytes that arrive at once, as many as a receive window of lwIP holds. */
const WINDOW = 4096;
const HEAD = "HTTP/1.1 200 OK\r\nServer: test\r\nContent-Length: 1900000\r\n\r\n";
/** Apart: on XS the length of a text takes two slots each time. */
const HEAD_LENGTH = HEAD.length;

class LoopSocket implements TCP {
	readonly options: TCPOptions;
	/** Bytes read so far. */
	at = 0;

	constructor(options: TCPOptions) {
		this.options = options;
	}

	read(buffer: Uint8Array): number {
		const { length } = buffer;
		const start = this.at - HEAD_LENGTH;
		for (let i = 0; i < length && start + i < 64; i++)
			buffer[i] = start + i < 0 ? HEAD.charCodeAt(this.at + i) : imageByte(start + i);
		this.at += length;
		return length;
	}

	write(): number {
		return 1000;
	}

	close(): void {}
}

/** Of the header of an image for an ESP32. */
function imageByte(at: number): number {
	if (at === 0) return 0xe9;
	if (at === 23) return 1;
	return at === 32 ? 0x32 : at === 33 ? 0x54 : at === 34 ? 0xcd : at === 35 ? 0xab : 0;
}

/**
 * @param keep takes a function that lets so many windows of bytes arrive
 * @param tell takes what goes wrong
 */
export default function loop(
	keep: (run: (windows: number) => void) => void,
	tell: (text: string) => void,
): void {
	let socket: LoopSocket | undefined;
	let written = 0;
	const slots = {
		size: 0x1f0000,
		running: 0,
		isOnTrial: false,
		wasRejected: false,
		open: () => ({
			write: (bytes: Uint8Array) => {
				written += bytes.length;
			},
			activate: () => {},
			close: () => {},
		}),
	} as unknown as ImageSlots;
	class OnlySocket extends LoopSocket {
		constructor(options: TCPOptions) {
			super(options);
			socket = this;
		}
	}
	const url = parseImageURL("http://10.0.0.1/i");
	if (typeof url === "string") throw new Error(url);
	const download = new ImageDownload(
		{
			resolve: (host, callback) => callback(host),
			tcp: { io: OnlySocket },
			timer: { set: () => ({}) as TimerId, schedule: () => {}, clear: () => {} },
		},
		url,
		new ImageReceiver(slots, "esp32"),
		300_000,
		{ onEnd: (problem) => tell(`ended: ${problem}`) },
	);
	download.open();
	socket?.options.onWritable?.(1000);
	socket?.options.onReadable?.(HEAD.length + 1024);
	if (written !== 1024) tell(`${written} bytes written`);
	keep((windows) => {
		for (let i = 0; i < windows; i++) socket?.options.onReadable?.(WINDOW);
	});
}
