import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { BUSY, REJECTED } from "../../src/client/client";
import { BROKER_CLOSE_WAIT_MS } from "../../src/client/client-connection";
import type { TCP, TCPOptions } from "../../src/device";
import { QOS1, RETAIN } from "../../src/mqtt/constants";
import { VirtualNetwork, type VirtualNetworkOptions } from "../support/virtual-network";
import { RecordingClient, topic } from "./recording-client";
import { type BrokerScript, ScriptedBroker } from "./scripted-broker";

const LATENCY_MS = 40;

function setUp(script: BrokerScript = {}, options: VirtualNetworkOptions = {}) {
	const network = new VirtualNetwork({ latency: LATENCY_MS, ...options });
	const broker = new ScriptedBroker(network, 1883, script);
	return { network, clock: network.clock, broker };
}

for (const version of [4, 5] as const) {
	describe(`a report, MQTT ${version === 4 ? "3.1.1" : "5.0"}`, () => {
		// [MQTT-3.1.0-1] [MQTT-4.3.2-1] [MQTT-4.3.2-2] [MQTT-4.3.2-3] [MQTT-3.14.4-1] [MQTT-3.14.4-2]
		// [MQTT-3.1.1:4.3.2-1] [MQTT-3.1.1:3.14.4-1] [MQTT-3.1.1:3.14.4-2]
		test("QoS 1: the last PUBACK comes 4 latencies after SYN, all in one flight", () => {
			const { network, clock, broker } = setUp({ version });
			const node = new RecordingClient({ version }, network.device, {
				onWritable: () => {
					for (let i = 0; i < 3; i++) assert.equal(node.publish(`23.${i}`, QOS1), i + 1);
				},
				onAcknowledged: (packetId) => {
					if (packetId === 3) node.close();
				},
			});
			node.now = () => clock.now;
			node.open();
			assert.ok(clock.run(10_000), "nothing is left to happen");
			assert.deepEqual(broker.commands, ["connect", "publish", "publish", "publish", "disconnect"]);
			assert.deepEqual(
				network.log.filter((crossing) => crossing.from === "client").map(({ at, kind }) => [at, kind]),
				[
					[0, "SYN"],
					[2 * LATENCY_MS, "data"],
					[4 * LATENCY_MS, "data"],
					[6 * LATENCY_MS, "FIN"],
				],
			);
			assert.deepEqual(node.opened, [{ at: 4 * LATENCY_MS, sessionPresent: false }]);
			assert.deepEqual(
				node.acknowledged.map(({ at, packetId }) => [at, packetId]),
				[
					[4 * LATENCY_MS, 1],
					[4 * LATENCY_MS, 2],
					[4 * LATENCY_MS, 3],
				],
			);
			assert.deepEqual(node.closed, [{ at: 6 * LATENCY_MS, error: undefined }]);
			assert.equal(network.openSockets, 0);
			assert.ok(clock.isIdle);
		});

		test("QoS 1 without pipelining: 6 latencies", () => {
			const { network, clock } = setUp({ version });
			const node = new RecordingClient({ version, pipeline: false }, network.device, {
				onWritable: () => assert.equal(node.publish("23.5", QOS1), 1),
				onAcknowledged: () => node.close(),
			});
			node.now = () => clock.now;
			node.open();
			assert.ok(clock.run(10_000));
			assert.deepEqual(node.writable, [4 * LATENCY_MS]);
			assert.deepEqual(
				node.acknowledged.map(({ at }) => at),
				[6 * LATENCY_MS],
			);
			assert.equal(node.error, undefined);
		});

		// [MQTT-4.3.1-1]
		test("QoS 0: CONNACK and the broker's close come in the same two round trips", () => {
			const { network, clock, broker } = setUp({ version });
			const node = new RecordingClient({ version }, network.device, {
				onWritable: () => {
					assert.equal(node.publish("23.5", RETAIN), 0);
					node.close();
				},
			});
			node.now = () => clock.now;
			node.open();
			assert.ok(clock.run(10_000));
			assert.deepEqual(broker.commands, ["connect", "publish", "disconnect"]);
			assert.deepEqual(node.opened, [{ at: 4 * LATENCY_MS, sessionPresent: false }]);
			assert.deepEqual(node.closed, [{ at: 4 * LATENCY_MS, error: undefined }]);
			assert.equal(network.log.filter(({ from, kind }) => from === "client" && kind === "data").length, 1);
		});

		test("QoS 0 rejected: an error, never a clean end", () => {
			const { network, clock } = setUp({
				version,
				answer: (packet, connection) => {
					if (packet.cmd !== "connect") return false;
					connection.send({
						cmd: "connack",
						sessionPresent: false,
						...(version === 5 ? { reasonCode: 0x97 } : { returnCode: 3 }),
					});
					connection.end();
					return true;
				},
			});
			const node = new RecordingClient({ version }, network.device, {
				onWritable: () => {
					node.publish("23.5", 0);
					node.close();
				},
			});
			node.open();
			assert.ok(clock.run(10_000));
			assert.equal(node.opened.length, 0);
			assert.equal(node.error?.fault, "resource");
		});

		test("QoS 0: a broker that leaves closing to the client costs a short wait, and is no failure", () => {
			const { network, clock } = setUp({ version, answer: (packet) => packet.cmd === "disconnect" });
			const node = new RecordingClient({ version }, network.device, {
				onWritable: () => {
					node.publish("23.5", 0);
					node.close();
				},
			});
			node.now = () => clock.now;
			node.open();
			assert.ok(clock.run(10_000));
			assert.equal(node.opened.length, 1);
			assert.deepEqual(node.closed, [{ at: 4 * LATENCY_MS + BROKER_CLOSE_WAIT_MS, error: undefined }]);
			assert.equal(network.openSockets, 0);
		});

		test("QoS 1: a broker that does not close after DISCONNECT costs a short timeout", () => {
			const { network, clock } = setUp({ version, answer: (packet) => packet.cmd === "disconnect" });
			const node = new RecordingClient({ version }, network.device, {
				onWritable: () => node.publish("23.5", QOS1),
				onAcknowledged: () => node.close(),
			});
			node.now = () => clock.now;
			node.open();
			assert.ok(clock.run(10_000));
			assert.equal(node.error, undefined);
			assert.equal(
				node.closed[0].at,
				6 * LATENCY_MS + BROKER_CLOSE_WAIT_MS,
				"after DISCONNECT was acknowledged",
			);
		});

		test("close() before CONNACK without pipelining: DISCONNECT is sent after CONNACK", () => {
			const { network, clock, broker } = setUp({ version });
			const node = new RecordingClient({ version, pipeline: false }, network.device);
			node.open();
			clock.advance(2 * LATENCY_MS + 1);
			assert.equal(node.client.state, "handshake");
			node.close();
			assert.equal(node.client.state, "closing");
			assert.ok(clock.run(10_000));
			assert.deepEqual(broker.commands, ["connect", "disconnect"]);
			assert.equal(node.opened.length, 1);
			assert.equal(node.writable.length, 0);
			assert.equal(node.error, undefined);
		});
	});
}

describe("publishing", () => {
	test("messages beyond the buffer size are sent in the same flight, in several writes", () => {
		const { network, clock, broker } = setUp();
		const node = new RecordingClient({ sendBuffer: 128 }, network.device, {
			onWritable: () => {
				for (let i = 0; i < 12; i++) assert.ok(node.publish("x".repeat(60), QOS1) > 0);
			},
		});
		node.now = () => clock.now;
		node.open();
		clock.advance(4 * LATENCY_MS);
		assert.equal(node.acknowledged.length, 12);
		assert.deepEqual(new Set(node.acknowledged.map(({ at }) => at)), new Set([4 * LATENCY_MS]));
		assert.deepEqual(new Set(broker.times), new Set([3 * LATENCY_MS]));
		assert.equal(node.nestedCallbacks, 0);
	});

	test("a message published outside a callback is sent at once", () => {
		const { network, clock, broker } = setUp();
		const node = new RecordingClient({}, network.device);
		node.open();
		clock.advance(1000);
		assert.equal(node.client.state, "open");
		assert.equal(node.publish("1", QOS1), 1);
		assert.equal(node.client.inFlight.count, 1);
		clock.advance(LATENCY_MS);
		assert.deepEqual(broker.commands, ["connect", "publish"]);
		clock.advance(LATENCY_MS);
		assert.equal(node.client.inFlight.count, 0);
		assert.equal(node.nestedCallbacks, 0);
	});

	test("publish() before TCP is up, and after close(), returns BUSY", () => {
		const { network, clock } = setUp();
		const node = new RecordingClient({}, network.device);
		assert.equal(node.publish("1", QOS1), BUSY);
		node.open();
		assert.equal(node.publish("1", QOS1), BUSY);
		clock.advance(1000);
		node.close();
		assert.equal(node.publish("1", QOS1), BUSY);
		assert.ok(clock.run(1000));
		assert.equal(node.publish("1", QOS1), BUSY);
	});

	test("without pipelining onWritable comes after CONNACK, also after an earlier BUSY", () => {
		const { network, clock } = setUp();
		const node = new RecordingClient({}, network.device);
		node.open({ pipeline: false });
		clock.advance(2 * LATENCY_MS);
		assert.equal(node.publish("1", QOS1), BUSY);
		assert.equal(node.writable.length, 0);
		clock.advance(2 * LATENCY_MS);
		assert.equal(node.writable.length, 1);
		assert.equal(node.publish("1", QOS1), 1);
	});

	test("onAcknowledged may publish the next message", () => {
		const { network, clock, broker } = setUp();
		const node = new RecordingClient({}, network.device, {
			onWritable: () => node.publish("0", QOS1),
			onAcknowledged: (packetId) => {
				if (packetId < 50) assert.equal(node.publish(`${packetId}`, QOS1), packetId + 1);
			},
		});
		node.open();
		clock.advance(10_000);
		assert.equal(node.acknowledged.length, 50);
		assert.equal(broker.packets.length, 51);
	});

	// [MQTT-4.4.0-2]
	test("a PUBACK with an error is reported with its reason code", () => {
		const { network, clock } = setUp({
			answer: (packet, connection) => {
				if (packet.cmd !== "publish") return false;
				connection.send({ cmd: "puback", messageId: packet.messageId as number, reasonCode: 0x97 });
				return true;
			},
		});
		const node = new RecordingClient({}, network.device, { onWritable: () => node.publish("0", QOS1) });
		node.open();
		clock.advance(1000);
		assert.deepEqual(
			node.acknowledged.map(({ packetId, reasonCode }) => [packetId, reasonCode]),
			[[1, 0x97]],
		);
	});

	test("messages larger than the buffer are rejected; exactly the buffer size fits", () => {
		const { network, clock } = setUp();
		const node = new RecordingClient({ sendBuffer: 128 }, network.device);
		node.open();
		clock.advance(1000);
		// Fixed header 2, topic 2 + 27, packet identifier 2, properties 1
		assert.equal(node.publish("x".repeat(128 - 34), QOS1), 1);
		assert.equal(node.publish("x".repeat(128 - 33), QOS1), REJECTED);
		clock.advance(1000);
		assert.equal(node.acknowledged.length, 1);
	});

	test("an invalid topic throws to the caller; the connection goes on", () => {
		const { network, clock } = setUp();
		const node = new RecordingClient({}, network.device);
		node.open();
		clock.advance(1000);
		assert.throws(() => node.client.publish(Buffer.from("a/#"), Buffer.from("1"), 1, QOS1), {
			name: "MQTTError",
		});
		assert.equal(node.client.inFlight.count, 0);
		assert.equal(node.publish("1", QOS1), 1);
	});
});

describe("open and close", () => {
	test("the same client opens again, also from onClosed", () => {
		const { network, clock, broker } = setUp();
		let rounds = 0;
		const node = new RecordingClient({}, network.device, {
			onWritable: () => node.publish(`${rounds}`, QOS1),
			onAcknowledged: () => node.client.close(),
			onClosed: () => {
				if (++rounds < 5) node.client.open();
			},
		});
		node.open();
		assert.ok(clock.run(60_000));
		assert.equal(node.closed.length, 5);
		assert.equal(broker.commands.filter((command) => command === "publish").length, 5);
		assert.equal(network.openSockets, 0);
		assert.equal(clock.timersCreated, 5, "one timer for each open()");
	});

	test("open() twice throws; close() and abort() without a connection do nothing", () => {
		const { network, clock } = setUp();
		const node = new RecordingClient({}, network.device);
		node.close();
		node.abort();
		node.open();
		assert.throws(() => node.open());
		node.abort();
		node.abort();
		node.close();
		assert.ok(clock.run(1000));
		assert.equal(node.error, undefined);
	});

	for (const [when, ms] of [
		["while resolving", 0],
		["while connecting", LATENCY_MS],
		["in the handshake", 3 * LATENCY_MS],
		["when open", 5 * LATENCY_MS],
	] as const)
		test(`abort() ${when}: TCP is dropped, onClosed is called once, asynchronously`, () => {
			const { network, clock, broker } = setUp();
			network.names.set("broker", "127.0.0.1");
			const node = new RecordingClient({ host: ms === 0 ? "broker" : "127.0.0.1" }, network.device);
			node.open();
			clock.advance(ms);
			node.abort();
			assert.equal(node.closed.length, 0);
			clock.advance(1);
			assert.equal(node.error, undefined);
			assert.equal(node.client.state, "closed");
			assert.ok(clock.run(60_000));
			assert.equal(node.closed.length, 1);
			assert.ok(!broker.commands.includes("disconnect"));
			assert.equal(network.openSockets, 0);
		});

	test("close() while connecting drops TCP without sending anything", () => {
		const { network, clock, broker } = setUp();
		const node = new RecordingClient({}, network.device);
		node.open();
		clock.advance(LATENCY_MS);
		node.close();
		assert.ok(clock.run(60_000));
		assert.equal(node.error, undefined);
		assert.deepEqual(broker.commands, []);
	});

	test("abort() in each callback ends the connection there", () => {
		for (const name of ["onOpen", "onWritable", "onAcknowledged"] as const) {
			const { network, clock } = setUp();
			const node: RecordingClient = new RecordingClient({}, network.device, {
				onWritable: () => {
					node.publish("1", QOS1);
					node.publish("2", QOS1);
					if (name === "onWritable") node.client.abort();
				},
				onOpen: () => {
					if (name === "onOpen") node.client.abort();
				},
				onAcknowledged: () => node.client.abort(),
			});
			node.open();
			assert.ok(clock.run(60_000), name);
			assert.equal(node.closed.length, 1, name);
			assert.equal(node.acknowledged.length, name === "onAcknowledged" ? 1 : 0, name);
		}
	});

	// [MQTT-3.1.1:4.8.0-2]
	test("a handler that throws ends the connection, with the exception as cause", () => {
		for (const name of ["onOpen", "onWritable", "onAcknowledged", "onClosed"] as const) {
			const { network, clock } = setUp();
			const cause = new Error(name);
			const traces: string[] = [];
			const node: RecordingClient = new RecordingClient(
				{},
				{ ...network.device, trace: (message: string) => traces.push(message) },
				{
					onWritable: () => node.publish("1", QOS1),
					[name]: () => {
						if (
							name === "onAcknowledged" ||
							name === "onOpen" ||
							name === "onWritable" ||
							name === "onClosed"
						)
							throw cause;
					},
				},
			);
			node.open();
			clock.advance(1000);
			if (name === "onClosed") {
				node.close();
				clock.advance(1000);
				assert.deepEqual(traces, ["exception in onClosed: Error: onClosed\n"]);
				assert.equal(node.error, undefined);
			} else {
				assert.equal(node.error?.fault, "configuration");
				assert.equal(node.error?.cause, cause);
			}
			assert.ok(clock.run(60_000));
			assert.equal(node.closed.length, 1);
		}
	});

	test("late callbacks of an older connection are dropped", () => {
		const { network, clock } = setUp();
		const options: {
			onReadable?: (n: number) => void;
			onError?: () => void;
			onWritable?: (n: number) => void;
		}[] = [];
		const { device } = network;
		const io = class extends device.tcp.io {
			constructor(dictionary: ConstructorParameters<typeof device.tcp.io>[0]) {
				super(dictionary);
				options.push(dictionary as (typeof options)[number]);
			}
		};
		const node = new RecordingClient({}, { ...device, tcp: { io } });
		node.open();
		clock.advance(1000);
		node.close();
		clock.run(1000);
		node.open();
		clock.advance(1000);
		options[0].onError?.();
		options[0].onReadable?.(100);
		options[0].onWritable?.(100);
		assert.equal(node.client.state, "open");
		assert.equal(node.closed.length, 1);
	});

	test("connections that never came about leave no CONNECT behind: each later one sends its own, once", () => {
		const { network, clock, broker } = setUp();
		const node = new RecordingClient({ host: "broker", cleanStart: false }, network.device);
		node.open();
		assert.ok(clock.run(10_000));
		network.names.set("broker", "127.0.0.1");
		network.blackHoles.add(1883);
		node.open();
		assert.ok(clock.run(10_000));
		network.blackHoles.delete(1883);
		for (const cleanStart of [true, false]) {
			node.open({ cleanStart });
			clock.advance(1000);
			node.close();
			assert.ok(clock.run(10_000));
		}
		assert.deepEqual(
			broker.packets.map((packet) => [packet.cmd, packet.cmd === "connect" && packet.clean]),
			[
				["connect", true],
				["disconnect", false],
				["connect", false],
				["disconnect", false],
			],
		);
		assert.deepEqual(
			node.closed.map(({ error }) => error?.fault),
			["transport", "transport", undefined, undefined],
		);
	});

	for (const [what, act] of [
		[
			"release()",
			(node, endConnection) => {
				endConnection();
				node.client.release(7);
			},
		],
		[
			"writePayload()",
			(node, endConnection) => {
				node.client.beginPublish(topic, 10, QOS1);
				endConnection();
				node.client.writePayload(new Uint8Array(10), 0, 10);
			},
		],
	] as [string, (node: RecordingClient, endConnection: () => void) => void][])
		test(`${what} between two connections leaves nothing in front of CONNECT`, () => {
			const { network, clock, broker } = setUp();
			const node = new RecordingClient({ cleanStart: false, sessionExpiry: 60 }, network.device);
			node.open();
			clock.advance(1000);
			act(node, () => {
				node.abort();
				assert.ok(clock.run(10_000));
				assert.equal(node.closed.length, 1);
			});
			node.open();
			clock.advance(1000);
			assert.deepEqual(broker.commands, ["connect", "connect"]);
			assert.deepEqual([node.opened.length, node.closed.length], [2, 1]);
		});

	test("a class of sockets with targets: gets the same functions each time, and late callbacks are dropped", () => {
		const { network, clock } = setUp();
		const { device } = network;
		const sockets: { readonly socket: TCP; readonly options: TCPOptions }[] = [];
		const io = class extends device.tcp.io {
			static override readonly hasTarget = true;
			readonly target: unknown;
			constructor(options: TCPOptions) {
				const { onReadable, onWritable, onError } = options;
				super({
					...options,
					onReadable: (bytes) => onReadable!.call(this, bytes),
					onWritable: (bytes) => onWritable!.call(this, bytes),
					onError: (failure) => onError!.call(this, failure),
				});
				this.target = options.target;
				sockets.push({ socket: this, options });
			}
		};
		const node = new RecordingClient({}, { ...device, tcp: { io } });
		node.open();
		clock.advance(1000);
		node.close();
		clock.run(1000);
		node.open();
		clock.advance(1000);
		const [first, second] = sockets;
		assert.equal(first.options.onReadable, second.options.onReadable);
		assert.equal(first.options.onWritable, second.options.onWritable);
		assert.equal(first.options.onError, second.options.onError);
		first.options.onError!.call(first.socket);
		first.options.onReadable!.call(first.socket, 100);
		first.options.onWritable!.call(first.socket, 100);
		assert.equal(node.client.state, "open");
		assert.equal(node.closed.length, 1);
		second.options.onError!.call(second.socket);
		assert.deepEqual(
			node.closed.map(({ error }) => error?.fault),
			[undefined, "transport"],
		);
	});
});
