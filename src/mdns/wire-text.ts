import { utf8 } from "../mqtt/utf8";
import { POINT } from "../text/ascii";
import { LABEL_SIZE } from "./constants";

/** Bytes of a name at most, with its end (RFC 1035 §3.1). */
const NAME_SIZE = 255;

/**
 * A name as it is on the wire.
 * @param text labels with points between them, and one at the end or not
 * @throws {RangeError} if it cannot be a name
 */
export function wireName(text: string): Uint8Array {
	const bytes = utf8(text.endsWith(".") ? text : `${text}.`);
	const name = new Uint8Array(bytes.length + 1);
	let lengthAt = 0;
	for (let i = 0; i < bytes.length; i++) {
		if (bytes[i] !== POINT) {
			name[i + 1] = bytes[i];
			continue;
		}
		const length = i - lengthAt;
		if (length === 0 || length > LABEL_SIZE) throw new RangeError(`"${text}" is not a name of DNS`);
		name[lengthAt] = length;
		lengthAt = i + 1;
	}
	if (name.length > NAME_SIZE) throw new RangeError(`"${text}" is not a name of DNS`);
	return name;
}
