import { networkOf } from "../../text/ip-network";

/** Failed logins of an address without a delay, to allow for typing errors. */
export const FREE_FAILURES = 3;
/** Delay after the first failure beyond these, ms; it doubles with each further one. */
export const FIRST_DELAY_MS = 1000;
/** Longest delay, ms. */
export const MAX_DELAY_MS = 60_000;
/** An entry expires this long after the last failure of its address, ms. */
export const FORGET_AFTER_MS = 600_000;
/** IPv6 addresses of one network that get an entry each. */
export const MAX_ADDRESSES_PER_NETWORK = 4;

/**
 * Failed logins by client address. Each failure beyond the first few doubles the delay before the next
 * attempt; attempts during the delay are refused without checking the password. A successful login does not
 * reset the count, as the owner of one account could otherwise guess the passwords of others without limit.
 * If the table is full, the entry with the oldest last failure is evicted.
 *
 * A host with one IPv6 address may use all 2^64 addresses of its network, and may share that network with
 * others. The first few failing addresses of a network get an entry each, so that a misconfigured client
 * locks out only itself; all further addresses of the network share one entry. If the platform does not know
 * addresses, all clients share one entry.
 */
export class LoginFailures {
	readonly #addresses: string[] = [];
	readonly #counts: Uint16Array;
	/** ms of the broker's clock. */
	readonly #lastFailureAtMs: Float64Array;

	/** @param size addresses in the table */
	constructor(size: number) {
		this.#counts = new Uint16Array(size);
		this.#lastFailureAtMs = new Float64Array(size);
		for (let i = 0; i < size; i++) this.#addresses.push("");
	}

	/** Remaining delay until an address may try again, ms. */
	remainingDelayMs(address: string | undefined, nowMs: number): number {
		const entry = this.find(this.keyOf(address ?? "", nowMs));
		if (entry < 0) return 0;
		const count = this.#counts[entry];
		if (count <= FREE_FAILURES) return 0;
		const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (count - FREE_FAILURES - 1));
		return Math.max(0, this.#lastFailureAtMs[entry] + delayMs - nowMs);
	}

	/** Records a failed login. */
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

	/** The key of an address in the table: the address itself, or its network. */
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
