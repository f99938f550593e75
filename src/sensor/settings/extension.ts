import type { Settings } from "../../config/types";
import { fnv1aOfText } from "../../text/fnv1a";
import { EXTENSION_HASH } from "../retained/layout";
import { COUNT_DOUBLES } from "../retained/run-counts";
import { windowSize } from "../retained/sample-window";
import { DIAGNOSTICS_FAILURES } from "./diagnostics-layout";
import { wakePinsOf, wakeStateSize } from "./wake-pin-layout";

/**
 * Where features that are not always configured keep their state: doubles of the retained header. Without
 * such a feature there are none, and the header is as it was before there were any.
 */
export interface Extension {
	/** Doubles, counts among them. */
	readonly size: number;
	/** Doubles at its end that are counts for the command `summary`; 0: the node takes no commands. */
	readonly counts: number;
	/** Identifies the settings that their meaning depends on: with others they begin anew. */
	readonly hash: number;
	/** For each sensor, where its window is, 0: it has none; empty: none has. */
	readonly windows: readonly number[];
	/** Where diagnostics begin; 0: there are none. */
	readonly diagnostics: number;
	/** Where the state of the battery is; 0: it is not watched. */
	readonly battery: number;
	/** Where that of wake pins begins; 0: there are none. */
	readonly wakePins: number;
}

export const NO_EXTENSION: Extension = Object.freeze({
	size: 0,
	counts: 0,
	hash: 0,
	windows: Object.freeze([]),
	diagnostics: 0,
	battery: 0,
	wakePins: 0,
});

/** For start-up: allocates. */
export function extensionOf({
	sensors,
	diagnostics,
	battery,
	commands,
}: Pick<Settings, "sensors" | "diagnostics" | "battery" | "commands">): Extension {
	let size = EXTENSION_HASH + 1;
	const windows: number[] = [];
	if (sensors.some(({ samples }) => samples > 1))
		for (const { samples, aggregate } of sensors) {
			windows.push(samples > 1 ? size : 0);
			size += windowSize(samples, aggregate);
		}
	const messages = diagnostics === undefined ? 0 : size;
	if (messages > 0) size += DIAGNOSTICS_FAILURES + sensors.length;
	const guard = battery === undefined ? 0 : size++;
	const pins = wakePinsOf(sensors);
	const wakePins = pins.length === 0 ? 0 : size;
	if (wakePins > 0) size += wakeStateSize(pins.length);
	const counts = commands === undefined ? 0 : COUNT_DOUBLES;
	if (size === EXTENSION_HASH + 1)
		return counts === 0 ? NO_EXTENSION : { ...NO_EXTENSION, size: counts, counts };
	const meaning = sensors.map(({ samples, aggregate, table, scale, offset }) =>
		samples > 1 ? [samples, aggregate, table ?? 0, scale ?? 1, offset ?? 0] : 0,
	);
	return {
		size: size + counts,
		counts,
		hash: fnv1aOfText(JSON.stringify([meaning, battery ?? 0, ...pins])),
		windows,
		diagnostics: messages,
		battery: guard,
		wakePins,
	};
}
