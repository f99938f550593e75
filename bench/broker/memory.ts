import { setTimeout as sleep } from "node:timers/promises";
import { BenchClient } from "./bench-client";
import type { RunningBroker } from "./brokers";

/**
 * Number of clients connected before memory is first measured, because the first ones compile code and grow
 * the heap.
 */
const FIRST_CLIENTS = 100;
/** Time to settle, ms. */
const SETTLE_MS = 300;

export interface MemoryUse {
	/** Resident memory before the first client, MiB. */
	readonly baseMiB: number;
	/**
	 * Memory added by a connected, idle client with one subscription, KiB. On Node it excludes the C++ objects
	 * of its socket, about 0.4 KiB, which V8 does not count; resident memory is meaningless there, because the
	 * heap grows and shrinks by more than all clients need.
	 */
	readonly clientKiB: number;
}

export async function measureMemory(broker: RunningBroker, clients: number): Promise<MemoryUse> {
	await sleep(SETTLE_MS);
	const baseMiB = broker.process.residentKiB / 1024;
	const peers: BenchClient[] = [];
	const connect = async (until: number): Promise<number> => {
		while (peers.length < until) {
			const peer = await BenchClient.connect(broker.port, `idle${peers.length}`);
			await peer.subscribe(`idle/${peers.length}/+`, 1);
			peers.push(peer);
		}
		await sleep(SETTLE_MS);
		return broker.memoryKiB();
	};
	const before = await connect(FIRST_CLIENTS);
	const after = await connect(FIRST_CLIENTS + clients);
	for (const peer of peers) peer.close();
	await sleep(SETTLE_MS);
	return { baseMiB, clientKiB: (after - before) / clients };
}
