import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** Not in the repository: made or installed on each machine. */
const GENERATED = [".cache", ".firefly", "dist", "node_modules"];
/** Platforms of the SDK, which look like paths. */
const PLATFORMS = ["esp32/nodemcu"];
/** Modules as programs import them, which have no extension. */
const MODULES = ["firmware/main"];
const ROOMS = ["src", "firmware", "sim", "cli", "web", "examples", "test", "bench", "docs"];
const DOCUMENTS = [
	"README.md",
	"CONTRIBUTING.md",
	...readdirSync(join(root, "docs"))
		.filter((name) => name.endsWith(".md"))
		.map((name) => `docs/${name}`),
];

/** Paths of all files and folders, from the root. */
const present = new Set<string>();
for (const name of readdirSync(root)) {
	present.add(name);
	if (ROOMS.includes(name) || name === ".ci")
		for (const path of readdirSync(join(root, name), { recursive: true, encoding: "utf8" }))
			present.add(`${name}/${path.replaceAll("\\", "/")}`);
}
/** Their last parts, of any length: documents name a file within the folder that they speak of. */
const endings = new Set<string>();
for (const path of present) {
	const steps = path.split("/");
	for (let i = 0; i < steps.length; i++) endings.add(steps.slice(i).join("/"));
}

/** What a document names that is not there. */
function missingPaths(document: string, text: string): string[] {
	const missing: string[] = [];
	// A word of a command: from the root.
	for (const [, path] of text.matchAll(
		/(?<![\w./$)-])((?:src|firmware|sim|cli|test|bench|docs)\/[\w./-]*\w)/g,
	))
		if (!present.has(path!) && !MODULES.includes(path!)) missing.push(path!);
	for (const [, name] of text.replace(/```.*?```/gs, "").matchAll(/`(?:\.\/)?([\w./-]+)`/g)) {
		const isPath = /\w\/(?:\w|$)/.test(name!) || /^[\w-]+\.(?:ts|mjs|c|h)$/.test(name!);
		const path = name!.replace(/\/$/, "");
		if (!isPath || GENERATED.includes(path.split("/")[0]!) || PLATFORMS.includes(path)) continue;
		if (endings.has(path)) continue;
		missing.push(path);
	}
	for (const [, link] of text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)) {
		const path = normalize(join(dirname(document), link!));
		if (!present.has(path)) missing.push(path);
	}
	return missing.map((path) => `${document}: ${path}`);
}

test("every file and folder that a document names is there", () => {
	const texts = DOCUMENTS.map((name) => [name, readFileSync(join(root, name), "utf8")] as const);
	assert.deepEqual(
		texts.flatMap(([name, text]) => missingPaths(name, text)),
		[],
	);
});

test("a path in backticks, in a command or in a link that is not there is found", () => {
	const text = [
		"`src/mqtt`, `encode/publish.ts`, `fields/` and [this](architecture.md) are there,",
		"`src/mqtt/none.ts`, `encode/none.ts`, `none.ts` and [that](none.md) are not,",
		"and neither is what `node --import tsx cli/none.ts` runs.",
	].join("\n");
	assert.deepEqual(missingPaths("docs/x.md", text), [
		"docs/x.md: src/mqtt/none.ts",
		"docs/x.md: cli/none.ts",
		"docs/x.md: src/mqtt/none.ts",
		"docs/x.md: encode/none.ts",
		"docs/x.md: none.ts",
		"docs/x.md: docs/none.md",
	]);
});
