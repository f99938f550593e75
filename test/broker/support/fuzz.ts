import assert from "node:assert/strict";
import { FuzzHarness } from "./fuzz-harness";
import { FuzzHost } from "./fuzz-host";
import { type Memory, type Subject, SubjectOnNode } from "./fuzz-subject";
import { SubjectOnXS } from "./xs-subject";

export type Engine = "xs" | "node";

/** Result of a run. */
export interface FuzzResult {
	readonly packets: number;
	/** On XS: memory in use between two blocks. */
	readonly memory: Memory | undefined;
}

/** Blocks after which all objects created on demand exist. */
const WARM_UP_BLOCKS = 2;

/**
 * Sends mutated packets of recorded conversations to a whole broker, over TCP and WebSocket, in blocks. Fails
 * when an exception is thrown or the device crashes; when a reference client receives unexpected bytes; or
 * when after a block, with the mutating clients disconnected, pool usage differs from that at the start or,
 * on XS, memory in use differs from that after the first blocks.
 */
export async function fuzz(engine: Engine, packets: number, seed: number, block = 1000): Promise<FuzzResult> {
	const host = new FuzzHost();
	const subject: Subject = engine === "node" ? new SubjectOnNode(host) : await SubjectOnXS.start(host);
	const harness = new FuzzHarness(host, subject, seed);
	let sent = 0;
	let baseline: Memory | undefined;
	let stack = 0;
	for (let blocks = 0; sent < packets; blocks++) {
		harness.run(block);
		harness.checkRecovery();
		sent += block;
		const memory = subject.memoryUse();
		if (memory === undefined) continue;
		stack = memory.stack;
		if (blocks < WARM_UP_BLOCKS) baseline = memory;
		else assert.deepEqual({ ...memory, stack: 0 }, { ...baseline, stack: 0 }, `memory after ${sent} packets`);
	}
	subject.end();
	return { packets: sent, memory: baseline && { ...baseline, stack } };
}
