#include "xsmc.h"

#include <signal.h>

// A write to a socket that its peer has closed would otherwise terminate mcsim.
void xs_firefly_ignore_broken_pipes(xsMachine *the)
{
	signal(SIGPIPE, SIG_IGN);
}
