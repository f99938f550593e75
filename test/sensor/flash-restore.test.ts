import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { FIXED_SIZE, WORD_GENERATION, WORD_HEAD, WORD_RING_START } from "../../src/sensor/retained/layout";
import { PowerCutStorage } from "../broker/support/power-cut-storage";
import { ScriptedBroker } from "../client/scripted-broker";
import { FlashBoard } from "./support/flash-board";
import { MINUTE, payloads } from "./support/payloads";
import { type Overrides, settings as settingsOf } from "./support/test-board";

const sensors = ["a", "b"].map((name) => ({ name, property: [name], every: 10 * MINUTE }));
/** Values of before the outage have ended are below it. */
const NEW_VALUE = 1000;
/** Bytes of a ring that holds half of the reports. */
const SMALL_RING = 140;

/** Flash and retained memory after an outage in which all reports wait. */
const outage = (() => {
	const flash = new FlashBoard({ payload: "json", sensors });
	const { board } = flash;
	let samples = 0;
	board.sample = () => ({ a: ++samples, b: samples });
	board.wifi = "fails";
	board.run(65 * MINUTE);
	return {
		values: new Map(flash.storage.values),
		retained: board.retained.bytes.slice(),
		count: board.events("accepted").length,
	};
})();

interface Cut {
	/** The chip is reset before this change of flash. */
	readonly resetAt?: number;
	/** The power fails at this byte of a change of flash. */
	readonly powerAt?: number;
	/** The chip is reset once so many bytes of retained memory were written. */
	readonly budget?: number;
}

interface Scene {
	readonly reason: "power-on" | "brown-out" | "reset";
	readonly overrides?: Overrides;
	/** What the reason has left of retained memory. */
	readonly retained: Uint8Array;
	/** The last of the bytes and changes that a reset may not come before. */
	readonly hiddenUpTo?: number;
}

/** Boots after the outage, with a cut in this first boot, and reports. */
function boot({ reason, overrides, retained }: Scene, { resetAt, powerAt, budget }: Cut = {}) {
	const flash = new FlashBoard({ payload: "json", sensors });
	const { board } = flash;
	flash.storage = new PowerCutStorage(outage.values);
	flash.resetAt = resetAt ?? Infinity;
	flash.cutAt(powerAt ?? Infinity, "part");
	board.settings = settingsOf({
		payload: "json",
		sensors,
		...overrides,
		outbox: { storage: "flash", policy: "dropOldest", size: 4096, ...overrides?.outbox },
	});
	board.retained.bytes.set(retained);
	board.sample = () => ({ a: NEW_VALUE, b: NEW_VALUE });
	const broker = new ScriptedBroker(board.network, 1883);
	board.boots = 1;
	board.reset(reason);
	board.retained.writeBudget = budget ?? Infinity;
	let changes = 0;
	let writes: number[] = [];
	board.network.clock.after(1, () => {
		changes = flash.starts.length;
		writes = [...board.retained.writes];
	});
	board.run(35 * MINUTE);
	const reports = payloads(broker).map((payload) => {
		const { seq, a, b, c } = JSON.parse(payload) as { seq: number; [name: string]: number };
		return { seq, value: a ?? b ?? c };
	});
	return { flash, board, reports, changes, writes };
}

/** Every cut of a boot of a scene. */
function* cuts(scene: Scene): Generator<Cut> {
	const ample = 1_000_000;
	const { changes, flash, writes } = boot(scene, { budget: ample });
	assert.ok(changes > 3, `${changes} changes of flash`);
	const { hiddenUpTo = -1 } = scene;
	for (let at = Math.max(hiddenUpTo + 1, 1); at <= changes; at++) yield { resetAt: at };
	for (const [index, at] of flash.starts.slice(0, changes).entries()) {
		const next = flash.starts[index + 1];
		for (const byte of new Set([at, (at + next) >> 1])) yield { powerAt: byte };
	}
	const starts = writes.map((left) => ample - left);
	// Bytes of records are written one by one
	for (const [index, at] of starts.entries()) {
		const length = (starts[index + 1] ?? at) - at;
		if (length > 1 || index % 32 === 0)
			for (const budget of new Set([at, at + (length >> 1)])) if (budget > hiddenUpTo) yield { budget };
	}
}

/** Each report that had waited is acknowledged or counted, exactly one of both, and none is garbled. */
function check(scene: Scene, dropped: number | undefined): void {
	let count = 0;
	for (const cut of cuts(scene)) {
		const at = JSON.stringify(cut);
		const { board, reports } = boot(scene, cut);
		count++;
		const old = new Set(reports.filter(({ seq }) => seq <= outage.count).map(({ seq }) => seq));
		const counted = board.events("wake").at(-1)?.details[2] ?? 0;
		assert.equal(old.size + counted, outage.count, `${at}: ${old.size} arrived, ${counted} are counted`);
		if (dropped !== undefined) assert.equal(counted, dropped, at);
		for (const { seq, value } of reports)
			assert.equal(value, seq <= outage.count ? (seq + 1) >> 1 : NEW_VALUE, `${at}: report ${seq}`);
		assert.equal(board.events("sleep").at(-1)?.details[1], 0, `${at}: none waits`);
	}
	assert.ok(count > 20, `${count} cuts`);
}

const noise = Uint8Array.from(outage.retained, (_, i) => (i * 31 + 7) & 0xff);

/** Some records are damaged. */
function damagedRecords(): Uint8Array {
	const bytes = outage.retained.slice();
	const { words } = newestHeader(bytes);
	const from = words[WORD_RING_START] + words[WORD_HEAD];
	for (const offset of [2, 30, 100]) bytes[from + offset] ^= 0x10;
	return bytes;
}

/** The newest header is damaged, and with it what only it says. */
function damagedHeader(): Uint8Array {
	const bytes = damagedRecords();
	bytes[newestHeader(bytes).copy * FIXED_SIZE + 20] ^= 0x10;
	return bytes;
}

function newestHeader(bytes: Uint8Array): { readonly copy: number; readonly words: Uint32Array } {
	const header = (copy: number) =>
		new Uint32Array(bytes.slice(copy * FIXED_SIZE, (copy + 1) * FIXED_SIZE).buffer);
	const copy = header(1)[WORD_GENERATION] > header(0)[WORD_GENERATION] ? 1 : 0;
	return { copy, words: header(copy) };
}

describe("reports are put back from flash, and a reset, a crash or a loss of power comes at each step", () => {
	test("they find room in the ring: all arrive", () => {
		check({ reason: "power-on", retained: noise }, 0);
	});

	test("the ring is smaller than it was: the oldest give way, and each of these is counted once", () => {
		const outbox = { storage: "flash", policy: "dropOldest", size: SMALL_RING } as const;
		check({ reason: "power-on", retained: noise, overrides: { outbox } }, undefined);
	});

	test("they are of other sensors: each is counted once, and none is taken for one of the present sensors", () => {
		const overrides = { sensors: [{ ...sensors[1], name: "c" }] };
		check({ reason: "power-on", retained: noise, overrides }, outage.count);
	});

	test("a brown-out has damaged some records: all arrive, none is counted", () => {
		check({ reason: "brown-out", retained: damagedRecords() }, 0);
	});

	test("a brown-out has damaged the newest header, too: all arrive, none is counted", () => {
		// A reset before anything was written hides that the supply was away
		check({ reason: "brown-out", retained: damagedHeader(), hiddenUpTo: 1 }, 0);
	});

	test("other sensors after a reset: all are counted, none is taken for one of the present sensors", () => {
		const overrides = { sensors: [{ ...sensors[1], name: "c" }] };
		check({ reason: "reset", retained: outage.retained, overrides }, outage.count);
	});
});
