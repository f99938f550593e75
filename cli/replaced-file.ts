import {
	accessSync,
	chmodSync,
	constants,
	realpathSync,
	renameSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";

/**
 * Replaces a file atomically, through a temporary file beside it, so that a full disk leaves the old one;
 * keeps path and permissions.
 */
export function replaceFile(file: string, text: string): void {
	const path = realpathSync(file);
	const temporary = `${path}.${process.pid}.tmp`;
	try {
		const { mode } = statSync(path);
		accessSync(path, constants.W_OK);
		writeFileSync(temporary, text, { mode: 0o600, flag: "wx" });
		chmodSync(temporary, mode);
		renameSync(temporary, path);
	} catch (error) {
		rmSync(temporary, { force: true });
		throw error;
	}
}
