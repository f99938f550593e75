// The SDK disables this warning: a misspelt function would otherwise be noticed only on the board.
#pragma GCC diagnostic error "-Wimplicit-function-declaration"

#include "xsmc.h"
#include "xsHost.h"

#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "lwip/tcpip.h"

// Longest hold, in ms. The SDK's constructor takes a fraction of one; if it fails for want of memory, it
// waits for lwIP, which then must go on.
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
	// Left over from a hold that its limit has ended.
	xSemaphoreTake(gRelease, 0);
	if (tcpip_callback(hold, NULL) == ERR_OK)
		xSemaphoreTake(gHeld, portMAX_DELAY);
}

void xs_firefly_network_release(xsMachine *the)
{
	xSemaphoreGive(gRelease);
}
