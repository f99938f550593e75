import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const ROOMS = ["src", "firmware", "sim", "cli", "web", "bench"];

interface Import {
	readonly from: string;
	readonly to: string;
}

/** A folder may import those of `folders`, and everything below those of `trees`. */
interface Rule {
	readonly folders: readonly string[];
	readonly trees: readonly string[];
}

/** Reads the rows of "Who may import whom". */
function readRules(text: string): Map<string, Rule> {
	const section = text.split("## Who may import whom")[1]?.split("\n## ")[0] ?? "";
	const rules = new Map<string, Rule>();
	for (const [, folder, allowed] of section.matchAll(/^\| `([\w/]+)` \|(.*)\|$/gm)) {
		const trees = [...allowed!.matchAll(/every folder below `([\w/]+)`/g)].map(([, tree]) => tree!);
		if (/every folder below it/.test(allowed!)) trees.push("src");
		if (/every folder of the repository/.test(allowed!)) trees.push(...ROOMS, "test");
		const folders = [...allowed!.replace(/every folder below `[\w/]+`/g, "").matchAll(/`([\w/]+)`/g)];
		rules.set(folder!, { folders: folders.map(([, name]) => name!), trees });
	}
	return rules;
}

function readImports(): Import[] {
	const imports: Import[] = [];
	for (const room of ROOMS)
		for (const name of readdirSync(join(root, room), { recursive: true, encoding: "utf8" })) {
			if (!/\.[tj]s$/.test(name)) continue;
			const from = `${room}/${name}`;
			const text = readFileSync(join(root, from), "utf8");
			for (const [, specifier] of text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g))
				imports.push({ from, to: normalize(join(dirname(from), withExtension(specifier!))) });
		}
	return imports;
}

/** Scripts that mcsim loads are imported with their extension. */
function withExtension(specifier: string): string {
	return specifier.endsWith(".js") ? specifier : `${specifier}.ts`;
}

/** The row that holds for a folder: its own, or that of the nearest folder above. */
function ruleOf(rules: ReadonlyMap<string, Rule>, folder: string): [string, Rule] {
	for (let at = folder; at !== "."; at = dirname(at)) {
		const rule = rules.get(at);
		if (rule !== undefined) return [at, rule];
	}
	throw new Error(`docs/architecture.md has no row for ${folder}`);
}

function isAllowed(rules: ReadonlyMap<string, Rule>, from: string, to: string): boolean {
	const [row, { folders, trees }] = ruleOf(rules, from);
	const [target] = ruleOf(rules, to);
	return target === row || folders.includes(target) || trees.some((tree) => `${to}/`.startsWith(`${tree}/`));
}

const rules = readRules(readFileSync(join(root, "docs/architecture.md"), "utf8"));
const imports = readImports();

test("each import of the tree is one that docs/architecture.md allows", () => {
	assert.ok(rules.size > 25, `${rules.size} rows`);
	assert.ok(imports.length > 1000, `${imports.length} imports`);
	const forbidden = imports
		.filter(({ from, to }) => !isAllowed(rules, dirname(from), dirname(to)))
		.map(({ from, to }) => `${from} -> ${to}`);
	assert.deepEqual(forbidden, []);
});

test("an arrow that points upward is found", () => {
	assert.ok(!isAllowed(rules, "src/mqtt", "src/client"), "src/mqtt -> src/client");
	assert.ok(!isAllowed(rules, "src/client", "src/config"), "src/client -> src/config");
	assert.ok(!isAllowed(rules, "src/broker/pool", "src/broker/persist"), "pool -> persist");
	assert.ok(!isAllowed(rules, "src/sensor", "firmware"), "src -> firmware");
	assert.ok(isAllowed(rules, "src/broker/handlers", "src/mqtt/decode"), "handlers -> decode");
});

test("no circle of files", () => {
	const targets = new Map<string, string[]>();
	for (const { from, to } of imports) targets.set(from, [...(targets.get(from) ?? []), to]);
	const done = new Set<string>();
	const circles: string[] = [];
	const walk = (file: string, path: readonly string[]): void => {
		if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
		if (done.has(file) || path.includes(file)) return;
		for (const next of targets.get(file) ?? []) walk(next, [...path, file]);
		done.add(file);
	};
	for (const file of targets.keys()) walk(file, []);
	assert.deepEqual(circles, []);
});

test("every folder with a row exists, and every row of the rooms names a folder or a file", () => {
	const text = readFileSync(join(root, "docs/architecture.md"), "utf8");
	const folders = new Set([...imports].flatMap(({ from, to }) => [dirname(from), dirname(to)]));
	for (const folder of rules.keys())
		assert.ok(
			[...folders].some((name) => name === folder || name.startsWith(`${folder}/`)),
			folder,
		);
	const named = [...text.matchAll(/`((?:src|sim|firmware|cli|test)\/[\w/.-]+\.ts)`/g)].map(
		([, path]) => path!,
	);
	assert.ok(named.length > 15, `${named.length} files are named`);
	for (const path of named) assert.doesNotThrow(() => readFileSync(join(root, path)), path);
});
