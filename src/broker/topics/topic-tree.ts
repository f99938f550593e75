import { SLASH } from "../../text/ascii";
import type { Arena } from "../pool/arena";
import { bucketCount, equalText, hashText } from "../pool/hash";
import type { Memory } from "../pool/memory";

const PLUS = 0x2b;
const HASH = 0x23;
const DOLLAR = 0x24;

/** The level above all topics. */
const ROOT = 0;

// Columns of a node
const WIDTH = 5;
const PARENT = 0;
/** Number of children, and of filters that end here: a node without any is freed. */
const REFERENCES = 1;
/** The next node in the same bucket. */
const CHAIN = 2;
/** The children `+` and `#`. */
const PLUS_CHILD = 3;
const HASH_CHILD = 4;

/**
 * Topic filters as a tree of levels. One hash table finds a level's child by its text, so that the cost of
 * matching a topic name depends on its levels and on the wildcards along its path, not on the number of
 * filters. Nodes are numbers from 1; 0 means none (and the root, as a parent). Topics and filters are ranges
 * [start, end) of the broker's memory.
 */
export class TopicTree {
	/** Results of match(): `found[0]` up to the number it returned. */
	readonly found: Uint16Array;
	readonly #arena: Arena;
	readonly #words: DataView;
	/** The columns of each node. */
	readonly #nodes: Uint16Array;
	readonly #buckets: Uint16Array;
	/** Nodes that match the levels so far. */
	readonly #frontier: Uint16Array;

	/** @param nodes levels of all filters together @param bytes for their text */
	constructor(memory: Memory, nodes: number, bytes: number) {
		const { tables } = memory;
		this.#arena = memory.arena(bytes, nodes);
		this.#words = memory.words;
		this.found = tables.u16(nodes + 1);
		this.#nodes = tables.u16(WIDTH * nodes + WIDTH);
		this.#buckets = tables.u16(bucketCount(nodes));
		this.#frontier = tables.u16(nodes + 1);
	}

	/** Levels in use. */
	get count(): number {
		return this.#arena.count;
	}

	/** Bytes of their text. */
	get bytes(): number {
		return this.#arena.used;
	}

	/** Highest value of `bytes`. */
	get peak(): number {
		return this.#arena.peak;
	}

	/**
	 * The node of a valid topic filter, even if it is only the beginning of other filters; 0 if it is not in
	 * the tree.
	 */
	find(start: number, end: number): number {
		const { bytes } = this.#arena;
		let node = ROOT;
		let at = start;
		for (;;) {
			const stop = levelEnd(bytes, at, end);
			node = this.child(node, at, stop);
			if (node === 0 || stop === end) return node;
			at = stop + 1;
		}
	}

	/**
	 * Adds one use of a valid topic filter and returns its node; 0 if levels or bytes are used up: then nothing
	 * has changed.
	 */
	add(start: number, end: number): number {
		const { bytes } = this.#arena;
		let node = ROOT;
		let at = start;
		for (;;) {
			const stop = levelEnd(bytes, at, end);
			let child = this.child(node, at, stop);
			if (child === 0) {
				child = this.addChild(node, at, stop);
				if (child === 0) {
					this.prune(node);
					return 0;
				}
			}
			node = child;
			if (stop === end) {
				this.#nodes[WIDTH * node + REFERENCES]++;
				return node;
			}
			at = stop + 1;
		}
	}

	/** Removes one use of the filter that ends at a node. */
	remove(node: number): void {
		this.#nodes[WIDTH * node + REFERENCES]--;
		this.prune(node);
	}

	/**
	 * Finds the nodes whose path matches a topic name, each once, and returns their number. Some may be only
	 * the beginning of filters.
	 */
	match(start: number, end: number): number {
		const { bytes } = this.#arena;
		const found = this.found;
		const frontier = this.#frontier;
		const nodes = this.#nodes;
		let count = 0;
		let first = 0;
		let last = 1;
		frontier[0] = ROOT;
		// [MQTT-4.7.2-1] a first level that begins with $ is not matched by a wildcard
		let wildcardsMatch = bytes[start] !== DOLLAR;
		let at = start;
		while (first < last) {
			const stop = levelEnd(bytes, at, end);
			const textHash = hashText(this.#words, at, stop);
			const until = last;
			while (first < until) {
				const node = frontier[first++];
				if (wildcardsMatch) {
					if (nodes[WIDTH * node + HASH_CHILD] !== 0) found[count++] = nodes[WIDTH * node + HASH_CHILD];
					if (nodes[WIDTH * node + PLUS_CHILD] !== 0) frontier[last++] = nodes[WIDTH * node + PLUS_CHILD];
				}
				const child = this.findChild(node, textHash, at, stop);
				if (child !== 0) frontier[last++] = child;
			}
			wildcardsMatch = true;
			if (stop === end) {
				while (first < last) {
					const node = frontier[first++];
					found[count++] = node;
					// "a/#" also matches "a" (§4.7.1.2)
					if (nodes[WIDTH * node + HASH_CHILD] !== 0) found[count++] = nodes[WIDTH * node + HASH_CHILD];
				}
				return count;
			}
			at = stop + 1;
		}
		return count;
	}

	/** Whether the filter that ends at a node matches a topic name. */
	matches(node: number, start: number, end: number): boolean {
		const nodes = this.#nodes;
		const arena = this.#arena;
		const { bytes } = arena;
		let at = node;
		const multiLevel = this.#nodes[WIDTH * nodes[WIDTH * at + PARENT] + HASH_CHILD] === at;
		if (multiLevel) at = nodes[WIDTH * at + PARENT];
		let levelsLeft = countLevels(bytes, start, end);
		for (let i = at; i !== ROOT; i = nodes[WIDTH * i + PARENT]) levelsLeft--;
		if (levelsLeft < 0 || (levelsLeft > 0 && !multiLevel)) return false;
		if (at === ROOT) return bytes[start] !== DOLLAR; // [MQTT-4.7.2-1]
		let stop = end;
		while (levelsLeft-- > 0) stop = levelStart(bytes, start, stop) - 1;
		while (at !== ROOT) {
			const from = levelStart(bytes, start, stop);
			const parent = nodes[WIDTH * at + PARENT];
			if (nodes[WIDTH * parent + PLUS_CHILD] === at) {
				if (parent === ROOT && bytes[start] === DOLLAR) return false; // [MQTT-4.7.2-1]
			} else if (arena.size(at) !== stop - from || !equalText(this.#words, from, stop, arena.offset(at)))
				return false;
			at = parent;
			stop = from - 1;
		}
		return true;
	}

	/** Whether a node is in use. */
	inUse(node: number): boolean {
		return this.#nodes[WIDTH * node + REFERENCES] !== 0;
	}

	/** Levels of the filter that ends at a node. */
	levels(node: number): number {
		let levels = 0;
		for (let i = node; i !== ROOT; i = this.#nodes[WIDTH * i + PARENT]) levels++;
		return levels;
	}

	/** Bytes of the text of these levels. */
	pathBytes(node: number): number {
		let bytes = 0;
		for (let i = node; i !== ROOT; i = this.#nodes[WIDTH * i + PARENT]) bytes += this.#arena.size(i);
		return bytes;
	}

	/**
	 * Copies the filter that ends at a node to `at`, and returns the index after it; `at` itself if there is no
	 * room.
	 */
	copyPath(node: number, target: Uint8Array, at: number): number {
		const nodes = this.#nodes;
		const arena = this.#arena;
		let end = at - 1;
		for (let i = node; i !== ROOT; i = nodes[WIDTH * i + PARENT]) end += 1 + arena.size(i);
		if (end > target.length) return at;
		let to = end;
		for (let i = node; i !== ROOT; i = nodes[WIDTH * i + PARENT]) {
			const start = arena.offset(i);
			const size = arena.size(i);
			to -= size;
			for (let j = 0; j < size; j++) target[to + j] = arena.bytes[start + j];
			if (to > at) target[--to] = SLASH;
		}
		return end;
	}

	private child(parent: number, start: number, end: number): number {
		const { bytes } = this.#arena;
		if (end - start === 1) {
			if (bytes[start] === PLUS) return this.#nodes[WIDTH * parent + PLUS_CHILD];
			if (bytes[start] === HASH) return this.#nodes[WIDTH * parent + HASH_CHILD];
		}
		return this.findChild(parent, hashText(this.#words, start, end), start, end);
	}

	private bucket(parent: number, textHash: number): number {
		return (textHash ^ Math.imul(parent, 0x9e3779b1)) & (this.#buckets.length - 1);
	}

	private findChild(parent: number, textHash: number, start: number, end: number): number {
		const arena = this.#arena;
		const nodes = this.#nodes;
		let node = this.#buckets[this.bucket(parent, textHash)];
		while (node !== 0) {
			if (
				this.#nodes[WIDTH * node + PARENT] === parent &&
				arena.size(node) === end - start &&
				equalText(this.#words, start, end, arena.offset(node))
			)
				break;
			node = nodes[WIDTH * node + CHAIN];
		}
		return node;
	}

	private addChild(parent: number, start: number, end: number): number {
		const arena = this.#arena;
		const node = arena.allocate(end - start);
		if (node === 0) return 0;
		const { bytes } = arena;
		bytes.copyWithin(arena.offset(node), start, end);
		this.#nodes[WIDTH * node + PARENT] = parent;
		this.#nodes[WIDTH * node + REFERENCES] = 0;
		this.#nodes[WIDTH * node + PLUS_CHILD] = 0;
		this.#nodes[WIDTH * node + HASH_CHILD] = 0;
		if (parent !== ROOT) this.#nodes[WIDTH * parent + REFERENCES]++;
		if (end - start === 1 && bytes[start] === PLUS) this.#nodes[WIDTH * parent + PLUS_CHILD] = node;
		else if (end - start === 1 && bytes[start] === HASH) this.#nodes[WIDTH * parent + HASH_CHILD] = node;
		else {
			const bucket = this.bucket(parent, hashText(this.#words, start, end));
			this.#nodes[WIDTH * node + CHAIN] = this.#buckets[bucket];
			this.#buckets[bucket] = node;
		}
		return node;
	}

	/** Frees a node that has no references left, and then its parents. */
	private prune(node: number): void {
		while (node !== ROOT && this.#nodes[WIDTH * node + REFERENCES] === 0) {
			const parent = this.#nodes[WIDTH * node + PARENT];
			this.unlink(node, parent);
			this.#arena.release(node);
			if (parent !== ROOT) this.#nodes[WIDTH * parent + REFERENCES]--;
			node = parent;
		}
	}

	private unlink(node: number, parent: number): void {
		if (this.#nodes[WIDTH * parent + PLUS_CHILD] === node) {
			this.#nodes[WIDTH * parent + PLUS_CHILD] = 0;
			return;
		}
		if (this.#nodes[WIDTH * parent + HASH_CHILD] === node) {
			this.#nodes[WIDTH * parent + HASH_CHILD] = 0;
			return;
		}
		const arena = this.#arena;
		const start = arena.offset(node);
		const bucket = this.bucket(parent, hashText(this.#words, start, start + arena.size(node)));
		const nodes = this.#nodes;
		if (this.#buckets[bucket] === node) this.#buckets[bucket] = nodes[WIDTH * node + CHAIN];
		else {
			let previous = this.#buckets[bucket];
			while (nodes[WIDTH * previous + CHAIN] !== node) previous = nodes[WIDTH * previous + CHAIN];
			nodes[WIDTH * previous + CHAIN] = nodes[WIDTH * node + CHAIN];
		}
	}
}

/** Index of the slash that ends the level beginning at `at`, or `end`. */
function levelEnd(bytes: Uint8Array, at: number, end: number): number {
	while (at < end && bytes[at] !== SLASH) at++;
	return at;
}

/** Index of the first byte of the level that ends at `stop`. */
function levelStart(bytes: Uint8Array, start: number, stop: number): number {
	let at = stop;
	while (at > start && bytes[at - 1] !== SLASH) at--;
	return at;
}

/** Levels of a topic name. */
function countLevels(bytes: Uint8Array, start: number, end: number): number {
	let count = 1;
	for (let i = start; i < end; i++) if (bytes[i] === SLASH) count++;
	return count;
}
