import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
	DROPPED_CORRUPTED,
	DROPPED_OLDEST,
	DROPPED_THINNED,
	DROPPED_UNREADABLE,
} from "../../src/device-events";
import { Outbox } from "../../src/sensor/outbox/outbox";
import { ReportRecord } from "../../src/sensor/outbox/report-record";
import {
	headerSize,
	WORD_ACKNOWLEDGED,
	WORD_DROPPED,
	WORD_GENERATION,
	WORD_SEQUENCE,
	WORD_USED,
	WORD_WAITING,
} from "../../src/sensor/retained/layout";
import { RetainedState } from "../../src/sensor/retained/retained-state";
import type { FragileMemory } from "./support/fragile-memory";
import { createFragileMemory, ResetError } from "./support/fragile-memory";

type Policy = "dropOldest" | "thin";
const LONGEST = 34;

/** Retained memory, and the outbox that a boot restores from it. */
class OutboxHarness {
	readonly dropped: { sequence: number; policy: number }[] = [];
	readonly fragile: FragileMemory;
	readonly retained: RetainedState;
	readonly outbox: Outbox;
	readonly restored: string;

	constructor(memory: FragileMemory, policy: Policy, size: number, identity = 1, sensors = 1) {
		this.fragile = memory;
		this.retained = new RetainedState(memory.memory, sensors, identity, size);
		this.outbox = new Outbox(this.retained, policy, LONGEST, {
			onDropped: (sequence, policyCode) => this.dropped.push({ sequence, policy: policyCode }),
		});
		this.restored = this.retained.restore();
		if (this.restored === "changed") this.outbox.discard();
		else this.outbox.recover();
	}

	accept(...values: number[]): number {
		const { record } = this.outbox;
		record.reset(1e12 + Math.trunc(values[0]), false);
		for (const value of values) assert.ok(record.addValue(0, value));
		assert.ok(this.outbox.append(record));
		this.retained.commit();
		return record.sequence;
	}

	/** Acknowledges a report; returns false if it is not in the outbox. */
	remove(sequence: number): boolean {
		const index = this.outbox.find(sequence);
		if (index >= 0) this.outbox.remove(index);
		return index >= 0;
	}

	/** Sequence numbers and first values of the waiting reports, in sending order. */
	waiting(): Map<number, number> {
		const { outbox } = this;
		const found = new Map<number, number>();
		outbox.rewind();
		while (outbox.next()) {
			const { record } = outbox;
			assert.ok(!found.has(record.sequence));
			assert.ok(record.nextValue());
			const value = record.isDecimal ? record.decimal.mantissa / 10 ** record.decimal.scale : record.float;
			assert.equal(record.time, 1e12 + Math.trunc(value));
			found.set(record.sequence, value);
		}
		assert.equal(found.size, outbox.waitingCount);
		return found;
	}

	assertCountsConsistent(): void {
		const { words } = this.retained;
		const drops =
			words[WORD_DROPPED] + words[WORD_DROPPED + 1] + words[WORD_DROPPED + 2] + words[WORD_DROPPED + 3];
		assert.equal(
			words[WORD_SEQUENCE] - 1,
			words[WORD_ACKNOWLEDGED] + words[WORD_WAITING] + drops,
			"accepted = acknowledged + waiting + dropped",
		);
	}
}

const actions = fc.oneof(
	{
		weight: 6,
		arbitrary: fc.record({
			type: fc.constant("accept" as const),
			count: fc.integer({ min: 1, max: 2 }),
			reset: fc.option(fc.nat(400)),
		}),
	},
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
	{
		weight: 1,
		arbitrary: fc.record({ type: fc.constant("commit" as const), reset: fc.option(fc.nat(200)) }),
	},
	{
		weight: 1,
		arbitrary: fc.record({ type: fc.constant("reboot" as const), reset: fc.option(fc.nat(600)) }),
	},
);

test("the record at the cursor is used for another report: reload finds it, unless it is not pending any more", () => {
	const harness = new OutboxHarness(createFragileMemory(1000), "dropOldest", 200);
	const { outbox } = harness;
	const first = harness.accept(1);
	const second = harness.accept(2);
	outbox.rewind();
	assert.ok(outbox.next());
	const { record } = outbox;
	record.reset(1e12 + 3, false);
	assert.ok(record.addValue(0, 3));
	assert.ok(outbox.append(record));
	assert.notEqual(record.sequence, first);
	assert.ok(outbox.reload());
	assert.equal(record.sequence, first);
	assert.ok(record.nextValue());
	assert.equal(record.decimal.mantissa, 1);
	outbox.markSent();
	assert.ok(outbox.reload() && record.wasSent);
	assert.ok(harness.remove(first));
	assert.equal(outbox.reload(), false);
	assert.ok(outbox.next());
	assert.equal(record.sequence, second);
});

test("the report appended last is sent as it was appended, in the state that it has now, not read again", () => {
	const harness = new OutboxHarness(createFragileMemory(1000), "dropOldest", 200);
	const { outbox } = harness;
	const { record } = outbox;
	const sequence = harness.accept(1);
	harness.fragile.bytes[harness.fragile.memory.indexOf(0x5a, headerSize(1))] = 0x3c; // sent
	harness.fragile.bytes.fill(0, headerSize(1) + 8, headerSize(1) + 14);
	assert.ok(outbox.next());
	assert.equal(record.sequence, sequence);
	assert.equal(record.time, 1e12 + 1);
	assert.ok(record.wasSent && record.nextValue());
	assert.equal(outbox.next(), false);
	// Another one has taken its place in the record: what retained memory has of it is damaged.
	harness.accept(2);
	assert.ok(outbox.next());
	outbox.rewind();
	assert.ok(outbox.next());
	assert.equal(record.sequence, sequence + 1);
	assert.deepEqual(harness.dropped, [{ sequence: 0, policy: DROPPED_CORRUPTED }]);
});

test("the report at the cursor is removed: it is found no more, though its place is used again", () => {
	const harness = new OutboxHarness(createFragileMemory(1000), "dropOldest", 200);
	const { outbox } = harness;
	const sequence = harness.accept(1);
	assert.ok(outbox.next());
	assert.ok(outbox.find(sequence) >= 0);
	assert.ok(harness.remove(sequence));
	for (let value = 2; value < 12; value++) {
		assert.equal(outbox.find(sequence), -1);
		assert.ok(harness.remove(harness.accept(value)));
	}
});

test("model: after any operations and resets every report is accounted for", () => {
	fc.assert(
		fc.property(
			fc.constantFrom<Policy>("dropOldest", "thin"),
			fc.integer({ min: 256, max: 400 }),
			fc.boolean(),
			fc.array(actions, { maxLength: 80, size: "max" }),
			(policy, size, backwards, list) => {
				const memory = createFragileMemory(headerSize(1) + size);
				memory.bytes.fill(0x5a);
				memory.writesBackwards = backwards;
				let harness = new OutboxHarness(memory, policy, size);
				assert.equal(harness.restored, "garbage");
				harness.retained.commit();
				const values = new Map<number, number>();
				const waiting = new Set<number>();
				let value = 0;
				let checkedDrops = 0;
				/** Drops reported by an event or deduced from the counters. */
				let drops = 0;
				const checkDrops = () => {
					for (; checkedDrops < harness.dropped.length; checkedDrops++) {
						const { sequence, policy: policyCode } = harness.dropped[checkedDrops];
						assert.equal(
							policyCode,
							policy === "thin" && policyCode === DROPPED_THINNED ? DROPPED_THINNED : DROPPED_OLDEST,
						);
						const order = [...waiting].sort((a, b) => a - b).indexOf(sequence);
						drops++;
						if (policyCode === DROPPED_OLDEST) assert.equal(order, 0, "the oldest gives way");
						else
							assert.ok(
								order > 0 && order <= waiting.size / 2 + 1,
								"one of the older half, but not the oldest",
							);
						waiting.delete(sequence);
					}
				};
				for (const action of list) {
					const maybeLost = new Set<number>();
					let reset = false;
					memory.writeBudget = ("reset" in action ? action.reset : null) ?? Infinity;
					try {
						if (action.type === "accept") {
							const own = Array.from(
								{ length: action.count },
								() => ++value + (value % 3 === 0 ? Math.PI : 0),
							);
							const next = harness.retained.words[WORD_SEQUENCE];
							maybeLost.add(next);
							values.set(next, own[0]);
							const sequence = harness.accept(...own);
							checkDrops();
							waiting.add(sequence);
						} else if (action.type === "acknowledge") {
							for (let i = 0; i < action.count && waiting.size > 0; i++) {
								const sequence = [...waiting][action.which % waiting.size];
								maybeLost.clear();
								maybeLost.add(sequence);
								assert.ok(harness.remove(sequence));
								assert.ok(!harness.remove(sequence), "an acknowledgement removes once");
								waiting.delete(sequence);
							}
						} else if (action.type === "send") {
							harness.outbox.rewind();
							for (let i = 0; i < action.count && harness.outbox.next(); i++) harness.outbox.markSent();
						} else if (action.type === "commit") harness.retained.commit();
						else reset = true;
					} catch (error) {
						if (!(error instanceof ResetError)) throw error;
						reset = true;
					}
					if (reset) {
						checkDrops();
						// A reset may also happen during recovery.
						for (;;) {
							memory.writeBudget =
								action.type === "reboot" && action.reset !== null ? action.reset : Infinity;
							try {
								harness = new OutboxHarness(memory, policy, size);
							} catch (error) {
								if (!(error instanceof ResetError)) throw error;
								memory.writeBudget = Infinity;
								harness = new OutboxHarness(memory, policy, size);
							}
							break;
						}
						memory.writeBudget = Infinity;
						checkedDrops = 0;
						assert.equal(harness.restored, "valid");
						const found = harness.waiting();
						for (const sequence of maybeLost) {
							if (found.has(sequence)) waiting.add(sequence);
							else waiting.delete(sequence);
						}
						// A drop may have become durable without an event.
						const missing = [...waiting].filter((sequence) => !found.has(sequence));
						const { words } = harness.retained;
						assert.equal(
							missing.length,
							words[WORD_DROPPED + DROPPED_OLDEST] +
								words[WORD_DROPPED + DROPPED_THINNED] -
								drops -
								harness.dropped.length,
						);
						assert.ok(missing.length <= 1);
						drops += missing.length;
						for (const sequence of missing) waiting.delete(sequence);
					}
					memory.writeBudget = Infinity;
					checkDrops();
					const found = harness.waiting();
					assert.deepEqual(
						[...found.keys()],
						[...waiting].sort((a, b) => a - b),
					);
					for (const [sequence, read] of found) assert.equal(read, values.get(sequence));
					harness.assertCountsConsistent();
				}
			},
		),
		{ numRuns: 500 },
	);
});

const DAMAGED_RING = 400;
/** Of one value up to 61, as the damaged ring has them. */
const RECORD_BYTES = 18;

/**
 * Places and new bytes. A record gets one of them, or two side by side: a CRC of 16 bits notices any change
 * within as many, and all but one in 65,536 of the others.
 */
const damages = fc
	.array(fc.tuple(fc.nat(DAMAGED_RING - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
	.filter((all) =>
		all.every(([at], i) =>
			all.slice(i + 1).every(([other]) => {
				const distance = Math.abs(at - other);
				const ringDistance = Math.min(distance, DAMAGED_RING - distance);
				return ringDistance <= 1 || ringDistance >= RECORD_BYTES;
			}),
		),
	);

test("damage affects only the damaged records, which are counted", () => {
	fc.assert(
		fc.property(
			fc.integer({ min: 1, max: 60 }),
			damages,
			fc.boolean(),
			fc.array(fc.nat(), { maxLength: 5 }),
			(count, damages, reboot, acknowledged) => {
				const size = DAMAGED_RING;
				const memory = createFragileMemory(headerSize(1) + size);
				let harness = new OutboxHarness(memory, "dropOldest", size);
				for (let i = 1; i <= count; i++) harness.accept(i);
				for (const which of acknowledged) {
					const waiting = [...harness.waiting().keys()];
					if (waiting.length > 0) harness.remove(waiting[which % waiting.length]);
				}
				harness.retained.commit();
				const before = harness.waiting();
				for (const [at, byte] of damages) memory.bytes[headerSize(1) + at] = byte;
				if (reboot) harness = new OutboxHarness(memory, "dropOldest", size);
				const first = harness.dropped.length;
				const read = () => {
					const found = new Map<number, number>();
					harness.outbox.rewind();
					while (harness.outbox.next()) {
						assert.ok(harness.outbox.record.nextValue());
						found.set(harness.outbox.record.sequence, harness.outbox.record.decimal.mantissa);
					}
					return found;
				};
				read();
				const after = read();
				// A state byte changed by damage may bring a dead report back, which is then sent twice.
				for (const [sequence, value] of after) assert.ok(value === sequence && sequence <= count);
				let lost = 0;
				for (const sequence of before.keys()) if (!after.has(sequence)) lost++;
				assert.ok(lost <= damages.length);
				assert.equal(harness.outbox.waitingCount, after.size);
				for (let i = reboot ? 0 : first; i < harness.dropped.length; i++)
					assert.deepEqual(harness.dropped[i], { sequence: 0, policy: DROPPED_CORRUPTED });
				harness.assertCountsConsistent();
				// The outbox still works.
				const sequence = harness.accept(count + 1);
				assert.equal(sequence, count + 1);
				assert.ok(read().has(sequence));
				harness.assertCountsConsistent();
			},
		),
		{
			numRuns: 500,
			// A record that gets the sequence number of the waiting one before it is another record all the same
			examples: [[47, [[301, 39]], false, [0, 0, 640132471, 139517913]]],
		},
	);
});

test("4096 bytes hold 240 reports of a reading with one decimal and 170 of any double", () => {
	for (const [value, least] of [
		[23.7, 227],
		[Math.PI, 170],
	] as const) {
		const harness = new OutboxHarness(createFragileMemory(headerSize(1) + 4096), "dropOldest", 4096);
		let count = 0;
		for (; harness.dropped.length === 0; count++) {
			const record = new ReportRecord();
			record.reset(1e12, false);
			record.addValue(0, value);
			assert.ok(harness.outbox.append(record));
		}
		assert.ok(count - 1 >= least, `${count - 1} reports`);
	}
});

test("thin keeps the whole time range, older parts more thinly", () => {
	const size = 4096;
	const harness = new OutboxHarness(createFragileMemory(headerSize(1) + size), "thin", size);
	for (let i = 1; i <= 5000; i++) harness.accept(i);
	const kept = [...harness.waiting().keys()];
	assert.equal(kept[0], 1);
	assert.equal(kept.at(-1), 5000);
	assert.ok(kept.length > 120);
	for (let i = 2; i < kept.length; i++) assert.ok(kept[i] > kept[i - 1]);
	assert.ok(kept.filter((sequence) => sequence > 4900).length >= 90);
	harness.assertCountsConsistent();
});

test("records of another sensor list are dropped and counted; numbering goes on", () => {
	for (const sensors of [1, 2, 5]) {
		const size = 512;
		const memory = createFragileMemory(headerSize(1) + 512 + 200);
		let harness = new OutboxHarness(memory, "dropOldest", size);
		for (let i = 1; i <= 5; i++) harness.accept(i);
		harness.remove(2);
		harness = new OutboxHarness(memory, "dropOldest", size, 2, sensors);
		assert.equal(harness.restored, "changed");
		assert.deepEqual(
			harness.dropped,
			[1, 3, 4, 5].map((sequence) => ({ sequence, policy: DROPPED_UNREADABLE })),
		);
		assert.equal(harness.outbox.waitingCount, 0);
		assert.equal(harness.accept(6), 6);
		harness = new OutboxHarness(memory, "dropOldest", size, 2, sensors);
		assert.equal(harness.restored, "valid");
		assert.deepEqual([...harness.waiting().keys()], [6]);
		harness.assertCountsConsistent();
	}
});

test("any memory content at power-on: the node starts afresh and works", () => {
	fc.assert(
		fc.property(
			fc.uint8Array({ minLength: headerSize(2) + 256, maxLength: headerSize(2) + 300 }),
			(bytes) => {
				const memory = createFragileMemory(bytes.length, bytes);
				const harness = new OutboxHarness(memory, "dropOldest", 256, 1, 2);
				assert.equal(harness.restored, "garbage");
				assert.equal(harness.outbox.waitingCount, 0);
				assert.equal(harness.accept(1), 1);
				assert.deepEqual([...new OutboxHarness(memory, "dropOldest", 256, 1, 2).waiting().keys()], [1]);
			},
		),
	);
});

test("a damaged copy of the header: the previous copy is used", () => {
	const size = 256;
	for (let at = 0; at < headerSize(1); at++) {
		const memory = createFragileMemory(headerSize(1) + size);
		const harness = new OutboxHarness(memory, "dropOldest", size);
		for (let i = 1; i <= 3; i++) harness.accept(i);
		memory.bytes[at] ^= 0x10;
		const again = new OutboxHarness(memory, "dropOldest", size);
		assert.equal(again.restored, "valid");
		const kept = [...again.waiting().keys()];
		assert.ok(kept.length === 3 || kept.length === 2);
	}
});

test("a record longer than the ring is refused", () => {
	const retained = new RetainedState(createFragileMemory(headerSize(1) + 256).memory, 1, 1, 256);
	retained.restore();
	const outbox = new Outbox(retained, "thin", 255, { onDropped: () => assert.fail() });
	const record = new ReportRecord();
	record.reset(0, false);
	assert.ok(record.addValue(0, 1));
	assert.equal(outbox.append(record), false);
	assert.throws(() => new RetainedState(new Uint8Array(300), 1, 1, 256), RangeError);
});

test("a record accepts values until it is full", () => {
	const record = new ReportRecord();
	record.reset(5, true);
	let count = 0;
	while (record.addValue(count, Math.E * count)) count++;
	assert.ok(count >= 24);
	record.seal(0xfffffffe);
	assert.ok(record.parse());
	assert.equal(record.sequence, 0xfffffffe);
	assert.ok(record.relative && record.time === 5 && !record.wasSent);
	for (let i = 0; i < count; i++) {
		assert.ok(record.nextValue());
		assert.equal(
			record.isDecimal ? record.decimal.mantissa / 10 ** record.decimal.scale : record.float,
			Math.E * i,
		);
	}
	assert.ok(!record.nextValue());
});

test("a reset at any byte of a drop counts it once, as dropped and never as acknowledged", () => {
	for (let budget = 0; ; budget++) {
		const memory = createFragileMemory(headerSize(1) + 256);
		let harness = new OutboxHarness(memory, "dropOldest", 256);
		for (let value = 0; value < 3; value++) harness.accept(value);
		memory.writeBudget = budget;
		let finished = false;
		try {
			harness.outbox.dropUnsendable(2);
			finished = true;
		} catch (error) {
			assert.ok(error instanceof ResetError);
		}
		memory.writeBudget = Infinity;
		harness = new OutboxHarness(memory, "dropOldest", 256);
		const { words } = harness.retained;
		assert.equal(words[WORD_ACKNOWLEDGED], 0, `cut after ${budget} bytes`);
		assert.deepEqual(
			[...harness.waiting().keys()],
			words[WORD_DROPPED + DROPPED_UNREADABLE] === 1 ? [1, 3] : [1, 2, 3],
			`cut after ${budget} bytes`,
		);
		harness.outbox.dropUnsendable(2);
		assert.equal(words[WORD_DROPPED + DROPPED_UNREADABLE], 1);
		assert.deepEqual([...harness.waiting().keys()], [1, 3]);
		harness.assertCountsConsistent();
		if (finished) break;
	}
});

test("space behind a long-waiting report is reclaimed; a reset at any byte loses nothing", () => {
	for (const policy of ["dropOldest", "thin"] as const) {
		const size = 400;
		for (let budget = 0; ; budget += 7) {
			const memory = createFragileMemory(headerSize(1) + size);
			let harness = new OutboxHarness(memory, policy, size);
			// The oldest and every third report wait, the others are acknowledged at once, until the ring has
			// been full once.
			const waiting = new Set<number>();
			let value = 0;
			const accept = () => {
				const sequence = harness.accept(value++);
				waiting.add(sequence);
				if (sequence % 3 !== 1) {
					assert.ok(harness.remove(sequence));
					waiting.delete(sequence);
				}
			};
			for (let i = 0; i < 18; i++) accept();
			memory.writeBudget = budget;
			let finished = false;
			try {
				for (let i = 0; i < 9; i++) accept();
				finished = true;
			} catch (error) {
				assert.ok(error instanceof ResetError);
			}
			memory.writeBudget = Infinity;
			harness = new OutboxHarness(memory, policy, size);
			assert.deepEqual(harness.dropped, [], `${policy}, cut after ${budget} bytes`);
			const left = [...harness.waiting().keys()];
			for (const sequence of waiting)
				assert.ok(
					left.includes(sequence) || sequence === value,
					`${policy}, cut after ${budget} bytes: report ${sequence}`,
				);
			assert.deepEqual(
				left,
				[...left].sort((a, b) => a - b),
			);
			harness.assertCountsConsistent();
			if (finished) break;
		}
	}
});

test("thin with two reports that leave no room for a third: the older one is dropped", () => {
	const values = [1, 2, 3];
	const probe = new OutboxHarness(createFragileMemory(headerSize(1) + 512), "thin", 512);
	probe.accept(...values);
	const size = 2 * probe.retained.words[WORD_USED] + LONGEST + 2;
	const harness = new OutboxHarness(createFragileMemory(headerSize(1) + Math.max(size, 256)), "thin", size);
	for (let i = 0; i < 6; i++) {
		harness.accept(...values);
		assert.ok(harness.outbox.waitingCount >= 1 && harness.outbox.waitingCount <= 3);
	}
	assert.ok(harness.dropped.length >= 3);
});

test("the generation wraps after 2^32 commits: the newest state is restored", () => {
	const memory = createFragileMemory(headerSize(1) + 512);
	const first = new OutboxHarness(memory, "dropOldest", 512);
	first.retained.words[WORD_GENERATION] = 0xffff_fffc;
	first.retained.commit();
	first.retained.commit();
	for (let i = 1; i <= 6; i++) {
		new OutboxHarness(memory, "dropOldest", 512).accept(i);
		assert.equal(new OutboxHarness(memory, "dropOldest", 512).outbox.waitingCount, i);
	}
});
