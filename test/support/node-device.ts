import { lookup } from "node:dns";
import { connect, isIP, type Socket } from "node:net";
import { SecureConnection } from "../../sim/network/secure-connection";
import type { BrokerTLSSettings } from "../../src/config/types";
import type { Device, TCP, TCPConstructor, TCPOptions, TimerId } from "../../src/device";
import type { ConnectionFailure } from "../../src/fault";
import WebSocket from "../../src/websocket/client/socket";

export interface NodeDeviceOptions {
	/** Send room of an idle socket, bytes. */
	capacity?: number;
	/** Splits received data into pieces; by default it is not split. */
	split?: (bytes: Uint8Array) => Uint8Array[];
}

interface NodeTimer {
	readonly callback: (id: TimerId) => void;
	repeat: number;
	handle: NodeJS.Timeout | undefined;
}

export type NodeDevice = Pick<Device, "tcp" | "timer" | "time" | "resolve"> &
	Required<Pick<Device, "transport">>;

/** A connection that is being opened, and why it failed if TLS did. */
interface Opening {
	readonly socket: Socket;
	readonly failure?: ConnectionFailure | undefined;
}

/** The network side of a device on node:net and node:tls, in the shape of ECMA-419. */
export function nodeDevice(options: NodeDeviceOptions = {}): NodeDevice {
	const capacity = options.capacity ?? 5744;
	const split = options.split ?? ((bytes: Uint8Array) => [bytes]);

	class NodeTCP implements TCP {
		#socket: Socket;
		#inbox = Buffer.alloc(0);
		#room = 0;
		#ended = false;
		#closed = false;
		#onError: TCPOptions["onError"];
		#opening: Opening;

		constructor(tcpOptions: TCPOptions) {
			const { address, onReadable, onWritable, onError } = tcpOptions;
			if (address === undefined || isIP(address) === 0) throw new Error("invalid address");
			this.#onError = onError;
			this.#opening = this.open(tcpOptions, () => {
				this.#room = capacity;
				if (!this.#closed) onWritable?.(this.#room);
			});
			const { socket } = this.#opening;
			this.#socket = socket;
			socket.on("data", (data: Buffer) => {
				for (const piece of split(data)) {
					if (this.#closed) return;
					this.#inbox = Buffer.concat([this.#inbox, piece]);
					onReadable?.(this.#inbox.length);
				}
			});
			socket.on("error", () => this.#end());
			socket.on("end", () => this.#end());
			socket.on("close", () => this.#end());
			this.#onWritable = onWritable;
		}
		#onWritable: ((bytes: number) => void) | undefined;

		protected open({ address, port = 0, nodelay = false }: TCPOptions, onOpen: () => void): Opening {
			return { socket: connect({ host: address!, port, noDelay: nodelay }, onOpen) };
		}

		read(buffer: Uint8Array): number | undefined {
			this.#check();
			if (this.#inbox.length === 0) return undefined;
			if (buffer.length === 0 || buffer.length > this.#inbox.length) throw new Error("invalid");
			buffer.set(this.#inbox.subarray(0, buffer.length));
			this.#inbox = this.#inbox.subarray(buffer.length);
			return buffer.length;
		}

		write(buffer: Uint8Array): number | undefined {
			this.#check();
			if (this.#ended || this.#socket.destroyed) return undefined;
			const { length } = buffer;
			if (length > this.#room) throw new Error("would block");
			this.#room -= length;
			this.#socket.write(Buffer.from(buffer), () => {
				this.#room += length;
				if (!this.#closed && !this.#ended) this.#onWritable?.(this.#room);
			});
			return this.#room;
		}

		close(): void {
			if (this.#closed) return;
			this.#closed = true;
			this.#socket.end();
			this.#socket.destroySoon();
		}

		#end(): void {
			if (this.#ended || this.#closed) return;
			this.#ended = true;
			this.#onError?.(this.#opening.failure);
		}

		#check(): void {
			if (this.#closed) throw new Error("invalid host data");
		}
	}

	class NodeTLS extends NodeTCP {
		protected override open(
			{ address, port = 0, host, secure = {} }: TCPOptions & { readonly secure?: BrokerTLSSettings },
			onOpen: () => void,
		): Opening {
			return new SecureConnection(address!, port, { serverName: host ?? address!, ...secure }, "", onOpen);
		}
	}

	const startTimer = (timer: NodeTimer, delay: number): void => {
		timer.handle = setTimeout(() => {
			if (timer.repeat > 0) startTimer(timer, timer.repeat);
			timer.callback(timer);
		}, delay);
	};

	const time: Device["time"] = {
		get ticks() {
			return Math.floor(performance.now()) | 0;
		},
		delta: (start: number, end: number = time.ticks): number => (end - start) | 0,
	};

	return {
		tcp: { io: NodeTCP },
		transport: (name): TCPConstructor => (name === "tls" ? NodeTLS : WebSocket),
		timer: {
			set: (callback, delay, repeat = 0) => {
				const timer: NodeTimer = { callback, repeat, handle: undefined };
				startTimer(timer, delay);
				return timer;
			},
			schedule: (id, delay, repeat = 0) => {
				const timer = id as NodeTimer;
				clearTimeout(timer.handle);
				timer.repeat = repeat;
				if (delay !== undefined) startTimer(timer, delay);
			},
			clear: (id) => {
				if (id !== undefined) clearTimeout((id as NodeTimer).handle);
			},
		},
		time,
		resolve: (host, callback) => {
			if (isIP(host) !== 0) callback(host);
			else lookup(host, 4, (error, address) => callback(error === null ? address : undefined));
		},
	};
}
