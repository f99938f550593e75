/** A scheduled event. Opaque; for {@link Scheduler.cancel}. */
export interface Scheduled {
	readonly time: number;
}

class HeapEntry implements Scheduled {
	time: number;
	order: number;
	/** Position in the heap; −1 if not scheduled. */
	index = -1;
	run: () => void;

	constructor(time: number, order: number, run: () => void) {
		this.time = time;
		this.order = order;
		this.run = run;
	}
}

/**
 * Discrete events in virtual milliseconds (fractions allowed). Events run in the order of their time; events
 * of the same time run in the order of scheduling. {@link Pace} relates virtual time to the wall clock.
 */
export class Scheduler {
	#now: number;
	#order = 0;
	readonly #heap: HeapEntry[] = [];

	/** @param start ms since 1970-01-01T00:00Z */
	constructor(start: number) {
		this.#now = start;
	}

	/** Virtual time, ms since 1970-01-01T00:00Z. */
	get now(): number {
		return this.#now;
	}

	/** The time of the next event; Infinity when nothing is scheduled. */
	get next(): number {
		return this.#heap.length ? this.#heap[0]!.time : Infinity;
	}

	/** Runs `run` at `time`, or now if that is past. */
	at(time: number, run: () => void): Scheduled {
		const entry = new HeapEntry(Math.max(time, this.#now), this.#order++, run);
		this.#siftUp(entry, this.#heap.length);
		return entry;
	}

	/** Runs `run` after `delay` ms; with 0, after all events already due. */
	after(delay: number, run: () => void): Scheduled {
		return this.at(this.#now + delay, run);
	}

	/** No-op for events that have already run. */
	cancel(scheduled: Scheduled | undefined): void {
		const entry = scheduled as HeapEntry | undefined;
		if (entry && entry.index >= 0) this.#remove(entry.index);
	}

	/** Runs the next event if it is due at or before `limit`; false when none is. */
	step(limit: number): boolean {
		const heap = this.#heap;
		if (heap.length === 0 || heap[0]!.time > limit) return false;
		const entry = heap[0]!;
		this.#remove(0);
		this.#now = entry.time;
		entry.run();
		return true;
	}

	/** Advances to `time`. Throws RangeError if an event is due before it. */
	advance(time: number): void {
		if (this.next < time) throw new RangeError("an event is due before that time");
		if (time > this.#now) this.#now = time;
	}

	#remove(index: number): void {
		const heap = this.#heap;
		heap[index]!.index = -1;
		const last = heap.pop()!;
		if (index === heap.length) return;
		if (index > 0 && precedes(last, heap[(index - 1) >> 1]!)) this.#siftUp(last, index);
		else this.#siftDown(last, index);
	}

	#siftUp(entry: HeapEntry, from: number): void {
		const heap = this.#heap;
		let index = from;
		while (index > 0) {
			const parent = (index - 1) >> 1;
			if (!precedes(entry, heap[parent]!)) break;
			heap[index] = heap[parent]!;
			heap[index]!.index = index;
			index = parent;
		}
		heap[index] = entry;
		entry.index = index;
	}

	#siftDown(entry: HeapEntry, from: number): void {
		const heap = this.#heap;
		const length = heap.length;
		let index = from;
		for (;;) {
			let child = 2 * index + 1;
			if (child >= length) break;
			if (child + 1 < length && precedes(heap[child + 1]!, heap[child]!)) child++;
			if (!precedes(heap[child]!, entry)) break;
			heap[index] = heap[child]!;
			heap[index]!.index = index;
			index = child;
		}
		heap[index] = entry;
		entry.index = index;
	}
}

function precedes(a: HeapEntry, b: HeapEntry): boolean {
	return a.time < b.time || (a.time === b.time && a.order < b.order);
}
