import type { JSONObject } from "../../sim/manifest/manifest-reader";
import { withSettings } from "./command-plan";
import type { BoardPlan } from "./seed-plan";
import type { SeedRun } from "./world";

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
		const starts = events.filter((event) => event.type === "wake" && event.node === name);
		let last: EffectiveSettings = { since: -Infinity, firefly };
		const spans = [last];
		for (const { time } of starts) {
			const changed = changes.findLast((change) => change.time <= time)?.settings;
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
