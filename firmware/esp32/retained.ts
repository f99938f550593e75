/** Bytes of RTC memory for firmware and outbox; 1 KB of the ESP32's 8 KB is left to the IDF. */
const RETAINED_SIZE = 7168;

function retainedBuffer(this: void, bytes: number): ArrayBuffer {
	return native("xs_firefly_retained").call(this, bytes) as ArrayBuffer;
}

/** A view of RTC memory itself: a write is retained at once. */
export function retained(): Uint8Array {
	return new Uint8Array(retainedBuffer(RETAINED_SIZE));
}
