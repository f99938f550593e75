import { PROTOCOL_ERROR, UNSUBACK, type Version } from "../constants";
import { MQTTError } from "../error";
import { reasonAllowed } from "../reasons";

/** Checks the codes of a SUBACK or UNSUBACK and returns their length in bytes. */
export function reasonCodesSize(type: number, codes: Uint8Array, count: number, version: Version): number {
	// [MQTT-3.8.4-6] [MQTT-3.1.1:3.8.4-5]
	if (!(count > 0 && count <= codes.length)) throw new MQTTError(PROTOCOL_ERROR, "no reason code");
	for (let i = 0; i < count; i++) {
		// [MQTT-3.9.3-2] [MQTT-3.11.3-2]
		if (!reasonAllowed(type, codes[i], false))
			throw new MQTTError(PROTOCOL_ERROR, "reason code is not one of this packet");
	}
	return version === 4 && type === UNSUBACK ? 0 : count;
}

/** Writes the first `size` codes; returns the index after them. */
export function writeReasonCodes(
	bytes: Uint8Array,
	from: number,
	codes: Uint8Array,
	size: number,
	version: Version,
): number {
	let at = from;
	for (let i = 0; i < size; i++) {
		const code = codes[i];
		bytes[at++] = version === 4 && code > 0x80 ? 0x80 : code; // [MQTT-3.1.1:3.9.3-2]
	}
	return at;
}
