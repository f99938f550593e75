import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { checksum } from "../../firmware/esp32/retained";
import { retainedChecksum } from "../../sim/board/retained-checksum";
import { RETAINED_BYTES } from "../../src/retained-memory";
import { mix32 } from "../../src/sensor/retained/checksum";
import { root } from "./import-graph";

/** As much of XS in C as retained.c uses: a machine is the argument's bytes and the result. */
const XSMC = `#include <stdint.h>
#include <stdlib.h>
typedef int32_t xsIntegerValue;
typedef uint32_t xsUnsignedValue;
typedef struct { uint8_t* bytes; uint32_t length, result; } xsMachine;
#define xsArg(INDEX) INDEX
#define xsResult the->result
#define xsmcGetBufferReadable(SLOT, DATA, COUNT) (*(DATA) = the->bytes, *(COUNT) = the->length)
#define xsmcSetUnsigned(SLOT, VALUE) (SLOT = (VALUE))
#define xsmcToInteger(SLOT) (SLOT)
#define xsmcSetHostBuffer(SLOT, DATA, COUNT) ((void)(DATA))
#define xsNewHostObject(DESTRUCTOR) 0
#define xsRangeError(TEXT) abort()
`;

const MAIN = `#include <stdio.h>
#include "xsmc.h"
void xs_firefly_checksum(xsMachine* the);
int main(void)
{
	static uint8_t bytes[65536];
	xsMachine machine = { bytes + 1, 0, 0 };
	machine.length = fread(machine.bytes, 1, sizeof(bytes) - 1, stdin);
	xs_firefly_checksum(&machine);
	printf("%u", machine.result);
	return 0;
}
`;

test("the chip's checksum of retained memory, in C, is that of the firmware, and so is the simulator's", () => {
	const folder = mkdtempSync(join(tmpdir(), "firefly-checksum-"));
	try {
		writeFileSync(join(folder, "xsmc.h"), XSMC);
		writeFileSync(join(folder, "mc.defines.h"), `#define MODDEF_FIREFLY_RETAINED ${RETAINED_BYTES}\n`);
		writeFileSync(join(folder, "esp_attr.h"), "#define RTC_NOINIT_ATTR\n");
		writeFileSync(join(folder, "main.c"), MAIN);
		const program = join(folder, "checksum");
		const source = join(root, "firmware/esp32/retained.c");
		execFileSync(process.env.CC ?? "cc", [`-I${folder}`, "-o", program, join(folder, "main.c"), source]);
		for (const length of [0, 1, 2, 3, 4, 5, 62, 63, 64, 65, 500]) {
			const words = randomFillSync(new Uint32Array(length));
			const expected = mix32(words);
			const bytes = new Uint8Array(words.buffer);
			assert.equal(Number(execFileSync(program, { input: bytes, encoding: "utf8" })), expected, `${length}`);
			const shifted = new Uint8Array(bytes.length + 1);
			shifted.set(bytes, 1);
			assert.equal(retainedChecksum(shifted.subarray(1)), expected);
			assert.equal(retainedChecksum(words.buffer), expected);
		}
	} finally {
		rmSync(folder, { recursive: true });
	}
});

test("an array of words is refused where C takes bytes, as XS does: the chip's module hands over its buffer", (t) => {
	assert.throws(() => retainedChecksum(Uint32Array.of(1, 2)), /^TypeError: invalid buffer$/);
	Object.assign(globalThis, {
		native: () => ({ call: (_: undefined, words: ArrayBuffer) => retainedChecksum(words) }),
	});
	t.after(() => Reflect.deleteProperty(globalThis, "native"));
	const words = randomFillSync(new Uint32Array(62));
	assert.equal(checksum(words), mix32(words));
});

test("the checksum of retained memory has the values by which an update finds what the image before has left", () => {
	// Computed once with BigInt
	assert.equal(mix32(new Uint32Array(0)), 625_327_642);
	assert.equal(mix32(Uint32Array.of(1, 2, 3, 4, 5, 0xffff_ffff)), 318_717_778);
});
