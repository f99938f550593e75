import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { loadManifest } from "../../cli/config/load";
import { memoryNeeded } from "../../cli/config/memory";
import { formatProblem } from "../../cli/config/problem";
import { selfSigned } from "../support/self-signed";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "firefly-transports-"));
const path = join(folder, "manifest.json");
const firmware = relative(folder, join(root, "firmware"));
const TLS = `${firmware}/tls/manifest.json`;
const WEBSOCKET = `${firmware}/websocket/manifest.json`;

const { certificate } = selfSigned();
const pemBody = certificate.replaceAll(/-----.*-----|\s/g, "");
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
for (const [name, content] of [
	["ca.pem", certificate],
	["ca.der", Buffer.from(pemBody, "base64")],
	["text.der", "no certificate"],
	["rsa.der", rsa.export({ type: "pkcs8", format: "der" })],
	["ec.der", ec.export({ type: "pkcs8", format: "der" })],
] as const)
	writeFileSync(join(folder, name), content);
after(() => rmSync(folder, { recursive: true, force: true }));

test("TLS with the default timeout, which a slow handshake exceeds: a warning", () => {
	for (const [more, count] of [
		[{}, 1],
		[{ connectTimeout: "7s" }, 0],
	] as const) {
		assert.deepEqual(problemsOf({ url: "mqtts://b", tls: { ca: "ca.der" }, ...more }), []);
		const { warnings } = loadManifest(path, {});
		const found = warnings.filter(({ message }) => message.startsWith("the handshake of TLS takes"));
		assert.equal(found.length, count);
	}
});

/** What check says of a broker, without file, line and column. */
function problemsOf(
	broker: object,
	{
		include = [TLS, WEBSOCKET],
		data = ["./ca", "./rsa", "./ec", "./text"],
		commandLine = "",
		time = {},
		outbox = {},
		sensorCount = 1,
	} = {},
): string[] {
	const sensors = Array.from({ length: sensorCount }, (_, i) => ({
		name: `t${i}`,
		driver: "virtual",
		property: "thermometer.temperature",
	}));
	const manifest = {
		include: [`${firmware}/manifest_sensor.json`, `${firmware}/drivers/virtual/manifest.json`, ...include],
		data: { "*": data },
		config: { firefly: { wifi: { ssid: "n" }, broker, sensors, time, outbox } },
	};
	writeFileSync(path, JSON.stringify(manifest));
	const loaded = loadManifest(path, {}, commandLine === "" ? {} : { broker_url: commandLine });
	return "problems" in loaded
		? loaded.problems.map((problem) => formatProblem(problem).replace(/^.*?:\d+:\d+ config\.firefly\./, ""))
		: [];
}

test("what fits together is accepted: each scheme with its include and its settings", () => {
	const tls = { ca: "ca.der" };
	const fingerprint = "ab".repeat(32);
	for (const broker of [
		{ url: "ws://b:9001/mqtt" },
		{ url: "mqtts://b", tls },
		{ url: "mqtts://b", tls: { fingerprint } },
		{ url: "wss://b/mqtt", tls: { ...tls, serverName: "broker.example" } },
		{ url: "mqtts://b", tls: { ...tls, certificate: "ca.der", key: "rsa.der" } },
	])
		assert.deepEqual(problemsOf(broker), [], JSON.stringify(broker));
	assert.deepEqual(problemsOf({ url: "mqtts://b", tls: { ca: "ca.der" } }, { include: [TLS] }), []);
	assert.deepEqual(problemsOf({ url: "ws://b" }, { include: [WEBSOCKET] }), []);
	assert.deepEqual(problemsOf({ url: "mqtts://b", tls: { fingerprint } }, { time: { server: false } }), []);
});

test("a transport that no include provides: the include that adds it", () => {
	const lacks = (url: string, manifest: string) =>
		`broker.url: "${url}" needs what no include provides; add "${manifest}" to include`;
	assert.deepEqual(problemsOf({ url: "ws://b" }, { include: [] }), [lacks("ws://b", WEBSOCKET)]);
	assert.deepEqual(problemsOf({ url: "wss://b", tls: { ca: "ca.der" } }, { include: [] }), [
		lacks("wss://b", TLS),
		lacks("wss://b", WEBSOCKET),
	]);
});

test("an IPv6 address: refused, of the broker and of a bridge on a chip, not of one on this machine", () => {
	const reason =
		"has an IPv6 address, and a node connects over IPv4: give the broker's IPv4 address, or its name";
	for (const url of ["mqtt://[fd00::1]:1883", "mqtt://[::1]", "ws://[::ffff:192.0.2.1]/mqtt"]) {
		assert.deepEqual(problemsOf({ url }), [`broker.url: "${url}" ${reason}`]);
		assert.deepEqual(bridgeProblems({ url }), [`bridge.url: "${url}" ${reason}`]);
		assert.deepEqual(bridgeProblems({ url }, { onChip: false }), []);
	}
	assert.deepEqual(bridgeProblems({}, { local: "mqtt://[::1]" }), [`bridge: "mqtt://[::1]" ${reason}`]);
});

test("--broker needs no include, as the simulator adds it, but something to check", () => {
	const options = { include: [], commandLine: "wss://b" };
	assert.deepEqual(problemsOf({ url: "mqtt://b", tls: { ca: "ca.der" } }, options), []);
	assert.deepEqual(problemsOf({ url: "mqtt://b" }, options), [
		'broker.url: wss:// needs "tls" with "ca" or "fingerprint": anybody could pass for the broker otherwise',
	]);
});

test("TLS and WebSocket count in the memory that a node takes", () => {
	const needed = (broker: object): number => {
		assert.deepEqual(problemsOf(broker), []);
		const loaded = loadManifest(path, {});
		assert.ok("manifest" in loaded);
		return memoryNeeded(loaded.manifest.device.settings);
	};
	const tls = { ca: "ca.der" };
	const plain = needed({ url: "mqtt://b" });
	const webSocket = needed({ url: "ws://b" }) - plain;
	const secure = needed({ url: "mqtts://b", tls }) - plain;
	assert.ok(webSocket > 2800 && webSocket < secure);
	assert.equal(needed({ url: "wss://b", tls }), plain + webSocket + secure);
});

test("an outbox that leaves no room for the TLS session in retained memory: refused; over TCP it fits", () => {
	const options = { outbox: { size: 6000 }, sensorCount: 11 };
	const tls = { ca: "ca.der" };
	assert.deepEqual(problemsOf({ url: "mqtt://b" }, options), []);
	assert.deepEqual(problemsOf({ url: "mqtts://b", tls }, options), [
		"outbox.size: 6000 bytes are more than retained memory has beside the state of 11 sensors, 5927",
	]);
});

/** What check says of a bridge, or `broker --config`, which is not for a chip. */
function bridgeProblems(bridge: object, { include = [TLS, WEBSOCKET], onChip = true, local = "" } = {}) {
	const manifest = {
		include: [`${firmware}/manifest_broker.json`, ...include],
		data: { "*": ["./ca", "./rsa"] },
		config: {
			firefly: {
				role: "broker",
				wifi: { ssid: "n" },
				listen: { anonymous: true, connections: 3 },
				bridge: { topics: [{ filter: "a/#" }], ...bridge },
			},
		},
	};
	writeFileSync(path, JSON.stringify(manifest));
	const environment = local === "" ? {} : { FIREFLY_BRIDGE_URL: local };
	const loaded = loadManifest(path, environment, {}, onChip);
	return "problems" in loaded
		? loaded.problems.map((problem) => formatProblem(problem).replace(/^.*?:\d+:\d+ config\.firefly\./, ""))
		: [];
}

test("a bridge: each scheme with its include and its settings; no warning about time to connect", () => {
	const tls = { ca: "ca.der" };
	for (const bridge of [
		{ url: "ws://b:9001/mqtt" },
		{ url: "mqtts://b", tls },
		{ url: "wss://b/mqtt", tls: { ...tls, certificate: "ca.der", key: "rsa.der" } },
	])
		assert.deepEqual(bridgeProblems(bridge), [], JSON.stringify(bridge));
	assert.deepEqual(bridgeProblems({ tls }, { local: "mqtts://b" }), []);
	const { warnings } = loadManifest(path, { FIREFLY_BRIDGE_URL: "mqtts://b" });
	assert.equal(warnings.filter(({ message }) => message.startsWith("the handshake of TLS takes")).length, 0);
	assert.deepEqual(bridgeProblems({ url: "wss://b", tls }, { include: [] }), [
		`bridge.url: "wss://b" needs what no include provides; add "${TLS}" to include`,
		`bridge.url: "wss://b" needs what no include provides; add "${WEBSOCKET}" to include`,
	]);
	assert.deepEqual(bridgeProblems({ url: "mqtts://b" }), [
		'bridge.url: mqtts:// needs "tls" with "ca" or "fingerprint": anybody could pass for the broker otherwise',
	]);
	assert.deepEqual(bridgeProblems({ url: "mqtt://b", tls }), [
		"bridge.tls: has no effect with mqtt://; did you mean mqtts://?",
	]);
	assert.deepEqual(bridgeProblems({ url: "mqtts://b", tls: { ca: "ca.pem" } }), [
		'bridge.tls.ca: "ca.pem" is in PEM, and a chip reads DER: openssl x509 -in ca.pem -outform DER -out ca.der',
	]);
});

test("a bridge of a broker on this machine: any form of certificate, and no include", () => {
	const options = { include: [], onChip: false };
	for (const ca of ["ca.pem", "ca.der"])
		assert.deepEqual(bridgeProblems({ url: "wss://b", tls: { ca } }, options), []);
	assert.deepEqual(bridgeProblems({ url: "mqtts://b", tls: { ca: "other.pem" } }, options), [
		'bridge.tls.ca: "other.pem" is not beside the manifest',
	]);
	assert.deepEqual(bridgeProblems({ url: "mqtts://b", tls: {} }, options), [
		'bridge.tls: mqtts:// needs "ca" or "fingerprint": anybody could pass for the broker otherwise',
	]);
});

test("TLS and WebSocket count in the memory that a bridge takes, too", () => {
	const needed = (bridge: object): number => {
		assert.deepEqual(bridgeProblems(bridge), []);
		const loaded = loadManifest(path, {});
		assert.ok("manifest" in loaded);
		return memoryNeeded(loaded.manifest.device.settings);
	};
	const tls = { ca: "ca.der" };
	const plain = needed({ url: "mqtt://b" });
	const webSocket = needed({ url: "ws://b" }) - plain;
	const secure = needed({ url: "mqtts://b", tls }) - plain;
	assert.ok(webSocket > 2800 && webSocket < secure);
	assert.equal(needed({ url: "wss://b", tls }), plain + webSocket + secure);
});

const rows: readonly (readonly [what: string, broker: object, problem: string, options?: object])[] = [
	[
		"TLS with nothing to check",
		{ url: "mqtts://b" },
		'url: mqtts:// needs "tls" with "ca" or "fingerprint": anybody could pass for the broker otherwise',
	],
	[
		"TLS with a name alone",
		{ url: "mqtts://b", tls: { serverName: "b" } },
		'tls: mqtts:// needs "ca" or "fingerprint": anybody could pass for the broker otherwise',
	],
	[
		"settings of TLS without TLS",
		{ url: "mqtt://b", tls: { ca: "ca.der" } },
		"tls: has no effect with mqtt://; did you mean mqtts://?",
	],
	[
		"the same with WebSocket",
		{ url: "ws://b", tls: { ca: "ca.der" } },
		"tls: has no effect with ws://; did you mean wss://?",
	],
	[
		"a certificate without key",
		{ url: "mqtts://b", tls: { ca: "ca.der", certificate: "ca.der" } },
		'tls: lacks "key", which belongs to certificate',
	],
	[
		"a key without certificate",
		{ url: "mqtts://b", tls: { ca: "ca.der", key: "rsa.der" } },
		'tls: lacks "certificate", which belongs to key',
	],
	[
		"a file that is not there",
		{ url: "mqtts://b", tls: { ca: "other.der" } },
		'tls.ca: "other.der" is not beside the manifest',
	],
	[
		"PEM",
		{ url: "mqtts://b", tls: { ca: "ca.pem" } },
		'tls.ca: "ca.pem" is in PEM, and a chip reads DER: openssl x509 -in ca.pem -outform DER -out ca.der',
	],
	["no certificate", { url: "mqtts://b", tls: { ca: "text.der" } }, 'tls.ca: "text.der" is no certificate'],
	[
		"a key of another kind",
		{ url: "mqtts://b", tls: { ca: "ca.der", certificate: "ca.der", key: "ec.der" } },
		'tls.key: "ec.der" is of the kind ec, and the SDK signs with RSA only',
	],
	[
		"a key that is none",
		{ url: "mqtts://b", tls: { ca: "ca.der", certificate: "ca.der", key: "text.der" } },
		'tls.key: "text.der" is no private key in PKCS #8',
	],
	[
		"a file that is no resource",
		{ url: "mqtts://b", tls: { ca: "ca.der" } },
		'tls.ca: "ca.der" is not in the image; add "./ca" to "data": { "*": […] } of the manifest',
		{ data: [] },
	],
	[
		"an authority without a clock",
		{ url: "mqtts://b", tls: { ca: "ca.der" } },
		"tls.ca: needs time.server: dates of certificates are checked by the clock",
		{ time: { server: false } },
	],
	[
		"a fingerprint of another length",
		{ url: "mqtts://b", tls: { fingerprint: "ab:cd" } },
		'tls.fingerprint: "ab:cd" is not a SHA-256 of 64 hexadecimal digits',
	],
];
for (const [what, broker, problem, options] of rows)
	test(`${what}: an error with a suggestion`, () => {
		assert.deepEqual(problemsOf(broker, options), [`broker.${problem}`]);
	});
