import { createServer, type Server, type Socket } from "node:net";
import type { Host } from "../../../src/broker/pool/host";
import type { Listener, ListenerOptions, TCP, TCPOptions, TimerId } from "../../../src/device";

const SEND_BUFFER_BYTES = 65_536;

/** A host on Node's sockets, for real clients. */
export function nodeHost(): Host {
	return {
		tcp: { io: NodeTCP },
		listener: { io: NodeListener },
		timer: {
			set(callback, delay, repeat = 0) {
				const id: NodeTimer = { callback, timeout: undefined };
				startTimer(id, delay, repeat);
				return id;
			},
			schedule(id, delay, repeat = 0) {
				clearTimeout((id as NodeTimer).timeout);
				if (delay !== undefined) startTimer(id as NodeTimer, delay, repeat);
			},
			clear(id) {
				if (id !== undefined) clearTimeout((id as NodeTimer).timeout);
			},
		},
		time: {
			get ticks() {
				return Math.floor(performance.now());
			},
			delta: (start, end = Math.floor(performance.now())) => end - start,
		},
		trace(message) {
			if (!message.startsWith("broker: closed ")) throw new Error(message);
		},
	};
}

interface NodeTimer {
	callback: (id: TimerId) => void;
	timeout: ReturnType<typeof setTimeout> | undefined;
}

function startTimer(id: NodeTimer, delay: number, repeat: number): void {
	id.timeout = setTimeout(() => {
		if (repeat > 0) startTimer(id, repeat, repeat);
		id.callback(id);
	}, delay);
}

class NodeTCP implements TCP {
	socket: Socket;
	#chunks: Buffer[] = [];
	#available = 0;
	#ended = false;
	#options: TCPOptions = {};

	constructor(options: TCPOptions & { accepted?: Socket }) {
		const from = options.from as NodeTCP | undefined;
		if (from !== undefined) {
			this.socket = from.socket;
			this.#chunks = from.#chunks;
			this.#available = from.#available;
			this.#ended = from.#ended;
			this.#options = options;
			this.socket.removeAllListeners();
			setImmediate(() => {
				if (this.#available > 0) this.#options.onReadable?.(this.#available);
				this.#options.onWritable?.(this.#room);
				if (this.#ended && this.#available === 0) this.#options.onError?.();
			});
		} else this.socket = options.accepted!;
		const { socket } = this;
		socket.setNoDelay(true);
		socket.on("data", (chunk: Buffer) => {
			this.#chunks.push(chunk);
			this.#available += chunk.length;
			this.#options.onReadable?.(this.#available);
		});
		socket.on("drain", () => this.#options.onWritable?.(this.#room));
		socket.on("error", () => this.#end());
		socket.on("end", () => this.#end());
		socket.on("close", () => this.#end());
	}

	get #room(): number {
		return Math.max(0, SEND_BUFFER_BYTES - this.socket.writableLength);
	}

	read(buffer: Uint8Array): number | undefined {
		if (this.#available === 0) return undefined;
		if (buffer.length === 0 || buffer.length > this.#available) throw new Error("invalid");
		let at = 0;
		while (at < buffer.length) {
			const chunk = this.#chunks[0]!;
			const size = chunk.copy(buffer, at, 0, buffer.length - at);
			at += size;
			if (size === chunk.length) this.#chunks.shift();
			else this.#chunks[0] = chunk.subarray(size);
		}
		this.#available -= at;
		if (this.#available === 0 && this.#ended) setImmediate(() => this.#options.onError?.());
		return at;
	}

	write(buffer: Uint8Array): number | undefined {
		if (this.#ended || this.socket.destroyed) return undefined;
		if (buffer.length > this.#room) throw new Error("would block");
		this.socket.write(Buffer.from(buffer));
		return this.#room;
	}

	close(): void {
		this.#options = {};
		this.socket.end();
		this.socket.destroySoon();
	}

	#end(): void {
		if (this.#ended) return;
		this.#ended = true;
		if (this.#available === 0) this.#options.onError?.();
	}
}

class NodeListener implements Listener {
	readonly #server: Server;
	readonly #backlog: NodeTCP[] = [];

	constructor(options: ListenerOptions) {
		this.#server = createServer({ allowHalfOpen: true }, (socket) => {
			this.#backlog.push(new NodeTCP({ accepted: socket }));
			options.onReadable?.(this.#backlog.length);
		});
		this.#server.listen(options.port, "127.0.0.1");
	}

	get port(): number {
		const address = this.#server.address();
		return address !== null && typeof address === "object" ? address.port : 0;
	}

	read(): TCP | undefined {
		return this.#backlog.shift();
	}

	close(): void {
		this.#server.close();
		for (const tcp of this.#backlog.splice(0)) tcp.close();
	}
}
