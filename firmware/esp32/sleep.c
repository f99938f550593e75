// The SDK switches this warning off: a misspelt function would link against nothing and be noticed on the board.
#pragma GCC diagnostic error "-Wimplicit-function-declaration"

#include "xsmc.h"
#include "xsHost.h"

#include "esp_sleep.h"
#include "esp_system.h"
#include "esp_wifi.h"

static void enterDeepSleep(void *the, void *refcon, uint8_t *message, uint16_t messageLength)
{
	// Stops the radio gracefully; an error says that it was never on.
	esp_wifi_stop();
	esp_deep_sleep_start();
}

void xs_firefly_deep_sleep(xsMachine *the)
{
	xsIntegerValue ms = xsmcToInteger(xsArg(0));
	esp_sleep_enable_timer_wakeup((uint64_t)(ms < 1 ? 1 : ms) * 1000);

	// Sockets hand their output to lwIP in messages of the same queue: those posted before this one go first.
	modMessagePostToMachine(the, NULL, 0, enterDeepSleep, NULL);
}

void xs_firefly_reset_reason(xsMachine *the)
{
	xsmcSetInteger(xsResult, esp_reset_reason());
}
