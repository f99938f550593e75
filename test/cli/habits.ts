import { broker, type InvalidConfiguration, sensor } from "./invalid-configurations";

/** A configuration with `more` as its first keys. */
function top(more: string): string {
	return `{${more}, ${broker}, "sensors": [${sensor}]}`;
}
function inSensor(more: string): string {
	return `{${broker}, "sensors": [{"name": "t", "driver": "sht3x", ${more}}]}`;
}
function inBroker(more: string): string {
	return `{"broker": {"url": "mqtt://b", ${more}}, "sensors": [${sensor}]}`;
}

const places = {
	"config.firefly.": top,
	"config.firefly.sensors[0].": inSensor,
	"config.firefly.broker.": inBroker,
} as const;

/** Where, key, value, and what the message says after "is not a known key". */
const keys: readonly (readonly [keyof typeof places, string, string, string])[] = [
	["config.firefly.sensors[0].", "update_interval", '"60s"', '; did you mean "every"?'],
	["config.firefly.sensors[0].", "accuracy_decimals", "1", '; did you mean "decimals"?'],
	["config.firefly.sensors[0].", "unit_of_measurement", '"°C"', '; did you mean "unit"?'],
	["config.firefly.sensors[0].", "platform", '"sht3xd"', '; did you mean "driver"?'],
	[
		"config.firefly.sensors[0].",
		"device_class",
		'"temperature"',
		"; the driver declares it, see docs/drivers.md",
	],
	[
		"config.firefly.sensors[0].",
		"filters",
		"[]",
		"; a sensor has table, scale, offset, samples with aggregate, delta and heartbeat",
	],
	["config.firefly.sensors[0].", "window_size", "5", '; did you mean "samples"?'],
	["config.firefly.sensors[0].", "sliding_window_moving_average", "{}", '; did you mean "aggregate"?'],
	["config.firefly.", "debug", "{}", '; did you mean "diagnostics"?'],
	["config.firefly.sensors[0].", "multiply", "2", '; did you mean "scale"?'],
	["config.firefly.sensors[0].", "calibrate_linear", "[]", '; did you mean "table"?'],
	["config.firefly.sensors[0].", "TempOffset", "-1.5", '; did you mean "offset"?'],
	["config.firefly.sensors[0].", "force_update", "true", '; did you mean "heartbeat"?'],
	["config.firefly.sensors[0].", "address", "68", '; did you mean "options.address"?'],
	["config.firefly.sensors[0].", "pin", "34", '; did you mean "options.pin"?'],
	["config.firefly.sensors[0].", "sda", "21", '; did you mean "options.data"?'],
	["config.firefly.sensors[0].", "interval", "60", '; did you mean "every"?'],
	["config.firefly.sensors[0].", "threshold", "0.5", '; did you mean "delta"?'],
	["config.firefly.sensors[0].", "precision", "2", '; did you mean "decimals"?'],
	["config.firefly.sensors[0].", "type", '"temperature"', '; did you mean "driver"?'],
	["config.firefly.sensors[0].", "QoS", "1", '; did you mean "qos"?'],
	["config.firefly.sensors[0].", "retained", "true", '; did you mean "retain"?'],
	["config.firefly.sensors[0].", "topic", '"a/b"', '; did you mean "config.firefly.topic"?'],
	["config.firefly.", "ssid", '"home"', '; did you mean "wifi.ssid"?'],
	["config.firefly.", "TelePeriod", "60", '; did you mean "sensors[].every"?'],
	["config.firefly.", "MqttHost", '"b"', '; did you mean "broker.url"?'],
	["config.firefly.", "mqtt_server", '"b"', '; did you mean "broker.url"?'],
	["config.firefly.", "mqtt", "{}", '; did you mean "broker"?'],
	["config.firefly.", "hostname", '"shed"', '; did you mean "id"?'],
	["config.firefly.", "name", '"shed"', '; did you mean "id"?'],
	["config.firefly.", "topic_prefix", '"home"', '; did you mean "topic"?'],
	["config.firefly.", "deep_sleep", "{}", '; did you mean "sleep.mode"?'],
	["config.firefly.", "every", '"60s"', '; did you mean "diagnostics.every" or "sensors[].every"?'],
	["config.firefly.", "keepAlive", '"60s"', '; did you mean "broker.keepAlive"?'],
	["config.firefly.", "sensor", "[]", '; did you mean "sensors"?'],
	["config.firefly.", "ntp_server", '"pool.ntp.org"', '; did you mean "time.server"?'],
	["config.firefly.", "logger", "{}", "; the console has all messages"],
	["config.firefly.", "ota", "{}", '; did you mean "update"?'],
	["config.firefly.", "port", "1883", '; did you mean "listen.port"?'],
	["config.firefly.", "pasword", '"x"', '; did you mean "wifi.password" or "broker.password"?'],
	["config.firefly.", "users", "{}", '; did you mean "listen.users"?'],
	["config.firefly.broker.", "client_id", '"x"', '; did you mean "clientId"?'],
	["config.firefly.broker.", "keepalive", '"60s"', '; did you mean "keepAlive"?'],
	["config.firefly.broker.", "host", '"b"', '; did you mean "url"?'],
	["config.firefly.broker.", "port", "1883", '; did you mean "url"?'],
	["config.firefly.broker.", "user", '"u"', '; did you mean "username"?'],
	["config.firefly.broker.", "clean_session", "true", '; did you mean "cleanStart"?'],
	["config.firefly.broker.", "ssid", '"home"', '; did you mean "config.firefly.wifi.ssid"?'],
	["config.firefly.broker.", "lwt", "{}", '; did you mean "will"?'],
];

const values: readonly InvalidConfiguration[] = [
	{
		name: "habit: sensors as an object with names",
		firefly: `{${broker}, "sensors": {"outside": {"driver": "sht3x"}}}`,
		problems: ['44 config.firefly.sensors: an object is not a list; did you mean [{"name": "outside", …}]?'],
	},
	{
		name: "habit: one sensor as an object",
		firefly: `{${broker}, "sensors": ${sensor}}`,
		problems: ["44 config.firefly.sensors: an object is not a list; did you mean [{…}]?"],
	},
	{
		name: "habit: the network as a text",
		firefly: top('"wifi": "home"'),
		problems: ['10 config.firefly.wifi: "home" is not an object; did you mean {"ssid":"home"}?'],
	},
	{
		name: "habit: sleep as a text",
		firefly: top('"sleep": "deep"'),
		problems: ['11 config.firefly.sleep: "deep" is not an object; did you mean {"mode":"deep"}?'],
	},
	{
		name: "habit: the listener as a port",
		firefly: top('"listen": 1883'),
		problems: ['12 config.firefly.listen: 1883 is not an object; did you mean {"port":1883}?'],
	},
	{
		name: "habit: a broker's address alone",
		firefly: `{"broker": "192.168.1.10:1883", "sensors": [${sensor}]}`,
		problems: [
			'12 config.firefly.broker: "192.168.1.10:1883" is not an object; did you mean {"url":"mqtt://192.168.1.10:1883"}?',
		],
	},
	...(
		[
			["192.168.1.10", "mqtt://192.168.1.10"],
			["tcp://b:1883", "mqtt://b:1883"],
			["MQTT://b", "mqtt://b"],
			["ssl://b", "mqtts://b"],
			["b.local:1883", "mqtt://b.local:1883"],
		] as const
	).map(([url, meant]) => ({
		name: `habit: ${url} as the broker's URL`,
		firefly: `{"broker": {"url": "${url}"}, "sensors": [${sensor}]}`,
		problems: [
			`20 config.firefly.broker.url: "${url}" does not begin with mqtt://, mqtts://, ws:// or wss://; did you mean "${meant}"?`,
		],
	})),
	{
		name: "habit: the mode of sleep in a longer word",
		firefly: top('"sleep": {"mode": "deepsleep"}'),
		problems: [
			'20 config.firefly.sleep.mode: "deepsleep" is not one of "deep", "light", "none"; did you mean "deep"?',
		],
	},
	{
		name: "habit: a broker's address with a password is not repeated",
		firefly: `{"broker": "mqtt://u:secret@b", "sensors": [${sensor}]}`,
		problems: ['12 config.firefly.broker: "mqtt://…@b" is not an object'],
	},
];

/** What people bring along from ESPHome, Tasmota and elsewhere, and how each is answered. */
export const habits: readonly InvalidConfiguration[] = [
	...keys.map(([place, key, value, advice]) => {
		const firefly = places[place](`"${key}": ${value}`);
		const column = firefly.indexOf(`"${key}": ${value}`) + 1;
		return {
			name: `habit: ${place}${key}`,
			firefly,
			problems: [`${column} ${place}${key}: is not a known key${advice}`],
		};
	}),
	...values,
];
