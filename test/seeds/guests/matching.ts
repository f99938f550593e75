/** A subscription, as SUBSCRIBE has it. */
export interface Matching {
	readonly qos: number;
	/** No Local. */
	readonly nl?: boolean;
	/** Retain As Published. */
	readonly rap?: boolean;
}

/** Whether a filter matches a topic that does not begin with `$` (§4.7), level by level. */
export function matches(filter: string, topic: string): boolean {
	const levels = topic.split("/");
	const parts = filter.split("/");
	for (const [index, part] of parts.entries()) {
		if (part === "#") return true;
		if (index >= levels.length || (part !== "+" && part !== levels[index])) return false;
	}
	return parts.length === levels.length;
}
