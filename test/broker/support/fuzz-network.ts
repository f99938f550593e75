import { NO_PLACE_TRACE } from "../../../src/broker/delivery/router";
import type { Host } from "../../../src/broker/pool/host";
import type { Listener, ListenerOptions, TCP, TCPOptions, TimerId } from "../../../src/device";

/** Bytes that a socket accepts before its peer reads. */
const SEND_BUFFER_BYTES = 5744;
/** Maximum number of unread bytes. */
const INPUT_BUFFER_BYTES = 2048;

/**
 * A connection as its peer sees it. The broker's end is as strict as the strictest host. No callback is
 * called from within a call by the broker.
 */
export class Channel {
	/** Callbacks of the broker, once it has accepted the connection. */
	options: Required<Pick<TCPOptions, "onReadable" | "onWritable" | "onError">> | undefined;
	/** Bytes sent to the peer, if they are recorded. */
	readonly output: number[] = [];
	/** The peer does not read. */
	frozen = false;
	/** The broker has closed it. */
	closed = false;
	/** The peer has closed: onError follows the unread bytes. */
	peerEnded = false;
	/** Last part of the peer's address. Mutating clients are on one host, each reference client on its own. */
	readonly host: number;
	readonly #recordsOutput: boolean;
	/** Unread bytes are [#start, #end). */
	readonly #input = new Uint8Array(INPUT_BUFFER_BYTES);
	#start = 0;
	#end = 0;
	#room = SEND_BUFFER_BYTES;
	/** Bytes written since the peer read. */
	#unread = 0;
	/** The first onReadable and onWritable have not been called yet. */
	#unnotified = true;

	/** @param recordsOutput whether bytes sent to the peer are recorded in `output` */
	constructor(recordsOutput: boolean, host: number) {
		this.host = host;
		this.#recordsOutput = recordsOutput;
	}

	/** Delivers bytes [start, end) to the broker; false when there is no room for them. */
	deliver(bytes: Uint8Array, start: number, end: number): boolean {
		if (this.closed || this.peerEnded || start === end) return true;
		const input = this.#input;
		const count = end - start;
		if (this.#end + count > INPUT_BUFFER_BYTES) {
			input.copyWithin(0, this.#start, this.#end);
			this.#end -= this.#start;
			this.#start = 0;
			if (this.#end + count > INPUT_BUFFER_BYTES) return false;
		}
		input.set(bytes.subarray(start, end), this.#end);
		this.#end += count;
		if (!this.#unnotified) this.options!.onReadable(this.#end - this.#start);
		return true;
	}

	/** Closes the peer's end with a FIN, or resets the connection, which discards unread bytes. */
	disconnect(reset: boolean): void {
		this.peerEnded = true;
		if (reset) this.#start = this.#end;
	}

	/** Calls the callbacks that are due. @returns whether there were any */
	run(): boolean {
		const { options } = this;
		if (options === undefined || this.closed) return false;
		if (this.#unnotified) {
			this.#unnotified = false;
			if (this.#end > this.#start) options.onReadable(this.#end - this.#start);
			if (!this.closed) options.onWritable(this.#room);
			return true;
		}
		if (this.peerEnded) {
			if (this.#end > this.#start) return false;
			this.options = undefined;
			options.onError();
			return true;
		}
		if (this.#unread === 0 || this.frozen) return false;
		this.#room += this.#unread;
		this.#unread = 0;
		options.onWritable(this.#room);
		return true;
	}

	// The broker's end

	attach(options: Channel["options"]): void {
		if (this.peerEnded && this.#start === this.#end) {
			this.closed = true;
			throw new Error("invalid from");
		}
		this.options = options;
	}

	read(buffer: Uint8Array): number | undefined {
		if (this.closed) throw new Error("invalid host data");
		const { length } = buffer;
		const start = this.#start;
		if (start === this.#end) return undefined;
		if (length === 0 || length > this.#end - start) throw new Error("invalid");
		buffer.set(this.#input.subarray(start, start + length));
		this.#start = start + length;
		return length;
	}

	write(buffer: Uint8Array): number | undefined {
		if (this.closed) throw new Error("invalid host data");
		if (this.peerEnded) return undefined;
		const { length } = buffer;
		if (length > this.#room) throw new Error("would block");
		this.#room -= length;
		this.#unread += length;
		if (this.#recordsOutput) this.output.push(...buffer);
		return this.#room;
	}

	close(): void {
		this.closed = true;
	}
}

/** The broker's end on V8. */
class Socket implements TCP {
	readonly channel: Channel;

	constructor(options: TCPOptions) {
		const { channel } = options.from as Socket;
		this.channel = channel;
		if (options.onReadable !== undefined) channel.attach(options as NonNullable<Channel["options"]>);
	}

	get remoteAddress(): string {
		return `10.0.0.${this.channel.host}`;
	}

	read(buffer: Uint8Array): number | undefined {
		return this.channel.read(buffer);
	}

	write(buffer: Uint8Array): number | undefined {
		return this.channel.write(buffer);
	}

	close(): void {
		this.channel.close();
	}
}

/**
 * Network and clock in memory, advanced by the test. On V8 it is the broker's host; on XS its parts are
 * called one by one.
 */
export class FuzzNetwork implements Host {
	now = 1000;
	readonly newViews = true;
	readonly tcp = { io: Socket as unknown as Host["tcp"]["io"] };
	readonly listener: NonNullable<Host["listener"]>;
	readonly timer: Host["timer"];
	readonly time: Host["time"];
	/** By port: the callback for waiting connections, and the connections that wait. */
	readonly listeners = new Map<
		number,
		{ readonly onReadable: (count: number) => void; readonly backlog: Channel[] }
	>();
	#channels: Channel[] = [];
	#referenceClients = 0;
	readonly #timers: { readonly callback: (id: TimerId) => void; due: number; repeat: number }[] = [];

	constructor() {
		const { listeners } = this;
		this.listener = {
			io: class implements Listener {
				readonly port: number;
				constructor({ port, onReadable }: ListenerOptions) {
					this.port = port;
					listeners.set(port, { onReadable: onReadable!, backlog: [] });
				}
				read(): TCP | undefined {
					const channel = listeners.get(this.port)!.backlog.shift();
					return channel && new Socket({ from: { channel } as unknown as TCP });
				}
				close(): void {}
			},
		};
		this.timer = {
			set: (callback, delay, repeat = 0) => this.#timers.push({ callback, due: this.now + delay, repeat }),
			schedule: (id, delay, repeat = 0) => {
				const timer = this.#timers[(id as number) - 1]!;
				timer.due = delay === undefined ? Number.POSITIVE_INFINITY : this.now + delay;
				timer.repeat = repeat;
			},
			clear() {},
		};
		const network = this;
		this.time = {
			get ticks() {
				return network.now | 0;
			},
			delta: (start, end = this.now | 0) => (end - start) | 0,
		};
	}

	trace(message: string): void {
		if (message.startsWith(NO_PLACE_TRACE) || message.startsWith("broker: closed ")) return;
		throw new Error(`trace: ${message}`);
	}

	/** Opens a connection to a port, which waits there until it is accepted. */
	connect(port: number, recordsOutput = false): Channel {
		const channel = new Channel(recordsOutput, recordsOutput ? 2 + (this.#referenceClients++ % 250) : 1);
		this.#channels.push(channel);
		const { onReadable, backlog } = this.listeners.get(port)!;
		backlog.push(channel);
		onReadable(backlog.length);
		return channel;
	}

	/** Calls all callbacks that are due. */
	run(): void {
		for (let active = true; active; ) {
			active = false;
			for (const channel of this.#channels) if (channel.run()) active = true;
		}
		if (this.#channels.some(({ closed }) => closed))
			this.#channels = this.#channels.filter(({ closed }) => !closed);
	}

	/** Advances the clock and calls the timers that expire on the way. */
	advance(ms: number): void {
		const end = this.now + ms;
		for (;;) {
			const [next] = this.#timers.filter(({ due }) => due <= end).sort((a, b) => a.due - b.due);
			if (next === undefined) break;
			this.now = next.due;
			next.due = next.repeat > 0 ? next.due + next.repeat : Number.POSITIVE_INFINITY;
			next.callback(0);
			this.run();
		}
		this.now = end;
	}
}
