// The SDK disables this warning: a misspelt function would otherwise be noticed only on the board.
#pragma GCC diagnostic error "-Wimplicit-function-declaration"

#include "xsmc.h"

#include "esp_mac.h"
#include "sdkconfig.h"

void xs_firefly_mac(xsMachine *the)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t address[6] = {0};
	char text[13];
	int i;

	esp_read_mac(address, ESP_MAC_WIFI_STA);
	for (i = 0; i < 6; i++) {
		text[i * 2] = digits[address[i] >> 4];
		text[i * 2 + 1] = digits[address[i] & 15];
	}
	text[12] = 0;
	xsmcSetString(xsResult, text);
}

void xs_firefly_chip(xsMachine *the)
{
	xsmcSetString(xsResult, CONFIG_IDF_TARGET);
}
