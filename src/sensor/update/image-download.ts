import type { Device, TCP, TimerId } from "../../device";
import { utf8 } from "../../mqtt/utf8";
import { VERSION } from "../../version";
import { IMAGE_HEADER_SIZE } from "./image-header";
import type { ImageReceiver } from "./image-receiver";
import type { ImageURL } from "./image-url";
import { ResponseHead } from "./response-head";

/** Bytes that are read, checked and written at once. */
export const BLOCK_SIZE = 1024;
/** Longest time without a byte, s: then the try is over. */
export const STALL_LIMIT_S = 10;

const OK = 200;
const TICK_MS = 1000;

export interface DownloadHandler {
	/**
	 * Called once, unless the download was closed before: all bytes have arrived, or why not.
	 * @param mayRetry the next try may end otherwise
	 */
	onEnd(problem: string | undefined, mayRetry: boolean): void;
}

/**
 * Fetches an image over HTTP. The request is one of HTTP/1.0, so that no server may answer in chunks (RFC
 * 9112 §6.1), and each answer says its length or is refused. The content stays in the socket until a whole
 * block is there, or no more comes, and is read into the one buffer; nothing is allocated for a block.
 */
export class ImageDownload {
	private readonly device: Pick<Device, "resolve" | "tcp" | "timer">;
	private readonly url: ImageURL;
	private readonly receiver: ImageReceiver;
	private readonly handler: DownloadHandler;
	private readonly buffer = new ArrayBuffer(BLOCK_SIZE, { maxByteLength: BLOCK_SIZE });
	/** Over the buffer, as long as it is. */
	private readonly block = new Uint8Array(this.buffer);
	/** Undefined once it is complete. */
	private head: ResponseHead | undefined = new ResponseHead();
	private socket: TCP | undefined;
	private timer: TimerId | undefined;
	private isOpen = true;
	private isRequested = false;
	/** Bytes that have arrived and were not read. */
	private readable = 0;
	private length = 0;
	/** Bytes of the content that have not arrived. */
	private left = 0;
	private silentSeconds = 0;
	private secondsLeft: number;

	/** @param limitMs longest duration */
	constructor(
		device: Pick<Device, "resolve" | "tcp" | "timer">,
		url: ImageURL,
		receiver: ImageReceiver,
		limitMs: number,
		handler: DownloadHandler,
	) {
		this.device = device;
		this.url = url;
		this.receiver = receiver;
		this.handler = handler;
		this.secondsLeft = Math.ceil(limitMs / TICK_MS);
	}

	/** Call once. */
	open(): void {
		const { device, url } = this;
		this.timer = device.timer.set(() => this.onTick(), TICK_MS, TICK_MS);
		try {
			device.resolve(url.host, (address) => {
				if (!this.isOpen) return;
				if (address === undefined) this.end(`${url.host} cannot be resolved`, true);
				else this.connect(address);
			});
		} catch (error) {
			this.end(`${url.host} cannot be resolved: ${error}`, true);
		}
	}

	/** No callback follows. Idempotent. */
	close(): void {
		if (!this.isOpen) return;
		this.isOpen = false;
		this.device.timer.clear(this.timer);
		const { socket } = this;
		this.socket = undefined;
		try {
			socket?.close();
		} catch {
			// The socket is already closed.
		}
	}

	private connect(address: string): void {
		const { host, port } = this.url;
		try {
			this.socket = new this.device.tcp.io({
				host,
				address,
				port,
				nodelay: true,
				onReadable: (bytes) => this.onReadable(bytes),
				onWritable: (bytes) => this.onWritable(bytes),
				onError: () => this.onError(),
			});
		} catch (error) {
			this.end(`no socket to ${address}:${port}: ${error}`, true);
		}
	}

	private onWritable(room: number): void {
		if (!this.isOpen || this.isRequested) return;
		const { path, authority } = this.url;
		const request = utf8(
			`GET ${path} HTTP/1.0\r\nHost: ${authority}\r\nUser-Agent: firefly/${VERSION}\r\nConnection: close\r\n\r\n`,
		);
		if (request.length > room) return;
		this.isRequested = true;
		try {
			this.socket?.write(request);
		} catch (error) {
			this.end(`the request cannot be sent: ${error}`, true);
		}
	}

	private onReadable(readable: number): void {
		if (!this.isOpen) return;
		this.silentSeconds = 0;
		this.readable = readable;
		try {
			while (this.isOpen && this.head !== undefined && this.readable > 0) this.readHead(this.head);
			while (this.isOpen && this.head === undefined && this.readable >= this.blockSize)
				this.readBlock(this.blockSize);
		} catch (error) {
			this.end(`${error}`, true);
		}
	}

	private get blockSize(): number {
		return this.left < BLOCK_SIZE ? this.left : BLOCK_SIZE;
	}

	private readHead(head: ResponseHead): void {
		const count = Math.min(this.readable, head.wantedBytes);
		this.read(count);
		head.push(this.block, 0, count);
		if (head.problem !== undefined) this.end(head.problem, false);
		else if (head.isComplete) this.beginContent(head);
	}

	private beginContent({ status, contentLength }: ResponseHead): void {
		if (status !== OK) {
			// RFC 9110 §15.5.9, §15.6 and RFC 6585 §4: these may be over the next time
			this.end(`the server answers with status ${status}`, status >= 500 || status === 408 || status === 429);
			return;
		}
		if (contentLength < 0) {
			this.end("the server does not say how long the image is: its answer lacks Content-Length", false);
			return;
		}
		const problem = this.receiver.begin(contentLength);
		if (problem !== undefined) {
			this.end(problem, false);
			return;
		}
		this.head = undefined;
		this.length = this.left = contentLength;
	}

	private readBlock(size: number): void {
		this.read(size);
		this.left -= size;
		const problem = this.receiver.write(this.block);
		if (problem !== undefined || this.left === 0) this.end(problem, false);
	}

	/** Reads into the block, which is as long afterwards. */
	private read(count: number): void {
		if (count !== this.block.length) this.buffer.resize(count);
		this.readable -= count;
		this.socket?.read(this.block);
	}

	/** What the peer has sent before was reported before. */
	private onError(): void {
		if (!this.isOpen) return;
		if (this.head === undefined)
			this.end(`the connection ended after ${this.length - this.left} of ${this.length} bytes`, true);
		else
			this.end(
				this.isRequested ? "the connection ended before the answer" : "the server cannot be reached",
				true,
			);
	}

	private onTick(): void {
		this.silentSeconds++;
		this.readRest();
		if (this.silentSeconds >= STALL_LIMIT_S) this.end(`no byte for ${STALL_LIMIT_S} s`, true);
		else if (--this.secondsLeft <= 0) this.end("update.awakeLimit is over", true);
	}

	/** Part of a block is read if no more comes: before it was, a socket may not tell that it has ended. */
	private readRest(): void {
		const { readable, left } = this;
		const least = left === this.length ? IMAGE_HEADER_SIZE : 1;
		if (!this.isOpen || this.head !== undefined || readable < least) return;
		try {
			this.readBlock(readable);
		} catch (error) {
			this.end(`${error}`, true);
		}
	}

	private end(problem: string | undefined, mayRetry: boolean): void {
		if (!this.isOpen) return;
		this.close();
		this.handler.onEnd(problem, mayRetry);
	}
}
