/**
 * Fills `dist/` for `npm pack`: the command line's bundle, XS's C sources, and the licences of both. With
 * `--clean`, removes it again.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, sep } from "node:path";
import { projectFolder } from "../../sim/cache/folder.mjs";
import { bundle } from "./bundler.mjs";

const require = createRequire(import.meta.url);
const dist = join(projectFolder, "dist");
/** Of XS's folder, what the simulator compiles. */
const XS_FOLDERS = ["includes", "platforms", "sources"];

rmSync(dist, { recursive: true, force: true });
if (!process.argv.includes("--clean")) {
	const inputs = await bundle(projectFolder, dist, { relocatable: true });
	writeFileSync(join(dist, "LICENSES.txt"), licensesOf(inputs));
	packXS();
}

/**
 * Name, version and licence of each package that is part of the bundle.
 * @param {readonly string[]} inputs
 */
function licensesOf(inputs) {
	const folders = new Set(inputs.map(packageFolderOf).filter((folder) => folder !== undefined));
	const texts = [...folders].sort().map((folder) => {
		const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
		const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
		if (file === undefined) throw new Error(`${name}: no licence file`);
		return `${name} ${version}, ${license}\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
	});
	return `The files beside this one contain code of these packages:\n\n${texts.join(`\n${"-".repeat(80)}\n\n`)}`;
}

/**
 * @param {string} path
 * @returns {string | undefined} folder of the package that a file belongs to
 */
function packageFolderOf(path) {
	const parts = path.split(sep);
	const index = parts.lastIndexOf("node_modules");
	if (index < 0) return undefined;
	return parts.slice(0, index + (parts[index + 1]?.startsWith("@") ? 3 : 2)).join(sep);
}

/** Copies XS's C sources, unchanged, with the licences that their headers name. */
function packXS() {
	const source = dirname(require.resolve("@agoric/xsnap/package.json"));
	const { version } = require("@agoric/xsnap/package.json");
	const target = join(dist, "xs");
	for (const folder of XS_FOLDERS) {
		const from = join(source, "moddable", "xs", folder);
		mkdirSync(join(target, folder), { recursive: true });
		for (const name of readdirSync(from))
			if (/\.[ch]$/.test(name)) copyFileSync(join(from, name), join(target, folder, name));
	}
	for (const id of ["LGPL-3.0-or-later", "Apache-2.0"]) {
		const { licenseText } = require(`spdx-license-list/licenses/${id}.json`);
		writeFileSync(join(target, `LICENSE-${id}.txt`), `${licenseText.trim()}\n`);
	}
	writeFileSync(
		join(target, "NOTICE.txt"),
		`XS, the JavaScript engine of the Moddable SDK
Copyright (c) 2016-2023 Moddable Tech, Inc.
Copyright (c) 2010-2016 Marvell International Ltd.
Copyright (c) 2002-2010 Kinoma, Inc.

These files are those of the npm package @agoric/xsnap ${version}, unchanged. They are free software under the
GNU Lesser General Public License, version 3 or later (LICENSE-LGPL-3.0-or-later.txt), and incorporate work
under the Apache License, version 2.0 (LICENSE-Apache-2.0.txt); the head of each file has the details.

Firefly compiles them on your machine together with the files of sim/xs/native, once, and again after you have
changed any of them.
`,
	);
}
