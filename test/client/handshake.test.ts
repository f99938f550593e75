import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { QOS1 } from "../../src/mqtt/constants";
import { VirtualNetwork } from "../support/virtual-network";
import { LATENCY_MS, publishOnce } from "./publish-once";
import { RecordingClient } from "./recording-client";
import { ScriptedBroker } from "./scripted-broker";

describe("before CONNACK", () => {
	test("an unknown host name: a transport fault", () => {
		const network = new VirtualNetwork({ latency: LATENCY_MS });
		const node = new RecordingClient({ host: "nowhere" }, network.device);
		node.open();
		assert.ok(network.clock.run(60_000));
		assert.equal(node.error?.fault, "transport");
		assert.equal(node.error?.message, "nowhere cannot be resolved");
	});

	test("a name server that never answers: timeout", () => {
		const network = new VirtualNetwork({ latency: LATENCY_MS });
		network.names.set("slow", undefined);
		const node = new RecordingClient({ host: "slow" }, network.device);
		node.now = () => network.clock.now;
		node.open();
		assert.ok(network.clock.run(60_000));
		assert.equal(node.error?.fault, "transport");
		assert.equal(node.closed[0].at, 5000);
	});

	test("exceptions of resolver and socket become errors", () => {
		const { device } = new VirtualNetwork();
		const clock = new VirtualNetwork().clock;
		const failingDevices: ConstructorParameters<typeof RecordingClient>[1][] = [
			{
				...device,
				timer: clock.timer,
				time: clock.time,
				resolve: () => {
					throw new Error("no resolver");
				},
			},
			{
				...device,
				timer: clock.timer,
				time: clock.time,
				tcp: {
					io: class {
						constructor() {
							throw new Error("no sockets left");
						}
						read(): undefined {}
						write(): undefined {}
						close(): void {}
					},
				},
			},
		];
		for (const each of failingDevices) {
			const node = new RecordingClient({}, each);
			node.open();
			assert.equal(node.closed.length, 0);
			assert.ok(clock.run(60_000));
			assert.equal(node.error?.fault, "transport");
			assert.ok(node.error?.cause instanceof Error);
			assert.equal(node.nestedCallbacks, 0);
		}
	});

	test("no listener: a transport fault", () => {
		const network = new VirtualNetwork({ latency: LATENCY_MS });
		const node = new RecordingClient({}, network.device);
		node.now = () => network.clock.now;
		node.open();
		assert.ok(network.clock.run(60_000));
		assert.equal(node.error?.fault, "transport");
		assert.equal(node.error?.pipelineRefused, false);
		assert.equal(node.closed[0].at, 2 * LATENCY_MS);
	});

	test("SYN is never answered: timeout", () => {
		const network = new VirtualNetwork({ latency: LATENCY_MS });
		network.blackHoles.add(1883);
		const node = new RecordingClient({}, network.device);
		node.now = () => network.clock.now;
		node.open();
		assert.ok(network.clock.run(60_000));
		assert.equal(node.error?.fault, "transport");
		assert.equal(node.closed[0].at, 5000);
	});

	test("TCP is accepted, CONNACK never arrives: timeout", () => {
		const { node, finished } = publishOnce({ answer: () => true });
		assert.ok(finished);
		assert.equal(node.error?.fault, "peer");
		assert.equal(node.error?.message, "no CONNACK within 5000 ms");
		assert.equal(node.closed[0].at, 5000);
	});

	for (const [name, options, published] of [
		["with a message in the first flight", {}, true],
		["without pipelining", { pipeline: false }, false],
	] as const)
		test(`the broker closes before CONNACK, ${name}`, () => {
			const { node, finished } = publishOnce(
				{
					answer: (_packet, connection) => {
						connection.end();
						return true;
					},
				},
				options,
			);
			assert.ok(finished);
			assert.equal(node.error?.fault, "transport");
			assert.equal(node.error?.pipelineRefused, published);
		});

	for (const [version, message] of [
		[4, "the broker closed before CONNACK"],
		[5, "the broker closed before CONNACK: it may not know MQTT 5.0"],
	] as const)
		test(`the broker closes on CONNECT, version ${version}: ${message}`, () => {
			const { node, finished } = publishOnce(
				{
					answer: (_packet, connection) => {
						connection.end();
						return true;
					},
				},
				{ version },
			);
			assert.ok(finished);
			assert.equal(node.error?.message, message);
		});

	test("a broker that refuses pipelining is reached without it", () => {
		const network = new VirtualNetwork({ latency: LATENCY_MS });
		let accepted = false;
		const broker = new ScriptedBroker(network, 1883, {
			accept: () => {
				accepted = false;
			},
			answer: (packet, connection) => {
				if (packet.cmd === "connect") {
					// The broker answers with a delay, and closes on any packet that arrives before.
					network.clock.after(1, () => {
						if (connection.peer.ended) return;
						accepted = true;
						connection.send({ cmd: "connack", sessionPresent: false, reasonCode: 0 });
					});
					return true;
				}
				if (!accepted) connection.end();
				return !accepted;
			},
		});
		const node: RecordingClient = new RecordingClient({}, network.device, {
			onWritable: () => node.publish("1", QOS1),
			onAcknowledged: () => node.client.close(),
			onClosed: (error) => {
				if (error?.pipelineRefused) node.client.open({ pipeline: false });
			},
		});
		node.open();
		assert.ok(network.clock.run(60_000));
		assert.equal(node.closed.length, 2);
		assert.equal(node.closed[0].error?.pipelineRefused, true);
		assert.equal(node.closed[1].error, undefined);
		assert.equal(node.acknowledged.length, 1);
		assert.equal(broker.connections.length, 2);
	});

	for (const [name, bytes] of [
		["HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n"],
		["SSH", "SSH-2.0-OpenSSH_9.2\r\n"],
		["TLS", "\x15\x03\x01\x00\x02\x02\x46"],
		["TLS", "\x16\x03\x03\x00\x7a\x02\x00\x00\x76"],
		['a text protocol ("220…")', "220 mail.example ESMTP\r\n"],
		['a text protocol ("+OK…")', "+OK ready\r\n"],
	] as const)
		test(`the peer is no MQTT broker: it speaks ${name}`, () => {
			// All at once, or in two segments.
			for (const pipeline of [true, false])
				for (const end of ["FIN", "none"] as const)
					for (const split of [bytes.length, 1, 3]) {
						const { node, finished } = publishOnce(
							{
								answer: (packet, connection) => {
									if (packet.cmd !== "connect") return true;
									connection.sendBytes(...Buffer.from(bytes.slice(0, split), "latin1"));
									connection.sendBytes(...Buffer.from(bytes.slice(split), "latin1"));
									if (end === "FIN") connection.end();
									return true;
								},
							},
							{ pipeline },
						);
						assert.ok(finished);
						const { error } = node;
						assert.equal(error?.fault, "configuration", `${pipeline}, ${end}, ${split}`);
						assert.equal(error.pipelineRefused, false);
						assert.match(error.message, /^127\.0\.0\.1:1883 is no MQTT broker: it speaks /);
						if (split > 1) assert.ok(error.message.endsWith(name), error.message);
					}
		});

	test("a refusing CONNACK is read although unsent packets fill the buffer, and before the reset behind it", () => {
		// Some length leaves no room in the buffer for an answer.
		for (let length = 0; length < 400; length++) {
			const version = length % 2 === 0 ? 4 : 5;
			const network = new VirtualNetwork({ latency: LATENCY_MS, capacity: 40 });
			network.serve(1883, (peer) => {
				// Takes no more than the first bytes, refuses and resets: what is staged never leaves.
				peer.onData = () => {
					peer.onData = () => {};
					peer.write(Uint8Array.from(version === 5 ? [0x20, 3, 0, 0x86, 0] : [0x20, 2, 0, 4]));
					peer.end();
				};
			});
			const node: RecordingClient = new RecordingClient({ version, sendBuffer: 256 }, network.device, {
				onWritable: () => {
					node.publish("x".repeat(length >> 1), QOS1);
				},
			});
			node.open();
			assert.ok(network.clock.run(60_000));
			assert.deepEqual([node.error?.fault, node.error?.reasonCode], ["configuration", 0x86]);
			assert.equal(node.error?.pipelineRefused, false);
		}
	});

	for (const [name, bytes] of [
		["zeros", new Array(64).fill(0)],
		["0xff", new Array(64).fill(255)],
		["PINGRESP", [0xd0, 0]],
		["PUBACK", [0x40, 2, 0, 1]],
		["PUBLISH", [0x30, 4, 0, 1, 0x61, 0]],
		["CONNECT", [0x10, 13, 0, 4, 77, 81, 84, 84, 5, 2, 0, 60, 0, 0, 0]],
		["DISCONNECT", [0xe0, 0]],
	] as const)
		test(`the broker sends ${name} instead of CONNACK`, () => {
			const { node, finished, broker } = publishOnce({
				answer: (_packet, connection) => {
					connection.sendBytes(...bytes);
					return true;
				},
			});
			assert.ok(finished);
			assert.equal(node.error?.fault, "peer");
			assert.ok((node.error?.reasonCode ?? 0) >= 0x81);
			assert.ok(!broker.commands.includes("disconnect"));
		});

	test("the broker sends before CONNECT", () => {
		const { node, finished } = publishOnce({
			accept: (connection) => connection.sendBytes(0x20, 3, 0, 0, 0),
		});
		assert.ok(finished);
		assert.equal(node.closed.length, 1);
	});

	test("half a CONNACK, then silence or the end of the connection", () => {
		for (const end of [false, true]) {
			const { node, finished } = publishOnce({
				answer: (_packet, connection) => {
					connection.sendBytes(0x20, 3, 0);
					if (end) connection.end();
					return true;
				},
			});
			assert.ok(finished);
			assert.equal(node.error?.fault, end ? "transport" : "peer");
		}
	});

	test("a CONNECT longer than the send buffer is refused at construction, one of its size is sent", () => {
		const { device } = new VirtualNetwork();
		for (const [version, length] of [
			[5, 18],
			[4, 14],
		] as const) {
			const clientId = "x".repeat(60);
			assert.throws(() => new RecordingClient({ version, sendBuffer: length + 59, clientId }, device), {
				message: `CONNECT takes ${length + 60} bytes, sendBuffer is ${length + 59}`,
			});
			const { node, broker } = publishOnce({}, { version, sendBuffer: length + 60, clientId });
			assert.equal(node.opened.length, 1);
			assert.ok(broker.commands.includes("publish"));
		}
	});

	test("options that MQTT 3.1.1 does not allow are refused at construction", () => {
		const { device } = new VirtualNetwork();
		assert.throws(() => new RecordingClient({ version: 4, password: "x" }, device), {
			message: "password without a user name",
		});
		assert.throws(() => new RecordingClient({ version: 4, clientId: "", cleanStart: false }, device), {
			message: "no client identifier for a session to keep",
		});
	});
});
