import type { TimerId } from "../device";
import type { Core } from "./core/core";

/** Time until the next turn, ms; the host serves the other connections meanwhile. */
const TURN_PAUSE_MS = 1;

/**
 * Lets connections continue that have used up the budget of their turn, one at a time and each in its turn,
 * so that a peer that floods the broker delays the others by one turn at most.
 */
export class ReadTurns {
	readonly #core: Core;
	#timer: TimerId | undefined;
	#scheduled = false;
	/** Index of the connection that had its turn last. */
	#last = 0;

	constructor(core: Core) {
		this.#core = core;
	}

	/** A connection waits for its next turn. */
	schedule(): void {
		if (this.#scheduled) return;
		this.#scheduled = true;
		const { timer } = this.#core.host;
		if (this.#timer === undefined)
			this.#timer = timer.set(() => this.onTimer(), TURN_PAUSE_MS, TURN_PAUSE_MS);
		else timer.schedule(this.#timer, TURN_PAUSE_MS, TURN_PAUSE_MS);
	}

	/** Clears the timer. */
	close(): void {
		this.#core.host.timer.clear(this.#timer);
		this.#timer = undefined;
		this.#scheduled = false;
	}

	private onTimer(): void {
		const { connections, reader } = this.#core;
		const count = connections.length - 1;
		for (let i = 1; i <= count; i++) {
			const index = 1 + ((this.#last + i - 1) % count);
			const connection = connections[index]!;
			if (!connection.waitsForTurn) continue;
			this.#last = index;
			const { owner } = connection;
			owner.beginCallback();
			reader.takeTurn(connection);
			owner.endCallback();
			return;
		}
		this.#scheduled = false;
		this.#core.host.timer.schedule(this.#timer!);
	}
}
