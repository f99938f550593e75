import assert from "node:assert/strict";
import { test } from "node:test";
import { creation, run } from "./device";

const large = { creation: { ...creation, slots: 20000, chunks: 500000, stack: 2048, keys: 500 } };

test("a device lacks the globals of browsers and Node, and has those of XS", () => {
	const missing = [
		"setTimeout",
		"console",
		"TextEncoder",
		"structuredClone",
		"queueMicrotask",
		"process",
		"require",
		"lockdown",
		"harden",
	];
	assert.deepEqual(
		run(`log(${missing.map((name) => `typeof ${name}`).join()})`),
		Array(missing.length).fill("undefined"),
	);
	const present = [
		"native",
		"trace",
		"Compartment",
		"WeakRef",
		"FinalizationRegistry",
		"Atomics",
		"SharedArrayBuffer",
		"Proxy",
		"eval",
	];
	assert.deepEqual(
		run(`log(${present.map((name) => `typeof ${name} !== "undefined"`).join()})`),
		Array(present.length).fill(true),
	);
});

const programs: Record<string, [source: string, ...expected: unknown[]]> = {
	"generators and async": [
		"async function* g() { yield 1; yield* [2, 3]; } (async () => { let s = 0; for await (const x of g()) s += x; log(s); await Promise.all([1, Promise.resolve(2)]); log(await Promise.any([Promise.reject(1), 5])); })();",
		6,
		5,
	],
	proxies: [
		"const p = new Proxy({}, { get: (t, k) => k + '!', has: () => true }); log(p.a, 'z' in p, Reflect.ownKeys({ a: 1, [Symbol.iterator]: 2 }).length)",
		"a!",
		true,
		2,
	],
	"maps, sets, weak collections": [
		"const k = {}; const w = new WeakMap([[k, 1]]); const r = new WeakRef(k); new FinalizationRegistry(() => {}).register({}, 1); log(w.get(k), r.deref() === k, new Set([1, 1, 2]).size, [...new Map([[1, 2]])].join())",
		1,
		true,
		2,
		"1,2",
	],
	strings: [
		"log('ab'.padStart(4, '-'), 'aXbX'.replaceAll('X', '.'), 'é'.normalize('NFD').length, [...'😀é'].length, String.fromCodePoint(128512), 'a,b'.split(',').length)",
		"--ab",
		"a.b.",
		2,
		2,
		"😀",
		2,
	],
	numbers: [
		"log((0.1 + 0.2).toFixed(2), (255).toString(16), Number('1e3'), parseFloat('3.14x'), 2 ** 31, -7 % 3, Math.imul(3, 4), Math.hypot(3, 4), (25).toPrecision(1))",
		"0.30",
		"ff",
		1000,
		3.14,
		2147483648,
		-1,
		12,
		5,
		"3e+1",
	],
	"big integers": [
		"log(String(2n ** 100n), BigInt.asUintN(8, 257n) === 1n, typeof 1n)",
		"1267650600228229401496703205376",
		true,
		"bigint",
	],
	JSON: [
		"log(JSON.stringify({ a: [1, null, 'x\\n'], d: new Date(0) }), JSON.parse('{\"b\":[1,2]}').b[1])",
		'{"a":[1,null,"x\\n"],"d":"1970-01-01T00:00:00.000Z"}',
		2,
	],
	"regular expressions": [
		"log('2024-05-06'.match(/(?<y>\\d+)-(\\d+)/).groups.y, 'aBc'.replace(/b/i, m => m + m), /\\p{L}+/u.exec('é1')[0], [...'a1b2'.matchAll(/\\d/g)].length)",
		"2024",
		"aBBc",
		"é",
		2,
	],
	classes: [
		"class A { static #n = 0; static { A.#n = 5; } get n() { return A.#n; } static s() { return this.#n; } } class B extends A { x = super.n; } log(new B().x, A.s(), B.name)",
		5,
		5,
		"B",
	],
	eval: [
		"const x = 1; log(eval('x + 1'), new Function('a', 'return a * 2')(4), (0, eval)('typeof x'))",
		2,
		8,
		"undefined",
	],
	"shared memory": [
		"const s = new Int32Array(new SharedArrayBuffer(16)); Atomics.add(s, 0, 5); let e = ''; try { Atomics.wait(s, 0, 5, 1); } catch (x) { e = x.name; } log(Atomics.load(s, 0), Atomics.notify(s, 0), e)",
		5,
		0,
		"TypeError",
	],
	compartments: [
		"const c = new Compartment({ globals: { y: 3 } }); log(c.evaluate('y + 1'), typeof c.globalThis.Array)",
		4,
		"function",
	],
	destructuring: [
		"const { a = 1, ...rest } = { b: 2, c: 3 }; const [x, , z = 9, ...more] = [1, 2, undefined, 4, 5]; log(a, Object.keys(rest).join(), x, z, more.join())",
		1,
		"b,c",
		1,
		9,
		"4,5",
	],
	errors: [
		"try { null.x; } catch (e) { log(e instanceof TypeError, /\\.js:2/.test(e.stack)); } log(new Error('m', { cause: 7 }).cause)",
		true,
		true,
		7,
	],
	sorting: [
		"log([3, 1, 2].sort().join(), [5, 25, 100].sort((a, b) => a - b).join(), new Float64Array([2, 1]).sort().join(), [1, [2, [3]]].flat(2).join(), [1, 2, 3].at(-1))",
		"1,2,3",
		"5,25,100",
		"1,2",
		"1,2,3",
		3,
	],
};

for (const [name, [source, ...expected]] of Object.entries(programs)) {
	test(`in a device: ${name}`, () => assert.deepEqual(run(source, large), expected));
	test(`in a device, preloaded: ${name}`, () =>
		assert.deepEqual(
			run(`import { go } from "pre"; go(log);`, large, { pre: `export function go(log) {\n${source}\n}` }, [
				"pre",
			]),
			expected,
		));
}
