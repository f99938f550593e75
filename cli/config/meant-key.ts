import type { Fields } from "../../src/config/fields/field";
import { fireflyFields } from "../../src/config/fields/firefly";
import { foreignExplanation, foreignMeaning } from "./foreign-names";
import type { Path } from "./problem";
import { didYouMean, nearest, suggestURL } from "./suggest";

/** Paths of all keys below `config.firefly`: `sensors[].every`. */
export const knownPaths: readonly string[] = pathsOf(fireflyFields, "");
/** Of these, where a name may be meant: what broker has, too, is seldom meant of a bridge. */
const meantPaths = knownPaths.filter(
	(path) => !path.startsWith("bridge.") || !knownPaths.includes(path.replace("bridge.", "broker.")),
);

function pathsOf(rows: Fields, prefix: string): string[] {
	return Object.entries(rows).flatMap(([key, row]) => {
		const path = `${prefix}${key}`;
		if (!("fields" in row)) return [path];
		return [path, ...pathsOf(row.fields, `${path}${row.kind === "list" ? "[]" : ""}.`)];
	});
}

/** More places than this are no help. */
const MAX_PLACES = 3;

/**
 * Advice for an unknown key, with the key that is meant: one beside it, what the name means elsewhere in the
 * configuration, or what other firmware means by it.
 * @param path of the object that holds the key
 * @param siblings the keys that the object may have
 * @param root where the content of `config.firefly` is in the document; undefined: it has none
 */
export function unknownKeyAdvice(
	path: Path,
	key: string,
	siblings: readonly string[],
	root: Path | undefined,
): string {
	const same = siblings.find((name) => name.toLowerCase() === key.toLowerCase());
	if (same !== undefined) return didYouMean(same);
	if (root === undefined || !mayHoldConfiguration(path, root)) return didYouMean(nearest(key, siblings));
	const here = placeOf(path, root);
	const explanation = foreignExplanation(key);
	if (explanation !== undefined) return `; ${explanation}`;
	const elsewhere = meantPaths.filter((known) => lastOf(known).toLowerCase() === key.toLowerCase());
	const meaning = foreignMeaning(key);
	const near = nearest(key, siblings);
	if (meaning !== undefined && isWithin(meaning, here)) return places([meaning], here);
	if (elsewhere.length > 0) return places(elsewhere, here);
	const abbreviated = siblings.filter((name) => name.toLowerCase().startsWith(key.toLowerCase()));
	if (near !== undefined) return didYouMean(near);
	if (abbreviated.length === 1 && key.length >= 3) return didYouMean(abbreviated[0]);
	if (meaning !== undefined) return places([meaning], here);
	const far = nearest(key, [...new Set(meantPaths.map(lastOf))]);
	return far === undefined || key.length < 4
		? ""
		: places(
				meantPaths.filter((known) => lastOf(known) === far),
				here,
			);
}

/** Whether keys of `config.firefly` may have been meant in an object: in it, or above. */
function mayHoldConfiguration(path: Path, root: Path): boolean {
	return withoutPlatform(path).every((step, index) => index >= root.length || step === root[index]);
}

/** `sensors[]` of `config.firefly.sensors[0]`; undefined outside `config.firefly`. */
function placeOf(path: Path, root: Path): string | undefined {
	const at = withoutPlatform(path);
	if (at.length < root.length) return undefined;
	return at
		.slice(root.length)
		.reduce<string>((text, step) => (typeof step === "number" ? `${text}[]` : join(text, step)), "");
}

function withoutPlatform(path: Path): Path {
	return path[0] === "platforms" ? path.slice(2) : path;
}

function join(text: string, step: string): string {
	return text === "" ? step : `${text}.${step}`;
}

function lastOf(path: string): string {
	return path.slice(path.lastIndexOf(".") + 1);
}

/** Whether a path is that of a key of the object at `here`, or deeper in it; of the root: of a key. */
function isWithin(path: string, here: string | undefined): boolean {
	if (here === "") return !path.includes(".");
	return here !== undefined && path.startsWith(`${here}.`);
}

/** `; did you mean "wifi.password" or "broker.password"?` A path in the object itself is only its key. */
function places(paths: readonly string[], here: string | undefined): string {
	const nearby = paths.filter((path) => isWithin(path, here));
	const least = Math.min(...paths.map(depth));
	const chosen = nearby.length > 0 ? nearby : paths.filter((path) => depth(path) === least);
	const texts = chosen.slice(0, MAX_PLACES).map((path) => {
		if (here === "") return JSON.stringify(path);
		return JSON.stringify(isWithin(path, here) ? path.slice(here!.length + 1) : `config.firefly.${path}`);
	});
	return `; did you mean ${texts.join(" or ")}?`;
}

function depth(path: string): number {
	return path.split(".").length;
}

/** The key of a section that a single value for the section probably is. */
const SINGLE_VALUES: Readonly<Record<string, string>> = {
	broker: "url",
	outbox: "policy",
	sleep: "mode",
	time: "server",
	wifi: "ssid",
};

/** What a value of the wrong shape probably was meant to be, as text of a manifest. */
export function meantShape(path: Path, value: unknown, root: Path | undefined): string | undefined {
	const place = root && placeOf(path, root);
	if (place === undefined) return undefined;
	if (typeof value === "string" || typeof value === "number") {
		const key = place === "listen" && typeof value === "number" ? "port" : SINGLE_VALUES[place];
		// A password in an address is not repeated.
		if (key === undefined || String(value).includes("@")) return undefined;
		const meant = key === "url" ? suggestURL(String(value)) : undefined;
		return JSON.stringify({ [key]: meant ?? value });
	}
	if (place !== "sensors" || typeof value !== "object" || value === null) return undefined;
	const [first] = Object.entries(value);
	if (first === undefined) return undefined;
	return typeof first[1] === "object" ? `[{"name": ${JSON.stringify(first[0])}, …}]` : "[{…}]";
}
