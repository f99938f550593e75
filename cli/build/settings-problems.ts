import type { Problem } from "../config/problem";
import type { SettingsFile } from "./merged-settings";
import { describeUnmet, droppedSettings, unmetSettings } from "./sdkconfig";

/**
 * Settings that did not take effect, each with file and line. The SDK's own defaults are not among them: some
 * belong to parts that are switched off, such as Bluetooth.
 * @param files in the order in which they are merged
 * @param final text of the `sdkconfig` that the build came to
 */
export function settingsProblems(files: readonly SettingsFile[], final: string): readonly Problem[] {
	const unmet = unmetSettings(files.map(({ text }) => text).join("\n"), final);
	const problems = unmet.map((setting) => placed(files, setting.name, describeUnmet(setting)));
	for (const file of files)
		for (const line of droppedSettings(file.text)) {
			const name = /CONFIG_\w+/.exec(line)?.[0] ?? line;
			problems.push(placed([file], name, `mcconfig drops this line: write ${name}=n`));
		}
	return problems;
}

/** At the last line that sets it, which has decided. */
function placed(files: readonly SettingsFile[], name: string, message: string): Problem {
	const pattern = new RegExp(`^\\s*(# )?${name}(=| is not set)`);
	for (const { path, text } of [...files].reverse()) {
		const line = text.split(/\r?\n/).findLastIndex((candidate) => pattern.test(candidate));
		if (line >= 0) return { file: path, line: line + 1, column: 1, path: "", message };
	}
	throw new Error(`no file sets ${name}`);
}
