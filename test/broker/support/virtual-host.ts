import type { Host } from "../../../src/broker/pool/host";
import type { Listener, ListenerOptions, StorageModule, TCP, TCPOptions, TimerId } from "../../../src/device";
import type { DeviceEvent } from "../../../src/device-events";

/** Bytes that a virtual socket accepts before its peer reads. */
const SOCKET_BUFFER_BYTES = 5744;

/** One end of a virtual connection, as strict as the SDK's socket on lwIP. */
export class VirtualSocket implements TCP {
	readonly host: VirtualHost;
	options: TCPOptions = {};
	remote!: VirtualSocket;
	received: Uint8Array[] = [];
	available = 0;
	/** Available bytes for which the other end already has its room back; unchanged while frozen. */
	unread = 0;
	room = SOCKET_BUFFER_BYTES;
	/** Segments written in this turn, which leave at its end. */
	written = 0;
	/** Set on the test's end: it does not read. */
	frozen = false;
	closed = false;
	ended = false;
	/** A reset discards what is unread, as in most stacks; the SDK's class on lwIP keeps it. */
	discardsOnReset = true;
	/** Address of the other end, as the platform reports it. */
	remoteAddress: string | undefined = undefined;

	constructor(host: VirtualHost) {
		this.host = host;
	}

	read(buffer: Uint8Array): number | undefined {
		if (this.closed) throw new Error("invalid host data");
		if (this.available === 0) return undefined;
		if (buffer.length === 0 || buffer.length > this.available) throw new Error("invalid");
		let at = 0;
		while (at < buffer.length) {
			const chunk = this.received[0]!;
			const part = chunk.subarray(0, buffer.length - at);
			buffer.set(part, at);
			at += part.length;
			if (part.length === chunk.length) this.received.shift();
			else this.received[0] = chunk.subarray(part.length);
		}
		this.available -= buffer.length;
		if (this.available === 0 && this.ended) this.host.defer(() => this.#reportError());
		return buffer.length;
	}

	write(buffer: Uint8Array): number | undefined {
		if (this.closed) throw new Error("invalid host data");
		if (this.ended) throw new Error("not ready");
		if (buffer.length > this.room) throw new Error("would block");
		this.room -= buffer.length;
		if (buffer.length === 0) return this.room;
		const bytes = buffer.slice();
		this.written++;
		this.host.defer(() => {
			if (this.written === 0) return;
			this.written--;
			this.remote.deliver(bytes);
		});
		return this.room;
	}

	/**
	 * Sends FIN. With unread bytes lwIP and Linux send RST instead, unless the host lingers: what this end
	 * wrote in the same turn never leaves, and what the other end has not read is lost.
	 */
	close(): void {
		if (this.closed) return;
		this.closed = true;
		const reset = this.available > 0 && !this.host.lingeringClose;
		if (reset) this.written = 0;
		this.host.defer(() => this.remote.end(reset));
	}

	/** Attaches the broker's callbacks after it has accepted the connection. */
	attach(options: TCPOptions): void {
		this.options = options;
		this.host.defer(() => {
			if (this.closed) return;
			if (this.available > 0) options.onReadable?.(this.available);
			if (!this.closed) options.onWritable?.(this.room);
			if (this.ended && this.available === 0) this.#reportError();
		});
	}

	deliver(bytes: Uint8Array): void {
		if (this.closed) {
			// lwIP aborts a closed connection that receives more (tcp_input, TF_RXCLOSED); so does Linux
			if (!this.host.lingeringClose) this.host.defer(() => this.remote.end(true));
			return;
		}
		this.received.push(bytes);
		this.available += bytes.length;
		if (this.options.onReadable) this.options.onReadable(this.available);
	}

	/** Adds `bytes` of room after the other end has read them. */
	releaseRoom(bytes: number): void {
		if (this.closed || this.ended) return;
		this.room += bytes;
		this.options.onWritable?.(this.room);
	}

	/** @param reset with RST, which discards unread bytes */
	end(reset = false): void {
		if (reset && this.discardsOnReset) {
			this.received = [];
			this.available = 0;
			this.unread = 0;
		}
		if (this.closed || this.ended) return;
		this.ended = true;
		if (this.available === 0) this.#reportError();
	}

	#reportError(): void {
		if (!this.closed) this.options.onError?.();
	}
}

/** A host in memory with a clock that the test advances. Callbacks are called in run() and advance(). */
export class VirtualHost implements Host {
	now = 1_000;
	readonly traces: string[] = [];
	/** Lines about closed connections. */
	readonly closings: string[] = [];
	clockIsSet = true;
	/** False: as the SDK on lwIP, where the broker must drain a socket before it closes it. */
	lingeringClose = true;
	declare readonly storage: StorageModule;
	readonly events: DeviceEvent[] = [];
	/** By port: options of the listener, and the connections that wait to be accepted. */
	readonly listeners = new Map<
		number,
		{ readonly options: ListenerOptions; readonly backlog: VirtualSocket[] }
	>();
	readonly tcp: Host["tcp"];
	readonly listener: NonNullable<Host["listener"]>;
	readonly timer: Host["timer"];
	readonly time: Host["time"];
	readonly #queue: (() => void)[] = [];
	readonly #timers = new Map<object, { callback: (id: TimerId) => void; due: number; repeat: number }>();

	constructor(storage?: StorageModule) {
		const host = this;
		if (storage !== undefined) this.storage = storage;
		this.tcp = {
			io: class {
				constructor(options: TCPOptions) {
					const from = options.from as unknown as VirtualSocket;
					if (from.closed) throw new Error("invalid from");
					from.attach(options);
					// biome-ignore lint/correctness/noConstructorReturn: the donor serves on
					return from as never;
				}
			} as unknown as Host["tcp"]["io"],
		};
		this.listener = {
			io: class implements Listener {
				readonly port: number;
				constructor(options: ListenerOptions) {
					this.port = options.port || 49_152;
					if (host.listeners.has(this.port)) throw new Error("port in use");
					host.listeners.set(this.port, { options, backlog: [] });
				}
				read(): TCP | undefined {
					return host.listeners.get(this.port)?.backlog.shift();
				}
				close(): void {
					host.listeners.delete(this.port);
				}
			},
		};
		this.timer = {
			set: (callback, delay, repeat = 0) => {
				const id = {};
				this.#timers.set(id, { callback, due: this.now + delay, repeat });
				return id;
			},
			schedule: (id, delay, repeat = 0) => {
				const timer = this.#timers.get(id as object)!;
				timer.due = delay === undefined ? Number.POSITIVE_INFINITY : this.now + delay;
				timer.repeat = repeat;
			},
			clear: (id) => {
				this.#timers.delete(id as object);
			},
		};
		this.time = {
			get ticks() {
				return host.now | 0;
			},
			delta: (start, end = this.now | 0) => (end - start) | 0,
		};
	}

	/** Number of timers that are scheduled. */
	get timers(): number {
		let count = 0;
		for (const { due } of this.#timers.values()) if (due !== Number.POSITIVE_INFINITY) count++;
		return count;
	}

	trace(message: string): void {
		if (message.startsWith("broker: closed ")) this.closings.push(message);
		else this.traces.push(message);
	}

	event(...event: DeviceEvent): void {
		this.events.push(event);
	}

	defer(callback: () => void): void {
		this.#queue.push(callback);
	}

	/** Calls all deferred callbacks. */
	run(): void {
		for (let callback = this.#queue.shift(); callback !== undefined; callback = this.#queue.shift())
			callback();
	}

	/** Advances the clock and calls the timers that expire on the way. */
	advance(ms: number): void {
		this.run();
		const end = this.now + ms;
		for (;;) {
			let next: object | undefined;
			let due = end;
			for (const [id, timer] of this.#timers) {
				if (timer.due <= due) {
					due = timer.due;
					next = id;
				}
			}
			if (next === undefined) break;
			const timer = this.#timers.get(next)!;
			this.now = due;
			timer.due = timer.repeat > 0 ? due + timer.repeat : Number.POSITIVE_INFINITY;
			timer.callback(next);
			this.run();
		}
		this.now = end;
	}

	/** Opens a connection to a port and returns the client's end. */
	connect(port = 1883): VirtualSocket {
		const brokerSocket = new VirtualSocket(this);
		const clientSocket = new VirtualSocket(this);
		brokerSocket.remote = clientSocket;
		brokerSocket.discardsOnReset = false;
		clientSocket.remote = brokerSocket;
		clientSocket.options = {
			onReadable: (bytes) => {
				if (clientSocket.frozen) return;
				this.defer(() => brokerSocket.releaseRoom(bytes - clientSocket.unread));
				clientSocket.unread = bytes;
			},
		};
		this.defer(() => {
			const listener = this.listeners.get(port);
			listener?.backlog.push(brokerSocket);
			listener?.options.onReadable?.(listener.backlog.length);
		});
		return clientSocket;
	}
}
