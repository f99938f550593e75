// The SDK disables this warning: a misspelt function would otherwise be noticed only on the board.
#pragma GCC diagnostic error "-Wimplicit-function-declaration"

#include "xsmc.h"
#include "mc.defines.h"

#include "esp_attr.h"

#include <string.h>

// The IDF's linker script keeps this section's domain powered in deep sleep; nothing initialises it at boot.
// Typed arrays of doubles may lie over it, and XS takes them for aligned.
static RTC_NOINIT_ATTR uint8_t gRetained[MODDEF_FIREFLY_RETAINED] __attribute__((aligned(8)));

void xs_firefly_retained(xsMachine *the)
{
	xsIntegerValue bytes = xsmcToInteger(xsArg(0));
	if ((bytes < 0) || (bytes > (xsIntegerValue)sizeof(gRetained)))
		xsRangeError("more retained memory than the build has");

	xsResult = xsNewHostObject(NULL);
	xsmcSetHostBuffer(xsResult, gRetained, bytes);
}

/** As mix32() of src/sensor/retained/checksum.ts, whose byte codes were a third of a quiet wake. */
void xs_firefly_checksum(xsMachine *the)
{
	uint8_t *bytes;
	xsUnsignedValue length, at;
	uint32_t state = 0x2545f491u;

	xsmcGetBufferReadable(xsArg(0), (void **)&bytes, &length);
	for (at = 0; at + 4 <= length; at += 4) {
		uint32_t word;
		memcpy(&word, bytes + at, sizeof(word));
		state = (state ^ (state >> 15) ^ word) * 0x9e3779b1u;
	}
	xsmcSetUnsigned(xsResult, state ^ (state >> 15));
}
