import net from "node:net";
import type { ConnectionFailure } from "../../src/fault";
import { StreamTap } from "../capture/stream-tap";
import type { NetworkTap } from "../capture/tap";
import type { Pace } from "../clock/pace";
import type { Scheduler } from "../clock/scheduler";
import { DeviceSocket } from "./device-socket";
import { SecureConnection, type SecureOptions } from "./secure-connection";
import { RECEIVE_WINDOW, SEND_ROOM } from "./socket";

/**
 * Longest time that a closed socket whose peer's FIN is outstanding keeps virtual time at real time, wall ms.
 */
const LINGER_MS = 250;

/** What a network passes to its sockets. */
export interface RealSocketOptions {
	/** Receives what is sent and received. */
	readonly tap?: NetworkTap | undefined;
	/** Called when the socket has finally ended. */
	onDone(socket: RealSocket): void;
}

/** A device's socket over a socket of this machine, with the send room and receive window of the device. */
export class RealSocket extends DeviceSocket {
	readonly #socket: net.Socket;
	readonly #pace: Pace;
	#holding = true;
	#linger: NodeJS.Timeout | undefined;
	#reset = false;
	/** Closed by its owner; an abandoned socket answers nothing. */
	#closedByDevice = false;
	#unsent: Uint8Array[] = [];
	#pending = 0;
	readonly #options: RealSocketOptions;
	#tap: StreamTap | undefined;
	/** The TLS connection that this socket is. */
	#secure: SecureConnection | undefined;

	constructor(scheduler: Scheduler, pace: Pace, socket: net.Socket, options: RealSocketOptions) {
		super(scheduler);
		this.#pace = pace;
		this.#socket = socket;
		this.#options = options;
		pace.holdRealTime();
		socket.setNoDelay(true);
		socket.on("data", (bytes: Uint8Array) => this.#pace.runExternalEvent(() => this.#onData(bytes)));
		socket.on("end", () => this.#pace.runExternalEvent(() => this.#onEnd()));
		socket.on("error", () => this.#pace.runExternalEvent(() => this.#onError()));
		socket.on("close", () => this.#pace.runExternalEvent(() => this.#onClosed()));
	}

	/** Opens an outgoing connection. */
	static connect(
		scheduler: Scheduler,
		pace: Pace,
		address: string,
		port: number,
		options: RealSocketOptions,
	): RealSocket {
		const connection = net.connect({ host: address, port, allowHalfOpen: true });
		const socket = new RealSocket(scheduler, pace, connection, options);
		connection.once("connect", () => pace.runExternalEvent(() => socket.#onConnected("client")));
		return socket;
	}

	/**
	 * Opens an outgoing connection over TLS; a problem with its files fails it.
	 * @param directory that files are relative to
	 */
	static connectSecurely(
		scheduler: Scheduler,
		pace: Pace,
		address: string,
		port: number,
		secure: { readonly options: SecureOptions; readonly directory: string },
		options: RealSocketOptions,
	): RealSocket {
		let socket: RealSocket | undefined;
		const connection = new SecureConnection(address, port, secure.options, secure.directory, () =>
			pace.runExternalEvent(() => socket!.#onConnected("client")),
		);
		socket = new RealSocket(scheduler, pace, connection.socket, options);
		socket.#secure = connection;
		return socket;
	}

	/** Wraps an accepted connection. */
	static fromAccepted(
		scheduler: Scheduler,
		pace: Pace,
		connection: net.Socket,
		options: RealSocketOptions,
	): RealSocket {
		const socket = new RealSocket(scheduler, pace, connection, options);
		socket.#onConnected("server");
		return socket;
	}

	get remoteAddress(): string | undefined {
		return this.#socket.remoteAddress?.replace(/^::ffff:/, "");
	}

	/** Destroys the connection, at the end of a simulation. */
	destroy(): void {
		this.#socket.destroy();
	}

	protected get room(): number {
		return Math.max(0, SEND_ROOM - this.#pending);
	}

	get secure(): SecureConnection | undefined {
		return this.#secure;
	}

	protected override get failure(): ConnectionFailure | undefined {
		return this.#secure?.failure;
	}

	protected get wasReset(): boolean {
		return this.#reset;
	}

	protected enqueue(bytes: Uint8Array): void {
		this.#unsent.push(bytes);
		this.#pending += bytes.length;
	}

	protected flushOutput(): void {
		const chunks = this.#unsent;
		if (chunks.length === 0) return;
		this.#unsent = [];
		const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
		this.#tap?.sent(bytes);
		this.#socket.write(bytes, () =>
			this.#pace.runExternalEvent(() => {
				this.#pending -= bytes.length;
				if (!this.lost) this.onSendRoom();
			}),
		);
	}

	protected onConsumed(): void {
		if (this.#socket.isPaused() && this.receiveBuffer.length < RECEIVE_WINDOW) this.#socket.resume();
	}

	protected closeConnection(reset: boolean): void {
		if (reset) {
			this.#tap?.closed(true);
			this.#resetConnection();
		} else {
			this.#closedByDevice = true;
			this.flushOutput();
			this.#tap?.closed(false);
			this.#socket.end();
			this.#socket.resume();
		}
		if (!this.#holding) return;
		// The peer's FIN shows that it has read everything; a peer that never closes must not hold virtual time.
		this.#linger = setTimeout(() => this.#pace.runExternalEvent(() => this.#releasePace()), LINGER_MS);
	}

	/** A sleeping device sends neither FIN nor RST; the peer detects it by timeout. */
	protected dropSilently(): void {
		this.#unsent = [];
		this.#socket.unref();
		this.#socket.resume();
		this.#releasePace();
	}

	/** @param role of this end */
	#onConnected(role: "client" | "server"): void {
		this.#tap = StreamTap.open(this.#options.tap, this.#socket, role);
		if (this.closed) return;
		this.statistics.countReceived(0, this.scheduler.now);
		this.onEstablished();
	}

	#onData(bytes: Uint8Array): void {
		this.#tap?.received(bytes);
		// lwIP aborts a connection that receives after close() (tcp_input, TF_RXCLOSED).
		if (this.closed && this.#closedByDevice) {
			this.#resetConnection();
			return;
		}
		this.onReceived(bytes);
		if (!this.closed && this.receiveBuffer.length >= RECEIVE_WINDOW) this.#socket.pause();
	}

	/** A socket over TLS has no RST of its own. */
	#resetConnection(): void {
		if (this.#secure === undefined) this.#socket.resetAndDestroy();
		else this.#socket.destroy();
	}

	#onEnd(): void {
		this.#tap?.ended(false);
		this.onEnded();
	}

	#onError(): void {
		this.#tap?.ended(true);
		this.#reset = true;
		this.onEnded();
	}

	#onClosed(): void {
		this.onEnded();
		this.#releasePace();
		this.#options.onDone(this);
	}

	#releasePace(): void {
		clearTimeout(this.#linger);
		if (!this.#holding) return;
		this.#holding = false;
		this.#pace.releaseRealTime();
	}
}
