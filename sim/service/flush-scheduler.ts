/** A socket with buffered writes. */
export interface Flushable {
	/** Passes them to the system. */
	flush(): void;
}

/**
 * Decides when buffered writes of sockets are flushed.
 *
 * If several peers send, the reads of this turn of the event loop are all handled first, so that their output
 * to one socket leaves in one system call at the end of the turn. If the same peer causes output twice in a
 * row, it is probably the only sender; its output is flushed as soon as its read has been handled, because
 * waiting would only add latency.
 */
export class FlushScheduler {
	#waiting: Flushable[] = [];
	#flushing: Flushable[] = [];
	/** Whether a read is being handled, and whether it caused output. */
	#reading = false;
	#wrote = false;
	/** The peer whose read last caused output. */
	#lastPeer: object | undefined;
	/** Whether a flush at the end of the turn is scheduled. */
	#turnEndScheduled = false;
	readonly #onTurnEnd = (): void => {
		this.#turnEndScheduled = false;
		this.#flush();
	};

	/** Call at the first write to a socket since its last flush. */
	scheduleFlush(socket: Flushable): void {
		this.#waiting.push(socket);
		if (this.#reading) this.#wrote = true;
		else this.#scheduleTurnEnd();
	}

	/** Call before a read is handled. */
	beginRead(): void {
		this.#reading = true;
	}

	/** Call after a read of `peer` has been handled. */
	endRead(peer: object): void {
		this.#reading = false;
		if (!this.#wrote) return;
		this.#wrote = false;
		if (this.#lastPeer === peer && !this.#turnEndScheduled) this.#flush();
		else {
			this.#lastPeer = peer;
			this.#scheduleTurnEnd();
		}
	}

	#scheduleTurnEnd(): void {
		if (this.#turnEndScheduled) return;
		this.#turnEndScheduled = true;
		setImmediate(this.#onTurnEnd);
	}

	#flush(): void {
		const flushing = this.#waiting;
		this.#waiting = this.#flushing;
		this.#flushing = flushing;
		for (const socket of flushing) socket.flush();
		flushing.length = 0;
	}
}

export const flushScheduler: FlushScheduler = new FlushScheduler();
