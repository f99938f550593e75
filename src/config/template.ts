/** What placeholders stand for; absent ones are left as they are. */
export interface Placeholders {
	readonly mac?: string;
	readonly chip?: string;
	readonly id?: string;
	readonly sensor?: string;
}

/** Replaces `{mac}`, `{chip}`, `{id}` and `{sensor}` by the values given. */
export function expand(template: string, values: Placeholders): string {
	let result = template;
	if (values.id !== undefined) result = result.split("{id}").join(values.id);
	if (values.mac !== undefined) result = result.split("{mac}").join(values.mac);
	if (values.chip !== undefined) result = result.split("{chip}").join(values.chip);
	if (values.sensor !== undefined) result = result.split("{sensor}").join(values.sensor);
	return result;
}

/** The first placeholder that is not one of `known`, or a brace that belongs to none; undefined when all is well. */
export function unknownPlaceholder(template: string, known: readonly string[]): string | undefined {
	let rest = template;
	for (;;) {
		const open = rest.indexOf("{");
		const close = rest.indexOf("}");
		if (open < 0 && close < 0) return undefined;
		if (open < 0 || close < open) return close < 0 ? "{" : "}";
		const name = rest.slice(open + 1, close);
		if (!known.includes(name)) return `{${name}}`;
		rest = rest.slice(close + 1);
	}
}
