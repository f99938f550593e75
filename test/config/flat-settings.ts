import type { Settings } from "../../src/config/settings";

/** Settings with inherited properties as own properties, for comparisons. */
export function flattenSettings(settings: Settings): Settings {
	return copyOwn(settings) as Settings;
}

function copyOwn(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(copyOwn);
	if (typeof value !== "object" || value === null) return value;
	const result: { [name: string]: unknown } = {};
	for (const name in value) result[name] = copyOwn((value as { [name: string]: unknown })[name]);
	return result;
}
