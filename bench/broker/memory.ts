import { setTimeout as sleep } from "node:timers/promises";
import type { RunningBroker } from "./brokers";
import { Peer } from "./peer";

/** Clients that connect before memory is first measured, as code is compiled and heaps grow for the first ones. */
const FIRST = 100;
/** Time to settle, ms. */
const SETTLE = 300;

export interface MemoryUse {
	/** Resident before the first client, MiB. */
	readonly base: number;
	/**
	 * What a connected, silent client with one subscription adds to what is in use, KiB. On Node without the C++ objects of its socket, some 0.4 KiB, which V8
	 * does not know; what is resident tells nothing there, as the heap grows and shrinks by more than all clients take.
	 */
	readonly client: number;
}

export async function measureMemory(broker: RunningBroker, clients: number): Promise<MemoryUse> {
	await sleep(SETTLE);
	const base = broker.process.resident / 1024;
	const peers: Peer[] = [];
	const connect = async (until: number): Promise<number> => {
		while (peers.length < until) {
			const peer = await Peer.connect(broker.port, `idle${peers.length}`);
			await peer.subscribe(`idle/${peers.length}/+`, 1);
			peers.push(peer);
		}
		await sleep(SETTLE);
		return broker.memory();
	};
	const before = await connect(FIRST);
	const after = await connect(FIRST + clients);
	for (const peer of peers) peer.close();
	await sleep(SETTLE);
	return { base, client: (after - before) / clients };
}
