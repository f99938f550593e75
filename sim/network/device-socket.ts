import type { ConnectionFailure } from "../../src/fault";
import type { Scheduler } from "../clock/scheduler";
import { ReceiveBuffer } from "./receive-buffer";
import { type HostSocket, type SocketHandler, SocketStatistics } from "./socket";

const READABLE = 1;
const WRITABLE = 2;
const ERROR = 4;
const OUTPUT = 8;

/**
 * A socket as the firmware sees it, with the rules of the SDK's TCP class on lwIP. Network events are
 * collected and delivered together in a later turn, so that several writes of one turn leave together. The
 * end of the connection is reported only after all received bytes have been read.
 */
export abstract class DeviceSocket implements HostSocket {
	readonly statistics: SocketStatistics;
	protected readonly scheduler: Scheduler;
	protected readonly receiveBuffer = new ReceiveBuffer();
	/** Whether the connection ended on the network. */
	protected lost = false;
	/** Whether the owner closed the socket. */
	protected closed = false;
	#handler: SocketHandler | undefined;
	#triggered = 0;
	#ready = false;
	#error = false;

	constructor(scheduler: Scheduler) {
		this.scheduler = scheduler;
		this.statistics = new SocketStatistics(scheduler.now);
	}

	get handler(): SocketHandler | undefined {
		return this.#handler;
	}

	/**
	 * A new owner receives events for the present state. Throws "invalid from" if the connection has been
	 * reset.
	 */
	set handler(handler: SocketHandler | undefined) {
		if (handler && this.wasReset) throw new Error("invalid from");
		this.#handler = handler;
		if (!handler || !this.#ready) return;
		this.trigger(
			(this.room > 0 ? WRITABLE : 0) |
				(this.receiveBuffer.length > 0 ? READABLE : 0) |
				(this.lost ? ERROR : 0),
		);
	}

	read(into: Uint8Array): number | undefined {
		const available = this.receiveBuffer.length;
		if (available === 0) return undefined;
		if (into.length === 0 || into.length > available) throw new Error("invalid");
		this.receiveBuffer.readInto(into);
		this.onConsumed(into.length);
		if (this.receiveBuffer.length === 0 && this.#error) this.trigger(ERROR);
		return into.length;
	}

	write(bytes: Uint8Array): number | undefined {
		if (!this.#ready) throw new Error("not ready");
		if (this.#error || this.lost) return undefined;
		if (bytes.length > this.room) throw new Error("would block");
		if (bytes.length > 0) {
			this.statistics.countSent(bytes.length);
			this.enqueue(bytes.slice());
			this.trigger(OUTPUT);
		}
		return this.room;
	}

	close(): void {
		if (this.closed) return;
		this.closed = true;
		this.#handler = undefined;
		this.#triggered = 0;
		this.closeConnection(this.receiveBuffer.length > 0);
		this.receiveBuffer.clear();
	}

	abandon(): void {
		this.closed = true;
		this.#handler = undefined;
		this.#triggered = 0;
		this.dropSilently();
		this.receiveBuffer.clear();
	}

	/** Why the connection failed, if TLS did. */
	protected get failure(): ConnectionFailure | undefined {
		return undefined;
	}

	/** Bytes that may be written now. */
	protected abstract get room(): number;
	/** Whether it was reset before it had an owner. */
	protected abstract get wasReset(): boolean;
	protected abstract enqueue(bytes: Uint8Array): void;
	/** Sends enqueued bytes. */
	protected abstract flushOutput(): void;
	protected abstract onConsumed(bytes: number): void;
	/** @param reset with RST instead of FIN */
	protected abstract closeConnection(reset: boolean): void;
	protected abstract dropSilently(): void;

	/** The connection is established. */
	protected onEstablished(): void {
		this.#ready = true;
		this.trigger(WRITABLE);
	}

	protected onReceived(bytes: Uint8Array): void {
		if (this.closed) return;
		this.receiveBuffer.push(bytes);
		this.statistics.countReceived(bytes.length, this.scheduler.now);
		this.trigger(READABLE);
	}

	/** The peer acknowledged bytes. */
	protected onSendRoom(): void {
		this.trigger(WRITABLE);
	}

	/** FIN or RST arrived, or retransmission ended. */
	protected onEnded(): void {
		if (this.lost) return;
		this.lost = true;
		this.trigger(ERROR);
	}

	protected trigger(flags: number): void {
		if (this.closed || flags === 0) return;
		const pending = this.#triggered;
		this.#triggered |= flags;
		if (pending === 0) this.scheduler.after(0, () => this.#deliver());
	}

	#deliver(): void {
		let triggered = this.#triggered;
		this.#triggered = 0;
		if (this.closed) return;
		if (triggered & ERROR) {
			triggered &= ~(OUTPUT | WRITABLE);
			this.#error = true;
			// An accepted socket keeps its state for a later owner.
			if (this.#handler) this.#ready = false;
		}
		if (triggered & OUTPUT) this.flushOutput();
		if (triggered & READABLE && this.receiveBuffer.length > 0)
			this.#handler?.readable(this.receiveBuffer.length);
		if (this.receiveBuffer.length > 0 && this.#error) return;
		if (this.#error) this.#handler?.failed(this.failure);
		else if (triggered & WRITABLE) this.#handler?.writable(this.room);
	}
}
