#include "xsmc.h"

#if !mxWindows
	#include <signal.h>
#endif

// A write to a socket that its peer has closed would otherwise terminate mcsim.
void xs_firefly_ignore_broken_pipes(xsMachine *the)
{
#if !mxWindows
	signal(SIGPIPE, SIG_IGN);
#endif
}
