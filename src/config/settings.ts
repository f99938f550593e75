import { readRules, readUsers } from "./access";
import { brokerSettings } from "./broker";
import { deepFreeze } from "./deep-freeze";
import { type DeviceIdentity, settingsForDevice } from "./device-settings";
import { readFields } from "./field-reader";
import { fireflyFields } from "./fields/firefly";
import { Section } from "./section";
import { readSensors } from "./sensors";
import { expand } from "./template";
import type { BackoffSettings, BatterySettings, SensorSettings, Settings, WiFiSettings } from "./types";

export { type DeviceIdentity, settingsForDevice } from "./device-settings";
export type * from "./types";

/**
 * Reads the settings of one device. Never throws; see {@link readTemplate}.
 * @param config all of `mc/config`
 */
export function readSettings(
	config: unknown,
	identity: DeviceIdentity,
	trace: (message: string) => void,
): Settings {
	return settingsForDevice(readTemplate(config, trace), identity);
}

/**
 * Reads `mc/config` into settings for any device, which still contain `{mac}` and `{chip}`: nothing here
 * depends on the device, so that this can run when the firmware is linked. Never throws: an invalid value is
 * traced with its path and replaced by its default, an invalid sensor is left out. Without `broker.host` or
 * sensors there is nothing to report, and the node sleeps.
 * @param config all of `mc/config`: the key `firefly` from the manifest, and the strings `wifi_ssid`,
 *   `wifi_password`, `broker_url`, `broker_username` and `broker_password` from the build's command line,
 *   which take precedence
 * @returns frozen, including the objects taken over from `config`
 */
export function readTemplate(config: unknown, trace: (message: string) => void): Settings {
	const top = new Section(config, "config", trace);
	const firefly = top.section("firefly");
	const values = readFields(firefly, fireflyFields, top);
	const { role, id, wifi, broker, payload, sleep, outbox, backoff, time } = values;
	const sensors = readSensors(firefly);
	const listen = firefly.section("listen");
	let { topic } = values;
	if (payload === "value" && sensors.length > 1 && !topic.includes("{sensor}"))
		topic = firefly.refuse(
			"topic",
			"lacks {sensor}, which tells the bare values of several sensors apart",
			fireflyFields.topic.default,
		);
	return deepFreeze({
		role,
		id,
		...joinable(wifi),
		broker: brokerSettings(broker, id),
		topic: expand(topic, { id }),
		payload,
		sleep,
		outbox,
		...watchedBattery(firefly, values.battery, sensors),
		...(values.diagnostics === undefined ? {} : { diagnostics: values.diagnostics }),
		backoff: orderedBackoff(firefly.section("backoff"), backoff),
		sensors,
		listen: { ...values.listen, users: readUsers(listen), acl: readRules(listen) },
		time: { server: time.server === false ? undefined : time.server },
	});
}

/** The network, if it has a name. */
function joinable({ ssid, ...rest }: Omit<WiFiSettings, "ssid"> & { ssid?: string }): Pick<Settings, "wifi"> {
	return ssid === undefined ? {} : { wifi: { ssid, ...rest } };
}

/** The battery, if a sensor measures it and its limits are in order. */
function watchedBattery(
	firefly: Section,
	battery: BatterySettings | undefined,
	sensors: readonly SensorSettings[],
): Pick<Settings, "battery"> {
	if (battery === undefined || battery.sensor === "") return {};
	const section = firefly.section("battery");
	if (!sensors.some(({ name }) => name === battery.sensor))
		return section.refuse("sensor", "is no sensor's name", {});
	if (battery.low < battery.empty) return section.refuse("low", "is less than empty", {});
	return { battery };
}

function orderedBackoff(section: Section, backoff: BackoffSettings): BackoffSettings {
	const { minimum, maximum } = backoff;
	return maximum >= minimum
		? backoff
		: { ...backoff, maximum: section.refuse("maximum", "is less than minimum", minimum) };
}
