import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { describeUnmet, droppedSettings, unmetSettings } from "../../cli/build/sdkconfig";
import { root } from "../firmware/import-graph";

/** Part of what ESP-IDF 6.0 makes of a configuration that switches the value of a choice off. */
const FINAL = `#
# LWIP
#
CONFIG_LWIP_DHCP_DOES_ARP_CHECK=y
# CONFIG_LWIP_DHCP_DOES_ACD_CHECK is not set
# CONFIG_LWIP_DHCP_DOES_NOT_CHECK_OFFERED_IP is not set
CONFIG_LWIP_MAX_ACTIVE_TCP=16
CONFIG_BOOTLOADER_RESERVE_RTC_SIZE=0x10
CONFIG_PARTITION_TABLE_CUSTOM_FILENAME="partitions.csv"
# CONFIG_ESP_SYSTEM_PANIC_GDBSTUB is not set

# Deprecated options for backward compatibility
CONFIG_TASK_WDT_TIMEOUT_S=10
# End of deprecated options
`;

for (const { requested, unmet, message } of [
	{ requested: "CONFIG_LWIP_MAX_ACTIVE_TCP=16", unmet: undefined },
	{ requested: "CONFIG_LWIP_MAX_ACTIVE_TCP=8\nCONFIG_LWIP_MAX_ACTIVE_TCP=16", unmet: undefined },
	{ requested: "CONFIG_BOOTLOADER_RESERVE_RTC_SIZE=16", unmet: undefined },
	{ requested: 'CONFIG_PARTITION_TABLE_CUSTOM_FILENAME="partitions.csv"\r', unmet: undefined },
	{ requested: "CONFIG_ESP_SYSTEM_PANIC_GDBSTUB=n", unmet: undefined },
	{ requested: "CONFIG_ESP_SYSTEM_PANIC_GDBSTUB=", unmet: undefined },
	{ requested: "# CONFIG_LWIP_DHCP_DOES_ACD_CHECK is not set", unmet: undefined },
	{ requested: "CONFIG_SOMETHING_HIDDEN=n", unmet: undefined },
	// The old name is still understood.
	{ requested: "CONFIG_TASK_WDT_TIMEOUT_S=10", unmet: undefined },
	{
		requested: "CONFIG_LWIP_DHCP_DOES_ARP_CHECK=n",
		unmet: { name: "CONFIG_LWIP_DHCP_DOES_ARP_CHECK", requested: "n", found: "y" },
		message:
			"CONFIG_LWIP_DHCP_DOES_ARP_CHECK=n has no effect: it is still y; if it is one value of a choice, set another one to y",
	},
	{
		requested: "# CONFIG_LWIP_DHCP_DOES_ARP_CHECK is not set",
		unmet: { name: "CONFIG_LWIP_DHCP_DOES_ARP_CHECK", requested: "n", found: "y" },
		message:
			"CONFIG_LWIP_DHCP_DOES_ARP_CHECK=n has no effect: it is still y; if it is one value of a choice, set another one to y",
	},
	{
		requested: "CONFIG_LWIP_DHCP_DOES_NOT_CHECK_OFFERED_IP=y",
		unmet: { name: "CONFIG_LWIP_DHCP_DOES_NOT_CHECK_OFFERED_IP", requested: "y", found: "n" },
		message: "CONFIG_LWIP_DHCP_DOES_NOT_CHECK_OFFERED_IP=y has no effect: the build has n",
	},
	{
		requested: "CONFIG_LWIP_MAX_ACTIVE_TCP=32",
		unmet: { name: "CONFIG_LWIP_MAX_ACTIVE_TCP", requested: "32", found: "16" },
		message: "CONFIG_LWIP_MAX_ACTIVE_TCP=32 has no effect: the build has 16",
	},
	{
		requested: "CONFIG_ESP_TASK_WDT_PANICS=y",
		unmet: { name: "CONFIG_ESP_TASK_WDT_PANICS", requested: "y", found: undefined },
		message:
			"CONFIG_ESP_TASK_WDT_PANICS=y has no effect: this ESP-IDF knows no such setting, or it depends on another that is off",
	},
]) {
	test(`${JSON.stringify(requested)}: ${message ?? "took effect"}`, () => {
		assert.deepEqual(unmetSettings(requested, FINAL), unmet === undefined ? [] : [unmet]);
		if (unmet !== undefined) assert.equal(describeUnmet(unmet), message);
	});
}

test("a line that mcconfig drops is named; comments are not settings", () => {
	assert.deepEqual(
		droppedSettings("# Why: this and that\n# CONFIG_ESP_INT_WDT is not set\r\nCONFIG_ESP_INT_WDT=n\n"),
		["# CONFIG_ESP_INT_WDT is not set"],
	);
});

test("the project's own settings are written so that mcconfig keeps them, each once", () => {
	const folder = join(root, "firmware/esp32/sdkconfig");
	assert.ok(existsSync(join(folder, "sdkconfig.defaults")));
	for (const name of readdirSync(folder)) {
		const text = readFileSync(join(folder, name), "utf8");
		assert.deepEqual(droppedSettings(text), []);
		const settings = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
		for (const line of settings) assert.match(line, /^CONFIG_[A-Z0-9_]+=\S+$/);
		const names = settings.map((line) => line.split("=")[0]);
		assert.equal(new Set(names).size, names.length);
	}
});
