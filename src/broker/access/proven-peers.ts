import { networkOfPeer, userOfPeer } from "../pool/peer";

/**
 * Peers that have logged in correctly, a user on a network: since the broker started, and those of the
 * sessions that it has restored. If the table is full, a
 * user's new network replaces its oldest one, so that nobody can make the broker forget those of others.
 */
export class ProvenPeers {
	/** 0: the entry is free. */
	readonly #peers: Uint32Array;
	/** The entry replaced last. */
	#replaced = 0;

	/** @param size peers in the table */
	constructor(size: number) {
		this.#peers = new Uint32Array(size);
	}

	has(peer: number): boolean {
		const peers = this.#peers;
		for (let i = 0; i < peers.length; i++) if (peers[i] === peer) return true;
		return false;
	}

	/** Whether any user has logged in from a network. */
	hasNetwork(network: number): boolean {
		const peers = this.#peers;
		for (let i = 0; i < peers.length; i++)
			if (peers[i] !== 0 && networkOfPeer(peers[i]) === network) return true;
		return false;
	}

	add(peer: number): void {
		if (!this.has(peer)) this.#peers[this.entryToReplace(userOfPeer(peer))] = peer;
	}

	private entryToReplace(user: number): number {
		const peers = this.#peers;
		const { length } = peers;
		for (let i = 0; i < length; i++) if (peers[i] === 0) return i;
		// the entries take turns, so that the same one of a user is not replaced twice in succession
		for (let i = 0; i < length; i++) {
			this.#replaced = (this.#replaced + 1) % length;
			if (userOfPeer(peers[this.#replaced]) === user) return this.#replaced;
		}
		this.#replaced = (this.#replaced + 1) % length;
		return this.#replaced;
	}
}
