import type { JSONObject } from "../../sim/manifest/manifest-reader";
import { withSettings } from "./command-plan";
import type { BoardPlan } from "./seed-plan";
import type { SeedRun } from "./world";

/** What a node says that starts with what is configured, as flash fails. */
const UNREADABLE = "settings cannot be read";

/** The configuration of a board from one of its starts on. */
export interface EffectiveSettings {
	/** ms since 1970 */
	readonly since: number;
	readonly firefly: JSONObject;
	/** What a command has changed; absent: nothing. */
	readonly settings?: JSONObject;
}

/** What holds at a board from each of its starts on: what `set` has stored, over what is configured. */
export class SettingsHistory {
	/** In the order of their times. */
	readonly spans: readonly EffectiveSettings[];

	constructor({ events, settings }: Pick<SeedRun, "events" | "settings">, { name, firefly }: BoardPlan) {
		const changes = settings.get(name) ?? [];
		let last: EffectiveSettings = { since: -Infinity, firefly };
		const spans = [last];
		let areUnreadable = false;
		for (const event of events) {
			if (event.node !== name) continue;
			if (event.type === "boot") areUnreadable = false;
			if (event.type === "trace" && event.message.startsWith(UNREADABLE)) areUnreadable = true;
			if (event.type !== "wake") continue;
			const { time } = event;
			// Those that were given up and could not be replaced stay in flash, where they are on trial no more
			const changed = areUnreadable ? undefined : changes.findLast((change) => change.time <= time)?.settings;
			if (changed === last.settings) continue;
			last = {
				since: time,
				firefly: changed === undefined ? firefly : withSettings(firefly, changed),
				...(changed === undefined ? {} : { settings: changed }),
			};
			spans.push(last);
		}
		this.spans = spans;
	}

	/** @param time ms since 1970 */
	at(time: number): EffectiveSettings {
		return this.spans.findLast(({ since }) => since <= time)!;
	}
}
