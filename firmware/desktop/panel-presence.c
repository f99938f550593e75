#include "xsmc.h"

#include <stdlib.h>

/*
 * mcsim unloads the application, with all its variables, at each reset and for the time of each sleep: the
 * environment of the process remembers that Firefly's panel is there.
 */
#define ENVIRONMENT "FIREFLY_PANEL"

void xs_firefly_remember_panel(xsMachine *the)
{
#if mxWindows
	_putenv_s(ENVIRONMENT, "1");
#else
	setenv(ENVIRONMENT, "1", 1);
#endif
}

/** Whether an application of this process has heard of the panel. */
void xs_firefly_panel_is_known(xsMachine *the)
{
	xsmcSetBoolean(xsResult, getenv(ENVIRONMENT) != NULL);
}
