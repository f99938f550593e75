import type { BrokerCounters } from "../pool/counters";
import type { Memory } from "../pool/memory";
import { PartialPackets } from "./partial-packets";

/** Limits of receiving; see the settings of the same names. */
export interface ReceiveLimits {
	readonly packetSize: number;
	readonly assemblyBytes: number;
	readonly turnPackets: number;
	readonly turnBytes: number;
	readonly connections: number;
	readonly handshakes: number;
}

/** What all connections share to receive packets. */
export class ReceiveContext {
	readonly memory: Memory;
	readonly counters: BrokerCounters;
	/** Largest packet that is accepted, bytes. */
	readonly packetSizeLimit: number;
	readonly partialPackets: PartialPackets;
	/** What the connection whose turn it is may still read; see beginTurn(). */
	packetsLeft = 0;
	bytesLeft = 0;
	readonly #turnPackets: number;
	readonly #turnBytes: number;

	constructor(memory: Memory, counters: BrokerCounters, settings: ReceiveLimits) {
		this.memory = memory;
		this.counters = counters;
		this.packetSizeLimit = settings.packetSize;
		// A turn without budget would never end one's wait for the next
		this.#turnPackets = Math.max(1, settings.turnPackets);
		this.#turnBytes = Math.max(1, settings.turnBytes);
		this.partialPackets = new PartialPackets(
			memory,
			settings.assemblyBytes,
			settings.connections + settings.handshakes,
		);
	}

	/** Restores the budget, for another connection or another turn. */
	beginTurn(): void {
		this.packetsLeft = this.#turnPackets;
		this.bytesLeft = this.#turnBytes;
	}
}
