#include "xsmc.h"

#if mxWindows
	#include <winsock2.h>
	typedef int socklen_t;
#else
	#include <netinet/in.h>
	#include <sys/socket.h>
	#include <unistd.h>
	#define closesocket close
	#define SOCKET int
	#define INVALID_SOCKET (-1)
#endif

#include <string.h>

/** (port): whether a listener can be opened on it, on all addresses. */
void xs_firefly_port_is_free(xsMachine *the)
{
	struct sockaddr_in address;
	SOCKET probe = socket(AF_INET, SOCK_STREAM, 0);
	int free = 0;

	if (probe != INVALID_SOCKET) {
#if !mxWindows
		// As the SDK's listener does. On Windows it would let two programs share a port.
		int yes = 1;
		setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
#endif
		memset(&address, 0, sizeof(address));
		address.sin_family = AF_INET;
		address.sin_port = htons((unsigned short)xsmcToInteger(xsArg(0)));
		free = bind(probe, (struct sockaddr *)&address, sizeof(address)) == 0;
		closesocket(probe);
	}
	xsmcSetBoolean(xsResult, free);
}
