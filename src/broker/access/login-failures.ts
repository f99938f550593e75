import { networkOf } from "./ip-network";

/** Failed logins of an address that cost it nothing: people mistype. */
export const FREE_FAILURES = 3;
/** Wait after the next one, ms; it doubles with each. */
export const FIRST_DELAY_MS = 1000;
/** Longest wait, ms. */
export const MAX_DELAY_MS = 60_000;
/** An address is forgotten this long after its last failure, ms. */
export const FORGET_AFTER_MS = 600_000;
/** IPv6 addresses of one network that are remembered each by itself. */
export const MAX_ADDRESSES_PER_NETWORK = 4;

/**
 * Failed logins by client address: who fails again and again waits longer and longer, and is refused
 * meanwhile without a look at the password. A success forgives nothing, as whoever has one account could
 * guess at others for ever. When the table is full, the address whose last failure is longest ago gives way.
 *
 * Whoever has one IPv6 address has all of its network, 2^64 of them, and so may his neighbours at home have.
 * The first few of a network that fail are remembered each by itself, so that one that was set up wrong keeps
 * only itself out; after these all others of the network share one entry. Where the platform cannot tell
 * addresses, all clients share one entry.
 */
export class LoginFailures {
	readonly #addresses: string[] = [];
	readonly #counts: Uint16Array;
	/** ms of the broker's clock. */
	readonly #lastFailureAtMs: Float64Array;

	/** @param size addresses */
	constructor(size: number) {
		this.#counts = new Uint16Array(size);
		this.#lastFailureAtMs = new Float64Array(size);
		for (let i = 0; i < size; i++) this.#addresses.push("");
	}

	/** How long an address has to wait until it may try again, ms. */
	remainingDelayMs(address: string | undefined, nowMs: number): number {
		const entry = this.find(this.keyOf(address ?? "", nowMs));
		if (entry < 0) return 0;
		const count = this.#counts[entry];
		if (count <= FREE_FAILURES) return 0;
		const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (count - FREE_FAILURES - 1));
		return Math.max(0, this.#lastFailureAtMs[entry] + delayMs - nowMs);
	}

	/** Notes a failed login. */
	add(address: string | undefined, nowMs: number): void {
		const counts = this.#counts;
		const lastFailureAtMs = this.#lastFailureAtMs;
		const key = this.keyOf(address ?? "", nowMs);
		let entry = this.find(key);
		if (entry >= 0 && nowMs - lastFailureAtMs[entry] >= FORGET_AFTER_MS) counts[entry] = 0;
		if (entry < 0) {
			entry = 0;
			for (let i = 0; i < counts.length; i++) {
				if (counts[i] === 0) {
					entry = i;
					break;
				}
				if (lastFailureAtMs[i] < lastFailureAtMs[entry]) entry = i;
			}
			counts[entry] = 0;
			this.#addresses[entry] = key;
		}
		if (counts[entry] < 0xffff) counts[entry]++;
		lastFailureAtMs[entry] = nowMs;
	}

	/** What an address is remembered by. */
	private keyOf(address: string, nowMs: number): string {
		if (this.find(address) >= 0) return address;
		let network = "";
		let neighbours = 0;
		for (let i = 0; i < this.#addresses.length; i++) {
			if (this.#counts[i] === 0 || nowMs - this.#lastFailureAtMs[i] >= FORGET_AFTER_MS) continue;
			if (network === "") network = networkOf(address);
			if (!network.includes(":")) return address;
			const other = this.#addresses[i];
			if (other !== network && networkOf(other) === network) neighbours++;
		}
		return neighbours < MAX_ADDRESSES_PER_NETWORK ? address : network;
	}

	private find(address: string): number {
		const counts = this.#counts;
		for (let i = 0; i < counts.length; i++) if (counts[i] !== 0 && this.#addresses[i] === address) return i;
		return -1;
	}
}
