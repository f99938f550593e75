#include "xsmc.h"

#include <signal.h>

// A write to a socket whose peer has gone would end mcsim otherwise.
void xs_firefly_ignore_broken_pipes(xsMachine *the)
{
	signal(SIGPIPE, SIG_IGN);
}
