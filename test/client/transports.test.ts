/**
 * The client over TLS and WebSocket, with mosquitto, aedes, the on-device broker and openssl's certificates.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTCPServer } from "node:net";
import { after, before, describe, test } from "node:test";
import { Aedes } from "aedes";
import { createWebSocketStream, WebSocketServer } from "ws";
import { Broker } from "../../src/broker/broker";
import type { ClientError, ClientOptions } from "../../src/client/client";
import { subscription } from "../../src/client/client";
import { deviceWithTransport } from "../../src/client/transport-device";
import { defaults } from "../../src/config/defaults";
import type { BrokerTLSSettings } from "../../src/config/types";
import type { LayeredTransport } from "../../src/config/url";
import { QOS1, QOS2 } from "../../src/mqtt/constants";
import { nodeHost } from "../broker/support/node-host";
import { type Certificate, CertificateFolder, opensslInstalled } from "../support/certificates";
import { freePort, Mosquitto, mosquittoInstalled } from "../support/mosquitto";
import { nodeDevice } from "../support/node-device";
import { RecordingClient } from "./recording-client";

const required = process.env.FIREFLY_REQUIRE_PEERS !== undefined;
const skip =
	required || (mosquittoInstalled && opensslInstalled) ? false : "mosquitto or openssl is not installed";

interface Connection {
	readonly transport: LayeredTransport;
	readonly path?: string;
	readonly tls?: BrokerTLSSettings;
}

/**
 * Publishes five messages of QoS 0, 1 and 2 each to its own subscription, and closes once all have come back.
 * @returns the client, and why its connection ended
 */
async function exchange(
	port: number,
	connection: Connection,
	options: Partial<ClientOptions> = {},
): Promise<{ client: RecordingClient; error: ClientError | undefined }> {
	let resolve: (error: ClientError | undefined) => void;
	const ended = new Promise<ClientError | undefined>((settle) => {
		resolve = settle;
	});
	const client = new RecordingClient(
		{ port, clientId: "transport", host: "127.0.0.1", ...options },
		deviceWithTransport(nodeDevice(), connection),
		{
			onOpen: () => void client.client.subscribe([subscription("home/#", { qos: 2 })]),
			onSubscribed: () => {
				for (let i = 0; i < 5; i++)
					for (const flags of [0, QOS1, QOS2]) client.publish(`${flags} ${i}`, flags);
			},
			onPayload: () => {
				if (client.messages.length === 15) client.client.close();
			},
			onClosed: (error) => resolve(error),
		},
	);
	client.open();
	return { client, error: await ended };
}

function assertExchanged({ client, error }: Awaited<ReturnType<typeof exchange>>): void {
	assert.equal(error, undefined);
	const wanted = [0, QOS1, QOS2].flatMap((flags) => [0, 1, 2, 3, 4].map((i) => `${flags} ${i}`));
	assert.deepEqual(client.messages.map(({ payload }) => payload).sort(), wanted.sort());
	assert.equal(client.nestedCallbacks, 0);
}

describe("WebSocket", { skip }, () => {
	const stops: (() => unknown)[] = [];
	const ports = new Map<string, number>();
	before(async () => {
		// mosquitto does not start with WebSocket alone.
		const port = await freePort();
		const settings = ["allow_anonymous true", `listener ${port} 127.0.0.1`, "protocol websockets"];
		const mosquitto = await Mosquitto.start(settings);
		stops.push(() => mosquitto.stop());
		ports.set("mosquitto", port);
		const own = new Broker(nodeHost(), { ...defaults.listen, anonymous: true, port: 0, webSocket: 0 });
		own.start();
		stops.push(() => own.stop());
		while (own.port === 0 || !own.webSocketPort) await new Promise(setImmediate);
		ports.set("the on-device broker", own.webSocketPort);
		const aedes = await Aedes.createBroker();
		const server = createServer();
		new WebSocketServer({ server, handleProtocols: () => "mqtt" }).on("connection", (socket, request) =>
			aedes.handle(createWebSocketStream(socket), request),
		);
		server.listen(0, "127.0.0.1");
		await once(server, "listening");
		ports.set("aedes", (server.address() as AddressInfo).port);
		stops.push(() => {
			server.close();
			server.closeAllConnections();
			aedes.close();
		});
	});
	after(async () => {
		for (const stop of stops) await stop();
	});

	for (const [name, version] of [
		["mosquitto", 4],
		["mosquitto", 5],
		["the on-device broker", 4],
		["the on-device broker", 5],
		["aedes", 4],
	] as const)
		test(`${name}, MQTT ${version === 4 ? "3.1.1" : "5.0"}: messages of every QoS go both ways`, async () => {
			assertExchanged(await exchange(ports.get(name)!, { transport: "ws", path: "/mqtt" }, { version }));
		});

	test("a path that the server does not have: the client says so", async () => {
		const { error } = await exchange(ports.get("the on-device broker")!, {
			transport: "ws",
			path: "/elsewhere",
		});
		assert.equal(error?.message, "no WebSocket: it answered with status 404");
		assert.equal(error?.fault, "configuration");
	});

	test("a port that speaks MQTT: the client says so", async () => {
		const mosquitto = await Mosquitto.start();
		const { error } = await exchange(mosquitto.port, { transport: "ws" });
		await mosquitto.stop();
		assert.equal(error?.message, "the server closed before it answered the WebSocket request");
	});
});

describe("TLS", { skip }, () => {
	const folder = skip === false ? new CertificateFolder() : undefined;
	let ca: Certificate;
	let otherCA: Certificate;
	let server: Certificate;
	let node: Certificate;
	let intermediate: Certificate;
	const brokers: Mosquitto[] = [];

	before(() => {
		ca = folder!.make("authority");
		otherCA = folder!.make("other-authority");
		server = folder!.make("server", { names: "DNS:localhost,IP:127.0.0.1", issuer: ca });
		node = folder!.make("node", { names: "DNS:node", issuer: ca });
		intermediate = folder!.make("intermediate", { issuer: ca });
	});
	after(async () => {
		for (const broker of brokers) await broker.stop();
		folder?.remove();
	});

	/** @param more settings of the listener with TLS */
	async function start(certificate: Certificate, more: readonly string[] = []): Promise<number> {
		const port = await freePort();
		const broker = await Mosquitto.start([
			"allow_anonymous true",
			`listener ${port} 127.0.0.1`,
			`cafile ${ca.pem}`,
			`certfile ${certificate.pem}`,
			`keyfile ${certificate.key}`,
			...more,
		]);
		brokers.push(broker);
		return port;
	}

	const secure = (tls: BrokerTLSSettings): Connection => ({ transport: "mqtts", tls });

	test("the right authority, in PEM and in DER: messages of every QoS go both ways", async () => {
		const port = await start(server);
		for (const file of [ca.pem, ca.der])
			for (const version of [4, 5] as const)
				assertExchanged(await exchange(port, secure({ ca: file }), { version }));
	});

	test("over WebSocket too", async () => {
		const port = await start(server, ["protocol websockets"]);
		assertExchanged(await exchange(port, { transport: "wss", path: "/mqtt", tls: { ca: ca.pem } }));
	});

	test("another authority: refused", async () => {
		const { error } = await exchange(await start(server), secure({ ca: otherCA.pem }));
		assert.equal(error?.message, "the broker's certificate is not signed by the authority of tls.ca");
		assert.equal(error?.fault, "configuration");
	});

	test("dates that are over, or have not come: refused", async () => {
		const names = "IP:127.0.0.1";
		const past = folder!.make("expired", { names, issuer: ca, days: ["20200101000000Z", "20210101000000Z"] });
		const future = folder!.make("future", {
			names,
			issuer: ca,
			days: ["20480101000000Z", "20490101000000Z"],
		});
		assert.equal(
			(await exchange(await start(past), secure({ ca: ca.pem }))).error?.message,
			"the broker's certificate has expired",
		);
		assert.equal(
			(await exchange(await start(future), secure({ ca: ca.pem }))).error?.message,
			"the broker's certificate is not valid yet, or the clock is wrong",
		);
	});

	test("a certificate for another name: refused, unless serverName says so", async () => {
		const port = await start(folder!.make("elsewhere", { names: "DNS:broker.example", issuer: ca }));
		const { error } = await exchange(port, secure({ ca: ca.pem }));
		assert.equal(error?.message, "the broker's certificate is not for 127.0.0.1");
		assertExchanged(await exchange(port, secure({ ca: ca.pem, serverName: "broker.example" })));
	});

	test("a certificate with a common name only: refused, as on a chip", async () => {
		const port = await start(folder!.make("broker.example", { issuer: ca }));
		const { error } = await exchange(port, secure({ ca: ca.pem, serverName: "broker.example" }));
		assert.equal(error?.message, "the broker's certificate is not for broker.example");
	});

	test("the fingerprint decides without an authority, and with one both must be right", async () => {
		const port = await start(server);
		const { fingerprint } = server;
		assertExchanged(await exchange(port, secure({ fingerprint })));
		assertExchanged(
			await exchange(port, secure({ fingerprint: fingerprint.replaceAll(":", "").toLowerCase() })),
		);
		assertExchanged(await exchange(port, secure({ fingerprint, ca: ca.pem })));
		const other = await exchange(port, secure({ fingerprint: node.fingerprint, ca: ca.pem }));
		const actual = fingerprint.replaceAll(":", "").toLowerCase();
		assert.equal(other.error?.message, `the broker's certificate has another fingerprint: ${actual}`);
		const { error } = await exchange(port, secure({ fingerprint, ca: otherCA.pem }));
		assert.match(error?.message ?? "", /not signed by the authority/);
	});

	test("a certificate that a certificate without the right to sign has signed: refused", async () => {
		const forged = folder!.make("forged", { names: "IP:127.0.0.1", issuer: node });
		const { error } = await exchange(await start(forged), secure({ ca: ca.pem }));
		assert.match(error?.message ?? "", /not signed by the authority/);
		assert.ok(intermediate);
	});

	test("a broker that asks for a certificate gets it; without, and with another's, it refuses", async () => {
		const port = await start(server, ["require_certificate true"]);
		const { key } = node;
		assertExchanged(await exchange(port, secure({ ca: ca.pem, certificate: node.pem, key })));
		assertExchanged(await exchange(port, secure({ ca: ca.pem, certificate: node.der, key: node.keyDER })));
		const none = await exchange(port, secure({ ca: ca.pem }));
		assert.match(none.error?.message ?? "", /^the broker asks for a certificate/);
		const stranger = folder!.make("stranger", { names: "DNS:stranger", issuer: otherCA });
		const other = await exchange(port, secure({ ca: ca.pem, certificate: stranger.pem, key: stranger.key }));
		assert.match(other.error?.message ?? "", /^the broker does not accept the certificate/);
	});

	test("a file that is missing, or is no certificate: no connection, and the reason", async () => {
		const port = await start(server);
		const missing = await exchange(port, secure({ ca: "/nowhere/ca.pem" }));
		assert.match(missing.error?.message ?? "", /tls: \/nowhere\/ca\.pem cannot be read$/);
		const wrong = await exchange(port, secure({ ca: node.keyDER }));
		assert.match(wrong.error?.message ?? "", /is no certificate$/);
	});

	test("a port without TLS, and one that nobody listens at: the client says which", async () => {
		const plain = await Mosquitto.start();
		brokers.push(plain);
		const { error } = await exchange(plain.port, secure({ ca: ca.pem }));
		assert.match(error?.message ?? "", /TLS/);
		const text = createTCPServer((socket) =>
			socket
				.resume()
				.on("error", () => {})
				.end("220 ready\r\n"),
		);
		text.listen(0, "127.0.0.1");
		await once(text, "listening");
		const port = (text.address() as AddressInfo).port;
		const answered = await exchange(port, secure({ ca: ca.pem }));
		assert.equal(answered.error?.message, "the broker does not speak TLS at this port");
		text.close();
		await once(text, "close");
		const refused = await exchange(port, secure({ ca: ca.pem }));
		assert.equal(refused.error?.message, "no TCP connection: refused or unreachable");
	});

	test("TLS without anything to check is refused before a connection is made", () => {
		assert.throws(
			() => deviceWithTransport(nodeDevice(), secure({ serverName: "broker.example" })),
			/mqtts:\/\/ needs tls\.ca or tls\.fingerprint/,
		);
		const device = { ...nodeDevice(), transport: () => undefined };
		assert.throws(
			() => deviceWithTransport(device, { transport: "ws" }),
			/firmware\/websocket\/manifest\.json/,
		);
	});
});
