// The SDK disables this warning: a misspelt function would otherwise be noticed only on the board.
#pragma GCC diagnostic error "-Wimplicit-function-declaration"

#include "xsmc.h"
#include "xsHost.h"

#include "driver/gpio.h"
#include "esp_attr.h"
#include "esp_sleep.h"
#include "esp_system.h"
#include "esp_wifi.h"
#include "soc/soc_caps.h"

/*
 * What wakes a chip by a pin: ext0 takes one pin and either level, ext1 several pins that all wait for the same
 * level, or for one each; the C3 has neither, but its GPIO themselves.
 */
#if SOC_PM_SUPPORT_EXT1_WAKEUP && SOC_RTCIO_PIN_COUNT > 0
	#define WAKES_BY_RTC_IO 1
	#include "driver/rtc_io.h"
#elif SOC_GPIO_SUPPORT_HP_PERIPH_PD_SLEEP_WAKEUP
	#define WAKES_BY_GPIO 1
#endif

// As in sleep.ts
#define PULL_NONE 0
#define PULL_UP 1
#define PULL_DOWN 2

/** Pins that are set to wake the chip, a bit each; until they are released they are no ordinary inputs. */
static RTC_DATA_ATTR uint64_t gWakePins = 0;
#if SOC_PM_SUPPORT_EXT0_WAKEUP
/** The pin of ext0, which the chip does not tell afterwards; -1: none. */
static RTC_DATA_ATTR int8_t gExt0Pin = -1;
#endif

/** @param refcon duration, ms */
static void enterDeepSleep(void *the, void *refcon, uint8_t *message, uint16_t messageLength)
{
	// Stops the radio gracefully; an error means that it was never on.
	esp_wifi_stop();
	// Only now: light sleep, which may come while the radio stops, sets the same timer.
	esp_sleep_enable_timer_wakeup((uint64_t)(uintptr_t)refcon * 1000);
	esp_deep_sleep_start();
}

void xs_firefly_deep_sleep(xsMachine *the)
{
	xsIntegerValue ms = xsmcToInteger(xsArg(0));
	void *duration = (void *)(uintptr_t)(ms < 1 ? 1 : ms);

	// Sockets pass their output to lwIP in messages of the same queue: messages posted earlier are processed
	// first. The queue has a place for this one (cli/config/message-queue.ts). Should the post fail all the same,
	// staying awake would cost more than output that is not acknowledged, and so is sent again.
	if (modMessagePostToMachine(the, NULL, 0, enterDeepSleep, duration))
		enterDeepSleep(the, duration, NULL, 0);
}

void xs_firefly_reset_reason(xsMachine *the)
{
	xsmcSetInteger(xsResult, esp_reset_reason());
}

#if WAKES_BY_RTC_IO

static esp_err_t wakeOn(gpio_num_t pin, int level)
{
#if SOC_PM_SUPPORT_EXT0_WAKEUP
	if ((gExt0Pin < 0) || (gExt0Pin == pin)) {
		gExt0Pin = pin;
		return esp_sleep_enable_ext0_wakeup(pin, level);
	}
#endif
	return esp_sleep_enable_ext1_wakeup_io(1ULL << pin, (esp_sleep_ext1_wakeup_mode_t)level);
}

/** Drivers have reset the pin when they let go of it, and with it its resistor. */
static void configurePin(gpio_num_t pin, int pull)
{
	rtc_gpio_init(pin);
	rtc_gpio_set_direction(pin, RTC_GPIO_MODE_INPUT_ONLY);
	if (pull == PULL_UP)
		rtc_gpio_pullup_en(pin);
	else
		rtc_gpio_pullup_dis(pin);
	if (pull == PULL_DOWN)
		rtc_gpio_pulldown_en(pin);
	else
		rtc_gpio_pulldown_dis(pin);
#if SOC_PM_SUPPORT_RTC_PERIPH_PD
	// The resistors are of this power domain.
	if (pull != PULL_NONE)
		esp_sleep_pd_config(ESP_PD_DOMAIN_RTC_PERIPH, ESP_PD_OPTION_ON);
#endif
}

static void releasePin(gpio_num_t pin)
{
	rtc_gpio_hold_dis(pin);
	rtc_gpio_deinit(pin);
}

static int wakePin(void)
{
	uint32_t causes = esp_sleep_get_wakeup_causes();
#if SOC_PM_SUPPORT_EXT0_WAKEUP
	if (causes & BIT(ESP_SLEEP_WAKEUP_EXT0))
		return gExt0Pin;
#endif
	uint64_t pins = (causes & BIT(ESP_SLEEP_WAKEUP_EXT1)) ? esp_sleep_get_ext1_wakeup_status() : 0;
	return pins ? __builtin_ctzll(pins) : -1;
}

#elif WAKES_BY_GPIO

static esp_err_t wakeOn(gpio_num_t pin, int level)
{
	return esp_sleep_enable_gpio_wakeup_on_hp_periph_powerdown(
		1ULL << pin, level ? ESP_GPIO_WAKEUP_GPIO_HIGH : ESP_GPIO_WAKEUP_GPIO_LOW);
}

/** The IDF holds it as it is here: CONFIG_ESP_SLEEP_GPIO_ENABLE_INTERNAL_RESISTORS is off. */
static void configurePin(gpio_num_t pin, int pull)
{
	gpio_set_direction(pin, GPIO_MODE_INPUT);
	gpio_set_pull_mode(pin, pull == PULL_UP ? GPIO_PULLUP_ONLY : pull == PULL_DOWN ? GPIO_PULLDOWN_ONLY : GPIO_FLOATING);
}

static void releasePin(gpio_num_t pin)
{
	gpio_hold_dis(pin);
}

static int wakePin(void)
{
	uint64_t pins = esp_sleep_get_gpio_wakeup_status();
	return pins ? __builtin_ctzll(pins) : -1;
}

#else

static esp_err_t wakeOn(gpio_num_t pin, int level)
{
	return ESP_ERR_NOT_SUPPORTED;
}

static void configurePin(gpio_num_t pin, int pull)
{
}

static void releasePin(gpio_num_t pin)
{
}

static int wakePin(void)
{
	return -1;
}

#endif

void xs_firefly_wake_on(xsMachine *the)
{
	xsIntegerValue pin = xsmcToInteger(xsArg(0));
	xsIntegerValue level = xsmcToInteger(xsArg(1));
	xsIntegerValue pull = xsmcToInteger(xsArg(2));

	if ((pin < 0) || (pin >= GPIO_NUM_MAX) || !esp_sleep_is_valid_wakeup_gpio((gpio_num_t)pin)
			|| wakeOn((gpio_num_t)pin, level ? 1 : 0))
		xsRangeError("the chip cannot be woken by it");
	configurePin((gpio_num_t)pin, pull);
	gWakePins |= 1ULL << pin;
}

/** Also makes ordinary inputs again of the pins that were to wake the chip. */
void xs_firefly_wake_pin(xsMachine *the)
{
	xsmcSetInteger(xsResult, wakePin());

	for (int pin = 0; pin < GPIO_NUM_MAX; pin++)
		if (gWakePins & (1ULL << pin))
			releasePin((gpio_num_t)pin);
	gWakePins = 0;
#if SOC_PM_SUPPORT_EXT0_WAKEUP
	gExt0Pin = -1;
#endif
}
