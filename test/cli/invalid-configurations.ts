/** A configuration, and the exact problems that `firefly check` reports for it. */
export interface InvalidConfiguration {
	readonly name: string;
	/** Text of `config.firefly`, alone on line 4 of the manifest. */
	readonly firefly: string;
	/** Problems without file name and line. */
	readonly problems: readonly string[];
}

export const broker = '"broker": {"url": "mqtt://b"}';
export const sensor = '{"name": "t", "driver": "sht3x"}';

/** A valid configuration with `more` as its first keys. */
function withKey(more: string): string {
	return `{${more}, ${broker}, "sensors": [${sensor}]}`;
}
function withBroker(more: string): string {
	return `{"broker": {"url": "mqtt://b", ${more}}, "sensors": [${sensor}]}`;
}
function withSensor(more: string): string {
	return `{${broker}, "sensors": [{"name": "t", "driver": "sht3x", ${more}}]}`;
}
function withURL(url: string): string {
	return `{"broker": {"url": ${url}}, "sensors": [${sensor}]}`;
}
function withSensors(sensors: string): string {
	return `{${broker}, "sensors": ${sensors}}`;
}
export function sensorList(length: number): string {
	return Array.from({ length }, (_, index) => `{"name": "s${index}", "driver": "sht3x"}`).join(", ");
}

export const invalidConfigurations: readonly InvalidConfiguration[] = [
	{
		name: "a sensor that is an access point",
		firefly: `{${broker}, "wifi": {"ssid": "shed", "mode": "accessPoint"}, "sensors": [${sensor}]}`,
		problems: [
			'66 config.firefly.wifi.mode: "accessPoint" is for a broker, which stays awake; a sensor joins',
		],
	},
	{
		name: "an unknown key near a known one",
		firefly: withKey('"payloads": "json"'),
		problems: ['2 config.firefly.payloads: is not a known key; did you mean "payload"?'],
	},
	{
		name: "an unknown key",
		firefly: withKey('"zebra": 1'),
		problems: ["2 config.firefly.zebra: is not a known key"],
	},
	{
		name: "a key with two letters the other way round",
		firefly: withKey('"tiem": {}'),
		problems: ['2 config.firefly.tiem: is not a known key; did you mean "time"?'],
	},
	{
		name: "a short key with two letters the other way round",
		firefly: withSensor('"oqs": 1'),
		problems: ['78 config.firefly.sensors[0].oqs: is not a known key; did you mean "qos"?'],
	},
	{
		name: "a key in the wrong case",
		firefly: withBroker('"keepalive": "60s"'),
		problems: ['32 config.firefly.broker.keepalive: is not a known key; did you mean "keepAlive"?'],
	},
	{
		name: "the key __proto__",
		firefly: withKey('"__proto__": {"role": "broker"}'),
		problems: ["2 config.firefly.__proto__: is not a known key"],
	},
	{
		name: "a key that is there twice",
		firefly: withKey('"role": "sensor", "role": "sensor"'),
		problems: ["20 config.firefly.role: this key is here twice"],
	},
	{
		name: "a misspelt role",
		firefly: withKey('"role": "senosr"'),
		problems: [
			'10 config.firefly.role: "senosr" is not one of "sensor", "broker", "both"; did you mean "sensor"?',
		],
	},
	{
		name: "a role that is a number",
		firefly: withKey('"role": 1'),
		problems: ['10 config.firefly.role: 1 is not one of "sensor", "broker", "both"'],
	},
	{
		name: "an id with a slash",
		firefly: withKey('"id": "a/b"'),
		problems: ['8 config.firefly.id: "a/b" is not 1 to 64 letters, digits, - _ . and placeholders'],
	},
	{
		name: "an id with a placeholder of topics",
		firefly: withKey('"id": "a-{sensor}"'),
		problems: [
			'8 config.firefly.id: "a-{sensor}" holds the unknown placeholder {sensor}; there are {mac}, {chip}',
		],
	},
	{
		name: "an empty id",
		firefly: withKey('"id": ""'),
		problems: ['8 config.firefly.id: "" is not 1 to 64 letters, digits, - _ . and placeholders'],
	},
	{
		name: "an empty topic",
		firefly: withKey('"topic": ""'),
		problems: ['11 config.firefly.topic: "" is empty'],
	},
	{
		name: "a topic with #",
		firefly: withKey('"topic": "home/#"'),
		problems: ['11 config.firefly.topic: "home/#" holds a wildcard, which only subscriptions may'],
	},
	{
		name: "a topic with +",
		firefly: withKey('"topic": "home/+/x"'),
		problems: ['11 config.firefly.topic: "home/+/x" holds a wildcard, which only subscriptions may'],
	},
	{
		name: "a topic that begins with $",
		firefly: withKey('"topic": "$SYS/x"'),
		problems: ['11 config.firefly.topic: "$SYS/x" begins with $, which is kept for the broker'],
	},
	{
		name: "a topic with an unknown placeholder",
		firefly: withKey('"topic": "home/{room}/x"'),
		problems: [
			'11 config.firefly.topic: "home/{room}/x" holds the unknown placeholder {room}; there are {mac}, {chip}, {id}, {sensor}',
		],
	},
	{
		name: "a topic with a lonely brace",
		firefly: withKey('"topic": "home/{id"'),
		problems: ['11 config.firefly.topic: "home/{id" holds a brace that belongs to no placeholder'],
	},
	{
		name: "a topic with a control character",
		firefly: withKey('"topic": "home\\u0000"'),
		problems: ['11 config.firefly.topic: "home\\u0000" holds a control character'],
	},
	{
		name: "a topic that is not Unicode",
		firefly: withKey('"topic": "home\\ud800"'),
		problems: ['11 config.firefly.topic: "home\\ud800" holds half of a surrogate pair'],
	},
	{
		name: "a topic that is too long",
		firefly: withKey(`"topic": "${"é".repeat(65)}"`),
		problems: [`11 config.firefly.topic: "${"é".repeat(65)}" is 130 bytes long; at most 128 are allowed`],
	},
	{
		name: "a topic that is a number",
		firefly: withKey('"topic": 5'),
		problems: ["11 config.firefly.topic: 5 is not a string"],
	},
	{
		name: "duration words",
		firefly: withSensor('"every": "60 seconds"'),
		problems: ['87 config.firefly.sensors[0].every: "60 seconds" is not a duration; did you mean "60s"?'],
	},
	{
		name: "duration no unit",
		firefly: withSensor('"every": "60"'),
		problems: ['87 config.firefly.sensors[0].every: "60" is not a duration; did you mean "60s"?'],
	},
	{
		name: "duration number",
		firefly: withSensor('"every": 60'),
		problems: ['87 config.firefly.sensors[0].every: 60 is not a duration; did you mean "60s"?'],
	},
	{
		name: "duration min",
		firefly: withSensor('"every": "1 min"'),
		problems: ['87 config.firefly.sensors[0].every: "1 min" is not a duration; did you mean "1m"?'],
	},
	{
		name: "duration comma",
		firefly: withSensor('"every": "1,5h"'),
		problems: ['87 config.firefly.sensors[0].every: "1,5h" is not a duration; did you mean "1.5h"?'],
	},
	{
		name: "duration foreign unit",
		firefly: withSensor('"every": "60kg"'),
		problems: ['87 config.firefly.sensors[0].every: "60kg" is not a duration'],
	},
	{
		name: "duration weeks",
		firefly: withSensor('"every": "2w"'),
		problems: ['87 config.firefly.sensors[0].every: "2w" is not a duration'],
	},
	{
		name: "duration negative",
		firefly: withSensor('"every": "-5s"'),
		problems: ['87 config.firefly.sensors[0].every: "-5s" is not a duration'],
	},
	{
		name: "duration empty",
		firefly: withSensor('"every": ""'),
		problems: ['87 config.firefly.sensors[0].every: "" is not a duration'],
	},
	{
		name: "duration short",
		firefly: withSensor('"every": "1ms"'),
		problems: ['87 config.firefly.sensors[0].every: "1ms" is not between 100ms and 24d'],
	},
	{
		name: "duration long",
		firefly: withSensor('"heartbeat": "30d"'),
		problems: ['91 config.firefly.sensors[0].heartbeat: "30d" is not between 100ms and 24d'],
	},
	{
		name: "seconds fraction",
		firefly: withBroker('"keepAlive": "250ms"'),
		problems: ['45 config.firefly.broker.keepAlive: "250ms" is not in whole seconds'],
	},
	{
		name: "seconds range",
		firefly: withBroker('"keepAlive": "1d"'),
		problems: ['45 config.firefly.broker.keepAlive: "1d" is not between 0s and 65535s'],
	},
	{
		name: "version string",
		firefly: withBroker('"version": "5"'),
		problems: ['43 config.firefly.broker.version: "5" is not one of 4, 5; did you mean 5?'],
	},
	{
		name: "version 3",
		firefly: withBroker('"version": 3'),
		problems: ["43 config.firefly.broker.version: 3 is not one of 4, 5"],
	},
	{
		name: "pipeline",
		firefly: withBroker('"pipeline": "yes"'),
		problems: ['44 config.firefly.broker.pipeline: "yes" is not one of "auto", true, false'],
	},
	{
		name: "boolean as text",
		firefly: withBroker('"cleanStart": "true"'),
		problems: ['46 config.firefly.broker.cleanStart: "true" is not one of true, false; did you mean true?'],
	},
	{
		name: "number as text",
		firefly: withBroker('"sendBuffer": "512"'),
		problems: ['46 config.firefly.broker.sendBuffer: "512" is not a whole number; did you mean 512?'],
	},
	{
		name: "whole number",
		firefly: withBroker('"inFlight": 1.5'),
		problems: ["44 config.firefly.broker.inFlight: 1.5 is not a whole number"],
	},
	{
		name: "number range",
		firefly: withBroker('"receiveBuffer": 64'),
		problems: ["49 config.firefly.broker.receiveBuffer: 64 is not between 128 and 8192"],
	},
	{
		name: "url scheme",
		firefly: withURL('"http://b"'),
		problems: [
			'20 config.firefly.broker.url: "http://b" does not begin with mqtt://, mqtts://, ws:// or wss://',
		],
	},
	{
		name: "url credentials",
		firefly: withURL('"mqtt://me:secret@b"'),
		problems: [
			'20 config.firefly.broker.url: "mqtt://…@b" holds a user name, which belongs into broker.username',
		],
	},
	{
		name: "url port",
		firefly: withURL('"mqtt://b:70000"'),
		problems: ['20 config.firefly.broker.url: "mqtt://b:70000" has an impossible port'],
	},
	{
		name: "url host",
		firefly: withURL('"mqtt://"'),
		problems: ['20 config.firefly.broker.url: "mqtt://" has an impossible host name'],
	},
	{
		name: "url path",
		firefly: withURL('"mqtt://b/x"'),
		problems: ['20 config.firefly.broker.url: "mqtt://b/x" has a path, which MQTT does not have'],
	},
	{
		name: "url missing",
		firefly: '{"broker": {}, "sensors": [{"name": "t", "driver": "sht3x"}]}',
		problems: ['12 config.firefly.broker: lacks "url"'],
	},
	{
		name: "broker missing",
		firefly: '{"sensors": [{"name": "t", "driver": "sht3x"}]}',
		problems: ['1 config.firefly: lacks "broker.url"'],
	},
	{
		name: "no broker for the sensors beside a broker",
		firefly: `{"role": "both", "listen": {"anonymous": true}, "sensors": [${sensor}]}`,
		problems: [
			'1 config.firefly: lacks "broker.url", to which the sensors report; they do not report to this device\'s own broker by themselves',
		],
	},
	{
		name: "broker not object",
		firefly: '{"broker": "mqtt://b", "sensors": [{"name": "t", "driver": "sht3x"}]}',
		problems: ['12 config.firefly.broker: "mqtt://b" is not an object; did you mean {"url":"mqtt://b"}?'],
	},
	{
		name: "broker password",
		firefly: withBroker('"password": "hunter2"'),
		problems: [
			"32 config.firefly.broker.password: is a secret, which a manifest does not keep; move it to broker.password in firefly.local.json, or to FIREFLY_BROKER_PASSWORD",
		],
	},
	{
		name: "wifi password",
		firefly: withKey('"wifi": {"ssid": "n", "password": "hunter22"}'),
		problems: [
			"24 config.firefly.wifi.password: is a secret, which a manifest does not keep; move it to wifi.password in firefly.local.json, or to FIREFLY_WIFI_PASSWORD",
		],
	},
	{
		name: "wifi no ssid",
		firefly: withKey('"wifi": {}'),
		problems: ['10 config.firefly.wifi: lacks "ssid"'],
	},
	{
		name: "ssid long",
		firefly: withKey(`"wifi": {"ssid": "${"x".repeat(33)}"}`),
		problems: [`19 config.firefly.wifi.ssid: "${"x".repeat(33)}" is 33 bytes long; at most 32 are allowed`],
	},
	{
		name: "username placeholder",
		firefly: withBroker('"username": "{user}"'),
		problems: [
			'44 config.firefly.broker.username: "{user}" holds the unknown placeholder {user}; there are {mac}, {chip}, {id}',
		],
	},
	{
		name: "will topic",
		firefly: withBroker('"will": {"topic": "x/#"}'),
		problems: ['50 config.firefly.broker.will.topic: "x/#" holds a wildcard, which only subscriptions may'],
	},
	{
		name: "will sensor placeholder",
		firefly: withBroker('"will": {"topic": "x/{sensor}"}'),
		problems: [
			'50 config.firefly.broker.will.topic: "x/{sensor}" holds the unknown placeholder {sensor}; there are {mac}, {chip}, {id}',
		],
	},
	{
		name: "no sensors",
		firefly: '{"broker": {"url": "mqtt://b"}}',
		problems: ["1 config.firefly: a sensor node needs sensors"],
	},
	{
		name: "empty sensors",
		firefly: withSensors("[]"),
		problems: ["44 config.firefly.sensors: a sensor node needs sensors"],
	},
	{
		name: "sensors no list",
		firefly: withSensors("{}"),
		problems: ["44 config.firefly.sensors: an object is not a list"],
	},
	{
		name: "sensor no object",
		firefly: withSensors('["t"]'),
		problems: ['45 config.firefly.sensors[0]: "t" is not an object'],
	},
	{
		name: "sensor lacks",
		firefly: withSensors("[{}]"),
		problems: ['45 config.firefly.sensors[0]: lacks "name" and "driver"'],
	},
	{
		name: "too many sensors",
		firefly: `{${broker}, "topic": "a/{sensor}", "outbox": {"size": 5000}, "sensors": [${sensorList(17)}]}`,
		problems: ["93 config.firefly.sensors: has more than 16 entries"],
	},
	{
		name: "sensor name",
		firefly: withSensors('[{"name": "a b", "driver": "sht3x"}]'),
		problems: ['54 config.firefly.sensors[0].name: "a b" is not 1 to 32 letters, digits, - _ .'],
	},
	{
		name: "duplicate names",
		firefly: withSensors('[{"name": "t", "driver": "sht3x"}, {"name": "t", "driver": "sht3x"}]'),
		problems: ['88 config.firefly.sensors[1].name: "t" is also the name of sensors[0]'],
	},
	{
		name: "driver unknown near",
		firefly: withSensors('[{"name": "t", "driver": "sht30x"}]'),
		problems: [
			'69 config.firefly.sensors[0].driver: "sht30x" is a driver that no include provides; did you mean "sht3x"?',
		],
	},
	{
		name: "driver unknown far",
		firefly: withSensors('[{"name": "t", "driver": "thermocouple"}]'),
		problems: [
			'69 config.firefly.sensors[0].driver: "thermocouple" is a driver that no include provides; add the manifest that brings the module driver/thermocouple to include, such as "./thermocouple/manifest.json"; docs/writing-a-driver.md says how to write one',
		],
	},
	{
		name: "property",
		firefly: withSensor('"property": "a..b"'),
		problems: ['90 config.firefly.sensors[0].property: "a..b" is not names joined by dots'],
	},
	{
		name: "options",
		firefly: withSensor('"options": []'),
		problems: ["89 config.firefly.sensors[0].options: a list is not an object"],
	},
	{
		name: "unit",
		firefly: withSensor(`"unit": "${"°".repeat(17)}"`),
		problems: [
			'86 config.firefly.sensors[0].unit: "°°°°°°°°°°°°°°°°°" is 34 bytes long; at most 32 are allowed',
		],
	},
	{
		name: "delta",
		firefly: withSensor('"delta": -1'),
		problems: ["87 config.firefly.sensors[0].delta: -1 is not between 0 and 1000000000"],
	},
	{
		name: "a battery that another name measures",
		firefly: `{${broker}, "battery": {"sensor": "batery"}, "sensors": [{"name": "battery", "driver": "sht3x"}]}`,
		problems: ['55 config.firefly.battery.sensor: "batery" is no sensor\'s name; did you mean "battery"?'],
	},
	{
		name: "a battery whose limits are in another unit, or in the wrong order",
		firefly: `{${broker}, "battery": {"sensor": "t", "low": 3}, "sensors": [{"name": "t", "driver": "sht3x", "unit": "%"}]}`,
		problems: [
			'44 config.firefly.battery: lacks "empty", whose default is in V, while t is in %',
			"67 config.firefly.battery.low: 3 is less than empty, 3.2",
		],
	},
	{
		name: "a battery of a node that stays awake",
		firefly: `{${broker}, "sleep": {"mode": "none"}, "battery": {"sensor": "t"}, "sensors": [${sensor}]}`,
		problems: ["71 config.firefly.battery: has no effect on a node that stays awake"],
	},
	{
		name: "samples that last longer than every",
		firefly: withSensor('"decimals": 1, "every": "1s", "samples": 5, "spacing": "250ms"'),
		problems: ["133 config.firefly.sensors[0].spacing: 5 samples take 1s, which is not less than every, 1s"],
	},
	{
		name: "samples that are too close",
		firefly: withSensor('"decimals": 1, "every": "100ms", "samples": 25'),
		problems: ["122 config.firefly.sensors[0].samples: 25 samples in every, 100ms, are less than 5ms apart"],
	},
	{
		name: "samples that keep the node awake too long",
		firefly: withSensor('"decimals": 1, "samples": 60, "spacing": "100ms"'),
		problems: [
			"119 config.firefly.sensors[0].spacing: 60 samples keep the node awake for 5900ms, more than half of sleep.awakeLimit, 8s",
		],
	},
	{
		name: "a spacing of one sample",
		firefly: withSensor('"spacing": "1s", "aggregate": "max"'),
		problems: [
			"89 config.firefly.sensors[0].spacing: has no effect without samples, of which a value then has several",
			"108 config.firefly.sensors[0].aggregate: has no effect without samples, of which a value then has several",
		],
	},
	{
		name: "an aggregate in Home Assistant's words",
		firefly: withSensor('"decimals": 1, "samples": 5, "aggregate": "average"'),
		problems: [
			'120 config.firefly.sensors[0].aggregate: "average" is not one of "mean", "median", "min", "max", "last"',
		],
	},
	{
		name: "a table that is not sorted",
		firefly: withSensor('"decimals": 1, "table": [[0, 0.4], [50, 49], [20, 21]]'),
		problems: ["102 config.firefly.sensors[0].table: a list is not in ascending order: 20 stands after 50"],
	},
	{
		name: "a table of one point",
		firefly: withSensor('"decimals": 1, "table": [[0, 0.4]]'),
		problems: ["102 config.firefly.sensors[0].table: a list has fewer than 2 points"],
	},
	{
		name: "a table of too many points",
		firefly: withSensor(
			`"decimals": 1, "table": [${Array.from({ length: 17 }, (_, i) => `[${i}, ${i}]`).join(", ")}]`,
		),
		problems: ["102 config.firefly.sensors[0].table: a list has more than 16 points"],
	},
	{
		name: "a table in ESPHome's notation",
		firefly: withSensor('"decimals": 1, "table": ["0.0 -> 0.4", "50 -> 49"]'),
		problems: [
			'103 config.firefly.sensors[0].table[0]: "0.0 -> 0.4" is not a list',
			'117 config.firefly.sensors[0].table[1]: "50 -> 49" is not a list',
		],
	},
	{
		name: "a table that is an object",
		firefly: withSensor('"decimals": 1, "table": {"0": 1}'),
		problems: ["102 config.firefly.sensors[0].table: an object is not a list of points"],
	},
	{
		name: "an offset in words",
		firefly: withSensor('"decimals": 1, "offset": "0.5"'),
		problems: ['103 config.firefly.sensors[0].offset: "0.5" is not a number; did you mean 0.5?'],
	},
	{
		name: "a scale of 0",
		firefly: withSensor('"decimals": 1, "scale": 0'),
		problems: ["102 config.firefly.sensors[0].scale: 0 makes all values the same"],
	},
	{
		name: "decimals",
		firefly: withSensor('"decimals": 7'),
		problems: ["90 config.firefly.sensors[0].decimals: 7 is not between 0 and 6"],
	},
	{
		name: "qos",
		firefly: withSensor('"qos": 3'),
		problems: ["85 config.firefly.sensors[0].qos: 3 is not one of 0, 1, 2"],
	},
	{
		name: "retain",
		firefly: withSensor('"retain": 1'),
		problems: ["88 config.firefly.sensors[0].retain: 1 is not one of true, false"],
	},
	{
		name: "QoS 2 without a session",
		firefly: withSensor('"qos": 2'),
		problems: [
			'85 config.firefly.sensors[0].qos: 2 is exactly once only in a session that the broker keeps: set "cleanStart" to false, and "sessionExpiry" to "1d" or so, in broker',
		],
	},
	{
		name: "QoS 2 with a session that ends with the connection",
		firefly: `{"broker": {"url": "mqtt://b", "cleanStart": false}, "sensors": [{"name": "t", "driver": "sht3x", "qos": 2}]}`,
		problems: [
			'106 config.firefly.sensors[0].qos: 2 is exactly once only in a session that the broker keeps: set "sessionExpiry" to "1d" or so in broker',
		],
	},
	{
		name: "heartbeat < every",
		firefly: withSensor('"every": "60s", "heartbeat": "30s"'),
		problems: ['107 config.firefly.sensors[0].heartbeat: "30s" is less than every, 1m'],
	},
	{
		name: "value topic",
		firefly:
			'{"broker": {"url": "mqtt://b"}, "topic": "a/b", "sensors": [{"name": "t", "driver": "sht3x"}, {"name": "u", "driver": "bmp280"}]}',
		problems: [
			'42 config.firefly.topic: "a/b" lacks {sensor}, which tells the bare values of 2 sensors apart; or set payload to "json"',
		],
	},
	{
		name: "connectTimeout",
		firefly: withBroker('"connectTimeout": "8s"'),
		problems: [
			'50 config.firefly.broker.connectTimeout: "8s" is not less than sleep.awakeLimit, 8s, which ends the wake first',
		],
	},
	{
		name: "awakeLimit",
		firefly: withKey('"sleep": {"awakeLimit": "4s"}'),
		problems: [
			'26 config.firefly.sleep.awakeLimit: "4s" is not more than broker.connectTimeout, 5s; shorten that too',
			'26 config.firefly.sleep.awakeLimit: "4s" is not more than broker.acknowledgeTimeout, 5s; shorten that too',
		],
	},
	{
		name: "backoff",
		firefly: withKey('"backoff": {"minimum": "1m", "maximum": "1s"}'),
		problems: ['42 config.firefly.backoff.maximum: "1s" is less than minimum, 1m'],
	},
	{
		name: "backoff default",
		firefly: withKey('"backoff": {"maximum": "1s"}'),
		problems: ['25 config.firefly.backoff.maximum: "1s" is less than minimum, 5s'],
	},
	{
		name: "outbox small",
		firefly: `{${broker}, "outbox": {"size": 256}, "sensors": [${sensorList(4)}]}`,
		problems: [
			"52 config.firefly.outbox.size: 256 bytes hold the samples of fewer than 4 wakes; 384 are needed",
		],
	},
	{
		name: "outbox storage",
		firefly: withKey('"outbox": {"storage": "flsh"}'),
		problems: [
			'24 config.firefly.outbox.storage: "flsh" is not one of "rtc", "flash"; did you mean "flash"?',
		],
	},
	{
		name: "outbox too small",
		firefly: withKey('"outbox": {"size": 100}'),
		problems: ["21 config.firefly.outbox.size: 100 is not between 256 and 6000"],
	},
	{
		name: "time server",
		firefly: withKey('"time": {"server": true}'),
		problems: ["21 config.firefly.time.server: true is not a string"],
	},
	{
		name: "time server name",
		firefly: withKey('"time": {"server": "a b"}'),
		problems: ['21 config.firefly.time.server: "a b" is not a host name or an address'],
	},
	{
		name: "listen sessions",
		firefly: withKey('"listen": {"connections": 8, "sessions": 4}'),
		problems: ["43 config.firefly.listen.sessions: 4 is less than connections, 8"],
	},
	{
		name: "one port twice",
		firefly: withKey('"listen": {"port": 8080, "webSocket": 8080}'),
		problems: ["40 config.firefly.listen.webSocket: 8080 is the port of MQTT over TCP too"],
	},
	{
		name: "TLS on the port without",
		firefly: withKey('"listen": {"tls": {"port": 1883, "certificate": "c", "key": "k"}}'),
		problems: ["29 config.firefly.listen.tls.port: 1883 is the port of MQTT over TCP too"],
	},
	{
		name: "TLS on the port for WebSocket",
		firefly: withKey('"listen": {"webSocket": 8883, "tls": {"certificate": "c", "key": "k"}}'),
		problems: ["26 config.firefly.listen.webSocket: 8883 is the port of TLS too"],
	},
	{
		name: "an origin with a path",
		firefly: withKey('"listen": {"origins": ["https://panel.example/"]}'),
		problems: [
			'25 config.firefly.listen.origins[0]: "https://panel.example/" is not an origin such as "https://panel.example" or "http://192.168.1.5:3000"',
		],
	},
	{
		name: "a host with a port",
		firefly: withKey('"listen": {"hosts": ["panel.local:8080"]}'),
		problems: [
			'23 config.firefly.listen.hosts[0]: "panel.local:8080" is not a host name, which goes without scheme and port',
		],
	},
	{
		name: "listen value",
		firefly: withKey('"listen": {"lastValue": "all"}'),
		problems: ['26 config.firefly.listen.lastValue: "all" is not one of "retained", "every"'],
	},
	{
		name: "persistence in words",
		firefly: withKey('"listen": {"persist": "yes"}'),
		problems: ['24 config.firefly.listen.persist: "yes" is not one of true, false'],
	},
	{
		name: "a persistence interval that is too long",
		firefly: withKey('"listen": {"persist": true, "persistInterval": "2h"}'),
		problems: ['49 config.firefly.listen.persistInterval: "2h" is not between 0s and 1h'],
	},
	{
		name: "a persistence interval without unit",
		firefly: withKey('"listen": {"persistInterval": 60}'),
		problems: ['32 config.firefly.listen.persistInterval: 60 is not a duration; did you mean "60s"?'],
	},
	{
		name: "a password instead of its hash",
		firefly: withKey('"listen": {"users": {"anna": "apple"}}'),
		problems: [
			"31 config.firefly.listen.users.anna: the value is not a password hash; firefly passwd makes one",
		],
	},
	{
		name: "a user whose name adds a level",
		firefly: withKey(
			`"listen": {"users": {"a/b": "$pbkdf2-sha256$i=200$${"A".repeat(22)}$${"A".repeat(43)}"}}`,
		),
		problems: [
			'23 config.firefly.listen.users["a/b"]: is the name of a user, but holds /, which has a meaning in topics',
		],
	},
	{
		name: "a rule that neither allows nor denies",
		firefly: withKey('"listen": {"acl": [{"topic": "#"}]}'),
		problems: ['21 config.firefly.listen.acl[0]: needs either "allow" or "deny"'],
	},
	{
		name: "a rule for nobody, with a topic that is no filter",
		firefly: withKey('"listen": {"acl": [{"allow": "all", "topic": "a/#/b", "user": "ana"}]}'),
		problems: [
			'47 config.firefly.listen.acl[0].topic: "a/#/b" holds a # that is not its last level',
			'64 config.firefly.listen.acl[0].user: "ana" is no user of listen.users',
		],
	},
	{
		name: "a placeholder that rules do not know",
		firefly: withKey('"listen": {"acl": [{"allow": "all", "topic": "{mac}/#"}]}'),
		problems: [
			'47 config.firefly.listen.acl[0].topic: "{mac}/#" holds the unknown placeholder {mac}; there are {user}, {id}',
		],
	},
	{
		name: "a broker that lets nobody in",
		firefly: '{"role": "broker"}',
		problems: [
			'1 config.firefly: a broker without users lets nobody in; add one with "firefly passwd NAME --manifest FILE", or set listen.anonymous to true',
		],
	},
	{ name: "firefly no object", firefly: "[]", problems: ["1 config.firefly: a list is not an object"] },
];
