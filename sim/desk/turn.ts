/** A socket that was given something. */
export interface Sender {
	/** Hands it to the system. */
	flush(): void;
}

/**
 * When what sockets were given leaves.
 *
 * Where several peers send, all that can be read in this turn of the event loop are heard first: what they send to the same socket then leaves in one system
 * call, when the turn ends. A peer that is heard twice in a row is likely the only one that sends now. Waiting would only cost time then, so what it sent leaves
 * as soon as it has been handled.
 */
export class Turn {
	#waiting: Sender[] = [];
	#leaving: Sender[] = [];
	/** Whether a read is being handled, and whether it gave a socket something. */
	#reading = false;
	#wrote = false;
	/** Whose read gave a socket something last. */
	#last: object | undefined;
	/** Whether the end of the turn is awaited. */
	#awaited = false;
	readonly #end = (): void => {
		this.#awaited = false;
		this.#flush();
	};

	/** A socket was given something, the first since it was flushed. */
	send(sender: Sender): void {
		this.#waiting.push(sender);
		if (this.#reading) this.#wrote = true;
		else this.#await();
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
		if (this.#last === peer && !this.#awaited) this.#flush();
		else {
			this.#last = peer;
			this.#await();
		}
	}

	#await(): void {
		if (this.#awaited) return;
		this.#awaited = true;
		setImmediate(this.#end);
	}

	#flush(): void {
		const leaving = this.#waiting;
		this.#waiting = this.#leaving;
		this.#leaving = leaving;
		for (const sender of leaving) sender.flush();
		leaving.length = 0;
	}
}

export const turn: Turn = new Turn();
