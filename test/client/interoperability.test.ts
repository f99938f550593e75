/** Tests with real brokers on real sockets: mosquitto (installed by CI) and aedes; MQTT.js subscribes. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { after, before, describe, test } from "node:test";
import { Aedes } from "aedes";
import { connectAsync, type MqttClient } from "mqtt";
import { BUSY, type ClientError, type ClientHandler, type ClientOptions } from "../../src/client/client";
import { QOS1, RETAIN } from "../../src/mqtt/constants";
import { Mosquitto, mosquittoInstalled } from "../support/mosquitto";
import { nodeDevice } from "../support/node-device";
import { RecordingClient } from "./recording-client";

const splitToBytes = (bytes: Uint8Array): Uint8Array[] => Array.from(bytes, (byte) => Uint8Array.of(byte));

interface LiveClient {
	readonly node: RecordingClient;
	readonly closed: Promise<ClientError | undefined>;
}

function connect(
	options: Partial<ClientOptions>,
	hooks: Partial<ClientHandler> = {},
	device = nodeDevice(),
): LiveClient {
	const liveClient = connectLater(options, hooks, device);
	liveClient.node.open();
	return liveClient;
}

function connectLater(
	options: Partial<ClientOptions>,
	hooks: Partial<ClientHandler> = {},
	device = nodeDevice(),
): LiveClient {
	const { promise, resolve } = withResolvers<ClientError | undefined>();
	const node = new RecordingClient(options, device, {
		...hooks,
		onClosed: (error) => {
			hooks.onClosed?.(error);
			resolve(error);
		},
	});
	return { node, closed: promise };
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
	let resolve: (value: T) => void = () => {};
	const promise = new Promise<T>((settle) => {
		resolve = settle;
	});
	return { promise, resolve };
}

/** An MQTT.js client subscribed to a topic filter, its messages, and a wait for the nth message. */
class Subscriber {
	readonly messages: { topic: string; payload: string; retain: boolean }[] = [];
	readonly client: MqttClient;
	#onChange: () => void = () => {};

	constructor(client: MqttClient) {
		this.client = client;
		client.on("message", (topic, payload, packet) => {
			this.messages.push({ topic, payload: payload.toString(), retain: packet.retain });
			this.#onChange();
		});
	}

	static async connect(port: number, filter: string, version: 4 | 5): Promise<Subscriber> {
		const subscriber = new Subscriber(
			await connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: version }),
		);
		await subscriber.client.subscribeAsync(filter, { qos: 1 });
		return subscriber;
	}

	async count(count: number): Promise<void> {
		while (this.messages.length < count)
			await new Promise<void>((resolve) => {
				this.#onChange = resolve;
			});
	}
}

function describeBroker(name: string, version: 4 | 5, port: () => number): void {
	describe(`${name}, MQTT ${version === 4 ? "3.1.1" : "5.0"}`, () => {
		for (const pipeline of [true, false])
			test(`a QoS 1 report is acknowledged, ${pipeline ? "pipelined" : "after CONNACK"}`, async () => {
				const subscriber = await Subscriber.connect(port(), "home/#", version);
				const { node, closed } = connect(
					{ port: port(), version, pipeline },
					{
						onWritable: () => {
							for (let i = 0; i < 5; i++) node.publish(`${20 + i}`, QOS1);
						},
						onAcknowledged: () => {
							if (node.acknowledged.length === 5) node.client.close();
						},
					},
				);
				assert.equal(await closed, undefined);
				assert.deepEqual(
					node.acknowledged.map(({ packetId }) => packetId),
					[1, 2, 3, 4, 5],
				);
				await subscriber.count(5);
				assert.deepEqual(
					subscriber.messages.map(({ payload }) => payload),
					["20", "21", "22", "23", "24"],
				);
				await subscriber.client.endAsync();
			});

		test("a QoS 0 report is confirmed by CONNACK and the broker's close", async () => {
			const subscriber = await Subscriber.connect(port(), "home/#", version);
			const { node, closed } = connect(
				{ port: port(), version },
				{
					onWritable: () => {
						node.publish("21.5", 0);
						node.client.close();
					},
				},
			);
			assert.equal(await closed, undefined);
			assert.equal(node.opened.length, 1);
			await subscriber.count(1);
			await subscriber.client.endAsync();
		});

		test("the will is published after abort(), not after close()", async () => {
			const subscriber = await Subscriber.connect(port(), "status/#", version);
			const will = (payload: string) =>
				({ topic: "status/node", payload, qos: 1, retain: false, delay: 0 }) as const;
			for (const [payload, clean] of [
				["closed", true],
				["aborted", false],
			] as const) {
				const { node, closed } = connect(
					{ port: port(), version, will: will(payload) },
					{ onOpen: () => (clean ? node.client.close() : node.client.abort()) },
				);
				assert.equal(await closed, undefined);
			}
			await subscriber.count(1);
			assert.deepEqual(
				subscriber.messages.map(({ payload }) => payload),
				["aborted"],
			);
			await subscriber.client.endAsync();
		});

		test("one byte at a time in, 16 bytes at a time out", async () => {
			const { node, closed } = connect(
				{ port: port(), version },
				{
					onWritable: () => {
						while (
							node.acknowledged.length + node.client.inFlight.count < 30 &&
							node.publish("x".repeat(100), QOS1) > 0
						);
					},
					onAcknowledged: () => {
						if (node.acknowledged.length === 30) node.client.close();
					},
				},
				nodeDevice({ split: splitToBytes, capacity: 16 }),
			);
			assert.equal(await closed, undefined);
			assert.equal(node.acknowledged.length, 30);
		});

		test("a thousand messages, each published when another is acknowledged", async () => {
			let sent = 0;
			const publishNext = (): void => {
				while (sent < 1000 && node.publish(`${sent}`, QOS1) > 0) sent++;
				if (node.acknowledged.length === 1000) node.client.close();
			};
			const { node, closed } = connect(
				{ port: port(), version },
				{ onWritable: publishNext, onAcknowledged: publishNext },
			);
			assert.equal(await closed, undefined);
			assert.equal(node.acknowledged.length, 1000);
		});

		test("keep alive holds the connection open", async () => {
			const { node, closed } = connect(
				// A broker ends a silent connection after 3 s; a process with little time of its machine may be late.
				{ port: port(), version, keepAlive: 2 },
				{ onOpen: () => void setTimeout(() => node.close(), 4500) },
			);
			assert.equal(await closed, undefined);
		});
	});
}

describe("mosquitto", { skip: mosquittoInstalled ? false : "mosquitto is not installed" }, () => {
	let broker: Mosquitto;
	before(async () => {
		broker = await Mosquitto.start();
	});
	after(() => broker.stop());

	describeBroker("mosquitto", 4, () => broker.port);
	describeBroker("mosquitto", 5, () => broker.port);

	test("a retained value reaches a later subscriber", async () => {
		const { node, closed } = connect(
			{ port: broker.port },
			{ onWritable: () => node.publish("19.5", QOS1 | RETAIN), onAcknowledged: () => node.client.close() },
		);
		assert.equal(await closed, undefined);
		const subscriber = await Subscriber.connect(broker.port, "home/greenhouse/temperature", 5);
		await subscriber.count(1);
		assert.deepEqual(subscriber.messages, [
			{ topic: "home/greenhouse/temperature", payload: "19.5", retain: true },
		]);
		await subscriber.client.endAsync();
	});

	test("a persistent session: Session Present", async () => {
		const options = { port: broker.port, clientId: "sleeper", cleanStart: false, sessionExpiry: 3600 };
		const sessionsPresent: boolean[] = [];
		for (let round = 0; round < 2; round++) {
			const { node, closed } = connect(options, {
				onOpen: (sessionPresent) => {
					sessionsPresent.push(sessionPresent);
					node.client.close();
				},
			});
			assert.equal(await closed, undefined);
		}
		assert.deepEqual(sessionsPresent, [false, true]);
	});

	test("another client takes over the identifier: an error, with or without a reason", async () => {
		const second = connectLater({ port: broker.port, clientId: "twin" });
		const first = connect({ port: broker.port, clientId: "twin" }, { onOpen: () => second.node.open() });
		const error = await first.closed;
		// Some releases of mosquitto send no reason.
		assert.equal(error?.fault, error?.reasonCode === 0x8e ? "configuration" : "transport");
		second.node.abort();
		assert.equal(await second.closed, undefined);
	});

	test("an assigned client identifier is reported", async () => {
		const { node, closed } = connect(
			{ port: broker.port, clientId: "" },
			{ onOpen: () => node.client.close() },
		);
		assert.equal(await closed, undefined);
		assert.ok((node.client.negotiated.assignedClientId?.length ?? 0) > 0);
	});
});

test("a real peer that acknowledges and never closes: QoS 0 ends well, and soon", async () => {
	let ended = 0;
	const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
		socket.once("data", () => socket.write(Uint8Array.of(0x20, 3, 0, 0, 0)));
		socket.on("end", () => {
			ended++;
			socket.end();
		});
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	for (const pipeline of [true, false]) {
		const { node, closed } = connect(
			{ port: (server.address() as AddressInfo).port, pipeline, acknowledgeTimeout: 60_000 },
			{
				onWritable: () => {
					node.publish("1", 0);
					node.client.close();
				},
			},
		);
		assert.equal(await closed, undefined);
		assert.equal(node.opened.length, 1);
	}
	server.close();
	await once(server, "close");
	assert.equal(ended, 2, "the client has closed");
});

describe("mosquitto with limits", { skip: mosquittoInstalled ? false : "mosquitto is not installed" }, () => {
	test("unknown users are rejected, both versions", async () => {
		const broker = await Mosquitto.start(["allow_anonymous false"]);
		for (const version of [4, 5] as const) {
			const { node, closed } = connect(
				{ port: broker.port, version, username: "nobody", password: "nothing" },
				{ onWritable: () => node.publish("1", QOS1) },
			);
			const error = await closed;
			assert.equal(error?.fault, "configuration");
			assert.equal(error?.pipelineRefused, false);
			assert.equal(node.acknowledged.length, 0);
		}
		await broker.stop();
	});

	test("receive maximum and packet size are respected", async () => {
		const broker = await Mosquitto.start([
			"allow_anonymous true",
			"max_inflight_messages 2",
			"max_packet_size 100",
			"max_keepalive 30",
		]);
		let sent = 0;
		let highest = 0;
		const publishNext = (): void => {
			while (sent < 50 && node.publish(`${sent}`, QOS1) > 0) sent++;
			highest = Math.max(highest, node.client.inFlight.count);
			if (node.acknowledged.length === 50) node.client.close();
		};
		const { node, closed } = connect(
			{ port: broker.port, pipeline: false },
			{ onWritable: publishNext, onAcknowledged: publishNext },
		);
		assert.equal(await closed, undefined);
		assert.equal(highest, 2);
		assert.equal(node.client.negotiated.maximumPacketSize, 100);
		assert.equal(node.client.negotiated.keepAliveSeconds, 30);
		await broker.stop();
	});

	test("a first flight above an unknown limit: an error, and the next flight respects it", async () => {
		const broker = await Mosquitto.start(["allow_anonymous true", "max_packet_size 100"]);
		const results: number[] = [];
		const errors: (ClientError | undefined)[] = [];
		const { promise, resolve } = withResolvers<void>();
		const liveClient = connectLater(
			{ port: broker.port },
			{
				onWritable: () => results.push(liveClient.node.publish("x".repeat(100), QOS1)),
				onOpen: () => {
					if (errors.length > 0) liveClient.node.client.close();
				},
				onClosed: (error) => {
					errors.push(error);
					if (errors.length === 1) liveClient.node.client.open();
					else resolve();
				},
			},
		);
		liveClient.node.open();
		await promise;
		assert.deepEqual(results, [1, BUSY]);
		assert.equal(errors[0]?.reasonCode, 0x95);
		assert.equal(errors[0]?.fault, "resource");
		assert.equal(errors[1], undefined);
		await broker.stop();
	});

	test("broker killed: an error at once; broker stopped: the timeout", async () => {
		for (const signal of ["SIGKILL", "SIGSTOP"] as const) {
			const broker = await Mosquitto.start();
			const { node, closed } = connect(
				{ port: broker.port, acknowledgeTimeout: signal === "SIGKILL" ? 60_000 : 300 },
				{
					onOpen: () => {
						broker.process.kill(signal);
						setTimeout(() => node.publish("1", QOS1), 50);
					},
				},
			);
			const error = await closed;
			assert.equal(error?.fault, signal === "SIGKILL" ? "transport" : "peer");
			assert.equal(node.acknowledged.length, 0);
			await broker.stop("SIGKILL");
		}
	});
});

describe("aedes", () => {
	let aedes: Aedes;
	let server: Server;
	before(async () => {
		aedes = await Aedes.createBroker();
		server = createServer(aedes.handle);
		server.listen(0, "127.0.0.1");
		await once(server, "listening");
	});
	after(() => {
		aedes.close();
		server.close();
	});

	describeBroker("aedes", 4, () => (server.address() as AddressInfo).port);

	test("no MQTT 5.0: a clear error", async () => {
		const { closed } = connect({
			port: (server.address() as AddressInfo).port,
			version: 5,
			connectTimeout: 1000,
		});
		const error = await closed;
		assert.ok(error !== undefined);
		assert.ok(["configuration", "transport", "peer"].includes(error.fault));
	});
});

describe("a peer that is not a broker", () => {
	test("no listener: a transport fault", async () => {
		const { closed } = connect({ port: 1 });
		assert.equal((await closed)?.fault, "transport");
	});

	test("a host name that does not exist: a transport fault", async () => {
		const { closed } = connect({ host: "does-not-exist.invalid", connectTimeout: 60_000 });
		assert.equal((await closed)?.fault, "transport");
	});

	test("an HTTP server: a fault of the configuration", async () => {
		const server = createServer((socket) => {
			socket.on("data", () => socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"));
			socket.on("error", () => {});
		});
		server.listen(0, "127.0.0.1");
		await once(server, "listening");
		const { closed } = connect({ port: (server.address() as AddressInfo).port });
		assert.equal((await closed)?.fault, "configuration");
		server.close();
	});

	test("a server that accepts and never sends: the timeout", async () => {
		const server = createServer((socket) => socket.on("error", () => {}));
		server.listen(0, "127.0.0.1");
		await once(server, "listening");
		const { closed } = connect({ port: (server.address() as AddressInfo).port, connectTimeout: 1000 });
		assert.equal((await closed)?.fault, "peer");
		server.close();
	});
});
