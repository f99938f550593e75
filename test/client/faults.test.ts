import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ClientOptions, Fault } from "../../src/client/client";
import { QOS1 } from "../../src/mqtt/constants";
import { type NetworkOptions, VirtualNetwork } from "../support/virtual-network";
import { Recorder } from "./harness";
import { type BrokerScript, ScriptedBroker } from "./scripted-broker";

const L = 40;

/** One connection on which a QoS 1 message is published at once, until nothing is left to happen. */
function attempt(script: BrokerScript, options: Partial<ClientOptions> = {}, networkOptions: NetworkOptions = {}) {
	const network = new VirtualNetwork({ latency: L, ...networkOptions });
	const broker = new ScriptedBroker(network, 1883, { version: options.version ?? 5, ...script });
	const node = new Recorder(options, network.device, { onWritable: () => node.publish("23.5", QOS1) });
	node.now = () => network.clock.now;
	node.open();
	const finished = network.clock.run(3_600_000);
	return { network, broker, node, finished };
}

describe("CONNACK says no", () => {
	const v5: [number, Fault][] = [
		[0x80, "peer"],
		[0x81, "peer"],
		[0x82, "peer"],
		[0x83, "peer"],
		[0x84, "configuration"],
		[0x85, "configuration"],
		[0x86, "configuration"],
		[0x87, "configuration"],
		[0x88, "resource"],
		[0x89, "resource"],
		[0x8a, "configuration"],
		[0x8c, "configuration"],
		[0x90, "configuration"],
		[0x95, "resource"],
		[0x97, "resource"],
		[0x99, "configuration"],
		[0x9a, "configuration"],
		[0x9b, "configuration"],
		[0x9c, "configuration"],
		[0x9d, "configuration"],
		[0x9f, "resource"],
	];
	// [MQTT-4.13.2-1]
	for (const [reasonCode, fault] of v5)
		test(`MQTT 5.0, 0x${reasonCode.toString(16)}: ${fault}`, () => {
			const { node, finished, network } = attempt({ connack: { reasonCode } });
			assert.ok(finished);
			assert.equal(node.error?.fault, fault);
			assert.equal(node.error?.reasonCode, reasonCode);
			assert.equal(node.error?.pipelineRefused, false);
			assert.equal(node.opened.length, 0);
			assert.equal(network.open, 0);
		});

	const v4: [number, number, Fault][] = [
		[1, 0x84, "configuration"],
		[2, 0x85, "configuration"],
		[3, 0x88, "resource"],
		[4, 0x86, "configuration"],
		[5, 0x87, "configuration"],
	];
	for (const [returnCode, reasonCode, fault] of v4)
		test(`MQTT 3.1.1, ${returnCode}: ${fault}`, () => {
			const { node, finished } = attempt({ connack: { returnCode } }, { version: 4 });
			assert.ok(finished);
			assert.equal(node.error?.fault, fault);
			assert.equal(node.error?.reasonCode, reasonCode);
		});

	test("reason string and server reference are passed on", () => {
		const { node } = attempt({ connack: { reasonCode: 0x9d, properties: { reasonString: "moved", serverReference: "other.example:1883" } } });
		assert.equal(node.error?.serverReference, "other.example:1883");
		assert.equal(node.error?.message, "the broker refused the connection: Server moved (moved), see other.example:1883");
	});

	// [MQTT-3.2.2-4] [MQTT-3.1.2-4]
	test("a session that Clean Start had ended is a protocol error", () => {
		for (const version of [4, 5] as const) {
			const { node } = attempt({ connack: { sessionPresent: true } }, { version });
			assert.equal(node.error?.fault, "peer");
			assert.equal(node.error?.reasonCode, 0x82);
		}
	});

	test("a session is told", () => {
		const network = new VirtualNetwork();
		new ScriptedBroker(network, 1883, { connack: { sessionPresent: true } });
		const node = new Recorder({ cleanStart: false, sessionExpiry: 3600 }, network.device);
		node.open();
		network.clock.advance(1000);
		assert.equal(node.opened[0].sessionPresent, true);
		assert.equal(node.client.limits.sessionPresent, true);
	});
});

describe("before CONNACK", () => {
	test("an unknown name", () => {
		const network = new VirtualNetwork({ latency: L });
		const node = new Recorder({ host: "nowhere" }, network.device);
		node.open();
		assert.ok(network.clock.run(60_000));
		assert.equal(node.error?.fault, "transport");
		assert.equal(node.error?.message, "nowhere cannot be resolved");
	});

	test("a name server that never answers", () => {
		const network = new VirtualNetwork({ latency: L });
		network.names.set("slow", undefined);
		const node = new Recorder({ host: "slow" }, network.device);
		node.now = () => network.clock.now;
		node.open();
		assert.ok(network.clock.run(60_000));
		assert.equal(node.error?.fault, "transport");
		assert.equal(node.closed[0].at, 5000);
	});

	test("resolver and socket that throw", () => {
		const { device } = new VirtualNetwork();
		const clock = new VirtualNetwork().clock;
		const broken: ConstructorParameters<typeof Recorder>[1][] = [
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
		for (const each of broken) {
			const node = new Recorder({}, each);
			node.open();
			assert.equal(node.closed.length, 0);
			assert.ok(clock.run(60_000));
			assert.equal(node.error?.fault, "transport");
			assert.ok(node.error?.cause instanceof Error);
			assert.equal(node.nested, 0);
		}
	});

	test("nobody listens", () => {
		const network = new VirtualNetwork({ latency: L });
		const node = new Recorder({}, network.device);
		node.now = () => network.clock.now;
		node.open();
		assert.ok(network.clock.run(60_000));
		assert.equal(node.error?.fault, "transport");
		assert.equal(node.error?.pipelineRefused, false);
		assert.equal(node.closed[0].at, 2 * L);
	});

	test("SYN is never answered", () => {
		const network = new VirtualNetwork({ latency: L });
		network.blackHoles.add(1883);
		const node = new Recorder({}, network.device);
		node.now = () => network.clock.now;
		node.open();
		assert.ok(network.clock.run(60_000));
		assert.equal(node.error?.fault, "transport");
		assert.equal(node.closed[0].at, 5000);
	});

	test("TCP is accepted, then silence", () => {
		const { node, finished } = attempt({ answer: () => true });
		assert.ok(finished);
		assert.equal(node.error?.fault, "peer");
		assert.equal(node.error?.message, "no CONNACK within 5000 ms");
		assert.equal(node.closed[0].at, 5000);
	});

	for (const [name, options, published] of [
		["with a message in the first flight", {}, true],
		["without pipelining", { pipeline: false }, false],
	] as const)
		test(`the broker closes: ${name}`, () => {
			const { node, finished } = attempt(
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

	test("a broker that refuses pipelining is reached without it", () => {
		const network = new VirtualNetwork({ latency: L });
		let accepted = false;
		const broker = new ScriptedBroker(network, 1883, {
			accept: () => {
				accepted = false;
			},
			answer: (packet, connection) => {
				if (packet.cmd === "connect") {
					// It thinks for a moment, and cannot bear to be told more meanwhile.
					network.clock.after(1, () => {
						if (connection.peer.socket.closed) return;
						accepted = true;
						connection.send({ cmd: "connack", sessionPresent: false, reasonCode: 0 });
					});
					return true;
				}
				if (!accepted) connection.end();
				return !accepted;
			},
		});
		const node: Recorder = new Recorder({}, network.device, {
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
		["HTTP", [...Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")]],
		["an SSH banner", [...Buffer.from("SSH-2.0-OpenSSH_9.2\r\n")]],
		["zeros", new Array(64).fill(0)],
		["0xff", new Array(64).fill(255)],
		["PINGRESP", [0xd0, 0]],
		["PUBACK", [0x40, 2, 0, 1]],
		["PUBLISH", [0x30, 4, 0, 1, 0x61, 0]],
		["CONNECT", [0x10, 13, 0, 4, 77, 81, 84, 84, 5, 2, 0, 60, 0, 0, 0]],
		["DISCONNECT", [0xe0, 0]],
	] as const)
		test(`the broker sends ${name}`, () => {
			const { node, finished, broker } = attempt({
				answer: (_packet, connection) => {
					connection.raw(...bytes);
					return true;
				},
			});
			assert.ok(finished);
			assert.equal(node.error?.fault, "peer");
			assert.ok((node.error?.reasonCode ?? 0) >= 0x81);
			assert.ok(!broker.commands.includes("disconnect"));
		});

	test("the broker speaks first", () => {
		const { node, finished } = attempt({ accept: (connection) => connection.raw(0x20, 3, 0, 0, 0) });
		assert.ok(finished);
		assert.equal(node.closed.length, 1);
	});

	test("half a CONNACK, then silence or the end", () => {
		for (const end of [false, true]) {
			const { node, finished } = attempt({
				answer: (_packet, connection) => {
					connection.raw(0x20, 3, 0);
					if (end) connection.end();
					return true;
				},
			});
			assert.ok(finished);
			assert.equal(node.error?.fault, end ? "transport" : "peer");
		}
	});

	test("a CONNECT that does not fit the send buffer is a matter of configuration", () => {
		const { node, finished } = attempt({}, { sendBuffer: 32, clientId: "x".repeat(60) });
		assert.ok(finished);
		assert.equal(node.error?.fault, "configuration");
	});
});

describe("after CONNACK", () => {
	test("PUBACK never comes", () => {
		const { node, finished } = attempt({ answer: (packet) => packet.cmd === "publish" });
		assert.ok(finished);
		assert.equal(node.error?.fault, "peer");
		assert.equal(node.error?.message, "no PUBACK within 3000 ms");
		assert.equal(node.closed[0].at, 4 * L + 3000, "counted from CONNACK");
		assert.equal(node.client.inFlight, 1, "until the next open()");
	});

	test("PUBACK never comes for one of many", () => {
		const network = new VirtualNetwork({ latency: L });
		new ScriptedBroker(network, 1883, { answer: (packet) => packet.cmd === "publish" && packet.messageId === 5 });
		const node = new Recorder({}, network.device);
		node.now = () => network.clock.now;
		node.open();
		network.clock.advance(1000);
		for (let i = 0; i < 12; i++) {
			if (node.client.state === "open") node.publish("1", QOS1);
			network.clock.advance(500);
		}
		assert.equal(node.error?.fault, "peer");
		assert.equal(node.closed[0].at, 1000 + 4 * 500 + 3000);
	});

	test("the broker closes without a word", () => {
		const { node, finished } = attempt({
			answer: (packet, connection) => {
				if (packet.cmd === "publish") connection.end();
				return packet.cmd === "publish";
			},
		});
		assert.ok(finished);
		assert.equal(node.error?.fault, "transport");
		assert.equal(node.error?.pipelineRefused, false);
	});

	// [MQTT-4.13.2-1]
	for (const [reasonCode, fault] of [
		[0x00, "transport"],
		[0x81, "peer"],
		[0x8b, "resource"],
		[0x8d, "peer"],
		[0x8e, "configuration"],
		[0x93, "resource"],
		[0x97, "resource"],
		[0x98, "resource"],
		[0x9c, "configuration"],
	] as const)
		test(`DISCONNECT 0x${reasonCode.toString(16)}: ${fault}`, () => {
			const { node, finished, broker } = attempt({
				answer: (packet, connection) => {
					if (packet.cmd !== "publish") return false;
					connection.send({ cmd: "disconnect", reasonCode, properties: { reasonString: "so it is" } });
					connection.end();
					return true;
				},
			});
			assert.ok(finished);
			assert.equal(node.error?.fault, fault);
			assert.equal(node.error?.reasonCode, reasonCode);
			assert.match(node.error?.message ?? "", /so it is/);
			assert.ok(!broker.commands.includes("disconnect"));
		});

	// [MQTT-4.13.2-1]
	for (const [name, bytes, reasonCode] of [
		["CONNACK again", [0x20, 3, 0, 0, 0], 0x82],
		["SUBACK", [0x90, 4, 0, 1, 0, 0], 0x82],
		["UNSUBACK", [0xb0, 4, 0, 1, 0, 0], 0x82],
		["PUBREC", [0x50, 2, 0, 1], 0x82],
		["PUBCOMP", [0x70, 2, 0, 1], 0x82],
		["PINGRESP", [0xd0, 0], 0x82],
		["AUTH", [0xf0, 2, 0x18, 0], 0x82],
		["a topic alias", [0x30, 8, 0, 1, 0x61, 3, 0x23, 0, 1, 0x78], 0x94],
		["QoS 3", [0x36, 6, 0, 1, 0x61, 0, 1, 0], 0x81],
		["an overlong length", [0x30, 0xff, 0xff, 0xff, 0xff, 1], 0x81],
	] as const)
		test(`unexpected: ${name}`, () => {
			const { node, finished, broker } = attempt({
				answer: (packet, connection) => {
					if (packet.cmd !== "publish") return false;
					connection.raw(...bytes);
					return true;
				},
			});
			assert.ok(finished);
			assert.equal(node.error?.fault, "peer");
			assert.equal(node.error?.reasonCode, reasonCode);
			const last = broker.packets.at(-1);
			assert.equal(last?.cmd, "disconnect");
			assert.equal(last?.cmd === "disconnect" && last.reasonCode, reasonCode);
			assert.equal(broker.ends + broker.connections.filter(({ peer }) => peer.socket.closed).length > 0, true);
		});

	// [MQTT-3.1.1:4.8.0-1]
	test("MQTT 3.1.1: a protocol error ends without DISCONNECT, so the will is published", () => {
		const { node, broker, finished } = attempt(
			{
				answer: (packet, connection) => {
					if (packet.cmd !== "publish") return false;
					connection.raw(0x90, 3, 0, 1, 0);
					return true;
				},
			},
			{ version: 4 },
		);
		assert.ok(finished);
		assert.equal(node.error?.fault, "peer");
		assert.deepEqual(broker.commands, ["connect", "publish"]);
	});

	test("AUTH for a configured method is refused with 0x8c", () => {
		for (const early of [true, false]) {
			const { node, broker } = attempt(
				{
					answer: (packet, connection) => {
						if (packet.cmd !== (early ? "connect" : "publish")) return false;
						connection.send({ cmd: "auth", reasonCode: 0x18, properties: { authenticationMethod: "SCRAM" } });
						return true;
					},
				},
				{ authenticationMethod: "SCRAM", authenticationData: Uint8Array.of(1, 2, 3) },
			);
			assert.equal(node.error?.fault, "configuration");
			assert.equal(broker.commands.includes("disconnect"), !early);
		}
	});

	test("a PUBACK for nothing is of an earlier connection", () => {
		const network = new VirtualNetwork();
		const broker = new ScriptedBroker(network, 1883);
		const node = new Recorder({}, network.device);
		node.open();
		network.clock.advance(1000);
		broker.connections[0].raw(0x40, 2, 0, 77);
		network.clock.advance(1000);
		assert.equal(node.client.state, "open");
		assert.equal(node.acknowledged.length, 0);
	});
});

describe("where the platform keeps quiet", () => {
	test("onError never comes: PUBACK's time-out ends it", () => {
		const { node, finished } = attempt(
			{
				answer: (packet, connection) => {
					if (packet.cmd === "publish") connection.end();
					return packet.cmd === "publish";
				},
			},
			{},
			{ silentErrors: true },
		);
		assert.ok(finished);
		assert.equal(node.error?.fault, "peer");
	});

	for (const afterEnd of ["undefined", "throws"] as const)
		test(`a write on a dead connection (${afterEnd}), and onError never comes`, () => {
			const network = new VirtualNetwork({ latency: L, silentErrors: true, afterEnd });
			const broker = new ScriptedBroker(network, 1883);
			const node = new Recorder({}, network.device);
			node.now = () => network.clock.now;
			node.open();
			network.clock.advance(1000);
			broker.connections[0].end();
			network.clock.advance(1000);
			assert.equal(node.publish("1", QOS1), 1);
			assert.equal(node.closed.length, 0);
			assert.ok(network.clock.run(60_000));
			assert.equal(node.error?.fault, "transport");
			assert.equal(node.closed[0].at, 2000 + 250);
			assert.equal(node.nested, 0);
		});

	test("close() on a dead connection", () => {
		const network = new VirtualNetwork({ latency: L, silentErrors: true });
		const broker = new ScriptedBroker(network, 1883);
		const node = new Recorder({}, network.device);
		node.open();
		network.clock.advance(1000);
		broker.connections[0].end();
		network.clock.advance(1000);
		node.close();
		assert.ok(network.clock.run(60_000));
		assert.equal(node.error?.fault, "transport");
	});

	test("room is never told again: the broker's close ends close(), or a time-out that says that DISCONNECT may not have left", () => {
		for (const closes of [true, false]) {
			const network = new VirtualNetwork({ latency: L, silentRoom: true });
			new ScriptedBroker(network, 1883, { answer: (packet) => packet.cmd === "disconnect" && !closes });
			const node = new Recorder({}, network.device, { onWritable: () => node.publish("1", QOS1), onAcknowledged: () => node.client.close() });
			node.now = () => network.clock.now;
			node.open();
			assert.ok(network.clock.run(60_000));
			assert.equal(node.error?.fault, closes ? undefined : "transport");
			assert.equal(node.closed[0].at, closes ? 6 * L : 4 * L + 3000);
		}
	});
});
