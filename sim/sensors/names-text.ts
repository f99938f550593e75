/** Names that a message lists; a recording may have thousands of columns. */
const MAX_NAMES = 20;

/** The names of columns or series as a message lists them: the first ones, and how many more there are. */
export function namesText(names: readonly string[]): string {
	if (names.length <= MAX_NAMES) return names.join(", ");
	return `${names.slice(0, MAX_NAMES).join(", ")} and ${names.length - MAX_NAMES} more`;
}
