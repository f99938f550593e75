import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { JSONDocument } from "../../cli/config/json";
import { loadManifest } from "../../cli/config/load";
import { formatProblem } from "../../cli/config/problem";
import { configWarnings } from "../../cli/config/warnings";
import { habits } from "./habits";
import { invalidConfigurations } from "./invalid-configurations";
import { oversizedConfigurations } from "./oversized-configurations";
import { Project } from "./project";

const good = '{"broker": {"url": "mqtt://b"}, "sensors": [{"name": "t", "driver": "sht3x"}]}';
const broker = '{"role": "broker", "listen": {"anonymous": true}}';

function manifest(firefly: string): string {
	return `{\n"include": ["firmware/manifest.json"],\n"config": {"firefly":\n${firefly}\n}}`;
}

describe("problems of a manifest", () => {
	const project = new Project();
	const directory = process.cwd();
	before(() => process.chdir(project.directory));
	after(() => {
		process.chdir(directory);
		project.remove();
	});

	function check(
		files: Readonly<Record<string, string | Uint8Array>>,
		environment: NodeJS.ProcessEnv = {},
	): string[] {
		for (const [name, content] of Object.entries(files)) project.write(name, content);
		const loaded = loadManifest("manifest.json", environment);
		return "problems" in loaded ? loaded.problems.map(formatProblem) : [];
	}

	test("a valid manifest", () => assert.deepEqual(check({ "manifest.json": manifest(good) }), []));

	for (const { name, firefly, problems } of [
		...invalidConfigurations,
		...habits,
		...oversizedConfigurations,
	]) {
		test(name, () =>
			assert.deepEqual(
				check({ "manifest.json": manifest(firefly) }),
				problems.map((problem) => `manifest.json:4:${problem}`),
			),
		);
	}

	const files: readonly (readonly [string, string | Uint8Array, ...string[]])[] = [
		["an empty file", "", ":1:1: a value is needed here, not the end of the file"],
		["a list", "[]", ":1:1: a list is not an object"],
		["null", "null", ":1:1: null is not an object"],
		["a comment", `// mine\n${manifest(good)}`, ":1:1: comments are not JSON"],
		["a comment in a block", manifest(good).replace("]", "/* x */ ]"), ":2:37: comments are not JSON"],
		[
			"a comma at the end of an object",
			manifest(broker).replace("true}}", "true},}"),
			":4:49: a comma before the end of an object or list is not JSON",
		],
		[
			"a comma at the end of a list",
			manifest(broker).replace("]", ", ]"),
			":2:37: a comma before the end of an object or list is not JSON",
		],
		[
			"commas, comments and wrong values at once",
			manifest('{"role": "brokr"}').replace("]", ", ] /* x */"),
			":2:37: a comma before the end of an object or list is not JSON",
			":2:41: comments are not JSON",
			':4:10 config.firefly.role: "brokr" is not one of "sensor", "broker", "both"; did you mean "broker"?',
		],
		["a missing comma", '{"a": 1\n"b": 2}', ':2:1: a comma is needed here, not "\\"b\\""'],
		["a missing brace", '{"a": 1', ":1:8: a closing brace is needed here, not the end of the file"],
		["single quotes", "{'a': 1}", ":1:2: keys and texts are in straight double quotes, not as in \"'a'\""],
		["an endless string", '{"a": "b', ":1:7: this string does not end"],
		["a tab in a string", '{"a": "\t"}', ":1:7: a control character must be escaped in a string"],
		["a foreign escape", '{"a": "\\x41"}', ":1:7: this escape is not JSON"],
		["something after the end", "{} {}", ':1:4: the file should end here, not go on with "{"'],
		[
			"a byte order mark",
			`\ufeff${manifest(good)}`,
			":1:1: begins with a byte order mark, which is not JSON",
		],
		["UTF-16", Buffer.from(manifest(good), "utf16le"), ':1:2: this is not JSON: "\\u0000"'],
		[
			"UTF-16 with a byte order mark",
			Buffer.from(`\ufeff${manifest(good)}`, "utf16le"),
			":1:1: is UTF-16; UTF-8 is needed",
		],
		["Latin-1", Buffer.from('{\n"ü": 1}', "latin1"), ":2:2: is not UTF-8 text"],
		["a character cut in half", Buffer.from('{"ü').subarray(0, 3), ":1:3: is not UTF-8 text"],
		["lists in lists, 200,000 deep", "[".repeat(200_000), ":1:1: is nested too deeply"],
		["no configuration", '{"include": "firmware/manifest.json"}', ':1:1: lacks "config.firefly"'],
		[
			"an empty configuration",
			'{"include": "firmware/manifest.json", "config": {}}',
			':1:49 config: lacks "firefly"',
		],
		[
			"a misspelt firefly",
			'{"include": "firmware/manifest.json", "config": {"fireFly": {}}}',
			':1:49 config: lacks "firefly"',
			':1:50 config.fireFly: is not a known key; did you mean "firefly"?',
		],
		[
			"a misspelt include",
			`{"includes": ["firmware/manifest.json"], "config": {"firefly": ${broker}}}`,
			":1:1 include: does not lead to firmware/manifest.json, which is Firefly itself",
			':1:2 includes: is not a known key; did you mean "include"?',
		],
		[
			"a manifest to include that is not there",
			`{"include": ["firmware/manifest.json", "x/manifest.json"], "config": {"firefly": ${broker}}}`,
			':1:40 include[1]: "x/manifest.json" does not exist',
		],
		[
			"a number to include",
			`{"include": ["firmware/manifest.json", 3], "config": {"firefly": ${broker}}}`,
			":1:40 include[1]: is not the path of a manifest",
		],
		[
			"a folder to include",
			`{"include": ["firmware/manifest.json", "firmware"], "config": {"firefly": ${broker}}}`,
			':1:40 include[1]: "firmware" is a directory',
		],
		[
			"the SDK's own Wi-Fi key and a secret beside the configuration",
			`{"include": ["firmware/manifest.json"], "config": {"ssid": "x", "wifi_password": "y", "firefly": ${broker}}}`,
			":1:52 config.ssid: holds the start of the SDK until Wi-Fi is up; use config.firefly.wifi.ssid",
			":1:65 config.wifi_password: is a secret, which a manifest does not keep; move it to wifi.password in firefly.local.json, or to FIREFLY_WIFI_PASSWORD",
		],
		[
			"a wrong value for one target only",
			`{"include": ["firmware/manifest.json"], "config": {"firefly": ${broker}}, "platforms": {"esp32": {"config": {"firefly": {"rol": 1}}}}}`,
			':1:162 platforms.esp32.config.firefly.rol: is not a known key; did you mean "role"?',
		],
	];
	for (const [name, content, ...problems] of files) {
		test(name, () =>
			assert.deepEqual(
				check({ "manifest.json": content }),
				problems.map((problem) => `manifest.json${problem}`),
			),
		);
	}

	test("an included manifest that is not JSON is reported", () => {
		project.write("broken/manifest.json", "{,}");
		const problems = check({ "manifest.json": manifest(broker).replace("]", ', "broken/manifest.json"]') });
		assert.deepEqual(problems, ['broken/manifest.json:1:2: a value is needed here, not ","']);
	});

	/** Good settings, and blocks of platforms on line 6. */
	const withPlatforms = (firefly: string, platforms: string): string =>
		`${manifest(firefly).slice(0, -1)},\n"platforms": {${platforms}}}`;

	const platformCases: readonly (readonly [string, string, string, ...string[]])[] = [
		[
			"settings of one platform that are right beside the others",
			good,
			'"esp32": {"config": {"firefly": {"sensors": [{"name": "t", "driver": "bmp280"}]}}, "creation": {"static": 120000}}',
		],
		[
			"pools that are too large for one platform",
			broker,
			'"esp32/a": {}, "esp32/b": {"config": {"firefly": {"listen": {"retainedBytes": 65536}}}}',
			':6:93 platforms["esp32/b"].config.firefly.listen.retainedBytes: this device takes up to 110036 bytes of memory, but has 86016; retainedBytes may be 41516 at most',
		],
		[
			"pools that are too large together with those of one platform",
			'{"role": "broker", "listen": {"anonymous": true, "retainedBytes": 30000}}',
			'"esp32": {"creation": {"static": 64000}}',
			":4:67 config.firefly.listen.retainedBytes: this device takes up to 74500 bytes of memory, but has 55808; retainedBytes may be 11308 at most (for the platform esp32)",
		],
		[
			"a role for which one platform lacks what it needs",
			broker,
			'"esp32": {"config": {"firefly": {"role": "sensor"}}}',
			":6:47 platforms.esp32.config.firefly: a sensor node needs sensors",
			':6:47 platforms.esp32.config.firefly: lacks "broker.url"',
		],
		[
			"a driver of one platform that no include provides, in the first sensor of both",
			good,
			'"lin": {"config": {"firefly": {"sensors": [{"name": "t", "driver": "bmp"}]}}}',
			':6:82 platforms.lin.config.firefly.sensors[0].driver: "bmp" is a driver that no include provides; add the manifest that brings the module driver/bmp to include, such as "./bmp/manifest.json"; docs/writing-a-driver.md says how to write one',
		],
		[
			"a problem of all platforms, once",
			'{"role": "broker"}',
			'"esp32": {"config": {"firefly": {"listen": {"retainedTopics": 4}}}}',
			':4:1 config.firefly: a broker without users lets nobody in; add one with "firefly passwd NAME --manifest FILE", or set listen.anonymous to true',
		],
		[
			"state in flash: on a chip it has to fit, in the simulator it is in files",
			broker,
			'"lin": {"config": {"firefly": {"listen": {"persist": true}}}}, "esp32": {"config": {"firefly": {"listen": {"persist": true}}}}',
			':6:133 platforms.esp32.config.firefly.listen.persist: up to 188 KB of flash are needed for the state at its worst, but the partition nvs has 24; name a table with a larger one in build.PARTITIONS_FILE, such as "./firmware/esp32/partitions.csv", or lessen the pools, first of all queuedMessages, 64, or filterBytes, 768',
		],
	];
	for (const [name, firefly, platforms, ...problems] of platformCases)
		test(name, () =>
			assert.deepEqual(
				check({ "manifest.json": withPlatforms(firefly, platforms) }),
				problems.map((problem) => `manifest.json${problem}`),
			),
		);

	describe("settings of included manifests are merged as mcconfig does", () => {
		/** Includes the board's manifest, before Firefly's own or after it. */
		const withBoard = (
			firefly: string,
			include = '"firmware/manifest.json", "board/manifest.json"',
		): string => `{\n"include": [${include}],\n"config": {"firefly":\n${firefly}\n}}`;
		const boardCases: readonly (readonly [string, string, object, ...string[]])[] = [
			[
				"an arena of the board in which the pools do not fit",
				'{"role": "broker", "listen": {"anonymous": true, "retainedBytes": 30000}}',
				{ creation: { static: 64_000 } },
				"manifest.json:4:67 config.firefly.listen.retainedBytes: this device takes up to 74500 bytes of memory, but has 55808; retainedBytes may be 11308 at most",
			],
			[
				"the same in the board's block of a platform",
				'{"role": "broker", "listen": {"anonymous": true, "retainedBytes": 30000}}',
				{ platforms: { "esp32/b": { creation: { static: 64_000 } } } },
				"manifest.json:4:67 config.firefly.listen.retainedBytes: this device takes up to 74500 bytes of memory, but has 55808; retainedBytes may be 11308 at most (for the platform esp32/b)",
			],
			[
				"pools in the board's block of a platform that are too large",
				broker,
				{ platforms: { "esp32/b": { config: { firefly: { listen: { retainedBytes: 65_536 } } } } } },
				'board/manifest.json:1:73 platforms["esp32/b"].config.firefly.listen.retainedBytes: this device takes up to 110036 bytes of memory, but has 86016; retainedBytes may be 41516 at most',
			],
			[
				"pools of the board that the manifest lessens",
				'{"role": "broker", "listen": {"anonymous": true, "retainedBytes": 2048}}',
				{ platforms: { "...": { config: { firefly: { listen: { retainedBytes: 65_536 } } } } } },
			],
			[
				"sensors that only the board's block of a platform has",
				'{"broker": {"url": "mqtt://b"}}',
				{ platforms: { esp32: { config: { firefly: { sensors: [{ name: "t", driver: "sht3x" }] } } } } },
			],
			[
				"a message queue of the board that is too short",
				'{"role": "broker", "listen": {"anonymous": true, "connections": 12}}',
				{ platforms: { esp32: { defines: { task: { queuelength: 50 } } } } },
				"board/manifest.json:1:57 platforms.esp32.defines.task.queuelength: XS's message queue of 50 can become full, on which the chip hangs; raise it to 53",
			],
			[
				"a manifest that a board includes for one platform",
				broker,
				{ platforms: { lin: { include: ["../desk.json"] } } },
				"desk.json:1:61 config.firefly.listen.webSocket: 80 is the port of MQTT over TCP too (for the platform lin)",
			],
		];
		for (const [name, firefly, board, ...problems] of boardCases)
			test(name, () => {
				project.write("desk.json", '{"config": {"firefly": {"listen": {"port": 80, "webSocket": 80}}}}');
				const files = { "manifest.json": withBoard(firefly), "board/manifest.json": JSON.stringify(board) };
				assert.deepEqual(check(files), problems);
			});

		test("Firefly's own manifest after the board's: its values count, and are never where a problem is", () => {
			const firmware = {
				modules: { "driver/sht3x": "./sht3x" },
				creation: { static: 94_208 },
				platforms: { esp32: { defines: { task: { queuelength: 48 } } } },
			};
			const files = {
				"board/manifest.json": '{"creation": {"static": 56000}, "defines": {"task": {"queuelength": 60}}}',
				"own/firmware/manifest.json": JSON.stringify(firmware),
			};
			const firefly = '{"role": "broker", "listen": {"anonymous": true, "connections": 12}}';
			const include = (first: string, second: string): string =>
				withBoard(firefly, `"${first}", "${second}"`);
			const own = "own/firmware/manifest.json";
			assert.deepEqual(check({ ...files, "manifest.json": include("board/manifest.json", own) }), [
				'manifest.json:4:65 config.firefly.listen.connections: XS\'s message queue of 48 can become full, on which the chip hangs; add "defines": {"task": {"queuelength": 53}} to the manifest (for the platform esp32)',
			]);
			assert.match(
				check({ ...files, "manifest.json": include(own, "board/manifest.json") }).join(),
				/^manifest.json:4:65 config.firefly.listen.connections: this device takes up to \d+ bytes of memory, but has 47808;/,
			);
		});
	});

	describe("the partition table of the build", () => {
		const persistent =
			'{"role": "broker", "listen": {"anonymous": true, "persist": true, "persistInterval": "30s"}}';
		const withTable = (table: string): string =>
			manifest(persistent).replace("{", `{"build": {"PARTITIONS_FILE": ${JSON.stringify(table)}}, `);
		const outcome = (table: string) => {
			project.write("manifest.json", withTable(table));
			const loaded = loadManifest("manifest.json", {
				FIREFLY_WIFI_SSID: "x",
				FIREFLY_WIFI_PASSWORD: "p4ssword",
			});
			return {
				problems: "problems" in loaded ? loaded.problems.map(({ message }) => message) : [],
				warnings: loaded.warnings
					.map(({ path, message }) => `${path}: ${message}`)
					.filter((text) => !text.includes("everybody")),
			};
		};

		test("a large nvs: the state fits", () => {
			project.write(
				"large.csv",
				"# Name, Type\nnvs, data, nvs, 0x3C0000, 256K,\nphy_init,data,phy,0xf000,0x1000\n",
			);
			assert.deepEqual(outcome("./large.csv"), { problems: [], warnings: [] });
		});

		test("a small nvs: refused, and the flash wears out soon", () => {
			project.write("small.csv", "nvs,data,nvs,0x9000,16384");
			const { problems, warnings } = outcome("./small.csv");
			assert.match(problems.join(), /^up to 188 KB of flash are needed .*but the partition nvs has 16;/);
			assert.deepEqual(warnings, [
				"config.firefly.listen.persistInterval: 30s wears the flash out in 2.6 years where a value changes as often; a longer interval lasts as much longer",
			]);
		});

		test("a table that cannot be read, has no nvs, or one without a size: a warning", () => {
			project.write("none.csv", "factory, app, factory, 0x10000, 1M");
			project.write("odd.csv", "nvs, data, nvs, 0x9000, large");
			for (const [table, reason] of [
				["./absent.csv", "does not exist"],
				["./none.csv", "has no partition nvs"],
				["./odd.csv", 'has a partition nvs whose size is "large"'],
				["$(MODDABLE)/x.csv", "does not exist"],
			] as const) {
				const { problems, warnings } = outcome(table);
				assert.deepEqual(problems, []);
				assert.equal(warnings.length, 1);
				assert.ok(warnings[0].startsWith("config.firefly.listen.persist: up to 188 KB of flash are needed"));
				assert.ok(warnings[0].endsWith(reason), warnings[0]);
			}
		});
	});

	test("drivers declared by wildcard, by target, and in a nested include are found", () => {
		project.write(
			"mine/manifest.json",
			'{"include": ["deep/manifest.json"], "modules": {"driver/*": "./drivers/*"}, "platforms": {"esp32": {"modules": {"driver/adc": "x"}}}}',
		);
		project.write("mine/drivers/probe.ts", "");
		project.write(
			"mine/deep/manifest.json",
			'{"include": ["../manifest.json", "$(MODDABLE)/examples/manifest_base.json"], "modules": {"driver/deep": "./deep"}}',
		);
		const sensors = ["probe", "adc", "deep", "replay"].map(
			(driver) => `{"name": "${driver}", "driver": "${driver}"}`,
		);
		const text = manifest(`{"broker": {"url": "mqtt://b"}, "sensors": [${sensors.join(", ")}]}`);
		assert.deepEqual(check({ "manifest.json": text.replace("]", ', "mine/manifest.json"]') }), []);
	});

	test("a driver that exists but is not included is reported", () => {
		project.write("firmware/drivers/si7020/manifest.json", "{}");
		assert.deepEqual(check({ "manifest.json": manifest(good.replace("sht3x", "si7020")) }), [
			'manifest.json:4:69 config.firefly.sensors[0].driver: "si7020" is a driver that no include provides; add "./firmware/drivers/si7020/manifest.json" to include',
		]);
	});

	test("the driver of virtual sensors needs its include like others", () => {
		project.write("firmware/drivers/virtual/manifest.json", '{"modules": {"driver/virtual": "./virtual"}}');
		const text = manifest(good.replace("sht3x", "virtual"));
		assert.deepEqual(check({ "manifest.json": text }), [
			'manifest.json:4:69 config.firefly.sensors[0].driver: "virtual" is a driver that no include provides; add "./firmware/drivers/virtual/manifest.json" to include',
		]);
		const included = text.replace("]", ', "firmware/drivers/virtual/manifest.json"]');
		assert.deepEqual(check({ "manifest.json": included }), []);
	});

	test("a misspelt driver that is not included, and an unknown driver, are reported", () => {
		project.write("firmware/drivers/si7020/manifest.json", "{}");
		project.write("firmware/drivers/ntc/manifest.json", "{}");
		project.write("firmware/drivers/sensor-bus.ts", "");
		const sensors = '[{"name": "a", "driver": "si702"}, {"name": "b", "driver": "thermocouple"}]';
		assert.deepEqual(
			check({ "manifest.json": manifest(`{"broker": {"url": "mqtt://b"}, "sensors": ${sensors}}`) }),
			[
				'manifest.json:4:69 config.firefly.sensors[0].driver: "si702" is a driver that no include provides; did you mean "si7020"? Then add "./firmware/drivers/si7020/manifest.json" to include',
				'manifest.json:4:103 config.firefly.sensors[1].driver: "thermocouple" is a driver that no include provides; add the manifest that brings the module driver/thermocouple to include, such as "./thermocouple/manifest.json"; docs/writing-a-driver.md says how to write one; Firefly itself has ntc, si7020, virtual',
			],
		);
	});

	test("a driver of Firefly is found for a manifest in another folder", () => {
		project.write("firmware/drivers/si7020/manifest.json", "{}");
		project.write(
			"mine/manifest.json",
			manifest(good.replace("sht3x", "si7020")).replace("firmware/", "../firmware/"),
		);
		const loaded = loadManifest("mine/manifest.json", {});
		assert.deepEqual("problems" in loaded ? loaded.problems.map(({ message }) => message) : [], [
			'"si7020" is a driver that no include provides; add "../firmware/drivers/si7020/manifest.json" to include',
		]);
	});

	test("a password without a user name is reported for MQTT 3.1.1", () => {
		const old = good.replace('"mqtt://b"', '"mqtt://b", "version": 4');
		const files = { "manifest.json": manifest(old) };
		assert.deepEqual(check(files, { FIREFLY_BROKER_PASSWORD: "x" }), [
			"manifest.json:4:12 config.firefly.broker: no CONNECT can be made of this: password without a user name",
		]);
		assert.deepEqual(check(files, { FIREFLY_BROKER_PASSWORD: "x", FIREFLY_BROKER_USERNAME: "u" }), []);
	});

	test("a CONNECT made too long by the user name from the environment is reported", () => {
		const files = { "manifest.json": manifest(good.replace('"mqtt://b"', '"mqtt://b", "sendBuffer": 128')) };
		assert.deepEqual(check(files, { FIREFLY_BROKER_USERNAME: "u".repeat(100) }), [
			"manifest.json:4:46 config.firefly.broker.sendBuffer: CONNECT takes up to 141 bytes, but broker.sendBuffer is 128; raise it to 141 or more, or shorten clientId, username, password or will",
		]);
		assert.deepEqual(check(files, { FIREFLY_BROKER_USERNAME: "u".repeat(87) }), []);
	});

	describe("with firefly.local.json and the environment", () => {
		const noBroker = '{"sensors": [{"name": "t", "driver": "sht3x"}]}';
		after(() => project.write("firefly.local.json", "{}"));

		test("local file and environment complete the manifest", () => {
			project.write("manifest.json", manifest(noBroker));
			project.write(
				"firefly.local.json",
				'{"wifi": {"ssid": "n", "password": "p4ssword"}, "broker": {"url": "mqtt://b", "username": "u"}}',
			);
			const loaded = loadManifest("manifest.json", {
				FIREFLY_BROKER_PASSWORD: "x",
				FIREFLY_BROKER_USERNAME: "v",
				FIREFLY_WIFI_SSID: "",
			});
			assert.deepEqual("manifest" in loaded ? loaded.manifest.overrides : loaded.problems, {
				wifi_ssid: "n",
				wifi_password: "p4ssword",
				broker_url: "mqtt://b",
				broker_username: "v",
				broker_password: "x",
			});
		});

		test("problems in the local file and environment are reported without secrets", () => {
			const local = '{"wifi": {"password": "short"}, "broker": {"pasword": "x", "url": "b"}}';
			assert.deepEqual(
				check(
					{ "manifest.json": manifest(noBroker), "firefly.local.json": local },
					{ FIREFLY_WIFI_PASSWORD: "tiny", FIREFLY_BROKER_URL: "x" },
				),
				[
					"firefly.local.json:1:23 wifi.password: the password is 5 bytes long; at least 8 are needed",
					'firefly.local.json:1:44 broker.pasword: is not a known key; did you mean "password"?',
					'firefly.local.json:1:67 broker.url: "b" does not begin with mqtt://, mqtts://, ws:// or wss://; did you mean "mqtt://b"?',
					"environment FIREFLY_WIFI_PASSWORD: the password is 4 bytes long; at least 8 are needed",
					'environment FIREFLY_BROKER_URL: "x" does not begin with mqtt://, mqtts://, ws:// or wss://',
				],
			);
		});
	});
});

describe("warnings", () => {
	const warningsOf = (firefly: object, overrides = {}): string[] => {
		const document = new JSONDocument("m.json", JSON.stringify({ config: { firefly } }));
		return configWarnings(document, overrides).map(({ path, message }) => `${path}: ${message}`);
	};
	const wifi = { ssid: "x" };
	const secret = { wifi_password: "p4ssword" };
	const open = {
		role: "broker",
		wifi,
		listen: { anonymous: true, acl: [{ allow: "all", topic: "#" }] },
	};

	test("there are none for a configuration with all that it should have", () => {
		const sensor = { name: "t", driver: "sht3x", delta: 1, heartbeat: "1h" };
		assert.deepEqual(warningsOf({ wifi, topic: "a/b", sensors: [sensor] }, secret), []);
		assert.deepEqual(warningsOf({ topic: "a/b" }, { wifi_ssid: "x", ...secret }), []);
		assert.deepEqual(warningsOf(open, secret), []);
	});

	test("a password in the manifest: it is no secret there, and there is no warning that it lacks", () => {
		assert.deepEqual(warningsOf({ wifi: { ...wifi, password: "12345678" } }, {}), []);
	});

	const cases: readonly (readonly [string, object, object, string])[] = [
		[
			"a network without a password",
			{ wifi },
			{},
			"config.firefly.wifi.ssid: has no password: only an open network is joined; put wifi.password in firefly.local.json, or set FIREFLY_WIFI_PASSWORD",
		],
		["no network", {}, {}, "config.firefly: has no wifi; a chip reaches nobody without"],
		[
			"a window for commands",
			{ wifi, sleep: { commandWindow: "1s" } },
			secret,
			"config.firefly.sleep.commandWindow: has no effect without commands",
		],
		[
			"a new session for each connection, and commands",
			{ wifi, commands: {}, broker: { url: "mqtt://b", cleanStart: true } },
			secret,
			"config.firefly.broker.cleanStart: has no effect: commands need a session, which the broker keeps",
		],
		[
			"a deadband without heartbeat",
			{ wifi, sensors: [{ name: "t", driver: "sht3x", delta: 1 }] },
			secret,
			"config.firefly.sensors[0].delta: without heartbeat, a value that stays within it is not reported again, however long",
		],
		[
			"calibration without decimals",
			{ wifi, sensors: [{ name: "t", driver: "sht3x", scale: 2, offset: 1 }] },
			secret,
			"config.firefly.sensors[0].scale: without decimals, values are published with up to 17 digits",
		],
		[
			"a space in a topic",
			{ wifi, topic: "living room/{sensor}" },
			secret,
			'config.firefly.topic: "living room/{sensor}" holds a space, which many tools do not take in a topic',
		],
		[
			"a broker open to everybody",
			{ ...open, listen: { anonymous: true } },
			secret,
			"config.firefly.listen.anonymous: lets everybody on the network read and publish everything; acl limits it",
		],
		[
			"TLS on a chip",
			{ ...open, listen: { ...open.listen, tls: { certificate: "c", key: "k" } } },
			secret,
			'config.firefly.listen.tls: is served by "firefly broker --engine node" only; the broker on a chip has no TLS and does not start with it',
		],
		[
			"packets that a chip's TCP does not hold",
			{ ...open, listen: { ...open.listen, packetSize: 5745 } },
			secret,
			"config.firefly.listen.packetSize: 5745 is more than a chip's TCP holds, 5744: longer packets never arrive whole",
		],
	];
	for (const [name, firefly, overrides, warning] of cases)
		test(name, () => assert.deepEqual(warningsOf(firefly, overrides), [warning]));
});

describe("firefly check", () => {
	const project = new Project({
		"manifest.json": manifest(good.replace("{", '{"wifi": {"ssid": "x"}, ')),
		"firefly.local.json": '{"wifi": {"password": "p4ssword"}}',
		"sub/wrong.json": manifest('{"role": "brokr"}').replaceAll("firmware", "../firmware"),
		"firmware/sht3x.declaration.json":
			'{"title": "x", "text": "x", "properties": {"t": {"text": "x", "minimum": 0, "maximum": 1, "decimals": 1}}}',
	});
	after(() => project.remove());

	test("a valid manifest is confirmed, with what it means", async () => {
		const { code, stdout, stderr } = await project.run(["check"]);
		assert.deepEqual([code, stderr], [0, ""]);
		assert.match(
			stdout,
			/^manifest\.json: no problems\na day {8}1,440 wakes, 1,440 reports at most\nbattery {6}[\d.]+ mAh a day: [\d.]+ days on 2,500 mAh .*\n {13}every 5m: [\d.]+ (?:days|years)\n {13}every 15m: [\d.]+ (?:days|years)\nmemory {7}[\d,]+ of 86,016 bytes at the worst\npackets {6}reports up to \d+ bytes, CONNECT up to \d+\n$/,
		);
	});

	test("the problems of the named file are printed", async () => {
		assert.deepEqual(await project.run(["check", "sub/wrong.json"]), {
			code: 1,
			stdout: "",
			stderr:
				'sub/wrong.json:4:10 config.firefly.role: "brokr" is not one of "sensor", "broker", "both"; did you mean "broker"?\n' +
				"sub/wrong.json:4:1 config.firefly: warning: has no wifi; a chip reaches nobody without\n",
		});
	});

	test("--json prints JSON", async () => {
		const { code, stdout, stderr } = await project.run(["check", "--json", "sub/wrong.json"]);
		assert.deepEqual([code, stderr], [1, ""]);
		const { file, problems } = JSON.parse(stdout);
		assert.equal(file, "sub/wrong.json");
		assert.deepEqual(problems[0], {
			file: "sub/wrong.json",
			line: 4,
			column: 10,
			path: "config.firefly.role",
			message: '"brokr" is not one of "sensor", "broker", "both"; did you mean "broker"?',
		});
		const { meaning, ...rest } = JSON.parse((await project.run(["check", "--json"])).stdout);
		assert.deepEqual(rest, { file: "manifest.json", problems: [], warnings: [] });
		assert.deepEqual(Object.keys(meaning), ["day", "battery", "memory", "packets"]);
		assert.deepEqual(meaning.day, {
			wakes: 1440,
			samples: 1440,
			values: 1440,
			gathering: 0,
			reportsAtMost: 1440,
			reports: 1440,
			exchanges: 1440,
		});
	});

	test("--schema writes a schema in which the drivers are those that are included", async () => {
		assert.equal((await project.run(["check", "--schema", "schema.json"])).code, 0);
		const schema = JSON.parse(readFileSync(join(project.directory, "schema.json"), "utf8"));
		const { driver } = schema.$defs.firefly.properties.sensors.items.properties;
		assert.deepEqual(driver.enum, ["sht3x", "bmp280", "replay"]);
	});

	test("a file that cannot be read is named", async () => {
		assert.deepEqual(await project.run(["check", "nothing.json"]), {
			code: 1,
			stdout: "",
			stderr:
				"nothing.json: does not exist; firefly new DIR makes a project, firefly init makes one of this folder\n",
		});
		assert.deepEqual(await project.run(["check", "firmware"]), {
			code: 1,
			stdout: "",
			stderr: "firmware: is a directory\n",
		});
		assert.deepEqual(await project.run(["check", "manifest.json/x"]), {
			code: 1,
			stdout: "",
			stderr:
				"manifest.json/x: does not exist; firefly new DIR makes a project, firefly init makes one of this folder\n",
		});
	});

	test("Firefly's own manifest is valid", async () => {
		const own = new URL("../../manifest.json", import.meta.url).pathname;
		const { code, stdout, stderr } = await project.run(["check", own]);
		assert.equal(code, 0);
		assert.ok(stdout.startsWith(`${own}: no problems\na day `), stdout);
		assert.equal(
			stderr,
			`${own}:8:25 config.firefly.wifi.ssid: warning: has no password: only an open network is joined; put wifi.password in firefly.local.json, or set FIREFLY_WIFI_PASSWORD\n`,
		);
	});
});
