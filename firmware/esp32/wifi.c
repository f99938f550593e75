// The SDK disables this warning: a misspelt function would otherwise be noticed only on the board.
#pragma GCC diagnostic error "-Wimplicit-function-declaration"

#include "xsmc.h"
#include "xsHost.h"

#include <string.h>

#include "esp_event.h"
#include "esp_netif.h"
#include "esp_netif_net_stack.h"
#include "esp_wifi.h"
#include "lwip/dhcp.h"
#include "lwip/netif.h"

// The SDK's classes always scan all channels, join with a BSSID or with a fixed address but not with both, retry in
// secret, and do not say why a connection ended.

// Offsets in a link: src/device.ts
enum {
	kLinkBSSID = 0,
	kLinkChannel = 6,
	kLinkAddress = 8,
	kLinkMask = 12,
	kLinkGateway = 16,
	kLinkDNS = 20,
	kLinkLease = 24,
	kLinkSize = 28
};

// Further tries to associate with the access point that a scan has found.
#define ASSOCIATION_RETRIES 2

// Stations of an own access point: what every chip of the family serves.
#define STATIONS 10

// Messages in the order in which they happen; each is pending once at most.
enum { kConnect, kGotIP, kLostIP, kDisconnect, kMessageCount };
static char *const gMessages[kMessageCount] = {"connect", "gotIP", "lostIP", "disconnect"};

typedef enum { kIdle, kStarting, kJoining, kServing } State;

static bool gInitialized;
static wifi_country_t gCountry;
static esp_netif_t *gStation;
static esp_netif_t *gServer;

static xsSlot gCallback;
static bool gHasCallback;
static xsMachine *gMachine;

// Shared with the event task.
static portMUX_TYPE gLock = portMUX_INITIALIZER_UNLOCKED;
static volatile State gState;
static uint8_t gLink[kLinkSize];
static uint8_t gReason;
static uint8_t gPending;
static bool gPosted;

static void forgetCallback(xsMachine *the)
{
	if (gHasCallback) {
		gHasCallback = false;
		xsForget(gCallback);
	}
}

static void deliver(void *machine, void *refcon, uint8_t *message, uint16_t messageLength)
{
	xsMachine *the = machine;
	uint8_t pending, i;

	taskENTER_CRITICAL(&gLock);
	pending = gPending;
	gPending = 0;
	gPosted = false;
	taskEXIT_CRITICAL(&gLock);

	for (i = 0; i < kMessageCount; i++) {
		int detail = 0;

		// A callback may have ended the join.
		if (!(pending & (1 << i)) || !gHasCallback)
			continue;
		if (i == kGotIP)
			esp_wifi_sta_get_rssi(&detail);
		else if (i == kDisconnect)
			detail = gReason;
		xsBeginHost(the);
			xsCallFunction2(gCallback, xsGlobal, xsString(gMessages[i]), xsInteger(detail));
		xsEndHost(the);
	}
}

// Posts to XS's task, once for all messages that it has not taken yet.
static void post(uint8_t message)
{
	bool posted;

	taskENTER_CRITICAL(&gLock);
	gPending |= 1 << message;
	posted = gPosted;
	gPosted = true;
	taskEXIT_CRITICAL(&gLock);

	if (!posted && modMessagePostToMachine(gMachine, NULL, 0, deliver, NULL))
		gPosted = false;
}

static uint32_t linkWord(int at)
{
	uint32_t word;
	memcpy(&word, gLink + at, sizeof(word));
	return word;
}

// The driver has started: sets the address, then connects.
static void connectStation(void)
{
	esp_netif_dhcpc_stop(gStation);
	if (linkWord(kLinkAddress)) {
		esp_netif_ip_info_t address = {
			.ip.addr = linkWord(kLinkAddress),
			.netmask.addr = linkWord(kLinkMask),
			.gw.addr = linkWord(kLinkGateway),
		};
		esp_netif_dns_info_t dns = {
			.ip.u_addr.ip4.addr = linkWord(kLinkDNS),
			.ip.type = ESP_IPADDR_TYPE_V4,
		};
		esp_netif_set_ip_info(gStation, &address);
		esp_netif_set_dns_info(gStation, ESP_NETIF_DNS_MAIN, &dns);
	}
	else
		esp_netif_dhcpc_start(gStation);
	if (esp_wifi_connect()) {
		gState = kIdle;
		gReason = WIFI_REASON_UNSPECIFIED;
		post(kDisconnect);
	}
}

static void onWiFiEvent(void *context, esp_event_base_t base, int32_t id, void *data)
{
	switch (id) {
		case WIFI_EVENT_STA_START:
			if (gState == kStarting) {
				gState = kJoining;
				connectStation();
			}
			break;
		case WIFI_EVENT_STA_CONNECTED:
			if (gState == kJoining) {
				wifi_event_sta_connected_t *event = data;
				memcpy(gLink + kLinkBSSID, event->bssid, sizeof(event->bssid));
				gLink[kLinkChannel] = event->channel;
				post(kConnect);
			}
			break;
		case WIFI_EVENT_STA_DISCONNECTED:
			// Events of an earlier join arrive before the start of the present one.
			if (gState == kJoining) {
				gState = kIdle;
				gReason = ((wifi_event_sta_disconnected_t *)data)->reason;
				post(kDisconnect);
			}
			break;
		case WIFI_EVENT_AP_START:
			if (gState == kServing) {
				esp_netif_ip_info_t address;
				if (esp_netif_get_ip_info(gServer, &address) == ESP_OK) {
					memcpy(gLink + kLinkAddress, &address.ip.addr, 4);
					memcpy(gLink + kLinkMask, &address.netmask.addr, 4);
				}
				post(kGotIP);
			}
			break;
	}
}

static void onIPEvent(void *context, esp_event_base_t base, int32_t id, void *data)
{
	if (gState != kJoining)
		return;
	if (id == IP_EVENT_STA_GOT_IP) {
		esp_netif_ip_info_t *address = &((ip_event_got_ip_t *)data)->ip_info;
		esp_netif_dns_info_t dns = {0};
		struct dhcp *dhcp = netif_dhcp_data((struct netif *)esp_netif_get_netif_impl(gStation));
		uint32_t lease = dhcp ? dhcp->offered_t0_lease : 0;

		esp_netif_get_dns_info(gStation, ESP_NETIF_DNS_MAIN, &dns);
		memcpy(gLink + kLinkAddress, &address->ip.addr, 4);
		memcpy(gLink + kLinkMask, &address->netmask.addr, 4);
		memcpy(gLink + kLinkGateway, &address->gw.addr, 4);
		memcpy(gLink + kLinkDNS, &dns.ip.u_addr.ip4.addr, 4);
		memcpy(gLink + kLinkLease, &lease, 4);
		post(kGotIP);
	}
	else if (id == IP_EVENT_STA_LOST_IP)
		post(kLostIP);
}

static void check(xsMachine *the, esp_err_t error)
{
	if (error)
		xsUnknownError("Wi-Fi: error 0x%x", (int)error);
}

static void initialize(xsMachine *the)
{
	wifi_init_config_t config = WIFI_INIT_CONFIG_DEFAULT();
	esp_err_t error;

	if (gInitialized)
		return;
	check(the, esp_netif_init());
	error = esp_event_loop_create_default();
	if (error != ESP_ERR_INVALID_STATE) // it exists
		check(the, error);
	// What is joined is in the configuration alone, not in NVS.
	config.nvs_enable = 0;
	check(the, esp_wifi_init(&config));
	check(the, esp_wifi_set_storage(WIFI_STORAGE_RAM));
	check(the, esp_wifi_get_country(&gCountry));
	check(the, esp_event_handler_register(WIFI_EVENT, ESP_EVENT_ANY_ID, onWiFiEvent, NULL));
	check(the, esp_event_handler_register(IP_EVENT, ESP_EVENT_ANY_ID, onIPEvent, NULL));
	gMachine = the;
	gInitialized = true;
}

static void stop(xsMachine *the)
{
	gState = kIdle;
	forgetCallback(the);
	if (gInitialized)
		esp_wifi_stop();
	taskENTER_CRITICAL(&gLock);
	gPending = 0;
	taskEXIT_CRITICAL(&gLock);
}

// A text that fits a field of fixed size, which it may fill without a terminating zero.
static size_t copyText(xsMachine *the, uint8_t *field, size_t size, const char *text)
{
	size_t length = strlen(text);
	if (length > size)
		xsRangeError("Wi-Fi: text too long");
	memcpy(field, text, length);
	return length;
}

// A channel in a station's configuration says only where a scan begins: without the access point there, it
// goes on through all the others, 2.4 s. A country of one channel ends it there.
static void scanOnly(xsMachine *the, uint8_t channel)
{
	wifi_country_t country = gCountry;

	if (channel) {
		country.schan = channel;
		country.nchan = 1;
		country.policy = WIFI_COUNTRY_POLICY_MANUAL;
	}
	check(the, esp_wifi_set_country(&country));
}

static void start(xsMachine *the, State state, xsSlot *callback)
{
	gCallback = *callback;
	xsRemember(gCallback);
	gHasCallback = true;
	gState = state;
	if (esp_wifi_start()) {
		stop(the);
		xsUnknownError("Wi-Fi: no start");
	}
}

// (ssid, password, link or undefined, callback)
void xs_firefly_wifi_join(xsMachine *the)
{
	wifi_config_t config = {0};

	copyText(the, config.sta.ssid, sizeof(config.sta.ssid), xsmcToString(xsArg(0)));
	copyText(the, config.sta.password, sizeof(config.sta.password), xsmcToString(xsArg(1)));
	stop(the);
	memset(gLink, 0, sizeof(gLink));
	if (xsmcTest(xsArg(2))) {
		void *link;
		xsUnsignedValue size;
		xsmcGetBufferReadable(xsArg(2), &link, &size);
		if (size < sizeof(gLink))
			xsRangeError("Wi-Fi: link too short");
		memcpy(gLink, link, sizeof(gLink));
	}
	if (gLink[kLinkChannel]) {
		memcpy(config.sta.bssid, gLink + kLinkBSSID, sizeof(config.sta.bssid));
		config.sta.bssid_set = true;
		config.sta.channel = gLink[kLinkChannel];
		config.sta.scan_method = WIFI_FAST_SCAN;
	}
	else {
		config.sta.scan_method = WIFI_ALL_CHANNEL_SCAN;
		config.sta.sort_method = WIFI_CONNECT_AP_BY_SIGNAL;
		config.sta.failure_retry_cnt = ASSOCIATION_RETRIES;
	}
	initialize(the);
	if (!gStation)
		gStation = esp_netif_create_default_wifi_sta();
	check(the, esp_wifi_set_mode(WIFI_MODE_STA));
	scanOnly(the, gLink[kLinkChannel]);
	check(the, esp_wifi_set_config(WIFI_IF_STA, &config));
	start(the, kStarting, &xsArg(3));
}

// (ssid, password, channel, callback): the chip is the access point, at 192.168.4.1, and assigns addresses.
void xs_firefly_wifi_serve(xsMachine *the)
{
	wifi_config_t config = {0};

	config.ap.ssid_len = copyText(the, config.ap.ssid, sizeof(config.ap.ssid), xsmcToString(xsArg(0)));
	config.ap.authmode =
		copyText(the, config.ap.password, sizeof(config.ap.password), xsmcToString(xsArg(1))) ? WIFI_AUTH_WPA2_PSK : WIFI_AUTH_OPEN;
	config.ap.channel = xsmcToInteger(xsArg(2));
	config.ap.max_connection = STATIONS;
	stop(the);
	initialize(the);
	if (!gServer)
		gServer = esp_netif_create_default_wifi_ap();
	check(the, esp_wifi_set_mode(WIFI_MODE_AP));
	scanOnly(the, 0);
	check(the, esp_wifi_set_config(WIFI_IF_AP, &config));
	start(the, kServing, &xsArg(3));
}

// Ends the join: no callback follows.
void xs_firefly_wifi_stop(xsMachine *the)
{
	stop(the);
}

// (link): copies what is in use.
void xs_firefly_wifi_link(xsMachine *the)
{
	void *link;
	xsUnsignedValue size;

	xsmcGetBufferWritable(xsArg(0), &link, &size);
	if (size < sizeof(gLink))
		xsRangeError("Wi-Fi: link too short");
	memcpy(link, gLink, sizeof(gLink));
}
