import assert from "node:assert/strict";
import { test } from "node:test";
import { catchCrash, createMachine, createRoot } from "./device";

function counter(preload: string[]) {
	return createRoot(
		{
			main: 'import { next, Thing, table } from "state"; globalThis.mine = 0; native("keep").call(this, () => { mine++; return next() * 100 + mine; })',
			state:
				"let n = 0; export function next() { return ++n; } export class Thing { x = 1; } export const table = { open: { value: 1 } };",
		},
		{ preload },
	);
}

for (const preload of [[], ["state"]]) {
	test(`each machine has its own globals and module state (preload: ${preload.join() || "none"})`, () => {
		const root = counter(preload);
		const handles: number[] = [];
		const machines = [1, 2, 3].map(() => createMachine(root, { keep: (h: number) => void handles.push(h) }));
		for (const machine of machines) machine.import("main");
		assert.equal(machines[0].call(handles[0]), 101);
		assert.equal(machines[0].call(handles[0]), 202);
		assert.equal(machines[1].call(handles[1]), 101);
		machines[0].collect();
		machines[1].collect();
		assert.equal(machines[0].call(handles[0]), 303);
		assert.equal(machines[2].call(handles[2]), 101);
		for (const machine of machines) machine.destroy();
		root.dispose();
	});
}

test("objects of the root: frozen functions and prototypes, aliases, read-only buffers and maps", () => {
	const preloaded = `
		export class Thing { static s = 1; m() {} }
		export const open = { deep: { value: 1 }, list: [1, 2, 3] };
		export const closed = Object.freeze({ list: Object.freeze([1, 2]) });
		export const bytes = new Uint8Array([1, 2, 3]);
		export const map = new Map([["a", 1]]);
		export const date = new Date(0);
		export const re = /b(.)/;
		export const tag = (strings) => strings.raw[0];
		export const template = () => tag\`hello\`;
		export let variable = 1;
		export const set = v => { variable = v; };
	`;
	const main = `
		import * as p from "pre";
		import { variable, set } from "pre";
		const log = (...args) => native("log").call(this, ...args);
		const attempt = f => { try { f(); return "done"; } catch (e) { return e.name; } };
		log(
			"proto",
			attempt(() => { p.Thing.prototype.x = 1; }),
			attempt(() => { p.Thing.t = 1; }),
			attempt(() => { Array.prototype.x = 1; }),
			attempt(() => { Array.prototype.map = 1; }),
		);
		log(
			"open",
			attempt(() => { p.open.deep.value += 41; p.open.list.push(4); p.open.list[0] = 9; }),
			p.open.deep.value,
			p.open.list.join(),
		);
		log("closed", attempt(() => { p.closed.list[0] = 9; }), attempt(() => { p.closed.x = 1; }));
		log(
			"bytes",
			attempt(() => { p.bytes[0] = 9; }),
			attempt(() => { p.bytes.set([9]); }),
			attempt(() => { p.bytes.fill(9); }),
			p.bytes.join(),
		);
		log(
			"map",
			attempt(() => { p.map.set("b", 2); }),
			p.map.get("a"),
			attempt(() => { p.date.setTime(5); }),
			p.date.getTime(),
		);
		log("re", p.re.exec("abc")[1], "xbyb".replace(p.re, "-"), p.template());
		set(7);
		log("variable", variable);
		globalThis.Array2 = Array; log("global", typeof Array2, typeof globalThis.Math.max, Object.isFrozen(Math));
		p.open.extra = new Array(10).fill({ a: 1 });
		log("keep", () => p.open.deep.value + p.open.extra.length);
	`;
	const root = createRoot({ pre: preloaded, main }, { preload: ["pre"] });
	for (let i = 0; i < 3; i++) {
		const logged: string[] = [];
		let handle = 0;
		const machine = createMachine(root, {
			log: (name: string, ...rest: unknown[]) => {
				if (name === "keep") handle = rest[0] as number;
				else logged.push(`${name}: ${rest.join(" ")}`);
			},
		});
		machine.import("main");
		assert.deepEqual(logged, [
			"proto: TypeError TypeError TypeError TypeError",
			"open: done 42 9,2,3,4",
			"closed: TypeError TypeError",
			"bytes: TypeError TypeError TypeError 1,2,3",
			"map: TypeError 1 done 5",
			"re: c x-b hello",
			"variable: 7",
			"global: function function true",
		]);
		for (let j = 0; j < 10; j++) machine.collect();
		assert.equal(machine.call(handle), 52);
		machine.destroy();
	}
	root.dispose();
});

test("10,000 machines created, run, half of them crashed, and destroyed: memory does not grow", () => {
	const root = createRoot({
		main: 'native("keep").call(this, n => { const all = []; for (let i = 0; i < n; i++) all.push({ i, s: "x".repeat(i) }); return JSON.stringify(all).length; })',
	});
	let first = "";
	let resident = 0;
	let growth = 0;
	for (let i = 0; i < 10000; i++) {
		let handle = 0;
		const machine = createMachine(root, {
			keep: (h: number) => {
				handle = h;
			},
		});
		machine.import("main");
		machine.call(handle, 10);
		const counts = JSON.stringify(machine.statistics);
		first ||= counts;
		assert.equal(counts, first);
		if (i % 2) assert.match(catchCrash(() => machine.call(handle, 100000)).kind, /memory full/);
		machine.destroy();
		if (i === 4000) resident = process.memoryUsage.rss();
		if (i > 4000) growth = process.memoryUsage.rss() - resident;
	}
	assert.ok(growth < 16 * 1024 * 1024, `grew by ${growth} bytes`);
	root.dispose();
});

test("machines that are not destroyed and roots that are not disposed are collected", () => {
	for (let i = 0; i < 50; i++) {
		const root = createRoot({ main: "globalThis.x = new Uint8Array(1000);" });
		for (let j = 0; j < 10; j++) createMachine(root).import("main");
	}
});

test("each machine has its own clock and random numbers", () => {
	const root = createRoot({
		main: 'native("log").call(this, Date.now(), new Date().toISOString(), new Date(2020, 0, 1).getTime(), Math.random(), Math.random())',
	});
	const logs = [1, 2, 1].map((seed, i) => {
		const logged: unknown[] = [];
		const machine = createMachine(
			root,
			{ log: (...args: unknown[]) => void logged.push(...args) },
			{ seed, clock: () => 1e12 + i },
		);
		machine.import("main");
		machine.destroy();
		return logged;
	});
	assert.deepEqual(logs[0].slice(0, 3), [1e12, "2001-09-09T01:46:40.000Z", 1577836800000]);
	assert.equal(logs[1][0], 1e12 + 1);
	assert.deepEqual(logs[0].slice(3), logs[2].slice(3));
	assert.notDeepEqual(logs[0].slice(3), logs[1].slice(3));
	for (const value of [...logs[0].slice(3), ...logs[1].slice(3)] as number[])
		assert.ok(value >= 0 && value < 1);
	root.dispose();
});
