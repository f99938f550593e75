/**
 * `xs_firefly_checksum`, as firmware/esp32/retained.c has it in C: that of `mix32` of the firmware.
 * @param words the memory of the firmware's array, wherever it begins
 */
export function retainedChecksum({ buffer, byteOffset, byteLength }: Uint8Array | Uint32Array): number {
	let state = 0x2545f491;
	for (const word of new Uint32Array(buffer.slice(byteOffset, byteOffset + byteLength)))
		state = Math.imul(state ^ (state >>> 15) ^ word, 0x9e3779b1);
	return (state ^ (state >>> 15)) >>> 0;
}
