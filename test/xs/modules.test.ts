import assert from "node:assert/strict";
import { test } from "node:test";
import { catchCrash, createMachine, createRoot, run } from "./device";

for (const preloaded of [false, true]) {
	const modules = {
		"lib/a":
			'import { b } from "./b"; import * as up from "../top"; import c from "embedded:io/c"; export const a = ["a", b, up.top, c].join(); export { d as renamed } from "./d.js";',
		"lib/b": 'export const b = "b";',
		"lib/d": 'export const d = "d";',
		top: 'export const top = "top";',
		"embedded:io/c": 'export default "c";',
	};
	const preload = preloaded ? ["lib/a"] : [];
	test(`specifiers of all forms, extensions, re-exports (preload: ${preloaded})`, () => {
		assert.deepEqual(run('import { a, renamed } from "./lib/a.js"; log(a, renamed);', {}, modules, preload), [
			"a,b,top,c",
			"d",
		]);
	});
	test(`dynamic import is relative to the importer (preload: ${preloaded})`, () => {
		const source =
			'const m = import("lib/a"); m.then(ns => log(ns.a)); import("./lib/" + "b").then(ns => log(ns.b, import.meta.uri)); log("first");';
		assert.deepEqual(run(source, {}, modules, preload), ["first", "a,b,top,c", "b", "main"]);
	});
	test(`cyclic imports work (preload: ${preloaded})`, () => {
		const cyclic = {
			odd: 'import { even } from "even"; export function odd(n) { return n !== 0 && even(n - 1); }',
			even: 'import { odd } from "odd"; export function even(n) { return n === 0 || odd(n - 1); }',
		};
		assert.deepEqual(
			run('import { odd } from "odd"; log(odd(7), odd(8));', {}, cyclic, preloaded ? ["odd"] : []),
			[true, false],
		);
	});
}

test("a missing module: the error names it and its importer", () => {
	const crash = catchCrash(() => run('import "lib/x";', {}, { "lib/x": 'import "./gone/y";' }));
	assert.equal(crash.kind, "unhandled exception");
	assert.equal(crash.detail, 'ReferenceError: module "./gone/y" not found, imported by "lib/x"');
	assert.match(
		catchCrash(() => run('import("nowhere");')).detail,
		/module "nowhere" not found, imported by "main"/,
	);
	assert.deepEqual(run('import("nowhere").catch(e => log(e.message));'), [
		'module "nowhere" not found, imported by "main"',
	]);
	const root = createRoot({ main: "" });
	assert.equal(
		catchCrash(() => createMachine(root).import("gone")).detail,
		'ReferenceError: module "gone" not found',
	);
	root.dispose();
});

test("a missing export is an error that names it", () => {
	assert.match(
		catchCrash(() => run('import { gone } from "lib";', {}, { lib: "export const here = 1;" })).detail,
		/SyntaxError: .*gone not found/,
	);
});

test("syntax errors stop the root, with path and line", () => {
	for (const [source, detail] of [
		["let a = 1;\nlet b = ;", /^main\.js:2: /],
		["let a = 1;\n\nlet a = 2;", /^main\.js:3: .*a/],
		["\n\nfoo(", /^main\.js:\d: /],
		["let s = `never closed", /^main\.js:1: /],
		["const x = 1 as number;", /^main\.js:1: /],
		["await 1; return 2;", /^main\.js:1: /],
		["'".repeat(3), /^main\.js:1: /],
	] as const) {
		const crash = catchCrash(() => createRoot({ main: source }));
		assert.equal(crash.kind, "syntax error", source);
		assert.match(crash.detail, detail);
	}
	assert.deepEqual(
		run(
			'try { eval("let ;"); } catch (e) { log(e.name); } try { new Function("}") } catch (e) { log(e.name); }',
		),
		["SyntaxError", "SyntaxError"],
	);
});

test("source nested too deeply is an error", () => {
	assert.match(
		catchCrash(() => createRoot({ main: "[".repeat(200000) })).detail,
		/^main\.js:1: stack overflow/,
	);
	assert.deepEqual(
		run(
			'let s = "["; for (let i = 0; i < 14; i++) s += s; try { eval(s); } catch (e) { log(e.name, e.message); }',
		),
		["RangeError", "stack overflow"],
	);
});

test("an error in a preloaded module stops the root", () => {
	const crash = catchCrash(() => createRoot({ pre: "\nthrow new Error('early');" }, { preload: ["pre"] }));
	assert.equal(crash.kind, "unhandled exception");
	assert.equal(crash.detail, "Error: early");
	assert.match(crash.stack ?? "", /pre\.js:2/);
	assert.match(
		catchCrash(() => createRoot({ pre: 'native("log").call(this, 1);' }, { preload: ["pre"] })).detail,
		/"log" cannot be called while preloading/,
	);
	assert.match(catchCrash(() => createRoot({}, { preload: ["gone"] })).detail, /module "gone" not found/);
	assert.match(
		catchCrash(() => createRoot({ pre: "await 1;" }, { preload: ["pre"] })).detail,
		/async module/,
	);
});

test("a custom resolve function is used", () => {
	const root = createRoot(
		{ main: 'import { x } from "alias"; native("log").call(this, x);', real: "export const x = 5;" },
		{ resolve: (specifier) => (specifier === "alias" ? "real" : specifier) },
	);
	const logged: unknown[] = [];
	createMachine(root, { log: (x: number) => void logged.push(x) }).import("main");
	assert.deepEqual(logged, [5]);
	root.dispose();
});

test("launch calls a default export that is a function, import does not", () => {
	const root = createRoot({
		main: 'export default function () { native("log").call(this, "launched"); }',
		value: "export default 5;",
	});
	const logged: unknown[] = [];
	const machine = createMachine(root, { log: (text: string) => void logged.push(text) });
	machine.import("main");
	assert.deepEqual(logged, []);
	machine.launch("main");
	machine.launch("value");
	assert.deepEqual(logged, ["launched"]);
	machine.destroy();
	root.dispose();
});

test("promises: jobs run on request, in order, also for async functions", () => {
	const root = createRoot({
		main: `
			const log = native("log");
			(async () => {
				log.call(this, "a");
				await null;
				log.call(this, "c");
				try { await Promise.reject(new Error("x")); } catch (e) { log.call(this, e.message); }
			})();
			log.call(this, "b");
			Promise.reject(1).catch(() => {});
		`,
	});
	const logged: unknown[] = [];
	const machine = createMachine(root, { log: (text: string) => void logged.push(text) });
	machine.import("main");
	assert.deepEqual(logged, ["a", "b"]);
	assert.ok(machine.pendingJobs);
	machine.runJobs();
	assert.deepEqual(logged, ["a", "b", "c", "x"]);
	assert.ok(!machine.pendingJobs);
	machine.destroy();
	root.dispose();
});

test("a rejection without jobs is pending too", () => {
	const root = createRoot({ main: 'Promise.reject(new Error("alone"));' });
	const machine = createMachine(root);
	machine.import("main");
	assert.ok(machine.pendingJobs);
	assert.equal(catchCrash(() => machine.runJobs()).kind, "unhandled rejection");
	assert.ok(!machine.pendingJobs);
	root.dispose();
});

test("a large program runs from byte code of the root", () => {
	const lines = Array.from(
		{ length: 400 },
		(_, i) =>
			`export function f${i}(x = ${i}) { const [a, b] = [x, "${"é".repeat(i % 50)}"]; return a + b.length + ${i * 1.5} + (${i * 70000}); }`,
	);
	const body = `${lines.join("\n")}\nexport class K { #a = 1; static #s = "s"; get a() { return this.#a + K.#s; } *[Symbol.iterator]() { yield* [1, 2n, "\u{1F600}"]; } }`;
	const source = `import * as big from "big"; let sum = 0; for (let i = 0; i < 400; i++) sum += big["f" + i](); log(sum, new big.K().a, [...new big.K()].join());`;
	let sum = 0;
	for (let i = 0; i < 400; i++) sum += i + (i % 50) + i * 1.5 + i * 70000;
	const options = { creation: { slots: 20000, chunks: 200000, stack: 4096, keys: 500 } };
	for (const preload of [[], ["big"]])
		assert.deepEqual(run(source, options, { big: body }, preload), [sum, "1s", "1,2,\u{1F600}"]);
});
