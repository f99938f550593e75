import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Mutation } from "./mutation";

/** Not copied: large, and unchanged by a bug. */
const LINKED = ["node_modules", ".cache"];

const root = fileURLToPath(new URL("../../", import.meta.url));

/** A copy of the tree in which bugs are planted. */
export class TreeCopy {
	readonly folder = mkdtempSync(join(tmpdir(), "mutations-"));

	constructor() {
		cpSync(root, this.folder, {
			recursive: true,
			filter: (path) => ![...LINKED, ".git"].includes(basename(path)) || path === root,
		});
		for (const name of LINKED) symlinkSync(join(root, name), join(this.folder, name));
	}

	/**
	 * Plants a bug, runs `action`, and removes the bug.
	 * @returns the result of `action`; undefined: the text does not occur exactly once any more
	 */
	async withBug<T>(
		{ file, text, replacement }: Pick<Mutation, "file" | "text" | "replacement">,
		action: () => Promise<T>,
	): Promise<T | undefined> {
		const path = join(this.folder, file);
		const source = readFileSync(path, "utf8");
		const parts = source.split(text);
		if (parts.length !== 2) return undefined;
		writeFileSync(path, parts.join(replacement));
		try {
			return await action();
		} finally {
			writeFileSync(path, source);
		}
	}

	remove(): void {
		rmSync(this.folder, { recursive: true, force: true });
	}
}
