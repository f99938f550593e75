/** Wrong logins, of all clients together, that are checked without a pause. */
export const GUESS_BURST = 20;
/** Pause for each one beyond these, ms. */
export const GUESS_INTERVAL_MS = 100;

/**
 * Limits wrong logins from changing addresses: GUESS_BURST at once, then one for each GUESS_INTERVAL_MS. In
 * the pauses only clients from networks with a correct login are served. Correct logins cost nothing.
 */
export class GuessLimit {
	/** Wrong logins less those that time has made up for. */
	#guesses = 0;
	#countedAtMs = 0;

	/** Counts a wrong login. @returns the pause until the next login may be checked, ms */
	add(nowMs: number): number {
		this.#guesses = Math.max(0, this.#guesses - (nowMs - this.#countedAtMs) / GUESS_INTERVAL_MS) + 1;
		this.#countedAtMs = nowMs;
		return Math.ceil(Math.max(0, this.#guesses - GUESS_BURST) * GUESS_INTERVAL_MS);
	}
}
