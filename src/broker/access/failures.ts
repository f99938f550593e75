/** Failed logins of an address that cost it nothing: people mistype. */
export const FREE_FAILURES = 3;
/** Wait after the next one, ms; it doubles with each. */
export const FIRST_DELAY = 1000;
/** Longest wait, ms. */
export const LONGEST_DELAY = 60_000;
/** An address is forgotten this long after its last failure, ms. */
export const FORGOTTEN_AFTER = 600_000;

/**
 * Failed logins by client address: who fails again and again waits longer and longer, and is refused meanwhile without a look at the password. A success
 * forgives nothing, as whoever has one account could guess at others for ever. When the table is full, the address whose last failure is longest ago gives way.
 * Where the platform cannot tell addresses, all clients share one entry.
 */
export class Failures {
	readonly #addresses: string[] = [];
	readonly #counts: Uint16Array;
	/** ms of the broker's clock. */
	readonly #last: Float64Array;

	/** @param size addresses */
	constructor(size: number) {
		this.#counts = new Uint16Array(size);
		this.#last = new Float64Array(size);
		for (let i = 0; i < size; i++) this.#addresses.push("");
	}

	/** How long an address has to wait until it may try again, ms. */
	wait(address: string | undefined, now: number): number {
		const entry = this.#find(address ?? "");
		if (entry < 0) return 0;
		const count = this.#counts[entry];
		if (count <= FREE_FAILURES) return 0;
		const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (count - FREE_FAILURES - 1));
		return Math.max(0, this.#last[entry] + delay - now);
	}

	/** Notes a failed login. */
	add(address: string | undefined, now: number): void {
		const counts = this.#counts;
		const last = this.#last;
		const name = address ?? "";
		let entry = this.#find(name);
		if (entry >= 0 && now - last[entry] >= FORGOTTEN_AFTER) counts[entry] = 0;
		if (entry < 0) {
			entry = 0;
			for (let i = 0; i < counts.length; i++) {
				if (counts[i] === 0) {
					entry = i;
					break;
				}
				if (last[i] < last[entry]) entry = i;
			}
			counts[entry] = 0;
			this.#addresses[entry] = name;
		}
		if (counts[entry] < 0xffff) counts[entry]++;
		last[entry] = now;
	}

	#find(address: string): number {
		const counts = this.#counts;
		for (let i = 0; i < counts.length; i++) if (counts[i] !== 0 && this.#addresses[i] === address) return i;
		return -1;
	}
}
