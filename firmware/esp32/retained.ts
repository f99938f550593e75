import { RETAINED_BYTES } from "../../src/retained-memory";

function retainedBuffer(this: void, bytes: number): ArrayBuffer {
	return native("xs_firefly_retained").call(this, bytes) as ArrayBuffer;
}

/** As `Device.checksum`. XS gives C the bytes of a buffer, but not of an array whose elements are words. */
export function checksum(this: void, words: Uint32Array): number {
	return native("xs_firefly_checksum").call(this, words.buffer) as number;
}

/** A view of RTC memory itself: a write is retained at once. */
export function retained(): Uint8Array {
	return new Uint8Array(retainedBuffer(RETAINED_BYTES));
}
