/**
 * Compares the configuration that an ESP-IDF build was given with the one that it came to. The IDF ignores
 * in silence a setting that its version has renamed, turned into one value of a choice, or made subject to a
 * condition.
 */

/** A setting that did not take effect. */
export interface UnmetSetting {
	/** With its prefix `CONFIG_`. */
	readonly name: string;
	/** As written, without quotation marks; "n" for one that is switched off. */
	readonly requested: string;
	/** As the build has it; "n": switched off; undefined: the build knows no such setting, or hides it. */
	readonly found: string | undefined;
}

const assignment = /^(CONFIG_\w+)=(.*)$/;
const notSet = /^# (CONFIG_\w+) is not set$/;

/**
 * Settings of `requested` that `final` does not have.
 * @param requested text of one or more `sdkconfig.defaults`, in the order in which they are merged
 * @param final text of the `sdkconfig` that the build wrote into its project folder
 */
export function unmetSettings(requested: string, final: string): readonly UnmetSetting[] {
	const present = readSettings(final);
	const unmet: UnmetSetting[] = [];
	for (const [name, value] of readSettings(requested)) {
		const found = present.get(name);
		// The IDF leaves out what is hidden while it is off.
		if (found === value || (found === undefined && value === "n")) continue;
		if (found !== undefined && sameNumber(found, value)) continue;
		unmet.push({ name, requested: value, found });
	}
	return unmet;
}

/**
 * Lines of a project's own `sdkconfig.defaults` that mcconfig drops when it merges the file into the SDK's:
 * everything that begins with "#".
 */
export function droppedSettings(defaults: string): readonly string[] {
	return lines(defaults).filter((line) => notSet.test(line));
}

/** One sentence about a setting that did not take effect. */
export function describeUnmet({ name, requested, found }: UnmetSetting): string {
	if (found === undefined)
		return `${name}=${requested} has no effect: this ESP-IDF knows no such setting, or it depends on another that is off`;
	if (found === "y" && requested === "n")
		return `${name}=n has no effect: it is still y; if it is one value of a choice, set another one to y`;
	return `${name}=${requested} has no effect: the build has ${found}`;
}

/** The last assignment of each setting. */
function readSettings(text: string): Map<string, string> {
	const settings = new Map<string, string>();
	for (const line of lines(text)) {
		const set = assignment.exec(line);
		if (set) {
			const value = set[2]!.replace(/^"(.*)"$/, "$1");
			settings.set(set[1]!, value === "" && !set[2]!.startsWith('"') ? "n" : value);
		} else {
			const off = notSet.exec(line);
			if (off) settings.set(off[1]!, "n");
		}
	}
	return settings;
}

/** Hexadecimal settings may be written in decimal. */
function sameNumber(a: string, b: string): boolean {
	return /^(0x)?[\da-f]+$/i.test(a) && /^(0x)?[\da-f]+$/i.test(b) && Number(a) === Number(b);
}

function lines(text: string): string[] {
	return text.split(/\r?\n/).map((line) => line.trim());
}
