// The SDK disables this warning: a misspelt function would otherwise be noticed only on the board.
#pragma GCC diagnostic error "-Wimplicit-function-declaration"

#include "xsmc.h"
#include "xsHost.h"

#include "app_update/include/esp_ota_ops.h"
// Of the functions that an image has for its SHA-256 these alone are found by the SDK's include paths; ESP-IDF 5 and 6
// have them alike.
#include "bootloader_support/private_include/bootloader_sha.h"
#include "esp_system.h"
#include "esp_wifi.h"
#include "sdkconfig.h"

/** The image that is being written; 0: none. */
static esp_ota_handle_t gHandle;
/** The SHA-256 of what was written of it; NULL: none is being computed. */
static bootloader_sha256_handle_t gDigest;

#define DIGEST_SIZE 32

/** The slot that does not run; NULL: the partition table has none. */
static const esp_partition_t *otherSlot(void)
{
	const esp_partition_t *running = esp_ota_get_running_partition();
	const esp_partition_t *other = esp_ota_get_next_update_partition(NULL);

	return other == running ? NULL : other;
}

static esp_ota_img_states_t stateOf(const esp_partition_t *slot)
{
	esp_ota_img_states_t state = ESP_OTA_IMG_UNDEFINED;

	if (slot == NULL || esp_ota_get_state_partition(slot, &state))
		return ESP_OTA_IMG_UNDEFINED;
	return state;
}

void xs_firefly_image_size(xsMachine *the)
{
	const esp_partition_t *other = otherSlot();

	xsmcSetInteger(xsResult, other == NULL ? 0 : (xsIntegerValue)other->size);
}

void xs_firefly_image_running(xsMachine *the)
{
	const esp_partition_t *running = esp_ota_get_running_partition();

	// An image in a partition of another kind has no number, and no second slot either.
	xsmcSetInteger(xsResult, running->subtype == ESP_PARTITION_SUBTYPE_APP_OTA_1);
}

void xs_firefly_image_on_trial(xsMachine *the)
{
	xsmcSetBoolean(xsResult, stateOf(esp_ota_get_running_partition()) == ESP_OTA_IMG_PENDING_VERIFY);
}

void xs_firefly_image_rejected(xsMachine *the)
{
	esp_ota_img_states_t state = stateOf(otherSlot());

	xsmcSetBoolean(xsResult, state == ESP_OTA_IMG_ABORTED || state == ESP_OTA_IMG_INVALID);
}

static void closeImage(void)
{
	if (gDigest)
		bootloader_sha256_finish(gDigest, NULL);
	gDigest = NULL;
	if (gHandle)
		esp_ota_abort(gHandle);
	gHandle = 0;
}

void xs_firefly_image_open(xsMachine *the)
{
	const esp_partition_t *other = otherSlot();
	esp_err_t error;

	closeImage();
	if (other == NULL)
		xsUnknownError("no second slot for an image");
	// Sectors are erased one by one: to erase a slot takes half a minute, in which nothing else would run.
	error = esp_ota_begin(other, OTA_WITH_SEQUENTIAL_WRITES, &gHandle);
	if (error)
		xsUnknownError("begin of an image: error 0x%x", (int)error);
	gDigest = bootloader_sha256_start();
	if (gDigest == NULL)
		xsUnknownError("no memory");
}

void xs_firefly_image_write(xsMachine *the)
{
	void *data;
	xsUnsignedValue size;
	esp_err_t error;

	xsmcGetBufferReadable(xsArg(0), &data, &size);
	error = esp_ota_write(gHandle, data, size);
	if (error)
		xsUnknownError("flash: error 0x%x", (int)error);
	bootloader_sha256_data(gDigest, data, size);
}

void xs_firefly_image_digest(xsMachine *the)
{
	void *target;
	xsUnsignedValue size;

	xsmcGetBufferWritable(xsArg(0), &target, &size);
	if (gDigest == NULL || size != DIGEST_SIZE)
		xsUnknownError("no image is complete");
	bootloader_sha256_finish(gDigest, target);
	gDigest = NULL;
}

void xs_firefly_image_activate(xsMachine *the)
{
	esp_err_t error = esp_ota_end(gHandle);

	gHandle = 0;
	if (!error)
		error = esp_ota_set_boot_partition(otherSlot());
	if (error)
		xsUnknownError("image: error 0x%x", (int)error);
}

void xs_firefly_image_close(xsMachine *the)
{
	closeImage();
}

void xs_firefly_image_confirm(xsMachine *the)
{
	esp_err_t error = esp_ota_mark_app_valid_cancel_rollback();

	if (error)
		xsUnknownError("otadata: error 0x%x", (int)error);
}

static void restart(void *the, void *refcon, uint8_t *message, uint16_t messageLength)
{
	esp_wifi_stop();
	// A reset, and no deep sleep: after that the bootloader starts the image that ran before it.
	esp_restart();
}

static void postRestart(xsMachine *the)
{
	// As in sleep.c: what sockets still have to send goes first.
	if (modMessagePostToMachine(the, NULL, 0, restart, NULL))
		restart(the, NULL, NULL, 0);
}

void xs_firefly_image_restart(xsMachine *the)
{
	postRestart(the);
}

void xs_firefly_image_roll_back(xsMachine *the)
{
	esp_err_t error = esp_ota_mark_app_invalid_rollback();

	if (error)
		xsUnknownError("otadata: error 0x%x", (int)error);
	postRestart(the);
}
