import net from "node:net";
import type { Pace } from "../clock/pace";
import type { Scheduler } from "../clock/scheduler";
import { DeviceSocket } from "./device-socket";
import { RECEIVE_WINDOW, SEND_ROOM } from "./socket";

/** How long a closed socket may still hold virtual time to the wall clock while its peer's FIN is outstanding, wall ms. */
const LINGER = 250;

/** A device's socket over a socket of this machine, with the room and window that the device would have. */
export class RealSocket extends DeviceSocket {
	readonly #socket: net.Socket;
	readonly #pace: Pace;
	#holding = true;
	#linger: NodeJS.Timeout | undefined;
	#reset = false;
	#unsent: Uint8Array[] = [];
	#pending = 0;
	readonly #done: (socket: RealSocket) => void;

	/** @param done called when the socket has ended for good */
	constructor(scheduler: Scheduler, pace: Pace, socket: net.Socket, done: (socket: RealSocket) => void) {
		super(scheduler);
		this.#pace = pace;
		this.#socket = socket;
		this.#done = done;
		pace.hold();
		socket.setNoDelay(true);
		socket.on("data", (bytes: Uint8Array) => this.#pace.enter(() => this.#data(bytes)));
		socket.on("end", () => this.#pace.enter(() => this.ended()));
		socket.on("error", () => this.#pace.enter(() => this.#failed()));
		socket.on("close", () => this.#pace.enter(() => this.#closed()));
	}

	/** A connection to somebody. */
	static connect(scheduler: Scheduler, pace: Pace, address: string, port: number, done: (socket: RealSocket) => void): RealSocket {
		const connection = net.connect({ host: address, port, allowHalfOpen: true });
		const socket = new RealSocket(scheduler, pace, connection, done);
		connection.once("connect", () => pace.enter(() => socket.#up()));
		return socket;
	}

	/** A connection from somebody. */
	static accepted(scheduler: Scheduler, pace: Pace, connection: net.Socket, done: (socket: RealSocket) => void): RealSocket {
		const socket = new RealSocket(scheduler, pace, connection, done);
		socket.#up();
		return socket;
	}

	get remoteAddress(): string | undefined {
		return this.#socket.remoteAddress?.replace(/^::ffff:/, "");
	}

	/** Ends the connection for good, at the end of a simulation. */
	destroy(): void {
		this.#socket.destroy();
	}

	protected get room(): number {
		return Math.max(0, SEND_ROOM - this.#pending);
	}

	protected get wasReset(): boolean {
		return this.#reset;
	}

	protected enqueue(bytes: Uint8Array): void {
		this.#unsent.push(bytes);
		this.#pending += bytes.length;
	}

	protected output(): void {
		const chunks = this.#unsent;
		if (chunks.length === 0) return;
		this.#unsent = [];
		const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
		this.#socket.write(bytes, () =>
			this.#pace.enter(() => {
				this.#pending -= bytes.length;
				if (!this.lost) this.relieved();
			}),
		);
	}

	protected consumed(): void {
		if (this.#socket.isPaused() && this.inbox.length < RECEIVE_WINDOW) this.#socket.resume();
	}

	protected shut(reset: boolean): void {
		if (reset) this.#socket.resetAndDestroy();
		else {
			this.output();
			this.#socket.end();
			this.#socket.resume();
		}
		if (!this.#holding) return;
		// The peer's FIN shows that it has read everything; a peer that never answers must not stop the clock.
		this.#linger = setTimeout(() => this.#pace.enter(() => this.#release()), LINGER);
	}

	/** A device that fell asleep sends neither FIN nor RST: the other side finds out by itself. */
	protected vanish(): void {
		this.#unsent = [];
		this.#socket.unref();
		this.#socket.resume();
		this.#release();
	}

	#up(): void {
		if (this.closed) return;
		this.statistics.arrived(0, this.scheduler.now);
		this.established();
	}

	#data(bytes: Uint8Array): void {
		this.received(bytes);
		if (!this.closed && this.inbox.length >= RECEIVE_WINDOW) this.#socket.pause();
	}

	#failed(): void {
		this.#reset = true;
		this.ended();
	}

	#closed(): void {
		this.ended();
		this.#release();
		this.#done(this);
	}

	#release(): void {
		clearTimeout(this.#linger);
		if (!this.#holding) return;
		this.#holding = false;
		this.#pace.release();
	}
}
