import { type Backoff, backoffDelay, NO_JITTER } from "../../backoff";

/** Wrong logins of a network without a delay, to allow for typing errors. */
export const FREE_FAILURES = 3;
/** Delay after the first failure beyond these, ms. */
export const FIRST_DELAY_MS = 1000;
/** Longest delay, ms. */
export const MAX_DELAY_MS = 60_000;
const DELAY: Backoff = { minimum: FIRST_DELAY_MS, maximum: MAX_DELAY_MS };
/** An entry expires this long after the last failure of its network, ms. */
export const FORGET_AFTER_MS = 600_000;
/** Wrong logins of a network that are remembered, so that their repetition does not count. */
export const REMEMBERED_FAILURES = 4;

/**
 * Wrong logins by network, as networkNumber(). Only different ones count: a client that repeats one wrong
 * password guesses nothing, and must not lock out others behind its address. Each one beyond the first few
 * doubles the delay before the next is checked. A correct login does not reset the count, as the owner of one
 * account could otherwise guess the passwords of others without limit.
 *
 * If the table is full, an expired entry is evicted, otherwise the one with the fewest failures, and the
 * oldest of these: single guesses from many addresses do not make the table forget those that guess often.
 * If the platform does not know addresses, all clients share one entry.
 */
export class LoginFailures {
	readonly #networks: Uint32Array;
	/** 0: the entry is free. */
	readonly #counts: Uint16Array;
	/** ms of the broker's clock. */
	readonly #lastFailureAtMs: Float64Array;
	/** Fingerprints of the last wrong logins, REMEMBERED_FAILURES of each network. */
	readonly #fingerprints: Uint32Array;

	/** @param size networks in the table */
	constructor(size: number) {
		this.#networks = new Uint32Array(size);
		this.#counts = new Uint16Array(size);
		this.#lastFailureAtMs = new Float64Array(size);
		this.#fingerprints = new Uint32Array(size * REMEMBERED_FAILURES);
	}

	/** Remaining delay until a login of a network is checked again, ms. */
	remainingDelayMs(network: number, nowMs: number): number {
		const entry = this.find(network, nowMs);
		if (entry < 0) return 0;
		const count = this.#counts[entry];
		if (count <= FREE_FAILURES) return 0;
		const delayMs = backoffDelay(DELAY, count - FREE_FAILURES, NO_JITTER, 1);
		return Math.max(0, this.#lastFailureAtMs[entry] + delayMs - nowMs);
	}

	/** Whether a login is one of the last wrong ones of a network. */
	isKnown(network: number, fingerprint: number, nowMs: number): boolean {
		const entry = this.find(network, nowMs);
		if (entry < 0) return false;
		const first = entry * REMEMBERED_FAILURES;
		const end = first + Math.min(REMEMBERED_FAILURES, this.#counts[entry]);
		for (let i = first; i < end; i++) if (this.#fingerprints[i] === fingerprint) return true;
		return false;
	}

	/** Records a wrong login. @param fingerprint hash of user name and password, 32 bits */
	add(network: number, fingerprint: number, nowMs: number): void {
		const counts = this.#counts;
		let entry = this.find(network, nowMs);
		if (entry < 0) {
			entry = this.entryToReplace(nowMs);
			counts[entry] = 0;
			this.#networks[entry] = network;
		}
		this.#fingerprints[entry * REMEMBERED_FAILURES + (counts[entry] % REMEMBERED_FAILURES)] = fingerprint;
		if (counts[entry] < 0xffff) counts[entry]++;
		this.#lastFailureAtMs[entry] = nowMs;
	}

	/** The entry of a network; -1 if there is none, or it has expired. */
	private find(network: number, nowMs: number): number {
		const counts = this.#counts;
		for (let i = 0; i < counts.length; i++)
			if (counts[i] !== 0 && this.#networks[i] === network) return this.isExpired(i, nowMs) ? -1 : i;
		return -1;
	}

	private isExpired(entry: number, nowMs: number): boolean {
		return nowMs - this.#lastFailureAtMs[entry] >= FORGET_AFTER_MS;
	}

	private entryToReplace(nowMs: number): number {
		const counts = this.#counts;
		const lastFailureAtMs = this.#lastFailureAtMs;
		let best = 0;
		for (let i = 0; i < counts.length; i++) {
			if (counts[i] === 0 || this.isExpired(i, nowMs)) return i;
			if (
				counts[i] < counts[best] ||
				(counts[i] === counts[best] && lastFailureAtMs[i] < lastFailureAtMs[best])
			)
				best = i;
		}
		return best;
	}
}
