// The SDK disables this warning: a misspelt function would otherwise be noticed only on the board.
#pragma GCC diagnostic error "-Wimplicit-function-declaration"

#include "xsmc.h"
#include "xsHost.h"

#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/tcpip.h"
#include "lwip/timeouts.h"

// Longest wait for the hold, and longest hold, in ms. Both take a fraction of one. But lwIP's task may be
// waiting for room in the queue of XS's task, which is the one that waits here; and the SDK's constructor, if
// it fails for want of memory, waits for lwIP. Either then goes on.
#define HOLD_LIMIT 100

// Longest time until a segment is acknowledged, in ms, on a connection that has just been opened. lwIP takes up to
// 250. A broker whose socket waits for the acknowledgement of CONNACK before it sends PUBACK (Nagle's algorithm,
// RFC 896, mosquitto's default) keeps a node awake as long: with mosquitto for 200 ms, after which it sends
// CONNACK again.
#define ACKNOWLEDGE_PERIOD 10

// How often that is done once a connection was opened, for three seconds: a chip that stays connected has to
// sleep between its reports (sleep.mode "light"), and a timer would wake it each time.
#define ACKNOWLEDGE_TURNS 300

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

// Turns of acknowledge() that are left. Only lwIP's task reads and writes it.
static uint16_t gTurns;

// As tcp_fasttmr() of lwIP's tcp.c does it for all that is due.
static void acknowledge(void *unused)
{
	struct tcp_pcb *pcb;

	for (pcb = tcp_active_pcbs; pcb; pcb = pcb->next) {
		if (pcb->flags & TF_ACK_DELAY) {
			tcp_ack_now(pcb);
			tcp_output(pcb);
			tcp_clear_flags(pcb, TF_ACK_DELAY | TF_ACK_NOW);
		}
	}
	if (--gTurns > 0)
		sys_timeout(ACKNOWLEDGE_PERIOD, acknowledge, NULL);
}

static void begin(void *unused)
{
	if (gTurns == 0)
		sys_timeout(ACKNOWLEDGE_PERIOD, acknowledge, NULL);
	gTurns = ACKNOWLEDGE_TURNS;
}

// Without room in lwIP's queue this connection is as slow as lwIP is.
void xs_firefly_network_acknowledge_soon(xsMachine *the)
{
	tcpip_try_callback(begin, NULL);
}
