import type { ByteBuffer } from "./options";

/**
 * The bytes of an ECMA-419 byte buffer, not copied. Allocates a view unless `data` is a Uint8Array.
 * @throws RangeError for a view of elements larger than a byte
 */
export function bytesOf(data: ByteBuffer): Uint8Array {
	if (data instanceof Uint8Array) return data;
	if (!ArrayBuffer.isView(data)) return new Uint8Array(data);
	// A DataView has no such property.
	if ("BYTES_PER_ELEMENT" in data && data.BYTES_PER_ELEMENT !== 1)
		throw new RangeError("the elements of a byte buffer are bytes");
	return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
