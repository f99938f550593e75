// The SDK disables this warning: a misspelt function would otherwise be noticed only on the board.
#pragma GCC diagnostic error "-Wimplicit-function-declaration"

#include "xsmc.h"

#include "esp_clk_tree.h"
#include "esp_pm.h"
#include "sdkconfig.h"

/*
 * Wi-Fi needs nothing here: between beacons its modem sleeps by default (WIFI_PS_MIN_MODEM: it listens to each
 * DTIM, so that no broadcast is missed, ARP's requests included). XS's task waits for its next timer in
 * FreeRTOS's queue, and the tick count, which are the SDK's milliseconds, is corrected after each sleep. The
 * task watchdog's timer stands still in the sleep.
 */
void xs_firefly_light_sleep(xsMachine *the)
{
#if defined(mxDebug)
	xsUnknownError("not with the debugger, whose serial line would fall asleep too");
#elif !CONFIG_PM_ENABLE || !CONFIG_FREERTOS_USE_TICKLESS_IDLE
	xsUnknownError("the image was built without the settings of firmware/light-sleep/sdkconfig");
#else
	esp_pm_config_t config = {0};
	uint32_t crystal = 0;
	esp_err_t error = esp_pm_get_configuration(&config);

	// Radio on and nothing to do: the CPU need not run at its full frequency.
	if (!error)
		error = esp_clk_tree_src_get_freq_hz(SOC_MOD_CLK_XTAL, ESP_CLK_TREE_SRC_FREQ_PRECISION_CACHED, &crystal);
	config.min_freq_mhz = crystal / 1000000;
	config.light_sleep_enable = true;
	if (!error)
		error = esp_pm_configure(&config);
	if (error)
		xsUnknownError("power management: error 0x%x", (int)error);
#endif
}
