import { readBroker } from "./broker";
import { deepFreeze } from "./deep-freeze";
import { defaults } from "./defaults";
import { type DeviceIdentity, settingsForDevice } from "./device-settings";
import { readListen } from "./listen";
import { ranges } from "./ranges";
import { Section } from "./section";
import { readSensors } from "./sensors";
import { expand } from "./template";
import type {
	BackoffSettings,
	OutboxSettings,
	Settings,
	SleepSettings,
	TimeSettings,
	WiFiSettings,
} from "./types";
import { hostProblem, idProblem, passphraseProblem, reportTopicProblem, ssidProblem } from "./validators";

export { defaults } from "./defaults";
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
	const role = firefly.choice("role", defaults.role, ["sensor", "broker", "both"]);
	const id = firefly.string("id", defaults.id, idProblem);
	const payload = firefly.choice("payload", defaults.payload, ["value", "json"]);
	const sensors = readSensors(firefly);
	let topic = firefly.string("topic", defaults.topic, reportTopicProblem);
	if (payload === "value" && sensors.length > 1 && !topic.includes("{sensor}"))
		topic = firefly.refuse(
			"topic",
			"lacks {sensor}, which tells the bare values of several sensors apart",
			defaults.topic,
		);
	const wifi = readWiFi(top, firefly);
	return deepFreeze({
		role,
		id,
		...(wifi === undefined ? {} : { wifi }),
		broker: readBroker(top, firefly.section("broker"), id),
		topic: expand(topic, { id }),
		payload,
		sleep: readSleep(firefly.section("sleep")),
		outbox: readOutbox(firefly.section("outbox")),
		backoff: readBackoff(firefly.section("backoff")),
		sensors,
		listen: readListen(firefly.section("listen")),
		time: readTime(firefly.section("time")),
	});
}

function readWiFi(top: Section, firefly: Section): WiFiSettings | undefined {
	const section = firefly.section("wifi");
	const ssid = top.string("wifi_ssid", section.string("ssid", undefined, ssidProblem), ssidProblem);
	const password = top.string(
		"wifi_password",
		section.string("password", undefined, passphraseProblem),
		passphraseProblem,
	);
	if (ssid === undefined) return undefined;
	return password === undefined ? { ssid } : { ssid, password };
}

function readSleep(section: Section): SleepSettings {
	return {
		mode: section.choice("mode", defaults.sleep.mode, ["deep", "none"]),
		awakeLimit: section.duration("awakeLimit", defaults.sleep.awakeLimit, ranges.sleep.awakeLimit),
	};
}

function readOutbox(section: Section): OutboxSettings {
	return {
		storage: section.choice("storage", defaults.outbox.storage, ["rtc"]),
		policy: section.choice("policy", defaults.outbox.policy, ["dropOldest", "thin"]),
		size: section.integer("size", defaults.outbox.size, ranges.outbox.size),
	};
}

function readBackoff(section: Section): BackoffSettings {
	const minimum = section.duration("minimum", defaults.backoff.minimum, ranges.backoff.minimum);
	const maximum = section.duration("maximum", defaults.backoff.maximum, ranges.backoff.maximum);
	return {
		minimum,
		maximum: maximum >= minimum ? maximum : section.refuse("maximum", "is less than minimum", minimum),
	};
}

function readTime(section: Section): TimeSettings {
	if (section.value("server") === false) return { server: undefined };
	return { server: section.string("server", defaults.time.server, hostProblem) };
}
