// The SDK disables this warning: a misspelt function would otherwise be noticed only on the board.
#pragma GCC diagnostic error "-Wimplicit-function-declaration"

#include "xsmc.h"
#include "mc.defines.h"

#include "esp_attr.h"

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
