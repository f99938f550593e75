/** Values of the placeholders; a placeholder without a value is left unchanged. */
export interface Placeholders {
	readonly mac?: string;
	readonly chip?: string;
	readonly id?: string;
	readonly sensor?: string;
}

/** Replaces `{mac}`, `{chip}`, `{id}` and `{sensor}` by the values given. */
export function expand(template: string, { mac, chip, id, sensor }: Placeholders): string {
	let result = template;
	if (id !== undefined) result = replace(result, "{id}", id);
	if (mac !== undefined) result = replace(result, "{mac}", mac);
	if (chip !== undefined) result = replace(result, "{chip}", chip);
	return sensor === undefined ? result : replace(result, "{sensor}", sensor);
}

function replace(text: string, name: string, value: string): string {
	return text.includes(name) ? text.split(name).join(value) : text;
}

/**
 * Returns the first placeholder that is not in `known`, or a brace that belongs to no placeholder; undefined
 * if there is none.
 */
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
