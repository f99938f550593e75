// The SDK disables this warning: a misspelt function would otherwise be noticed only on the board.
#pragma GCC diagnostic error "-Wimplicit-function-declaration"

#include "xsmc.h"
#include "xsHost.h"

#include "esp_sleep.h"
#include "esp_system.h"
#include "esp_wifi.h"

static void enterDeepSleep(void *the, void *refcon, uint8_t *message, uint16_t messageLength)
{
	// Stops the radio gracefully; an error means that it was never on.
	esp_wifi_stop();
	esp_deep_sleep_start();
}

void xs_firefly_deep_sleep(xsMachine *the)
{
	xsIntegerValue ms = xsmcToInteger(xsArg(0));
	esp_sleep_enable_timer_wakeup((uint64_t)(ms < 1 ? 1 : ms) * 1000);

	// Sockets pass their output to lwIP in messages of the same queue: messages posted earlier are processed
	// first. The queue has a place for this one (cli/config/message-queue.ts). Should the post fail all the same,
	// staying awake would cost more than output that is not acknowledged, and so is sent again.
	if (modMessagePostToMachine(the, NULL, 0, enterDeepSleep, NULL))
		enterDeepSleep(the, NULL, NULL, 0);
}

void xs_firefly_reset_reason(xsMachine *the)
{
	xsmcSetInteger(xsResult, esp_reset_reason());
}
