import { readRules, readUsers } from "./access";
import { bridgeSettings } from "./bridge";
import { brokerSettings } from "./broker";
import { brokerWithSession } from "./command-session";
import { deepFreeze } from "./deep-freeze";
import { type DeviceIdentity, settingsForDevice } from "./device-settings";
import { checkedDiscovery, homieTopic, homieWill } from "./discovery";
import { readFields } from "./field-reader";
import { fireflyFields } from "./fields/firefly";
import { Section } from "./section";
import { readSensors } from "./sensors";
import { expand } from "./template";
import type {
	BackoffSettings,
	BatterySettings,
	CommandSettings,
	SensorSettings,
	Settings,
	WiFiSettings,
} from "./types";

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
	const { role, id, wifi, broker, payload, sleep, outbox, backoff, commands, time } = values;
	const sensors = readSensors(firefly, values.discovery && top);
	const discovery = values.discovery && checkedDiscovery(firefly, values.discovery, { id, payload, sensors });
	const homie = discovery?.formats.includes("homie") ? discovery.domain : undefined;
	const listen = firefly.section("listen");
	let { topic } = values;
	if (homie !== undefined) topic = conventionalTopic(firefly, topic, homieTopic(homie));
	if (payload === "value" && sensors.length > 1 && !topic.includes("{sensor}"))
		topic = firefly.refuse(
			"topic",
			"lacks {sensor}, which tells the bare values of several sensors apart",
			fireflyFields.topic.default,
		);
	const reported = brokerSettings(homie === undefined ? broker : { ...broker, will: homieWill(homie) }, id);
	const taken = role === "broker" ? undefined : commandSettings(commands, id);
	return deepFreeze({
		role,
		id,
		...joinable(wifi),
		broker:
			taken === undefined
				? reported
				: brokerWithSession(
						reported,
						firefly.section("broker").value("sessionExpiry") !== undefined,
						sensors,
					),
		...(taken && { commands: taken }),
		...(taken && role === "sensor" && values.update && { update: values.update }),
		topic: expand(topic, { id }),
		payload,
		sleep,
		outbox,
		...watchedBattery(firefly, values.battery, sensors),
		...(values.diagnostics === undefined ? {} : { diagnostics: values.diagnostics }),
		backoff: orderedBackoff(firefly.section("backoff"), backoff),
		sensors,
		...(discovery === undefined ? {} : { discovery }),
		...(values.bridge === undefined ? {} : bridged(firefly.section("bridge"), values.bridge, id)),
		listen: { ...values.listen, users: readUsers(listen), acl: readRules(listen) },
		time: { server: time.server === false ? undefined : time.server },
	});
}

/** @param id replaces `{id}` */
function commandSettings(commands: CommandSettings | undefined, id: string): CommandSettings | undefined {
	if (commands === undefined) return undefined;
	const { topic, answer } = commands;
	return { ...commands, topic: expand(topic, { id }), answer: expand(answer, { id }) };
}

/** The bridge, if it has an address and topics. */
function bridged(
	section: Section,
	values: Parameters<typeof bridgeSettings>[1],
	id: string,
): Pick<Settings, "bridge"> {
	const bridge = bridgeSettings(section, values, id);
	return bridge === undefined ? {} : { bridge };
}

/** The network, if it has a name. */
function joinable({ ssid, ...rest }: Omit<WiFiSettings, "ssid"> & { ssid?: string }): Pick<Settings, "wifi"> {
	return ssid === undefined ? {} : { wifi: { ssid, ...rest } };
}

/** The topic that the Homie convention wants; another one that is configured is traced. */
function conventionalTopic(firefly: Section, topic: string, conventional: string): string {
	return firefly.value("topic") === undefined || topic === conventional
		? conventional
		: firefly.refuse("topic", `is not ${conventional}, which Homie needs`, conventional);
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
