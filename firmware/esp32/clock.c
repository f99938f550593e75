// The SDK disables this warning: a misspelt function would otherwise be noticed only on the board.
#pragma GCC diagnostic error "-Wimplicit-function-declaration"

#include "xsmc.h"

#include <sys/time.h>

// The SDK's own function sets whole seconds only.
void xs_firefly_set_clock(xsMachine *the)
{
	struct timeval now;

	now.tv_sec = (time_t)xsmcToNumber(xsArg(0));
	now.tv_usec = (suseconds_t)xsmcToInteger(xsArg(1));
	settimeofday(&now, NULL);
}
