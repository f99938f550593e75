import assert from "node:assert/strict";
import { test } from "node:test";
import { Machine, type MachineOptions } from "../../sim/xs/index";
import { catchCrash, createMachine, createRoot, creation, run } from "./device";

const causes: Record<
	string,
	{ source: string; kind: string; detail?: RegExp; stack?: RegExp; options?: Partial<MachineOptions> }
> = {
	"slot memory": {
		source: "const all = [];\nfunction fill() {\n for (;;) all.push({});\n}\nfill();",
		kind: "slot memory full",
		stack: /at fill \(main\.js:4\)/,
	},
	"chunk memory": {
		source: 'let s = "x";\nfor (;;)\n s += s;',
		kind: "chunk memory full",
		stack: /main\.js:4/,
	},
	"chunk memory, at once": {
		source: "new ArrayBuffer(1000000000)",
		kind: "chunk memory full",
		stack: /main\.js:2/,
	},
	keys: {
		source: "const o = {};\nfor (let i = 0; ; i++)\n o['k' + i] = i;",
		kind: "keys exhausted",
		stack: /main\.js:4/,
	},
	stack: {
		source: "function f() {\n return 1 + f();\n}\nf();",
		kind: "stack overflow",
		stack: /at f \(main\.js:3\)/,
	},
	"native stack": {
		source: "const a = [1];\nconst f = () => {\n a.map(f); return 1; };\nf();",
		kind: "stack overflow",
		stack: /at f \(main\.js:4\)/,
		options: { creation: { ...creation, stack: 1000000 } },
	},
	"endless loop": {
		source: "for (;;);",
		kind: "computron limit",
		stack: /main\.js:2/,
		options: { computronLimit: 100000 },
	},
	"tail-call runaway": {
		source: "const r = () => r(); r();",
		kind: "computron limit",
		stack: /at r \(main\.js:2\)/,
		options: { computronLimit: 100000 },
	},
	"regular expression runaway": {
		source: "/^(a+)+$/.test('a'.repeat(40) + 'b')",
		kind: "computron limit",
		options: { computronLimit: 100000 },
	},
	"deep regular expression": {
		source:
			"let s = '('; for (let i = 0; i < 14; i++) s += s; try { new RegExp(s); } catch (e) { throw e.name; }",
		kind: "unhandled exception",
		detail: /^SyntaxError$/,
	},
	exception: {
		source: "function g() {\n throw new TypeError('no ' + 1);\n}\ng();",
		kind: "unhandled exception",
		detail: /^TypeError: no 1$/,
		stack: /at g \(main\.js:3\)/,
	},
	"exception of the engine": {
		source: "undefined.x;",
		kind: "unhandled exception",
		detail: /^TypeError: /,
		stack: /main\.js:2/,
	},
	"a string thrown": { source: "throw 'plain';", kind: "unhandled exception", detail: /^plain$/ },
	rejection: {
		source: "Promise.reject(new RangeError('late'))",
		kind: "unhandled rejection",
		detail: /^RangeError: late$/,
		stack: /main\.js:2/,
	},
};

for (const [name, { source, kind, detail, stack, options }] of Object.entries(causes)) {
	test(`crash: ${name}`, () => {
		const crash = catchCrash(() => run(source, options));
		assert.equal(crash.kind, kind);
		assert.match(crash.detail, detail ?? /^$/);
		if (stack) assert.match(crash.stack ?? "", stack);
	});
}

test("other machines run on, the crashed one throws the same crash forever", () => {
	const root = createRoot({
		main: 'let n = 0; native("keep").call(this, bad => { n++; if (bad) throw new Error("bad"); return n; })',
	});
	const devices = Array.from({ length: 5 }, () => {
		let handle = 0;
		const machine = createMachine(root, {
			keep: (h: number) => {
				handle = h;
			},
		});
		machine.import("main");
		return { machine, handle };
	});
	const [first, ...others] = devices;
	const crash = catchCrash(() => first.machine.call(first.handle, true));
	assert.equal(crash.kind, "unhandled exception");
	for (const { machine, handle } of others) {
		assert.equal(machine.call(handle), 1);
		machine.collect();
		assert.equal(machine.call(handle), 2);
	}
	assert.equal(
		catchCrash(() => first.machine.call(first.handle)),
		crash,
	);
	assert.equal(
		catchCrash(() => first.machine.runJobs()),
		crash,
	);
	assert.ok(first.machine.statistics.computrons > 0);
	for (const { machine } of devices) machine.destroy();
	assert.throws(() => first.machine.runJobs(), /destroyed/);
	root.dispose();
});

test("memory too small to start is reported", () => {
	const root = createRoot({});
	assert.throws(() => createMachine(root, {}, { creation: { ...creation, slots: 10 } }), RangeError);
	const crash = catchCrash(() =>
		createMachine(root, {}, { creation: { ...creation, stack: 64, slots: 64, chunks: 0, keys: 0 } }).import(
			"x",
		),
	);
	assert.equal(crash.kind, "chunk memory full");
	root.dispose();
	assert.throws(() => new Machine(root, { creation, clock: () => 0, seed: 1 }), /disposed/);
});

test("a crash during a collection, a sort, a JSON.stringify, or a generator ends the machine", () => {
	for (let i = 0; i < 20; i++) {
		for (const source of [
			"const all = []; for (;;) all.push(new Map([[all.length, 'x'.repeat(100)]]));",
			"const big = Array.from({length: 50}, (_, i) => 'v' + i); for (const all = [];;) all.push(JSON.stringify(big));",
			"const all = []; [3, 2, 1].sort(() => { for (;;) all.push({}); })",
			"function* g() { try { for (;;) yield [{}]; } finally {} } const all = []; for (const x of g()) all.push(x);",
			"const all = []; (async () => { try { for (;;) { all.push(await new Promise(r => r([1]))); } } catch {} })()",
		]) {
			assert.match(catchCrash(() => run(source)).kind, /memory full/);
		}
	}
});
