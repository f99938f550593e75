import { performance } from "node:perf_hooks";
import type { Time, Timer, TimerId } from "../../src/device";

interface Ring {
	readonly callback: (id: TimerId) => void;
	handle: NodeJS.Timeout | undefined;
}

/** The SDK's `timer` module on Node. */
export const nodeTimer: Timer = {
	set(callback, delay, repeat = 0) {
		const ring: Ring = { callback, handle: undefined };
		arm(ring, delay, repeat);
		return ring;
	},
	schedule(id, delay, repeat = 0) {
		const ring = id as Ring;
		clearTimeout(ring.handle);
		if (delay !== undefined) arm(ring, delay, repeat);
	},
	clear(id) {
		if (id !== undefined) clearTimeout((id as Ring).handle);
	},
};

function arm(ring: Ring, delay: number, repeat: number): void {
	ring.handle = setTimeout(() => {
		if (repeat > 0) arm(ring, repeat, repeat);
		ring.callback(ring);
	}, delay);
}

/** A class, as V8 finds an object's own accessor slowly. */
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
