import { performance } from "node:perf_hooks";
import type { Time, Timer, TimerId } from "../../src/device";

interface NodeTimeout {
	readonly callback: (id: TimerId) => void;
	handle: NodeJS.Timeout | undefined;
}

/** The SDK's `timer` module on Node. */
export const nodeTimer: Timer = {
	set(callback, delay, repeat = 0) {
		const timeout: NodeTimeout = { callback, handle: undefined };
		startTimeout(timeout, delay, repeat);
		return timeout;
	},
	schedule(id, delay, repeat = 0) {
		const timeout = id as NodeTimeout;
		clearTimeout(timeout.handle);
		if (delay !== undefined) startTimeout(timeout, delay, repeat);
	},
	clear(id) {
		if (id !== undefined) clearTimeout((id as NodeTimeout).handle);
	},
};

function startTimeout(timeout: NodeTimeout, delay: number, repeat: number): void {
	timeout.handle = setTimeout(() => {
		if (repeat > 0) startTimeout(timeout, repeat, repeat);
		timeout.callback(timeout);
	}, delay);
}

/** A class, because V8 looks up an object's own accessors slowly. */
class NodeTime implements Time {
	get ticks(): number {
		return Math.floor(performance.now());
	}

	delta(start: number, end: number = this.ticks): number {
		return end - start;
	}
}

/** The SDK's `time` module on Node. */
export const nodeTime: Time = new NodeTime();
