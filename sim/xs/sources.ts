import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isCheckout, projectFolder } from "../cache/folder.mjs";

/** Sources of the addon, and how to compile them. */
export interface Sources {
	/** C files, the slowest to compile first */
	readonly files: readonly string[];
	/** flags for all files; the optimisation level is per file, see {@link optimisation} */
	readonly flags: readonly string[];
	readonly libraries: readonly string[];
	/** digest of all of the above, with file contents */
	readonly digest: string;
}

const nativeFolder = fileURLToPath(new URL("./native", import.meta.url));

/** Debugger, profiler and snapshots, which native/debug.c replaces. */
const omitted: ReadonlySet<string> = new Set(["xsDebug.c", "xsProfile.c", "xsSnapshot.c", "xsSourceMap.c"]);

/** Files in which a running device spends most of its time. */
const hot: ReadonlySet<string> = new Set(
	["DataView", "Function", "Memory", "Property", "Run", "Symbol", "Type"].map((name) => `xs${name}.c`),
);

/** The parser, which runs once for each root, and what firmware hardly uses: optimised for compile time. */
const cold: ReadonlySet<string> = new Set(
	[
		"Arguments",
		"Atomics",
		"BigInt",
		"Code",
		"Common",
		"Lexical",
		"Lockdown",
		"Marshall",
		"mc",
		"Proxy",
		"re",
		"RegExp",
		"Scope",
		"Script",
		"Syntaxical",
		"Tree",
	].map((name) => `xs${name}.c`),
);

const defines = [
	"_GNU_SOURCE",
	"INCLUDE_XSPLATFORM",
	'XSPLATFORM="platform.h"',
	"mxBoundsCheck=1",
	"mxDebug=1", // line numbers in stacks
	"mxInstrument=1", // stack peak
	"mxLockdown=1",
	"mxMetering=1",
	"mxMinusZero=1",
	"mxNoConsole=1",
	"mxParse=1",
	// With overallocation the collector reads uninitialised elements of an array with gaps, which may crash the
	// process. Without it memory use differs from a chip, where an array that grew by one element takes up to a
	// third more, 56 bytes in the sensor role.
	"mxNoArrayOverallocation=1",
	"mxRegExpUnicodePropertyEscapes=1",
	"mxRun=1",
	"mxSloppy=1",
	"mxStringNormalize=1",
];

/** The optimisation flag for a C file. */
export function optimisation(file: string): "-O0" | "-O1" | "-O2" {
	const name = basename(file);
	if (hot.has(name) || (file.startsWith(nativeFolder) && !name.startsWith("addon"))) return "-O2";
	return cold.has(name) ? "-O0" : "-O1";
}

function packageFolder(name: string): string {
	return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
}

/**
 * The folder of XS's C sources: in a checkout that of the npm package `@agoric/xsnap`, from which they are
 * copied when Firefly is packed.
 */
export function xsFolder(): string {
	const packed = join(projectFolder, "dist", "xs");
	if (!isCheckout && existsSync(packed)) return packed;
	try {
		return join(packageFolder("@agoric/xsnap"), "moddable", "xs");
	} catch {
		throw new Error(
			isCheckout
				? "XS's sources are not installed: they come with npm ci, unless --omit=dev is given. --engine node runs without them."
				: "XS's sources are not part of this package, which was not packed with npm run pack. --engine node runs without them.",
		);
	}
}

function list(folder: string, extension: string): string[] {
	return readdirSync(folder)
		.filter((name) => name.endsWith(extension))
		.sort()
		.map((name) => join(folder, name));
}

/** Finds the C sources of XS, the headers of Node-API in the package `node-api-headers`, and our own. */
export function findSources(): Sources {
	const xs = xsFolder();
	const api = join(packageFolder("node-api-headers"), "include");
	const folders = [nativeFolder, join(xs, "includes"), join(xs, "platforms"), join(xs, "sources")];
	const cFiles = [...list(join(xs, "sources"), ".c"), ...list(nativeFolder, ".c")].filter(
		(file) => !omitted.has(basename(file)),
	);
	const contents = new Map<string, Buffer>();
	for (const file of [...cFiles, ...[...folders, api].flatMap((folder) => list(folder, ".h"))])
		contents.set(file, readFileSync(file));
	const files = cFiles.sort((a, b) => weight(b, contents) - weight(a, contents));
	const flags = ["-fPIC", "-fvisibility=hidden", "-fno-strict-aliasing", "-fno-common", "-g0", "-w"];
	for (const define of defines) flags.push(`-D${define}`);
	const libraries =
		process.platform === "darwin" ? ["-bundle", "-undefined", "dynamic_lookup"] : ["-shared", "-lm"];
	const hash = createHash("sha256");
	for (const text of [process.platform, process.arch, ...flags, ...libraries]) hash.update(`${text}\n`);
	for (const [file, content] of contents)
		hash.update(`${basename(file)} ${optimisation(file)} ${content.length}\n`).update(content);
	for (const folder of [...folders, api]) flags.push(`-I${folder}`);
	return { files, flags, libraries, digest: hash.digest("hex") };
}

/** Relative compile time of a file. */
function weight(file: string, contents: ReadonlyMap<string, Buffer>): number {
	const effort = { "-O0": 1, "-O1": 2, "-O2": 4 };
	return (contents.get(file)?.length ?? 0) * effort[optimisation(file)];
}
