import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DROPPED_CORRUPTED, DROPPED_OLDEST, DROPPED_THINNED, DROPPED_UNREADABLE } from "../../src/sensor/events";
import { headerSize, WORD_ACKNOWLEDGED, WORD_DROPPED, WORD_SEQUENCE, WORD_WAITING } from "../../src/sensor/layout";
import { Outbox } from "../../src/sensor/outbox";
import { Record } from "../../src/sensor/record";
import { Retained } from "../../src/sensor/retained";
import type { Fragile } from "./support/memory";
import { fragile, Reset } from "./support/memory";

type Policy = "dropOldest" | "thin";
const LONGEST = 34;

/** A node's memory and what a boot makes of it. */
class Box {
	readonly dropped: { sequence: number; policy: number }[] = [];
	readonly fragile: Fragile;
	readonly retained: Retained;
	readonly outbox: Outbox;
	readonly restored: string;

	constructor(memory: Fragile, policy: Policy, size: number, identity = 1, sensors = 1) {
		this.fragile = memory;
		this.retained = new Retained(memory.memory, sensors, identity, size);
		this.outbox = new Outbox(this.retained, policy, LONGEST, { onDropped: (sequence, why) => this.dropped.push({ sequence, policy: why }) });
		this.restored = this.retained.restore();
		if (this.restored === "changed") this.outbox.discard();
		else this.outbox.recover();
	}

	accept(...values: number[]): number {
		const record = new Record();
		record.begin(1e12 + Math.trunc(values[0]), false);
		for (const value of values) assert.ok(record.add(0, value));
		assert.ok(this.outbox.append(record));
		this.retained.commit();
		return record.sequence;
	}

	/** Acknowledges; false when it is not there. */
	remove(sequence: number): boolean {
		const index = this.outbox.find(sequence);
		if (index >= 0) this.outbox.remove(index);
		return index >= 0;
	}

	/** Sequence numbers and first values, as the exchange finds them. */
	waiting(): Map<number, number> {
		const { outbox } = this;
		const found = new Map<number, number>();
		outbox.rewind();
		while (outbox.next()) {
			const { record } = outbox;
			assert.ok(!found.has(record.sequence));
			assert.ok(record.next());
			const value = record.isDecimal ? record.decimal.mantissa / 10 ** record.decimal.scale : record.float;
			assert.equal(record.time, 1e12 + Math.trunc(value));
			found.set(record.sequence, value);
		}
		assert.equal(found.size, outbox.waiting);
		return found;
	}

	balance(): void {
		const { words } = this.retained;
		const drops = words[WORD_DROPPED] + words[WORD_DROPPED + 1] + words[WORD_DROPPED + 2] + words[WORD_DROPPED + 3];
		assert.equal(words[WORD_SEQUENCE] - 1, words[WORD_ACKNOWLEDGED] + words[WORD_WAITING] + drops, "accepted = acknowledged + waiting + dropped");
	}
}

const actions = fc.oneof(
	{ weight: 6, arbitrary: fc.record({ type: fc.constant("accept" as const), count: fc.integer({ min: 1, max: 2 }), reset: fc.option(fc.nat(400)) }) },
	{
		weight: 3,
		arbitrary: fc.record({
			type: fc.constant("acknowledge" as const),
			which: fc.nat(),
			count: fc.integer({ min: 1, max: 3 }),
			reset: fc.option(fc.nat(8)),
		}),
	},
	{ weight: 1, arbitrary: fc.record({ type: fc.constant("send" as const), count: fc.nat(5) }) },
	{ weight: 1, arbitrary: fc.record({ type: fc.constant("commit" as const), reset: fc.option(fc.nat(200)) }) },
	{ weight: 1, arbitrary: fc.record({ type: fc.constant("reboot" as const), reset: fc.option(fc.nat(600)) }) },
);

test("model: whatever happens, and wherever a reset strikes, every report is waiting, acknowledged or dropped and counted", () => {
	fc.assert(
		fc.property(
			fc.constantFrom<Policy>("dropOldest", "thin"),
			fc.integer({ min: 256, max: 400 }),
			fc.boolean(),
			fc.array(actions, { maxLength: 80, size: "max" }),
			(policy, size, backwards, list) => {
				const memory = fragile(headerSize(1) + size);
				memory.bytes.fill(0x5a);
				memory.backwards = backwards;
				let box = new Box(memory, policy, size);
				assert.equal(box.restored, "garbage");
				box.retained.commit();
				const values = new Map<number, number>();
				const waiting = new Set<number>();
				let value = 0;
				let told = 0;
				/** Told, or known otherwise. */
				let drops = 0;
				const drain = () => {
					for (; told < box.dropped.length; told++) {
						const { sequence, policy: why } = box.dropped[told];
						assert.equal(why, policy === "thin" && why === DROPPED_THINNED ? DROPPED_THINNED : DROPPED_OLDEST);
						const order = [...waiting].sort((a, b) => a - b).indexOf(sequence);
						drops++;
						if (why === DROPPED_OLDEST) assert.equal(order, 0, "the oldest gives way");
						else assert.ok(order > 0 && order <= waiting.size / 2 + 1, "one of the older half, but not the oldest");
						waiting.delete(sequence);
					}
				};
				for (const action of list) {
					const doubtful = new Set<number>();
					let reset = false;
					memory.budget = ("reset" in action ? action.reset : null) ?? Infinity;
					try {
						if (action.type === "accept") {
							const own = Array.from({ length: action.count }, () => ++value + (value % 3 === 0 ? Math.PI : 0));
							const next = box.retained.words[WORD_SEQUENCE];
							doubtful.add(next);
							values.set(next, own[0]);
							const sequence = box.accept(...own);
							drain();
							waiting.add(sequence);
						} else if (action.type === "acknowledge") {
							for (let i = 0; i < action.count && waiting.size > 0; i++) {
								const sequence = [...waiting][action.which % waiting.size];
								doubtful.clear();
								doubtful.add(sequence);
								assert.ok(box.remove(sequence));
								assert.ok(!box.remove(sequence), "an acknowledgement removes once");
								waiting.delete(sequence);
							}
						} else if (action.type === "send") {
							box.outbox.rewind();
							for (let i = 0; i < action.count && box.outbox.next(); i++) box.outbox.markSent();
						} else if (action.type === "commit") box.retained.commit();
						else reset = true;
					} catch (error) {
						if (!(error instanceof Reset)) throw error;
						reset = true;
					}
					if (reset) {
						drain();
						// Resets may strike while the node recovers from one.
						for (;;) {
							memory.budget = action.type === "reboot" && action.reset !== null ? action.reset : Infinity;
							try {
								box = new Box(memory, policy, size);
							} catch (error) {
								if (!(error instanceof Reset)) throw error;
								memory.budget = Infinity;
								box = new Box(memory, policy, size);
							}
							break;
						}
						memory.budget = Infinity;
						told = 0;
						assert.equal(box.restored, "valid");
						const found = box.waiting();
						for (const sequence of doubtful) {
							if (found.has(sequence)) waiting.add(sequence);
							else waiting.delete(sequence);
						}
						// A drop may have become durable without having been told.
						const missing = [...waiting].filter((sequence) => !found.has(sequence));
						const { words } = box.retained;
						assert.equal(missing.length, words[WORD_DROPPED + DROPPED_OLDEST] + words[WORD_DROPPED + DROPPED_THINNED] - drops - box.dropped.length);
						assert.ok(missing.length <= 1);
						drops += missing.length;
						for (const sequence of missing) waiting.delete(sequence);
					}
					memory.budget = Infinity;
					drain();
					const found = box.waiting();
					assert.deepEqual(
						[...found.keys()],
						[...waiting].sort((a, b) => a - b),
					);
					for (const [sequence, read] of found) assert.equal(read, values.get(sequence));
					box.balance();
				}
			},
		),
		{ numRuns: 500 },
	);
});

test("damage costs the records that it hits, which are counted, and no other", () => {
	fc.assert(
		fc.property(
			fc.integer({ min: 1, max: 60 }),
			fc.array(fc.tuple(fc.nat(399), fc.nat(255)), { minLength: 1, maxLength: 4 }),
			fc.boolean(),
			fc.array(fc.nat(), { maxLength: 5 }),
			(count, damages, reboot, acknowledged) => {
				const size = 400;
				const memory = fragile(headerSize(1) + size);
				let box = new Box(memory, "dropOldest", size);
				for (let i = 1; i <= count; i++) box.accept(i);
				for (const which of acknowledged) {
					const waiting = [...box.waiting().keys()];
					if (waiting.length > 0) box.remove(waiting[which % waiting.length]);
				}
				box.retained.commit();
				const before = box.waiting();
				for (const [at, byte] of damages) memory.bytes[headerSize(1) + at] = byte;
				if (reboot) box = new Box(memory, "dropOldest", size);
				const first = box.dropped.length;
				const read = () => {
					const found = new Map<number, number>();
					box.outbox.rewind();
					while (box.outbox.next()) {
						assert.ok(box.outbox.record.next());
						found.set(box.outbox.record.sequence, box.outbox.record.decimal.mantissa);
					}
					return found;
				};
				read();
				const after = read();
				// A state byte that turned from dead to something else brings a report back, to arrive twice.
				for (const [sequence, value] of after) assert.ok(value === sequence && sequence <= count);
				let lost = 0;
				for (const sequence of before.keys()) if (!after.has(sequence)) lost++;
				assert.ok(lost <= damages.length);
				assert.equal(box.outbox.waiting, after.size);
				for (let i = reboot ? 0 : first; i < box.dropped.length; i++) assert.deepEqual(box.dropped[i], { sequence: 0, policy: DROPPED_CORRUPTED });
				box.balance();
				// It works on.
				const sequence = box.accept(count + 1);
				assert.equal(sequence, count + 1);
				assert.ok(read().has(sequence));
				box.balance();
			},
		),
		{ numRuns: 500 },
	);
});

test("4096 bytes hold 240 reports of a reading with one decimal and 170 of any double", () => {
	for (const [value, least] of [
		[23.7, 227],
		[Math.PI, 170],
	] as const) {
		const box = new Box(fragile(headerSize(1) + 4096), "dropOldest", 4096);
		let count = 0;
		for (; box.dropped.length === 0; count++) {
			const record = new Record();
			record.begin(1e12, false);
			record.add(0, value);
			assert.ok(box.outbox.append(record));
		}
		assert.ok(count - 1 >= least, `${count - 1} reports`);
	}
});

test("thin keeps the whole range of time covered, older parts more thinly", () => {
	const size = 4096;
	const box = new Box(fragile(headerSize(1) + size), "thin", size);
	for (let i = 1; i <= 5000; i++) box.accept(i);
	const kept = [...box.waiting().keys()];
	assert.equal(kept[0], 1);
	assert.equal(kept.at(-1), 5000);
	assert.ok(kept.length > 120);
	for (let i = 2; i < kept.length; i++) assert.ok(kept[i] > kept[i - 1]);
	assert.ok(kept.filter((sequence) => sequence > 4900).length >= 90);
	box.balance();
});

test("records of another sensor list are not misread but given up and counted; numbering goes on", () => {
	for (const sensors of [1, 2, 5]) {
		const size = 512;
		const memory = fragile(headerSize(1) + 512 + 200);
		let box = new Box(memory, "dropOldest", size);
		for (let i = 1; i <= 5; i++) box.accept(i);
		box.remove(2);
		box = new Box(memory, "dropOldest", size, 2, sensors);
		assert.equal(box.restored, "changed");
		assert.deepEqual(
			box.dropped,
			[1, 3, 4, 5].map((sequence) => ({ sequence, policy: DROPPED_UNREADABLE })),
		);
		assert.equal(box.outbox.waiting, 0);
		assert.equal(box.accept(6), 6);
		box = new Box(memory, "dropOldest", size, 2, sensors);
		assert.equal(box.restored, "valid");
		assert.deepEqual([...box.waiting().keys()], [6]);
		box.balance();
	}
});

test("whatever is in memory at power-on, the node starts afresh and can work", () => {
	fc.assert(
		fc.property(fc.uint8Array({ minLength: headerSize(2) + 256, maxLength: headerSize(2) + 300 }), (bytes) => {
			const memory = fragile(bytes.length, bytes);
			const box = new Box(memory, "dropOldest", 256, 1, 2);
			assert.equal(box.restored, "garbage");
			assert.equal(box.outbox.waiting, 0);
			assert.equal(box.accept(1), 1);
			assert.deepEqual([...new Box(memory, "dropOldest", 256, 1, 2).waiting().keys()], [1]);
		}),
	);
});

test("a damaged header copy falls back to the one before", () => {
	const size = 256;
	for (let at = 0; at < headerSize(1); at++) {
		const memory = fragile(headerSize(1) + size);
		const box = new Box(memory, "dropOldest", size);
		for (let i = 1; i <= 3; i++) box.accept(i);
		memory.bytes[at] ^= 0x10;
		const again = new Box(memory, "dropOldest", size);
		assert.equal(again.restored, "valid");
		const kept = [...again.waiting().keys()];
		assert.ok(kept.length === 3 || kept.length === 2);
	}
});

test("a record longer than the ring is refused", () => {
	const retained = new Retained(fragile(headerSize(1) + 256).memory, 1, 1, 256);
	retained.restore();
	const outbox = new Outbox(retained, "thin", 255, { onDropped: () => assert.fail() });
	const record = new Record();
	record.begin(0, false);
	assert.ok(record.add(0, 1));
	assert.equal(outbox.append(record), false);
	assert.throws(() => new Retained(new Uint8Array(300), 1, 1, 256), RangeError);
});

test("a record takes values until it is full", () => {
	const record = new Record();
	record.begin(5, true);
	let count = 0;
	while (record.add(count, Math.E * count)) count++;
	assert.ok(count >= 24);
	record.seal(0xfffffffe);
	assert.ok(record.open());
	assert.equal(record.sequence, 0xfffffffe);
	assert.ok(record.relative && record.time === 5 && !record.sent);
	for (let i = 0; i < count; i++) {
		assert.ok(record.next());
		assert.equal(record.isDecimal ? record.decimal.mantissa / 10 ** record.decimal.scale : record.float, Math.E * i);
	}
	assert.ok(!record.next());
});

test("a reset at any byte of giving up a report counts it once, as dropped and never as acknowledged", () => {
	for (let budget = 0; ; budget++) {
		const memory = fragile(headerSize(1) + 256);
		let box = new Box(memory, "dropOldest", 256);
		for (let value = 0; value < 3; value++) box.accept(value);
		memory.budget = budget;
		let finished = false;
		try {
			box.outbox.refuse(2);
			finished = true;
		} catch (error) {
			assert.ok(error instanceof Reset);
		}
		memory.budget = Infinity;
		box = new Box(memory, "dropOldest", 256);
		const { words } = box.retained;
		assert.equal(words[WORD_ACKNOWLEDGED], 0, `cut after ${budget} bytes`);
		assert.deepEqual([...box.waiting().keys()], words[WORD_DROPPED + DROPPED_UNREADABLE] === 1 ? [1, 3] : [1, 2, 3], `cut after ${budget} bytes`);
		box.outbox.refuse(2);
		assert.equal(words[WORD_DROPPED + DROPPED_UNREADABLE], 1);
		assert.deepEqual([...box.waiting().keys()], [1, 3]);
		box.balance();
		if (finished) break;
	}
});

test("room behind a report that waits for long is given back, and a reset at any byte of that loses nothing", () => {
	for (const policy of ["dropOldest", "thin"] as const) {
		const size = 400;
		for (let budget = 0; ; budget += 7) {
			const memory = fragile(headerSize(1) + size);
			let box = new Box(memory, policy, size);
			// The oldest and every third wait, the others are acknowledged as they come, until the ring has been full once.
			const waiting = new Set<number>();
			let value = 0;
			const accept = () => {
				const sequence = box.accept(value++);
				waiting.add(sequence);
				if (sequence % 3 !== 1) {
					assert.ok(box.remove(sequence));
					waiting.delete(sequence);
				}
			};
			for (let i = 0; i < 18; i++) accept();
			memory.budget = budget;
			let finished = false;
			try {
				for (let i = 0; i < 9; i++) accept();
				finished = true;
			} catch (error) {
				assert.ok(error instanceof Reset);
			}
			memory.budget = Infinity;
			box = new Box(memory, policy, size);
			assert.deepEqual(box.dropped, [], `${policy}, cut after ${budget} bytes`);
			const left = [...box.waiting().keys()];
			for (const sequence of waiting)
				assert.ok(left.includes(sequence) || sequence === value, `${policy}, cut after ${budget} bytes: report ${sequence}`);
			assert.deepEqual(
				left,
				[...left].sort((a, b) => a - b),
			);
			box.balance();
			if (finished) break;
		}
	}
});
