import assert from "node:assert/strict";
import { test } from "node:test";
import type { HostValue, Machine, Statistics } from "../../sim/xs/index";
import { catchCrash, createMachine, createRoot, creation } from "./device";

/** Starts a machine and returns the handles of the functions that its module keeps. */
function start(
	source: string,
	natives: Record<string, (...args: never[]) => HostValue | undefined> = {},
): { machine: Machine; handles: number[] } {
	const handles: number[] = [];
	const machine = createMachine(createRoot({ main: source }), {
		keep: (h: number) => void handles.push(h),
		...natives,
	});
	machine.import("main");
	return { machine, handles };
}

function difference(before: Statistics, after: Statistics) {
	return {
		slots: after.slots.allocated - before.slots.allocated,
		chunks: after.chunks.allocated - before.chunks.allocated,
		collections: after.collections - before.collections,
		computrons: after.computrons - before.computrons,
	};
}

test("computrons are the same for the same code, on every machine and every time", () => {
	const source =
		'native("keep").call(this, n => { let sum = 0; for (let i = 0; i < n; i++) sum += i; return sum; });';
	const counts = [1, 2, 3].map(() => {
		const { machine, handles } = start(source);
		const results = [100, 100, 200].map((n) => {
			const before = machine.statistics;
			machine.call(handles[0], n);
			return difference(before, machine.statistics).computrons;
		});
		const total = machine.statistics.computrons;
		machine.destroy();
		return { results, total };
	});
	assert.deepEqual(counts[1], counts[0]);
	assert.deepEqual(counts[2], counts[0]);
	const [first, second, third] = counts[0].results;
	assert.equal(first, second);
	assert.ok(third > first + 400 && third < first + 2000);
});

test("the computron limit applies to one entry, not to the life of the machine", () => {
	const root = createRoot({ main: 'native("keep").call(this, n => { for (let i = 0; i < n; i++); });' });
	let handle = 0;
	const machine = createMachine(
		root,
		{
			keep: (h: number) => {
				handle = h;
			},
		},
		{ computronLimit: 50000 },
	);
	machine.import("main");
	for (let i = 0; i < 100; i++) machine.call(handle, 1000);
	const before = machine.statistics.computrons;
	assert.ok(before > 500000);
	assert.equal(catchCrash(() => machine.call(handle, 1e9)).kind, "computron limit");
	const used = machine.statistics.computrons - before;
	assert.ok(used >= 50000 && used < 50100, `${used}`);
});

test("allocation is counted exactly, across collections", () => {
	const { machine, handles } = start(
		'native("keep").call(this, n => { for (let i = 0; i < n; i++) ({}); }); native("keep").call(this, n => { for (let i = 0; i < n; i++) new Uint8Array(100); });',
	);
	const objects = (n: number) => {
		const before = machine.statistics;
		machine.call(handles[0], n);
		return difference(before, machine.statistics);
	};
	const one = objects(1).slots;
	assert.equal(objects(11).slots - one, 10);
	const many = objects(100001);
	assert.equal(many.slots - one, 100000);
	assert.ok(many.collections > 40);
	const before = machine.statistics;
	machine.call(handles[1], 1000);
	const first = difference(before, machine.statistics);
	machine.call(handles[1], 50000);
	const second = difference(before, machine.statistics);
	assert.equal(second.chunks - first.chunks, 50 * first.chunks);
	assert.equal(second.slots - first.slots, 50 * first.slots);
	assert.ok(second.collections > first.collections);
	const now = machine.statistics;
	assert.ok(now.slots.used <= now.slots.peak && now.slots.peak < creation.slots);
	assert.ok(now.chunks.used <= now.chunks.peak && now.chunks.peak <= creation.chunks);
	assert.ok(now.stack.peak > 20 && now.stack.peak < creation.stack);
});

test("host calls with numbers, handles, literals and buffers allocate nothing in XS", () => {
	let timer = 0;
	const { machine, handles } = start(
		`
			class Node {
				#bytes = new Uint8Array(64);
				#view = new DataView(this.#bytes.buffer);
				#callback = () => this.#step();
				#count = 0;
				#step() { this.#count = (this.#count + 1) | 0; return this.#count; }
				run(n) {
					for (let i = 0; i < n; i++) {
						const got = native("other").call(this, this.#bytes, i & 31);
						this.#view.setUint32(0, got);
						native("log").call(this, "literal", this.#view, 1.5, true);
						native("log").call(this, this.#callback);
						native("fire").call(this);
					}
					return this.#count;
				}
			}
			const node = new Node;
			native("keep").call(this, n => node.run(n));
		`,
		{
			other: (view: Uint8Array, n: number) => {
				view[n] = n;
				return view.length + n;
			},
			log: (first: HostValue) => {
				if (typeof first === "number") timer = first;
				return undefined;
			},
			fire: () => {
				machine.call(timer);
				machine.forget(timer);
				return undefined;
			},
		},
	);
	machine.call(handles[0], 10);
	const before = machine.statistics;
	assert.equal(machine.call(handles[0], 10000), 10010);
	const { slots, chunks, collections } = difference(before, machine.statistics);
	assert.deepEqual({ slots, chunks, collections }, { slots: 0, chunks: 0, collections: 0 });
});

test("a view of a resizable buffer tracks its length; regrowth allocates nothing", () => {
	const lengths: number[] = [];
	const { machine, handles } = start(
		`
			const buffer = new ArrayBuffer(0, { maxByteLength: 512 });
			const view = new Uint8Array(buffer);
			buffer.resize(512); // to full length once
			buffer.resize(0);
			const after = new Uint8Array(100); // so that the buffer cannot grow in place by chance
			native("keep").call(this, n => { buffer.resize(n); native("other").call(this, view); return view[0]; });
		`,
		{
			other: (view: Uint8Array) => {
				lengths.push(view.length);
				view.fill(view.length);
				return view.length;
			},
		},
	);
	const before = machine.statistics;
	const wanted = [512, 1, 100, 0, 511, 512, 3, 400, 0];
	for (const length of wanted)
		assert.equal(machine.call(handles[0], length), length ? length & 255 : undefined);
	assert.deepEqual(lengths, wanted);
	const { slots, chunks } = difference(before, machine.statistics);
	assert.deepEqual({ slots, chunks }, { slots: 0, chunks: 0 });
	// A collection that compacts chunks while the buffer is short frees its spare room: the next growth
	// allocates once more.
	machine.call(handles[0], 0);
	machine.collect();
	const collected = machine.statistics;
	machine.call(handles[0], 512);
	const grown = machine.statistics;
	assert.ok(difference(collected, grown).chunks >= 512);
	for (const length of [0, 512, 7, 512]) machine.call(handles[0], length);
	assert.deepEqual(
		{ ...difference(grown, machine.statistics), computrons: 0 },
		{ slots: 0, chunks: 0, collections: 0, computrons: 0 },
	);
	assert.equal(lengths.at(-1), 512);
});
