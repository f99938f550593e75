/** The bridge to mosquitto over TLS, WebSocket and both. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { connectAsync } from "mqtt";
import { type Certificate, CertificateFolder, opensslInstalled } from "../support/certificates";
import { freePort, Mosquitto, mosquittoInstalled } from "../support/mosquitto";
import { BridgedBroker, bridgeSettings, until } from "./bridged-broker";
import { cutConnections } from "./cut-connections";

const skip =
	(mosquittoInstalled && opensslInstalled) || process.env.FIREFLY_REQUIRE_PEERS
		? false
		: "mosquitto or openssl is not installed";
const topics = [
	{ filter: "up/#", qos: 2, remotePrefix: "far/" },
	{ filter: "down/#", direction: "in", qos: 2, remotePrefix: "far/" },
];

describe("a bridge to mosquitto", { skip }, () => {
	const folder = skip === false ? new CertificateFolder() : undefined;
	const brokers: Mosquitto[] = [];
	let ca: Certificate;
	let server: Certificate;
	let node: Certificate;
	let ports: Readonly<Record<"mqtt" | "mqtts" | "ws" | "wss", number>>;

	/** Starts mosquitto with listeners beside that of MQTT over TCP. */
	async function start(...settings: readonly string[]): Promise<Mosquitto> {
		const broker = await Mosquitto.start(["allow_anonymous true", ...settings]);
		brokers.push(broker);
		return broker;
	}

	const secure = ({ pem, key }: Certificate): string[] => [
		`cafile ${ca.pem}`,
		`certfile ${pem}`,
		`keyfile ${key}`,
	];
	const urlOf =
		(scheme: string) =>
		(port: number): string =>
			`${scheme}://127.0.0.1:${port}${scheme.startsWith("ws") ? "/mqtt" : ""}`;

	before(async () => {
		const names = "IP:127.0.0.1";
		ca = folder!.make("authority");
		server = folder!.make("server", { names, issuer: ca });
		node = folder!.make("node", { names, issuer: ca });
		const [mqtts, ws, wss] = [await freePort(), await freePort(), await freePort()];
		const { port } = await start(
			`listener ${ws} 127.0.0.1`,
			"protocol websockets",
			`listener ${mqtts} 127.0.0.1`,
			...secure(server),
			`listener ${wss} 127.0.0.1`,
			"protocol websockets",
			...secure(server),
		);
		ports = { mqtt: port, mqtts, ws, wss };
	});
	after(async () => {
		for (const broker of brokers) await broker.stop();
		folder?.remove();
	});

	for (const scheme of ["mqtts", "ws", "wss"] as const)
		for (const version of [4, 5] as const)
			test(`${scheme}, MQTT ${version === 4 ? "3.1.1" : "5.0"}: each QoS and size passes both ways`, async () => {
				const bridged = new BridgedBroker(
					bridgeSettings(0, {
						version,
						topics,
						url: urlOf(scheme)(ports[scheme]),
						...(scheme === "ws" ? {} : { tls: { ca: ca.pem } }),
					}),
				);
				const localPort = await bridged.start();
				await bridged.connected();
				const here = await connectAsync(`mqtt://127.0.0.1:${localPort}`);
				const there = await connectAsync(`mqtt://127.0.0.1:${ports.mqtt}`);
				const received: string[] = [];
				for (const client of [here, there])
					client.on("message", (topic, payload) => received.push(`${topic}=${payload}`));
				await here.subscribeAsync("down/#", { qos: 2 });
				await there.subscribeAsync("far/up/#", { qos: 2 });
				const expected: string[] = [];
				for (const size of [1, 100, 127, 600, 3000])
					for (const qos of [0, 1, 2] as const) {
						const payload = String(qos).repeat(size);
						await here.publishAsync("up/a", payload, { qos });
						await there.publishAsync("far/down/b", payload, { qos });
						expected.push(`far/up/a=${payload}`, `down/b=${payload}`);
						await until(
							() => received.length >= expected.length,
							() => `${size} bytes, QoS ${qos}: ${bridged.traces.join("\n")}`,
						);
					}
				assert.deepEqual(received.sort(), expected.sort());
				here.end(true);
				there.end(true);
				bridged.broker.stop();
				assert.equal(bridged.broker.counters.internalErrors, 0);
				assert.deepEqual(bridged.traces.length, 1, bridged.traces.join("\n"));
			});

	// Not at every byte, as over TCP: the handshake of TLS alone has thousands
	for (const [scheme, step] of [
		["ws", 37],
		["mqtts", 211],
		["wss", 223],
	] as const)
		for (const out of [true, false])
			test(`${scheme}, cut each ${step} bytes: QoS 2 arrives once ${out ? "there" : "here"}, in order`, async () => {
				await cutConnections(ports[scheme], out, {
					url: urlOf(scheme),
					step,
					plainPort: ports.mqtt,
					config: scheme === "ws" ? {} : { tls: { ca: ca.pem } },
				});
			});

	test("a certificate that it shows the broker, or lacks: connected, or the reason", async () => {
		const port = await freePort();
		await start(`listener ${port} 127.0.0.1`, ...secure(server), "require_certificate true");
		for (const [tls, expected] of [
			[{ ca: ca.pem, certificate: node.pem, key: node.key }, "connected"],
			[{ ca: ca.pem }, "the broker asks for a certificate: tls.certificate and tls.key are missing"],
		] as const) {
			const bridged = new BridgedBroker(bridgeSettings(0, { topics, url: urlOf("mqtts")(port), tls }));
			await bridged.start();
			await until(() => bridged.traces.length > 0);
			const [line = ""] = bridged.traces;
			assert.equal(line.replace(/; next try .*/, ""), `bridge: 127.0.0.1:${port}: ${expected}`);
			bridged.broker.stop();
		}
	});

	test("a broker with a wrong certificate: nothing reaches it, the reason once; with the right one it does", async () => {
		const expired = folder!.make("expired", {
			names: "IP:127.0.0.1",
			issuer: ca,
			days: ["20200101000000Z", "20210101000000Z"],
		});
		const port = await freePort();
		const wrong = await start(`listener ${port} 127.0.0.1`, ...secure(expired));
		const bridged = new BridgedBroker(
			bridgeSettings(0, { topics, url: urlOf("mqtts")(port), tls: { ca: ca.pem } }),
		);
		const localPort = await bridged.start();
		const here = await connectAsync(`mqtt://127.0.0.1:${localPort}`);
		await here.publishAsync("up/a", "first", { qos: 2 });
		await until(() => bridged.traces.length > 0);
		// Some more tries
		await new Promise((resolve) => setTimeout(resolve, 500));
		assert.equal(bridged.traces.length, 1);
		const reason = `bridge: 127.0.0.1:${port}: the broker's certificate has expired; next try in 0.1 s`;
		assert.equal(bridged.traces[0], reason);
		assert.equal(bridged.broker.usage.queued, 1);
		await wrong.stop();
		const right = await start(`listener ${port} 127.0.0.1`, ...secure(server));
		const there = await connectAsync(`mqtt://127.0.0.1:${right.port}`);
		const received: string[] = [];
		there.on("message", (topic, payload) => received.push(`${topic}=${payload}`));
		await there.subscribeAsync("far/#", { qos: 2 });
		await until(
			() => received.length > 0,
			() => bridged.traces.join("\n"),
		);
		assert.deepEqual(received, ["far/up/a=first"]);
		here.end(true);
		there.end(true);
		bridged.broker.stop();
	});

	test("a build without the transport, or TLS with nothing to check: the broker runs without a bridge", async () => {
		for (const [url, tls, transports, reason] of [
			["ws://127.0.0.1/mqtt", undefined, ["tls"], "include firmware/websocket/manifest.json"],
			["wss://127.0.0.1/mqtt", { ca: "ca.der" }, ["websocket"], "include firmware/tls/manifest.json"],
			["mqtts://127.0.0.1", {}, ["tls"], "mqtts:// needs tls.ca or tls.fingerprint"],
		] as const) {
			const settings = bridgeSettings(0, { topics, url, ...(tls === undefined ? {} : { tls }) });
			const bridged = new BridgedBroker(settings, {}, undefined, transports);
			const client = await connectAsync(`mqtt://127.0.0.1:${await bridged.start()}`);
			await client.publishAsync("up/a", "1", { qos: 1 });
			assert.equal(bridged.traces.length, 1);
			assert.match(bridged.traces[0]!, /^bridge: there is none: /);
			assert.ok(bridged.traces[0]!.endsWith(reason), bridged.traces[0]);
			assert.equal(bridged.broker.usage.sessions, 1);
			client.end(true);
			bridged.broker.stop();
		}
	});
});
