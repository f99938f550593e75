// The SDK disables this warning: a misspelt function would otherwise be noticed only on the board.
#pragma GCC diagnostic error "-Wimplicit-function-declaration"

#include "xsmc.h"
#include "xsHost.h"

#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "lwip/tcpip.h"

// Longest wait for the hold, and longest hold, in ms. Both take a fraction of one. But lwIP's task may be
// waiting for room in the queue of XS's task, which is the one that waits here; and the SDK's constructor, if
// it fails for want of memory, waits for lwIP. Either then goes on.
#define HOLD_LIMIT 100

static StaticSemaphore_t gHeldMemory, gReleaseMemory;
static SemaphoreHandle_t gHeld, gRelease;

// In lwIP's task: it processes no segment until it is released.
static void hold(void *unused)
{
	xSemaphoreGive(gHeld);
	xSemaphoreTake(gRelease, pdMS_TO_TICKS(HOLD_LIMIT));
}

void xs_firefly_network_hold(xsMachine *the)
{
	if (!gHeld) {
		gHeld = xSemaphoreCreateBinaryStatic(&gHeldMemory);
		gRelease = xSemaphoreCreateBinaryStatic(&gReleaseMemory);
	}
	// Left over from a hold that came too late, or that its limit has ended.
	xSemaphoreTake(gHeld, 0);
	xSemaphoreTake(gRelease, 0);
	if (tcpip_try_callback(hold, NULL) == ERR_OK)
		xSemaphoreTake(gHeld, pdMS_TO_TICKS(HOLD_LIMIT));
}

void xs_firefly_network_release(xsMachine *the)
{
	xSemaphoreGive(gRelease);
}
