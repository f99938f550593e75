import { broker, type InvalidConfiguration, sensor, sensorList } from "./invalid-configurations";

const shortenAdvice = "clientId, username, password or will";
const long = (letter: string): string => letter.repeat(128);

/** Configurations whose packets or samples exceed a buffer. */
export const oversizedConfigurations: readonly InvalidConfiguration[] = [
	{
		name: "report too long",
		firefly: `{"broker": {"url": "mqtt://b", "sendBuffer": 128}, "topic": "${"x".repeat(60)}", "payload": "json", "sensors": [${sensor}]}`,
		problems: [
			"46 config.firefly.broker.sendBuffer: a report takes up to 176 bytes, but broker.sendBuffer is 128; raise it to 176 or more, or shorten topic or the names of sensors",
		],
	},
	{
		name: "a topic with the names of a device, as long as these get",
		firefly: `{"broker": {"url": "mqtt://b", "sendBuffer": 128}, "topic": "${"x".repeat(76)}{chip}{mac}/{sensor}", "sensors": [${sensor}]}`,
		problems: [
			"46 config.firefly.broker.sendBuffer: a report takes up to 135 bytes, but broker.sendBuffer is 128; raise it to 135 or more, or shorten topic or the names of sensors",
		],
	},
	{
		name: "diagnostics too long",
		firefly: `{"broker": {"url": "mqtt://b", "sendBuffer": 256}, "diagnostics": {"topic": "${"x".repeat(60)}"}, "sensors": [${sensor}]}`,
		problems: [
			"46 config.firefly.broker.sendBuffer: a message of diagnostics takes up to 504 bytes, but broker.sendBuffer is 256; raise it to 504 or more, or shorten diagnostics.topic",
		],
	},
	{
		name: "CONNECT too long",
		firefly: `{"broker": {"url": "mqtt://b", "sendBuffer": 128, "username": "${"u".repeat(100)}"}, "topic": "{sensor}", "sensors": [${sensor}]}`,
		problems: [
			`46 config.firefly.broker.sendBuffer: CONNECT takes up to 141 bytes, but broker.sendBuffer is 128; raise it to 141 or more, or shorten ${shortenAdvice}`,
		],
	},
	{
		name: "CONNECT longer than the default",
		firefly: `{"broker": {"url": "mqtt://b", "username": "${long("u")}", "clientId": "${long("c")}", "will": {"payload": "${long("p")}", "topic": "${long("t")}"}}, "sensors": [${sensor}]}`,
		problems: [
			`12 config.firefly.broker: CONNECT takes up to 538 bytes, but broker.sendBuffer is 512; set it to 538 or more, or shorten ${shortenAdvice}`,
		],
	},
	{
		name: "outbox larger than retained memory",
		firefly: `{${broker}, "outbox": {"size": 6000}, "sensors": [${sensorList(16)}]}`,
		problems: [
			"52 config.firefly.outbox.size: 6000 bytes are more than retained memory has beside the state of 16 sensors, 5711",
		],
	},
	{
		name: "more connections than the default message queue has places for",
		firefly: '{"role": "broker", "listen": {"anonymous": true, "connections": 12}}',
		problems: [
			'65 config.firefly.listen.connections: XS\'s message queue of 48 can become full, on which the chip hangs; add "defines": {"task": {"queuelength": 53}} to the manifest',
		],
	},
	{
		name: "more connections than lwIP has, and than the message queue has places for",
		firefly: `{"role": "both", ${broker}, "sensors": [${sensor}], "listen": {"anonymous": true, "connections": 13, "handshakes": 1}}`,
		problems: [
			'141 config.firefly.listen.connections: XS\'s message queue of 48 can become full, on which the chip hangs; add "defines": {"task": {"queuelength": 55}} to the manifest',
			"141 config.firefly.listen.connections: lwIP has 16 connections, with those that wait or are closing 17 are needed; connections may be 12 at most, or name an sdkconfig with a larger CONFIG_LWIP_MAX_ACTIVE_TCP in build.SDKCONFIGPATH",
		],
	},
	{
		name: "a pool that the memory of the chip cannot hold",
		firefly: '{"role": "broker", "listen": {"anonymous": true, "retainedBytes": 65536, "sessions": 32}}',
		problems: [
			"67 config.firefly.listen.retainedBytes: this device takes up to 112372 bytes of memory, but has 86016; retainedBytes may be 39180 at most",
		],
	},
	{
		name: "pools that the memory of the chip cannot hold together",
		firefly:
			'{"role": "broker", "listen": {"anonymous": true, "queuedMessages": 1000, "retainedTopics": 1000, "filterLevels": 300}}',
		problems: [
			"68 config.firefly.listen.queuedMessages: this device takes up to 128576 bytes of memory, but has 86016; lessen queuedMessages (1000, by default 64), retainedTopics (1000, by default 32), filterLevels (300, by default 64)",
		],
	},
	{
		name: "a node with commands, a broker, users, page and persistence, which the memory of the chip cannot hold",
		firefly: `{"role": "both", ${broker}, "sensors": [${sensor}], "listen": {"webSocket": 80, "persist": true, "users": {"a": "$pbkdf2-sha256$i=200$${"A".repeat(22)}$${"A".repeat(43)}"}}, "commands": {}}`,
		problems: [
			"106 config.firefly.listen: this device takes up to 86590 bytes of memory, but has 86016; lessen the pools of listen, or leave out persist or webSocket",
			'135 config.firefly.listen.persist: up to 188 KB of flash are needed for the state at its worst, but the partition nvs has 24; name a table with a larger one in build.PARTITIONS_FILE, such as "./firmware/esp32/partitions.csv", or lessen the pools, first of all queuedMessages, 64, or filterBytes, 768',
		],
	},
];
