/**
 * Converts text to bytes: hexadecimal digits, 'text' for its UTF-8 bytes, s'text' with a two-byte length
 * before it, and { … } with the length of the content before it as a variable byte integer.
 */
export function bytes(notation: string): Uint8Array {
	const stack: number[][] = [[]];
	const pattern = /\s+|(s?)'([^']*)'|([0-9a-f]{2})|([{}])/gy;
	let end = 0;
	for (const match of notation.matchAll(pattern)) {
		end = match.index + match[0].length;
		const top = stack[stack.length - 1] as number[];
		if (match[2] !== undefined) {
			const text = [...Buffer.from(match[2], "utf8")];
			if (match[1]) top.push(text.length >> 8, text.length & 0xff);
			top.push(...text);
		} else if (match[3] !== undefined) top.push(Number.parseInt(match[3], 16));
		else if (match[4] === "{") stack.push([]);
		else if (match[4] === "}") {
			const group = stack.pop() as number[];
			const outer = stack[stack.length - 1];
			if (outer === undefined) throw new Error(`unbalanced } in ${notation}`);
			outer.push(...variableByteInteger(group.length), ...group);
		}
	}
	if (end !== notation.length || stack.length !== 1) throw new Error(`cannot read ${notation} at ${end}`);
	return Uint8Array.from(stack[0] as number[]);
}

function variableByteInteger(value: number): number[] {
	const result: number[] = [];
	let rest = value;
	do {
		const digit = rest % 128;
		rest = Math.floor(rest / 128);
		result.push(rest > 0 ? digit + 128 : digit);
	} while (rest > 0);
	return result;
}
