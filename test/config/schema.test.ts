import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { Check } from "typebox/value";
import { ownDeclarations } from "../../cli/config/declarations";
import { jsonSchema } from "../../cli/config/json-schema";
import { renderPage } from "../../docs/configuration/page";
import { FireflyConfig } from "../../src/config/schema/firefly";
import { readSettings } from "../../src/config/settings";
import { acceptedConfig } from "./accepted-config";
import { flattenSettings } from "./flat-settings";
import { type SchemaNode, schemaAccepts, texts } from "./schema-arbitrary";

const identity = { mac: "a0b1c2d3e4f5", chip: "esp32" };

function read(firefly: unknown) {
	const traces: string[] = [];
	return {
		settings: flattenSettings(readSettings({ firefly }, identity, (message) => traces.push(message))),
		traces,
	};
}

const root = FireflyConfig as unknown as SchemaNode;

/** Keys of an object, also if something shorter may stand for it. */
function propertiesOf(node: SchemaNode): SchemaNode["properties"] {
	return node.properties ?? node.allOf?.[0]?.else.properties;
}

/** All nodes with their paths. */
function* walkSchema(node: SchemaNode, path = "config.firefly"): Generator<readonly [string, SchemaNode]> {
	yield [path, node];
	for (const [key, child] of Object.entries(propertiesOf(node) ?? {}))
		yield* walkSchema(child, `${path}.${key}`);
	if (node.items?.properties !== undefined) yield* walkSchema(node.items, `${path}[]`);
}

/** Paths of all values, as {@link walkSchema} has them. */
function* walkValue(value: unknown, path = "config.firefly"): Generator<string> {
	yield path;
	if (typeof value !== "object" || value === null) return;
	for (const [key, child] of Object.entries(value))
		yield* walkValue(child, Array.isArray(value) ? `${path}[]` : `${path}.${key}`);
}

/** Groups whose settings are absent unless they are configured. */
const OPTIONAL_GROUPS: readonly string[] = [
	"will",
	"tls",
	"commands",
	"update",
	"discovery",
	"diagnostics",
	"battery",
	"bridge",
];

/** The configuration that states all defaults explicitly. */
function withDefaults(node: SchemaNode): unknown {
	if (node.default !== undefined) return node.default;
	if (node.properties === undefined) return undefined;
	const entries = Object.entries(node.properties).map(([key, child]) => [key, withDefaults(child)] as const);
	const known = entries.filter(([key, value]) => value !== undefined && !OPTIONAL_GROUPS.includes(key));
	return known.length === 0 ? undefined : Object.fromEntries(known);
}

describe("schema and device agree", () => {
	test("a configuration that schema and rules accept is read without a trace; every key is in some", () => {
		const drawn = new Set<string>();
		fc.assert(
			fc.property(acceptedConfig(root), (firefly) => {
				for (const path of walkValue(firefly)) drawn.add(path);
				assert.ok(Check(FireflyConfig, firefly));
				assert.deepEqual(read(firefly).traces, []);
			}),
			{ numRuns: 100 },
		);
		assert.deepEqual(
			[...walkSchema(root)].map(([path]) => path).filter((path) => !drawn.has(path)),
			[],
		);
	});

	test("a value that the schema rejects is traced", () => {
		const invalidValue = fc.oneof(fc.jsonValue({ maxDepth: 1 }), texts);
		const leaves = [...walkSchema(root)].filter(
			([path, node]) => propertiesOf(node) === undefined && !path.includes("[]") && !path.endsWith("sensors"),
		);
		fc.assert(
			fc.property(fc.constantFrom(...leaves), invalidValue, ([path], value) => {
				const firefly = path
					.split(".")
					.slice(2)
					.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as object;
				fc.pre(!Check(FireflyConfig, firefly) && value !== undefined);
				const { length } = read(firefly).traces;
				// Several users, rules or names may be wrong, and other required keys of the section may be missing.
				assert.ok(
					length === 1 ||
						(length > 1 && /\.(users|acl|origins|hosts)$|\.tls\.|\.battery\.|\.bridge\./.test(path)),
					`${path}: ${JSON.stringify(value)}`,
				);
			}),
			{ numRuns: 300 },
		);
	});

	test("the defaults of the schema are those of the device", () => {
		const firefly = withDefaults(root);
		const { settings, traces } = read(firefly);
		assert.deepEqual(traces, []);
		assert.deepEqual(settings, read({}).settings);
		const sensor = { name: "t", driver: "d" };
		const sensorDefaults = { ...(withDefaults(root.properties?.sensors?.items ?? {}) as object), ...sensor };
		assert.deepEqual(read({ sensors: [sensorDefaults] }).settings, read({ sensors: [sensor] }).settings);
		const will = withDefaults(root.properties?.broker?.properties?.will ?? {});
		assert.deepEqual(read({ broker: { will } }).settings, read({ broker: { will: {} } }).settings);
	});

	test("every setting has a key in the schema, and all keys are settings", () => {
		const keys = (...path: string[]): string[] =>
			Object.keys(
				propertiesOf(path.reduce<SchemaNode>((node, key) => node.properties?.[key] ?? {}, root)) ?? {},
			).sort();
		const { sensors, wifi, topic, id, role, payload, ...groups } = read({
			wifi: { ssid: "n", password: "p4ssword" },
			broker: { username: "u", password: "p", will: {}, tls: {} },
			diagnostics: {},
			battery: { sensor: "s" },
			sensors: [{ name: "s", driver: "d" }],
			listen: { tls: { certificate: "c", key: "k" }, webSocket: 0, mdns: "a" },
			discovery: { formats: "homeassistant", area: "a" },
			commands: {},
			update: {},
			bridge: { url: "mqtt://b", username: "u", password: "p", tls: {}, topics: [{ filter: "t" }] },
		}).settings;
		const names = Object.keys({ ...groups, wifi, sensors, topic, id, role, payload });
		assert.deepEqual(names.sort(), keys());
		const { host, port, receiveMaximum, ...broker } = groups.broker;
		assert.equal(receiveMaximum, 8);
		assert.deepEqual([...Object.keys(broker), "url"].sort(), keys("broker"));
		assert.deepEqual(Object.keys(broker.will ?? {}).sort(), keys("broker", "will"));
		assert.deepEqual(Object.keys(wifi ?? {}).sort(), keys("wifi"));
		assert.deepEqual(Object.keys(groups.discovery ?? {}).sort(), keys("discovery"));
		for (const name of ["sleep", "outbox", "backoff", "listen", "time"] as const)
			assert.deepEqual(Object.keys(groups[name]).sort(), keys(name), name);
		assert.deepEqual(Object.keys(groups.commands ?? {}).sort(), keys("commands"));
		assert.deepEqual(Object.keys(groups.update ?? {}).sort(), keys("update"));
		assert.deepEqual([host, port], ["", 1883]);
		const { host: bridgeHost, port: bridgePort, ...bridge } = groups.bridge ?? {};
		assert.deepEqual([...Object.keys(bridge), "url"].sort(), keys("bridge"));
		assert.deepEqual([bridgeHost, bridgePort], ["b", 1883]);
	});

	test("every key has a title and a description", () => {
		let keys = 0;
		for (const [path, node] of walkSchema(root)) {
			assert.match(node.description ?? "", /\w.*\.$|\w.*\. \w/, path);
			if (path.endsWith("[]")) continue;
			assert.match(node.title ?? "", /^[A-Z][\w -]+$/, path);
			keys++;
		}
		assert.ok(keys > 80, `${keys} keys`);
	});

	test("every key has a default, or is one that is absent or needed without", () => {
		const without = [...walkSchema(root)]
			.filter(([path, node]) => node.default === undefined && !path.endsWith("[]") && !propertiesOf(node))
			.map(([path]) => path.replace("config.firefly.", ""));
		assert.deepEqual(without.sort(), [
			"battery.sensor",
			"bridge.password",
			"bridge.tls.ca",
			"bridge.tls.certificate",
			"bridge.tls.fingerprint",
			"bridge.tls.key",
			"bridge.tls.serverName",
			"bridge.topics[].filter",
			"bridge.url",
			"bridge.username",
			"broker.password",
			"broker.tls.ca",
			"broker.tls.certificate",
			"broker.tls.fingerprint",
			"broker.tls.key",
			"broker.tls.serverName",
			"broker.url",
			"broker.username",
			"discovery.area",
			"discovery.formats",
			"listen.acl[].allow",
			"listen.acl[].client",
			"listen.acl[].deny",
			"listen.acl[].topic",
			"listen.acl[].user",
			"listen.mdns",
			"listen.subscriptionsPerClient",
			"listen.tls.certificate",
			"listen.tls.key",
			"listen.webSocket",
			"sensors[].decimals",
			"sensors[].delta",
			"sensors[].deviceClass",
			"sensors[].driver",
			"sensors[].heartbeat",
			"sensors[].icon",
			"sensors[].name",
			"sensors[].offset",
			"sensors[].options",
			"sensors[].property",
			"sensors[].scale",
			"sensors[].spacing",
			"sensors[].stateClass",
			"sensors[].table",
			"sensors[].unit",
			"sensors[].wake",
			"wifi.password",
			"wifi.ssid",
		]);
	});

	test("every key but choices, secrets and objects has examples, which are valid", () => {
		for (const [path, node] of walkSchema(root)) {
			if (path.endsWith("[]") || node.writeOnly || propertiesOf(node)) continue;
			if (node.enum === undefined) assert.ok((node.examples?.length ?? 0) > 0, path);
			for (const example of node.examples ?? []) assert.ok(schemaAccepts(node, example), path);
		}
	});
});

test("docs/configuration.md is up to date (else: node --import tsx docs/configuration/generate.ts)", () => {
	assert.equal(readFileSync(new URL("../../docs/configuration.md", import.meta.url), "utf8"), renderPage());
});

test("docs/manifest.schema.json is up to date (else: node --import tsx cli/config/write-schema.ts)", () => {
	assert.equal(
		readFileSync(new URL("../../docs/manifest.schema.json", import.meta.url), "utf8"),
		jsonSchema(ownDeclarations(fileURLToPath(new URL("../../firmware", import.meta.url)))),
	);
});
