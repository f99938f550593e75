/** Bytes of RTC memory that firmware and outbox share; leaves a kilobyte of the ESP32's eight to the IDF. */
const RETAINED_SIZE = 7168;

function retainedBuffer(this: void, bytes: number): ArrayBuffer {
	return native("xs_firefly_retained").call(this, bytes) as ArrayBuffer;
}

/** A view straight onto RTC memory: what is written is kept at once. */
export function retained(): Uint8Array {
	return new Uint8Array(retainedBuffer(RETAINED_SIZE));
}
