/**
 * `xs_firefly_checksum`, as firmware/esp32/retained.c has it in C: that of `mix32` of the firmware.
 * @param bytes the memory of the firmware's buffer, wherever it begins
 * @throws {TypeError} of XS on a chip: xsmcGetBufferReadable() refuses arrays whose elements are no bytes
 */
export function retainedChecksum(bytes: ArrayBufferLike | ArrayBufferView): number {
	if ("BYTES_PER_ELEMENT" in bytes && bytes.BYTES_PER_ELEMENT !== 1) throw new TypeError("invalid buffer");
	const { buffer, byteOffset, byteLength } = "buffer" in bytes ? bytes : new Uint8Array(bytes);
	let state = 0x2545f491;
	for (const word of new Uint32Array(buffer.slice(byteOffset, byteOffset + byteLength)))
		state = Math.imul(state ^ (state >>> 15) ^ word, 0x9e3779b1);
	return (state ^ (state >>> 15)) >>> 0;
}
