import type { Settings } from "../../src/config/settings";

/** Settings with what they inherit as their own, for comparisons. */
export function plain(settings: Settings): Settings {
	return own(settings) as Settings;
}

function own(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(own);
	if (typeof value !== "object" || value === null) return value;
	const result: { [name: string]: unknown } = {};
	for (const name in value) result[name] = own((value as { [name: string]: unknown })[name]);
	return result;
}
