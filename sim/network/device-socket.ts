import type { Scheduler } from "../clock/scheduler";
import { ReceiveBuffer } from "./receive-buffer";
import { type HostSocket, type SocketHandler, SocketStatistics } from "./socket";

const READABLE = 1;
const WRITABLE = 2;
const ERROR = 4;
const OUTPUT = 8;

/**
 * What the firmware sees of a socket: the rules of the SDK's TCP class on lwIP. What happens on the network
 * is collected and delivered as one message in a later turn, so that several writes of a turn leave together,
 * and an end of the connection is told only once everything received has been read.
 */
export abstract class DeviceSocket implements HostSocket {
	readonly statistics: SocketStatistics;
	protected readonly scheduler: Scheduler;
	protected readonly receiveBuffer = new ReceiveBuffer();
	/** The connection ended, from the network's point of view. */
	protected lost = false;
	/** The owner let go of the socket. */
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
	 * A new owner is told at once of what is there already. Throws "invalid from" when the connection was reset
	 * before.
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

	/** Bytes that may be written now. */
	protected abstract get room(): number;
	/** Reset before anyone owned it. */
	protected abstract get wasReset(): boolean;
	protected abstract enqueue(bytes: Uint8Array): void;
	/** What was enqueued may leave. */
	protected abstract flushOutput(): void;
	protected abstract onConsumed(bytes: number): void;
	/** @param reset with RST instead of FIN */
	protected abstract closeConnection(reset: boolean): void;
	protected abstract dropSilently(): void;

	/** The connection is up. */
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

	/** The other side took bytes. */
	protected onSendRoom(): void {
		this.trigger(WRITABLE);
	}

	/** FIN or RST came, or the network gave up. */
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
			// An accepted socket keeps what is known for the owner that has yet to come.
			if (this.#handler) this.#ready = false;
		}
		if (triggered & OUTPUT) this.flushOutput();
		if (triggered & READABLE && this.receiveBuffer.length > 0)
			this.#handler?.readable(this.receiveBuffer.length);
		if (this.receiveBuffer.length > 0 && this.#error) return;
		if (this.#error) this.#handler?.failed();
		else if (triggered & WRITABLE) this.#handler?.writable(this.room);
	}
}
