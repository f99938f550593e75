/** A socket that was given something. */
export interface Flushable {
	/** Hands it to the system. */
	flush(): void;
}

/**
 * When what sockets were given leaves.
 *
 * Where several peers send, all that can be read in this turn of the event loop are heard first: what they
 * send to the same socket then leaves in one system call, when the turn ends. A peer that is heard twice in a
 * row is likely the only one that sends now. Waiting would only cost time then, so what it sent leaves as
 * soon as it has been handled.
 */
export class FlushScheduler {
	#waiting: Flushable[] = [];
	#flushing: Flushable[] = [];
	/** Whether a read is being handled, and whether it gave a socket something. */
	#reading = false;
	#wrote = false;
	/** Whose read gave a socket something last. */
	#lastPeer: object | undefined;
	/** Whether the end of the turn is awaited. */
	#turnEndScheduled = false;
	readonly #onTurnEnd = (): void => {
		this.#turnEndScheduled = false;
		this.#flush();
	};

	/** A socket was given something, the first since it was flushed. */
	scheduleFlush(socket: Flushable): void {
		this.#waiting.push(socket);
		if (this.#reading) this.#wrote = true;
		else this.#scheduleTurnEnd();
	}

	/** What a peer sent is going to be handled. */
	beginRead(): void {
		this.#reading = true;
	}

	/** It was handled. */
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
