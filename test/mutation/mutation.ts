/** One small bug, planted by replacing a text that occurs once in a file. */
export interface Mutation {
	readonly file: string;
	readonly text: string;
	readonly replacement: string;
	/** What breaks for a user. */
	readonly breaks: string;
	/** Test files or folders that should notice. */
	readonly tests: readonly string[];
}

export function mutation(
	file: string,
	text: string,
	replacement: string,
	breaks: string,
	tests: readonly string[],
): Mutation {
	return { file, text, replacement, breaks, tests };
}
