import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { defaults } from "../../src/config/defaults";
import { readSettings, readTemplate, type Settings, settingsForDevice } from "../../src/config/settings";
import { flattenSettings } from "./flat-settings";

const identity = { mac: "a0b1c2d3e4f5", chip: "esp32" };

function read(config: unknown): { settings: Settings; traces: string[] } {
	const traces: string[] = [];
	const settings = flattenSettings(readSettings(config, identity, (message) => traces.push(message)));
	return { settings, traces };
}

const sensor = { name: "t", driver: "d" };

test("an empty configuration gives the defaults: no broker, no trace", () => {
	const { settings, traces } = read({});
	assert.deepEqual(traces, []);
	assert.deepEqual(settings, {
		role: "sensor",
		id: "firefly-a0b1c2d3e4f5",
		broker: { ...defaults.broker, clientId: "firefly-a0b1c2d3e4f5" },
		topic: "firefly/firefly-a0b1c2d3e4f5/{sensor}",
		payload: "value",
		sleep: defaults.sleep,
		outbox: defaults.outbox,
		backoff: defaults.backoff,
		sensors: [],
		listen: defaults.listen,
		time: defaults.time,
	});
	assert.equal(settings.broker.host, "");
});

test("every setting is read", () => {
	const { settings, traces } = read({
		firefly: {
			role: "both",
			id: "shed-{chip}",
			wifi: { ssid: "n", password: "p4ssword", mode: "accessPoint", channel: 11 },
			broker: {
				url: "mqtt://b:1884",
				version: 4,
				keepAlive: "2m",
				pipeline: false,
				clientId: "{id}/{mac}",
				username: "{mac}",
				password: "{secret}",
				cleanStart: false,
				sessionExpiry: "1d",
				will: { topic: "{id}/gone", payload: "", qos: 2, retain: true, delay: "5s" },
				connectTimeout: "3s",
				acknowledgeTimeout: "1500ms",
				pingTimeout: "2.5s",
				sendBuffer: 1024,
				receiveBuffer: 256,
				inFlight: 3,
			},
			topic: "home/{id}/{sensor}/{mac}",
			payload: "json",
			sleep: { mode: "none", awakeLimit: "20s" },
			outbox: { storage: "rtc", policy: "thin", size: 2000 },
			backoff: { minimum: "1s", maximum: "1h" },
			diagnostics: { every: "30m", topic: "home/{id}/state" },
			battery: { sensor: "t", low: 20, slowdown: 3, empty: 5, recovery: 2, checkEvery: "12h" },
			sensors: [
				{
					name: "t",
					driver: "sht3x",
					options: { a: 1 },
					property: "a.b",
					unit: "°C",
					every: "10s",
					grid: true,
					delta: 0.2,
					heartbeat: "5m",
					decimals: 1,
					qos: 0,
					retain: false,
					table: [
						[0, 1],
						[10, 12],
					],
					scale: 2,
					offset: -1,
					samples: 4,
					aggregate: "median",
					spacing: "20ms",
				},
				{ name: "u.v", driver: "sht3x" },
			],
			listen: {
				port: 0,
				sessionExpiryLimit: "1h",
				lastValue: "every",
				persist: true,
				persistInterval: "5m",
				webSocket: 8080,
				webSockets: 2,
				origins: ["https://p"],
				hosts: ["p"],
			},
			time: { server: false },
		},
	});
	assert.deepEqual(traces, []);
	assert.deepEqual(settings, {
		role: "both",
		id: "shed-esp32",
		wifi: { ssid: "n", password: "p4ssword", mode: "accessPoint", channel: 11 },
		broker: {
			...defaults.broker,
			host: "b",
			port: 1884,
			version: 4,
			keepAlive: 120,
			pipeline: false,
			clientId: "shed-esp32/a0b1c2d3e4f5",
			username: "a0b1c2d3e4f5",
			password: "{secret}",
			cleanStart: false,
			sessionExpiry: 86_400,
			will: { topic: "shed-esp32/gone", payload: "", qos: 2, retain: true, delay: 5 },
			connectTimeout: 3000,
			acknowledgeTimeout: 1500,
			pingTimeout: 2500,
			sendBuffer: 1024,
			receiveBuffer: 256,
			inFlight: 3,
		},
		topic: "home/shed-esp32/{sensor}/a0b1c2d3e4f5",
		payload: "json",
		sleep: { ...defaults.sleep, mode: "none", awakeLimit: 20_000 },
		outbox: { ...defaults.outbox, policy: "thin", size: 2000 },
		backoff: { ...defaults.backoff, minimum: 1000, maximum: 3_600_000 },
		diagnostics: { every: 1_800_000, topic: "home/{id}/state" },
		battery: { sensor: "t", low: 20, slowdown: 3, empty: 5, recovery: 2, checkEvery: 43_200_000 },
		sensors: [
			{
				name: "t",
				driver: "sht3x",
				options: { a: 1 },
				property: ["a", "b"],
				unit: "°C",
				every: 10_000,
				grid: true,
				delta: 0.2,
				heartbeat: 300_000,
				decimals: 1,
				qos: 0,
				retain: false,
				table: [0, 1, 10, 12],
				scale: 2,
				offset: -1,
				samples: 4,
				aggregate: "median",
				spacing: 20,
			},
			{ ...defaults.sensor, name: "u.v", driver: "sht3x", property: ["u.v"] },
		],
		listen: {
			...defaults.listen,
			port: 0,
			sessionExpiryLimit: 3600,
			lastValue: "every",
			persist: true,
			persistInterval: 300_000,
			webSocket: 8080,
			webSockets: 2,
			origins: ["https://p"],
			hosts: ["p"],
		},
		time: { server: undefined },
	});
});

test("values of the build's command line take precedence", () => {
	const { settings, traces } = read({
		firefly: { wifi: { ssid: "n" }, broker: { url: "mqtt://b", username: "u" } },
		wifi_ssid: "m",
		wifi_password: "p4ssword",
		broker_url: "mqtt://c:1",
		broker_username: "{chip}",
		broker_password: "x",
	});
	assert.deepEqual(traces, []);
	assert.deepEqual(settings.wifi, { ssid: "m", password: "p4ssword", mode: "join", channel: 6 });
	const { host, port, username, password } = settings.broker;
	assert.deepEqual([host, port, username, password], ["c", 1, "esp32", "x"]);
});

describe("an invalid value is traced with its path, and its default is used", () => {
	const rows: readonly (readonly [object, string])[] = [
		[{ role: "boss" }, 'config.firefly.role: "boss" is not one of sensor, broker, both'],
		[{ id: 7 }, "config.firefly.id: 7 is not a string"],
		[{ broker: [] }, "config.firefly.broker: a list is not an object"],
		[
			{ broker: { url: "b" } },
			'config.firefly.broker.url: "b" does not begin with mqtt://, mqtts://, ws:// or wss://',
		],
		[{ broker: { keepAlive: 60 } }, "config.firefly.broker.keepAlive: 60 is not a string"],
		[{ broker: { keepAlive: "100ms" } }, 'config.firefly.broker.keepAlive: "100ms" is not in whole seconds'],
		[{ broker: { password: "" } }, "config.firefly.broker.password: the password is empty"],
		[
			{ broker: { password: "a\0b" } },
			"config.firefly.broker.password: the password holds the character U+0000",
		],
		[{ broker: { sendBuffer: 4 } }, "config.firefly.broker.sendBuffer: 4 is not between 128 and 8192"],
		[{ broker: { sendBuffer: 128.5 } }, "config.firefly.broker.sendBuffer: 128.5 is not a whole number"],
		[
			{ broker: { sendBuffer: Number.NaN } },
			"config.firefly.broker.sendBuffer: NaN is not between 128 and 8192",
		],
		[
			{ broker: { pipeline: "true" } },
			'config.firefly.broker.pipeline: "true" is not one of auto, true, false',
		],
		[{ topic: "a/#" }, 'config.firefly.topic: "a/#" holds a wildcard, which only subscriptions may'],
		[{ sleep: { awakeLimit: "8" } }, 'config.firefly.sleep.awakeLimit: "8" is not a duration'],
		[{ sleep: { awakeLimit: "1h" } }, 'config.firefly.sleep.awakeLimit: "1h" is not between 1s and 10m'],
		[{ sleep: null }, "config.firefly.sleep: null is not an object"],
		[{ time: { server: "a b" } }, 'config.firefly.time.server: "a b" is not a host name or an address'],
		[{ sensors: { a: sensor } }, "config.firefly.sensors: an object is not a list"],
		[{ sensors: [null] }, "config.firefly.sensors[0]: null is not an object"],
	];
	for (const [firefly, trace] of rows) {
		test(trace, () => {
			const { settings, traces } = read({ firefly });
			assert.equal(traces[0], trace);
			assert.deepEqual({ ...settings, sensors: [] }, read({}).settings);
		});
	}

	test("a configuration that is not an object", () => {
		for (const config of [undefined, null, 1, "x", [], () => 1])
			assert.deepEqual(read(config).settings, read({}).settings);
		assert.deepEqual(read("x").traces, ['config: "x" is not an object']);
	});

	test("a backoff whose maximum is below its minimum", () => {
		const { settings, traces } = read({ firefly: { backoff: { minimum: "1m", maximum: "1s" } } });
		assert.deepEqual(settings.backoff, { minimum: 60_000, maximum: 60_000 });
		assert.deepEqual(traces, ['config.firefly.backoff.maximum: "1s" is less than minimum']);
	});

	test("bare values of two sensors on one topic", () => {
		const { settings, traces } = read({
			firefly: { topic: "a/b", sensors: [sensor, { ...sensor, name: "u" }] },
		});
		assert.equal(settings.topic, "firefly/firefly-a0b1c2d3e4f5/{sensor}");
		assert.deepEqual(traces, [
			'config.firefly.topic: "a/b" lacks {sensor}, which tells the bare values of several sensors apart',
		]);
	});

	test("invalid sensors are left out, others stay", () => {
		const { settings, traces } = read({
			firefly: { sensors: [{ driver: "d" }, sensor, { name: "a b", driver: "d" }, sensor, { name: "v" }] },
		});
		assert.deepEqual(
			settings.sensors.map(({ name }) => name),
			["t"],
		);
		assert.deepEqual(traces, [
			"config.firefly.sensors[0].name: it is missing",
			'config.firefly.sensors[2].name: "a b" is not 1 to 32 letters, digits, - _ .',
			'config.firefly.sensors[3].name: "t" names another sensor too',
			"config.firefly.sensors[4].driver: it is missing",
		]);
	});

	test("more sensors than the limit", () => {
		const sensors = Array.from({ length: 20 }, (_, index) => ({ name: `s${index}`, driver: "d" }));
		const { settings, traces } = read({ firefly: { sensors } });
		assert.equal(settings.sensors.length, 16);
		assert.deepEqual(traces, ["config.firefly.sensors: more than 16 entries; the others are left out"]);
	});
});

test("no value makes it throw, and the returned settings are complete", () => {
	const key = fc.constantFrom(
		"firefly",
		"broker",
		"sensors",
		"name",
		"driver",
		"every",
		"topic",
		"will",
		"url",
		"id",
		"wifi",
		"ssid",
		"listen",
		"sleep",
	);
	const value = fc.letrec((tie) => ({
		value: fc.oneof(
			{ depthSize: "medium" },
			fc.anything(),
			fc.string(),
			fc.constantFrom("mqtt://b", "5s", "{id}", "t"),
			fc.array(tie("value"), { maxLength: 4 }),
			fc.dictionary(key, tie("value"), { maxKeys: 6 }),
		),
	})).value;
	let sensors = 0;
	const sensor = fc.record(
		{ name: value, driver: fc.constant("sht3x"), property: value, every: fc.oneof(value, fc.nat()) },
		{ requiredKeys: [] },
	);
	const section = fc.oneof(
		fc.dictionary(key, value),
		fc.record({ sensors: fc.array(fc.oneof(sensor, value), { maxLength: 3 }), id: value }),
	);
	fc.assert(
		fc.property(section, (config) => {
			const { settings } = read({ firefly: config });
			sensors += settings.sensors.length;
			assert.ok(settings.id.length > 0 && settings.topic.length > 0);
			assert.ok(settings.sleep.awakeLimit >= 1000 && settings.backoff.maximum >= settings.backoff.minimum);
			for (const { every, name, property } of settings.sensors)
				assert.ok(every >= 100 && name !== "" && property.length > 0);
		}),
		{ numRuns: 300 },
	);
	assert.ok(sensors > 0, "some sections have sensors");
});

describe("settings for any device", () => {
	const config = {
		firefly: {
			id: "shed-{chip}",
			broker: { url: "mqtt://b", clientId: "c-{mac}", username: "{id}", will: { topic: "{id}/gone" } },
			topic: "home/{id}/{sensor}",
			sensors: [{ ...sensor, options: { pin: 3 } }],
		},
	};

	test("only {mac} and {chip} stay as placeholders", () => {
		const { id, topic, broker } = readTemplate(config, () => assert.fail());
		assert.deepEqual(
			[id, topic, broker.clientId, broker.username, broker.will?.topic],
			["shed-{chip}", "home/shed-{chip}/{sensor}", "c-{mac}", "shed-{chip}", "shed-{chip}/gone"],
		);
	});

	test("the settings are frozen deeply", () => {
		const frozen = (value: unknown, path: string): void => {
			if (typeof value !== "object" || value === null) return;
			assert.ok(Object.isFrozen(value), path);
			for (const [name, part] of Object.entries(value)) frozen(part, `${path}.${name}`);
		};
		frozen(
			readTemplate(config, () => assert.fail()),
			"settings",
		);
	});

	test("only device-specific settings are copied", () => {
		const template = readTemplate({ firefly: { id: "a", broker: { will: {} } } }, () => assert.fail());
		assert.equal(settingsForDevice(template, identity), template);
		const personal = readTemplate(config, () => assert.fail());
		const settings = settingsForDevice(personal, identity);
		assert.deepEqual(Object.keys(settings), ["id", "topic", "broker"]);
		assert.equal(settings.sensors, personal.sensors);
		assert.deepEqual(
			flattenSettings(settings),
			flattenSettings(readSettings(config, identity, () => assert.fail())),
		);
		assert.deepEqual(
			[settings.broker.clientId, settings.broker.username, settings.broker.will?.topic],
			["c-a0b1c2d3e4f5", "shed-esp32", "shed-esp32/gone"],
		);
	});
});
