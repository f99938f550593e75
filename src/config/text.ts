/** Length in UTF-8 bytes; -1 if the text contains a lone surrogate, which has no UTF-8 form. */
export function utf8Length(text: string): number {
	let length = 0;
	for (const character of text) {
		const code = character.codePointAt(0) ?? 0;
		if (code >= 0xd800 && code <= 0xdfff) return -1;
		if (code < 0x80) length += 1;
		else if (code < 0x800) length += 2;
		else if (code < 0x10000) length += 3;
		else length += 4;
	}
	return length;
}

/** Whether the text has 1 … `maximum` characters, each a letter, digit, `-`, `_` or `.` of ASCII. */
export function validName(text: string, maximum: number): boolean {
	let count = 0;
	for (const character of text) {
		count++;
		const fits =
			(character >= "a" && character <= "z") ||
			(character >= "A" && character <= "Z") ||
			(character >= "0" && character <= "9") ||
			character === "-" ||
			character === "_" ||
			character === ".";
		if (!fits) return false;
	}
	return count >= 1 && count <= maximum;
}

/** Whether the text has characters, all of them lower-case letters, digits or `-` of ASCII. */
export function validHomieId(text: string): boolean {
	for (const character of text) {
		const fits =
			(character >= "a" && character <= "z") || (character >= "0" && character <= "9") || character === "-";
		if (!fits) return false;
	}
	return text !== "";
}
