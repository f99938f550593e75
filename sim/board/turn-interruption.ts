import type { Natives } from "./peripheral";

/**
 * Cuts a turn of the firmware short: at a call of a native function, retained memory keeps what it has, and
 * nothing that the firmware does afterwards has an effect.
 */
export class TurnInterruption {
	readonly #retained: Uint8Array;
	/** Calls of native functions until the turn is cut short. */
	#callsLeft = Infinity;
	#then = (): void => {};
	/** Retained memory as it was when the turn was cut short. */
	#kept: Uint8Array | undefined;

	/** @param retained memory of the board */
	constructor(retained: Uint8Array) {
		this.#retained = retained;
	}

	/** The present turn was cut short. */
	get isCut(): boolean {
		return this.#kept !== undefined;
	}

	/** @param calls 1: at the next call @param then what happens to the board, such as a reset */
	after(calls: number, then: () => void): void {
		this.#callsLeft = calls;
		this.#then = then;
	}

	/** At once, from inside a native function. */
	now(then: () => void): void {
		this.#then = then;
		this.#callsLeft = Infinity;
		this.#kept = this.#retained.slice();
	}

	/** Native functions that count, and that a turn which was cut short cannot call. */
	interruptible(natives: Natives): Natives {
		return Object.fromEntries(
			Object.entries(natives).map(([name, native]): [string, Natives[string]] => [
				name,
				(...args) => {
					if (--this.#callsLeft === 0) this.now(this.#then);
					if (this.isCut) throw new Error("the board is being reset");
					return native(...args);
				},
			]),
		);
	}

	/** Call after each turn. */
	endTurn(): void {
		const kept = this.#kept;
		if (!kept) return;
		this.#kept = undefined;
		this.#retained.set(kept);
		this.#then();
	}
}
