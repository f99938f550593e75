/**
 * What one QoS 1 report takes on the way to mosquitto over each transport: bytes of TCP payload, and serial
 * round trips from SYN to PUBACK, counted between client and broker: `node --import tsx
 * bench/transports.ts`. Needs mosquitto and openssl.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { Client, type ClientOptions } from "../src/client/client";
import { deviceWithTransport } from "../src/client/transport-device";
import type { BrokerSettings } from "../src/config/types";
import { QOS1 } from "../src/mqtt/constants";
import { utf8 } from "../src/mqtt/utf8";
import { CertificateFolder } from "../test/support/certificates";
import { freePort, Mosquitto } from "../test/support/mosquitto";
import { nodeDevice } from "../test/support/node-device";

/** Counts what passes between a client and a port of this machine. */
class CountingProxy {
	readonly server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
		const broker = connect({ port: this.target, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
		// SYN and SYN/ACK
		this.roundTrips = 1;
		let isAnswered = true;
		client.on("data", (bytes) => {
			this.sent += bytes.length;
			isAnswered = false;
			broker.write(bytes);
		});
		broker.on("data", (bytes) => {
			this.received += bytes.length;
			if (!isAnswered && !this.isDone) this.roundTrips++;
			isAnswered = true;
			client.write(bytes);
		});
		for (const [end, other] of [
			[client, broker],
			[broker, client],
		] as const)
			end.on("end", () => other.end()).on("error", () => other.destroy());
	});
	sent = 0;
	received = 0;
	roundTrips = 0;
	/** PUBACK has arrived: what follows is no wait of the report. */
	isDone = false;
	readonly target: number;

	constructor(target: number) {
		this.target = target;
	}
}

const topic = utf8("home/greenhouse/sensor01");
const payload = utf8("23.45");

/** Reports once, and closes. */
async function report(port: number, broker: Partial<BrokerSettings>, proxy: CountingProxy): Promise<void> {
	const options: ClientOptions = {
		host: "127.0.0.1",
		port,
		version: 5,
		keepAlive: 60,
		pipeline: true,
		clientId: "greenhouse",
		cleanStart: true,
		sessionExpiry: 0,
		connectTimeout: 5000,
		acknowledgeTimeout: 5000,
		pingTimeout: 5000,
		sendBuffer: 512,
		receiveBuffer: 512,
		inFlight: 16,
	};
	const device = broker.transport === undefined ? nodeDevice() : deviceWithTransport(nodeDevice(), broker);
	await new Promise<void>((resolve, reject) => {
		const client = new Client(
			options,
			{
				onOpen: () => {},
				onWritable: () => {
					if (client.inFlight.count === 0 && !proxy.isDone)
						client.publish(topic, payload, payload.length, QOS1);
				},
				onAcknowledged: () => {
					proxy.isDone = true;
					client.close();
				},
				onClosed: (error) => (error === undefined ? resolve() : reject(error)),
			},
			device,
		);
		client.open();
	});
}

const certificates = new CertificateFolder();
const ca = certificates.make("authority");
const server = certificates.make("server", { names: "IP:127.0.0.1", issuer: ca });
const secure = [`cafile ${ca.pem}`, `certfile ${server.pem}`, `keyfile ${server.key}`];
const [webSocket, tls, both] = [await freePort(), await freePort(), await freePort()];
const mosquitto = await Mosquitto.start([
	"allow_anonymous true",
	`listener ${webSocket} 127.0.0.1`,
	"protocol websockets",
	`listener ${tls} 127.0.0.1`,
	...secure,
	`listener ${both} 127.0.0.1`,
	"protocol websockets",
	...secure,
]);
try {
	for (const [name, target, broker] of [
		["mqtt", mosquitto.port, {}],
		["ws", webSocket, { transport: "ws", path: "/mqtt" }],
		["mqtts", tls, { transport: "mqtts", tls: { ca: ca.pem } }],
		["wss", both, { transport: "wss", path: "/mqtt", tls: { ca: ca.pem } }],
	] as const) {
		const proxy = new CountingProxy(target);
		proxy.server.listen(0, "127.0.0.1");
		await once(proxy.server, "listening");
		await report((proxy.server.address() as AddressInfo).port, broker, proxy);
		proxy.server.close();
		const { sent, received, roundTrips } = proxy;
		console.log(`${name.padEnd(6)} ${sent} bytes sent, ${received} received, ${roundTrips} round trips`);
	}
} finally {
	await mosquitto.stop();
	certificates.remove();
}
process.exit(0);
