import { peerOf } from "../pool/peer";

/**
 * Counts what each peer holds, in one sorted table, so that a question costs a few comparisons. Created when
 * a pool is full: it is not needed before, and its memory is free again after a decision.
 */
export class PeerTally {
	/** A peer occurs once for each unit that it holds. */
	readonly #units: Uint32Array;
	#count = 0;

	/** @param units of all peers together; more are not counted */
	constructor(units: number) {
		this.#units = new Uint32Array(units);
	}

	/** Adds units of a peer. sort() must follow before the next question. */
	add(peer: number, units: number): void {
		const table = this.#units;
		for (let i = 0; i < units && this.#count < table.length; i++) table[this.#count++] = peer;
	}

	/** Shell sort: the engine's own sort() ignores on XS where in its buffer a view begins. */
	sort(): void {
		const table = this.#units;
		const count = this.#count;
		for (let gap = count >>> 1; gap > 0; gap = gap === 2 ? 1 : Math.floor(gap / 2.2)) {
			for (let i = gap; i < count; i++) {
				const peer = table[i];
				let at = i;
				for (; at >= gap && table[at - gap] > peer; at -= gap) table[at] = table[at - gap];
				table[at] = peer;
			}
		}
	}

	/** Units of a peer. */
	ofPeer(peer: number): number {
		return this.indexOf(peer + 1) - this.indexOf(peer);
	}

	/** Units of a user, on all networks. */
	ofUser(user: number): number {
		return this.indexOf(peerOf(user + 1, 0)) - this.indexOf(peerOf(user, 0));
	}

	/** Units of all peers before one. */
	private indexOf(peer: number): number {
		const table = this.#units;
		let low = 0;
		let high = this.#count;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if (table[middle] < peer) low = middle + 1;
			else high = middle;
		}
		return low;
	}
}
