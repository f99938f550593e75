import assert from "node:assert/strict";
import { test } from "node:test";
import type { HostValue, Machine } from "../../sim/xs/index";
import { catchCrash, createMachine, createRoot, run } from "./device";

test("values pass in both directions", () => {
	const root = createRoot({
		main: 'native("keep").call(this, (...args) => native("log").call(this, ...args));',
	});
	let handle = 0;
	let seen: unknown[] = [];
	const machine = createMachine(root, {
		keep: (h: number) => {
			handle = h;
		},
		log: (...args: HostValue[]) => {
			seen = args;
			return args[0];
		},
	});
	machine.import("main");
	for (const value of [
		0,
		1,
		-1,
		2147483647,
		-2147483648,
		2147483648,
		1.5,
		Number.MAX_VALUE,
		Infinity,
		"",
		"text",
		"grüße ☃ 😀",
		true,
		false,
		null,
		undefined,
	]) {
		assert.deepEqual(machine.call(handle, value, "more"), value);
		assert.deepEqual(seen, [value, "more"]);
	}
	assert.ok(Object.is(machine.call(handle, -0), -0));
	assert.ok(Number.isNaN(machine.call(handle, NaN)));
	machine.destroy();
	root.dispose();
});

test("values that XS cannot take are refused, values that Node cannot take are undefined", () => {
	assert.deepEqual(run('log({}, [1], Symbol("x"), null, /x/, new Date(0), 5n)'), [
		undefined,
		undefined,
		undefined,
		null,
		undefined,
		undefined,
		undefined,
	]);
	const root = createRoot({
		main: 'try { native("other").call(this); } catch (e) { native("log").call(this, e.message); }',
	});
	let message = "";
	const machine = createMachine(root, {
		other: (() => ({})) as never,
		log: (text: string) => {
			message = text;
		},
	});
	machine.import("main");
	assert.match(message, /only numbers, strings/);
	root.dispose();
});

test("native() returns the same function each time, and throws for unknown names", () => {
	assert.deepEqual(run('log(native("log") === native("log"), typeof native("other"))'), [true, "function"]);
	assert.match(catchCrash(() => run('native("gone")')).detail, /native "gone" does not exist/);
	assert.match(catchCrash(() => run('native("other").call(this)')).detail, /native "other" is not provided/);
});

test("typed arrays arrive as views of XS memory, and XS sees writes", () => {
	const root = createRoot(
		{
			rom: "export const rom = new Uint8Array([7, 8, 9]);",
			main: `
				import { rom } from "rom";
				const bytes = new Uint8Array(16).fill(1);
				const read = native("other");
				native("log").call(this, read.call(this, bytes.subarray(4, 8)), bytes.join());
				native("log").call(this, read.call(this, new DataView(bytes.buffer, 8, 2)), bytes.join());
				native("log").call(this, read.call(this, bytes.buffer), bytes.join());
				native("log").call(this, read.call(this, new Uint16Array([1, 2])), "16");
				native("log").call(this, read.call(this, new Uint8Array(0)), "empty");
				native("log").call(this, read.call(this, rom), rom.join());
			`,
		},
		{ preload: ["rom"] },
	);
	const logged: unknown[] = [];
	const machine = createMachine(root, {
		log: (...args: unknown[]) => void logged.push(args.join(" ")),
		other: (view: Uint8Array) => {
			const text = `${view.length}:${view.join()}`;
			view.fill(view.length);
			return text;
		},
	});
	machine.import("main");
	assert.deepEqual(logged, [
		"4:1,1,1,1 1,1,1,1,4,4,4,4,1,1,1,1,1,1,1,1",
		"2:1,1 1,1,1,1,4,4,4,4,2,2,1,1,1,1,1,1",
		`16:1,1,1,1,4,4,4,4,2,2,1,1,1,1,1,1 ${Array(16).fill(16)}`,
		"4:1,0,2,0 16",
		"0: empty",
		"3:7,8,9 7,8,9",
	]);
	machine.destroy();
	root.dispose();
});

test("a view kept after its machine is destroyed is detached", () => {
	const root = createRoot({ main: 'native("keep").call(this, new Uint8Array([1, 2, 3]))' });
	let kept = new Uint8Array();
	const machine = createMachine(root, {
		keep: (view: Uint8Array) => {
			kept = view as Uint8Array<ArrayBuffer>;
		},
	});
	machine.import("main");
	assert.equal(kept.join(), "1,2,3");
	machine.destroy();
	assert.equal(kept.length, 0);
	root.dispose();
});

test("a returned Uint8Array becomes an ArrayBuffer", () => {
	const root = createRoot({
		main: 'const b = native("other").call(this); native("log").call(this, b instanceof ArrayBuffer, new Uint8Array(b).join());',
	});
	const logged: unknown[] = [];
	const machine = createMachine(root, {
		other: () => Uint8Array.of(5, 6),
		log: (...args: unknown[]) => void logged.push(...args),
	});
	machine.import("main");
	assert.deepEqual(logged, [true, "5,6"]);
	root.dispose();
});

test("functions become handles that survive collections until forget()", () => {
	const root = createRoot({
		main: 'for (let i = 0; i < 100; i++) native("keep").call(this, () => i); native("other").call(this, () => () => "inner");',
	});
	const handles: number[] = [];
	let outer = 0;
	const machine = createMachine(root, {
		keep: (h: number) => void handles.push(h),
		other: (h: number) => {
			outer = h;
		},
	});
	machine.import("main");
	machine.collect();
	for (const [i, handle] of handles.entries()) assert.equal(machine.call(handle), i);
	assert.equal(machine.call(machine.call(outer) as number), "inner");
	const used = machine.statistics.slots.used;
	for (const handle of handles) machine.forget(handle);
	machine.forget(handles[0]);
	machine.forget(123456);
	machine.collect();
	assert.ok(machine.statistics.slots.used < used - 300);
	assert.match(catchCrash(() => machine.call(handles[0])).detail, /no function has the handle/);
	machine.destroy();
	root.dispose();
});

test("nested entries pass exceptions in both directions", () => {
	const root = createRoot({
		main: `
			class Mine extends Error { code = 42; }
			const node = native("other");
			native("keep").call(this, n => n === 0 ? "bottom" : node.call(this, n));
			native("keep").call(this, () => { throw new Mine("from XS"); });
			native("keep").call(this, which => {
				try { return node.call(this, which); }
				catch (e) { return e instanceof Mine ? "mine " + e.code : e.message; }
			});
			native("keep").call(this, which => node.call(this, which));
		`,
	});
	const handles: number[] = [];
	const machine: Machine = createMachine(root, {
		keep: (h: number) => void handles.push(h),
		other: (which: HostValue) => {
			if (typeof which === "number") return machine.call(handles[0], which - 1);
			if (which === "node") throw new Error("from Node");
			if (which === "string") throw "a string";
			if (which === "pass") return machine.call(handles[1]);
			try {
				machine.call(handles[1]);
			} catch (error) {
				assert.ok(error instanceof Error);
				assert.equal(error.message, "Error: from XS");
				if (which === "replace") throw new Error("replaced");
				return "caught in Node";
			}
		},
	});
	machine.import("main");
	assert.equal(machine.call(handles[0], 6), "bottom");
	assert.equal(machine.call(handles[2], "node"), "from Node");
	assert.equal(machine.call(handles[2], "string"), "a string");
	assert.equal(machine.call(handles[2], "pass"), "mine 42");
	assert.equal(machine.call(handles[2], "catch"), "caught in Node");
	assert.equal(machine.call(handles[2], "replace"), "replaced");
	const crash = catchCrash(() => machine.call(handles[3], "node"));
	assert.equal(crash.detail, "Error: from Node");
	assert.ok(crash.cause instanceof Error && crash.cause.message === "from Node");
	machine.destroy();
	root.dispose();
});

test("a crash in an inner entry ends the outer ones, even if a host function catches it", () => {
	const root = createRoot({
		main: `
			native("keep").call(this, () => { for (const all = [];;) all.push({}); });
			native("keep").call(this, which => { try { native("other").call(this, which); } catch {} native("log").call(this, "not reached"); });
		`,
	});
	for (const which of ["swallow", "pass"]) {
		const handles: number[] = [];
		const logged: unknown[] = [];
		const machine: Machine = createMachine(root, {
			keep: (h: number) => void handles.push(h),
			log: (text: string) => void logged.push(text),
			other: (how: string) => {
				const crash = catchCrash(() => machine.call(handles[0]));
				if (how === "pass") throw crash;
			},
		});
		machine.import("main");
		assert.equal(catchCrash(() => machine.call(handles[1], which)).kind, "slot memory full");
		assert.deepEqual(logged, []);
		machine.destroy();
	}
	root.dispose();
});

test("one machine calls another; a crash of one is an exception in the other", () => {
	const root = createRoot({ main: 'native("keep").call(this, n => native("other").call(this, n));' });
	const handles: number[] = [];
	const keep = (h: number) => void handles.push(h);
	const second = createMachine(root, {
		keep,
		other: (n: number) => {
			if (n === 13) throw new Error("unlucky");
			return n + 1;
		},
	});
	const first = createMachine(root, { keep, other: (n: number) => second.call(handles[1], n) });
	first.import("main");
	second.import("main");
	assert.equal(first.call(handles[0], 5), 6);
	assert.match(catchCrash(() => first.call(handles[0], 13)).detail, /unlucky/);
	assert.equal(catchCrash(() => second.call(handles[1], 1)).kind, "unhandled exception");
	root.dispose();
});

test("destroy() in a host call: XS does not go on, the entry returns", () => {
	const root = createRoot({
		main: 'native("log").call(this, "before"); try { native("other").call(this); } finally { native("log").call(this, "after"); }',
	});
	const logged: unknown[] = [];
	const machine: Machine = createMachine(root, {
		log: (text: string) => void logged.push(text),
		other: () => machine.destroy(),
	});
	machine.import("main");
	assert.deepEqual(logged, ["before"]);
	assert.throws(() => machine.import("main"), /destroyed/);
	assert.equal(machine.pendingJobs, false);
	machine.forget(1);
	const { computrons } = machine.statistics;
	assert.ok(computrons > 0);
	machine.destroy();
	assert.equal(machine.statistics.computrons, computrons);
	machine.destroy();
	root.dispose();
});

test("retained memory has the same bytes in XS and Node, also after a crash", () => {
	const root = createRoot({
		main: `
			const all = new Uint8Array(native("xs_firefly_retained").call(this));
			const part = new Uint8Array(native("xs_firefly_retained").call(this, 8));
			native("log").call(this, all.length, part.length, all.join());
			part[0] = 100; all.set([7], 9); new DataView(all.buffer, 4, 4).setUint32(0, 0x01020304);
			native("other").call(this, all.subarray(2, 6));
			native("log").call(this, all.join());
			try { native("xs_firefly_retained").call(this, 11); } catch (e) { native("log").call(this, e.name); }
			all.fill(5);
			throw new Error("crash");
		`,
	});
	const pool = Uint8Array.from({ length: 20 }, (_, i) => i);
	const retained = pool.subarray(5, 15);
	const logged: string[] = [];
	const machine = createMachine(
		root,
		{
			log: (...args: unknown[]) => void logged.push(args.join(" ")),
			other: (view: Uint8Array) => void view.fill(77),
		},
		{ retained },
	);
	catchCrash(() => machine.import("main"));
	assert.deepEqual(logged, ["10 8 5,6,7,8,9,10,11,12,13,14", "100,6,77,77,77,77,3,4,13,7", "RangeError"]);
	assert.equal(retained.join(), Array(10).fill(5).join());
	assert.deepEqual([pool[4], pool[15]], [4, 15]);
	machine.destroy();
	assert.equal(retained[0], 5);
	root.dispose();
});

test("trace() passes its text to the host", () => {
	const root = createRoot({ main: 'trace("a", 1, "\\n"); trace.left("b");' });
	const traced: string[] = [];
	createMachine(root, {}, { trace: (text) => void traced.push(text) }).import("main");
	assert.deepEqual(traced, ["a", "1", "\n"]);
	root.dispose();
});
