import fc from "fast-check";

/** Whether a topic name matches a filter, level by level as in §4.7. */
export function naiveMatch(filter: string, topic: string): boolean {
	const filterLevels = filter.split("/");
	const levels = topic.split("/");
	if (topic.startsWith("$") && (filterLevels[0] === "+" || filterLevels[0] === "#")) return false;
	for (let i = 0; i < filterLevels.length; i++) {
		if (filterLevels[i] === "#") return true;
		if (i >= levels.length) return false;
		if (filterLevels[i] !== "+" && filterLevels[i] !== levels[i]) return false;
	}
	return filterLevels.length === levels.length;
}

const level = fc.constantFrom("", "a", "b", "ab", "$x", "ü");

/** Short topic names of few different levels, so that matches are frequent. */
export const topicName = fc
	.array(level, { minLength: 1, maxLength: 5 })
	.map((levels) => levels.join("/"))
	.filter((topic) => topic !== "");

export const topicFilter = fc
	.tuple(fc.array(fc.oneof(level, fc.constant("+")), { minLength: 0, maxLength: 4 }), fc.boolean())
	.map(([levels, rest]) => (rest ? [...levels, "#"] : levels).join("/"))
	.filter((filter) => filter !== "");
