import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, test } from "node:test";
import { generate, type IAuthPacket, type Packet, parser } from "mqtt-packet";
import { BUSY, type ClientHandler, type ClientOptions } from "../../src/client/client";
import { AUTHENTICATION_DATA } from "../../src/mqtt/properties";
import { nodeDevice } from "../support/node-device";
import { VirtualNetwork } from "../support/virtual-network";
import { RecordingClient } from "./recording-client";
import { type BrokerScript, ScriptedBroker, type ScriptedConnection } from "./scripted-broker";

const METHOD = "DOUBLE";

const challenge = (data: string, reasonCode = 0x18, method = METHOD): Packet => ({
	cmd: "auth",
	reasonCode,
	properties: { authenticationMethod: method, authenticationData: Buffer.from(data) },
});

const isAuth = (packet: Packet): packet is IAuthPacket => packet.cmd === "auth";

/** Reason code and data of each AUTH of the client. */
const sent = (packets: readonly Packet[]): string[] =>
	packets
		.filter(isAuth)
		.map(({ reasonCode, properties }) => `${reasonCode} ${properties?.authenticationData ?? "-"}`);

/** A client that answers a challenge with its data, twice. */
function doublingHooks(node: () => RecordingClient, log: string[]): Partial<ClientHandler> {
	return {
		onAuth(packet) {
			const { properties, reasonCode } = packet;
			const data = properties.find(AUTHENTICATION_DATA)
				? Buffer.from(properties.bytes.slice(properties.start, properties.end)).toString()
				: "";
			log.push(`${reasonCode} ${data}`);
			if (reasonCode !== 0) node().client.authenticate(Buffer.from(data + data));
		},
	};
}

function setUp(
	answer: (packet: Packet, connection: ScriptedConnection) => boolean,
	options: Partial<ClientOptions> = {},
	hooks?: Partial<ClientHandler>,
	script: BrokerScript = {},
) {
	const network = new VirtualNetwork({ latency: 10 });
	const broker = new ScriptedBroker(network, 1883, { ...script, answer });
	const log: string[] = [];
	const node: RecordingClient = new RecordingClient(
		{ authenticationMethod: METHOD, authenticationData: Buffer.from("first"), ...options },
		network.device,
		hooks ?? doublingHooks(() => node, log),
	);
	node.now = () => network.clock.now;
	return { clock: network.clock, broker, node, log };
}

/** Challenges CONNECT twice, then accepts it. */
function twoChallenges(packet: Packet, connection: ScriptedConnection): boolean {
	if (packet.cmd === "connect") connection.send(challenge("a"));
	else if (isAuth(packet)) {
		const data = String(packet.properties?.authenticationData);
		if (data.length < 4) connection.send(challenge(data));
		else if (packet.reasonCode === 0x18)
			connection.send({ cmd: "connack", sessionPresent: false, reasonCode: 0, returnCode: 0 });
	} else return false;
	return true;
}

describe("enhanced authentication", () => {
	// [MQTT-4.12.0-3] [MQTT-4.12.0-5] [MQTT-3.1.2-30]
	test("two challenges before CONNACK: both are answered with the method, nothing else leaves", () => {
		const { clock, broker, node, log } = setUp(twoChallenges);
		node.open();
		clock.advance(1000);
		assert.equal(node.client.state, "open");
		assert.deepEqual(log, ["24 a", "24 aa"]);
		assert.deepEqual(broker.commands, ["connect", "auth", "auth"]);
		assert.deepEqual(sent(broker.packets), ["24 aa", "24 aaaa"]);
		for (const packet of broker.packets.filter(isAuth))
			assert.equal(packet.properties?.authenticationMethod, METHOD);
		assert.equal(node.nestedCallbacks, 0);
	});

	// [MQTT-4.12.1-1]
	test("re-authentication: AUTH 0x19, a challenge, success; messages flow meanwhile", () => {
		const { clock, broker, node, log } = setUp((packet, connection) => {
			if (!isAuth(packet)) return false;
			connection.send(packet.reasonCode === 0x19 ? challenge("b") : challenge("", 0));
			return true;
		});
		node.open();
		clock.advance(1000);
		for (let round = 0; round < 2; round++) {
			assert.equal(node.client.authenticate(Buffer.from("again")), 0);
			assert.throws(() => node.client.authenticate(), /no AUTH is awaited/);
			assert.ok(node.publish("1", 2) > 0);
			clock.advance(100);
		}
		assert.deepEqual(sent(broker.packets), ["25 again", "24 bb", "25 again", "24 bb"]);
		assert.deepEqual(log, ["24 b", "0 ", "24 b", "0 "]);
		assert.equal(node.acknowledged.length, 2);
		clock.advance(60_000);
		assert.equal(node.client.state, "open", "nothing is awaited any more");
	});

	// [MQTT-4.12.1-2]
	test("a refused re-authentication: the broker's reason; one without an answer: the connection ends", () => {
		const refused = setUp((packet, connection) => {
			if (!isAuth(packet)) return false;
			connection.send({ cmd: "disconnect", reasonCode: 0x87 });
			return true;
		});
		refused.node.open();
		refused.clock.advance(1000);
		refused.node.client.authenticate();
		refused.clock.advance(100);
		assert.equal(refused.node.error?.reasonCode, 0x87);

		const silent = setUp(isAuth);
		silent.node.open();
		silent.clock.advance(1000);
		const from = silent.clock.now;
		silent.node.client.authenticate();
		silent.clock.advance(10_000);
		assert.match(silent.node.error?.message ?? "", /no AUTH within 3000 ms/);
		assert.ok(silent.node.closed[0].at - from >= 3000);
	});

	test("close() while AUTH is awaited: its deadline is no error of a connection that ends well", () => {
		// The broker neither answers AUTH nor closes the connection.
		const silent = setUp((packet) => isAuth(packet) || packet.cmd === "disconnect");
		silent.node.open();
		silent.clock.advance(1000);
		silent.node.client.authenticate();
		silent.clock.advance(2900);
		silent.node.close();
		silent.clock.advance(1000);
		assert.deepEqual([silent.node.client.state, silent.node.error], ["closed", undefined]);

		// DISCONNECT waits for a QoS 2 message, whose PUBCOMP comes late.
		let release = (): void => {};
		const late = setUp((packet, connection) => {
			if (packet.cmd === "pubrel")
				release = () => connection.send({ cmd: "pubcomp", messageId: packet.messageId ?? 0 });
			return isAuth(packet) || packet.cmd === "pubrel";
		});
		late.node.open();
		late.clock.advance(1000);
		late.node.client.authenticate();
		late.clock.advance(2000);
		late.node.publish("1", 4);
		late.node.close();
		late.clock.advance(500);
		late.broker.connections[0]!.send(challenge("", 0));
		late.clock.advance(1000);
		release();
		late.clock.advance(1000);
		assert.deepEqual([late.node.client.state, late.node.error], ["closed", undefined]);
	});

	test("the broker does not go on after a challenge: no CONNACK within connectTimeout", () => {
		const { clock, node } = setUp((packet, connection) => {
			if (packet.cmd === "connect") connection.send(challenge("a"));
			return true;
		});
		node.open();
		clock.advance(10_000);
		assert.match(node.error?.message ?? "", /no CONNACK within 5000 ms/);
	});

	// [MQTT-4.12.0-5] [MQTT-4.12.0-6]
	test("AUTH with another method, out of turn, or with success before CONNACK: a protocol error", () => {
		const scripts: [string, BrokerScript["answer"]][] = [
			[
				"another method",
				(packet, connection) => {
					if (packet.cmd === "connect") connection.send(challenge("a", 0x18, "DOUBLF"));
					return packet.cmd === "connect";
				},
			],
			[
				"success before CONNACK",
				(packet, connection) => {
					if (packet.cmd === "connect") connection.send(challenge("a", 0));
					return packet.cmd === "connect";
				},
			],
			[
				"two at once",
				(packet, connection) => {
					if (packet.cmd === "connect") for (let i = 0; i < 2; i++) connection.send(challenge("a"));
					return packet.cmd === "connect";
				},
			],
			[
				"after CONNACK, and the client has not begun",
				(packet, connection) => {
					if (packet.cmd === "publish") connection.send(challenge("a"));
					return packet.cmd === "publish";
				},
			],
		];
		for (const [what, answer] of scripts) {
			// Answers nothing, so that a second challenge is out of turn.
			const { clock, node } = setUp(answer as never, {}, { onAuth() {} });
			node.open();
			clock.advance(1000);
			if (node.client.state === "open") node.publish("1", 0);
			clock.advance(1000);
			assert.equal(node.error?.reasonCode, 0x82, what);
			assert.equal(node.error?.fault, "peer", what);
		}
	});

	// [MQTT-4.12.0-7]
	test("authenticate without a method, a connection or a turn, or with too much data: an error", () => {
		const without = setUp(() => false, {});
		const network = new VirtualNetwork({ latency: 10 });
		new ScriptedBroker(network, 1883);
		const plain = new RecordingClient({}, network.device);
		plain.open();
		network.clock.advance(1000);
		assert.throws(() => plain.client.authenticate(), /needs authenticationMethod/);
		assert.throws(() => without.node.client.authenticate(), /follows CONNACK/);
		without.node.open();
		without.clock.advance(15);
		assert.throws(() => without.node.client.authenticate(), /follows CONNACK/);
		without.clock.advance(1000);
		assert.throws(() => without.node.client.authenticate(new Uint8Array(600)), RangeError);
		assert.equal(without.node.client.authenticate(new Uint8Array(400)), 0);
	});

	test("the broker's maximum packet size holds for AUTH", () => {
		const { clock, broker, node } = setUp(() => false, {}, undefined, {
			connack: { properties: { maximumPacketSize: 40 } },
		});
		node.open();
		clock.advance(1000);
		assert.throws(() => node.client.authenticate(new Uint8Array(30)), RangeError);
		assert.equal(node.client.authenticate(new Uint8Array(20)), 0);
		clock.advance(100);
		assert.equal(broker.packets.filter(isAuth).length, 1);
	});

	test("while the payload of a message is incomplete: BUSY, and onWritable follows", () => {
		let writable = 0;
		const { clock, broker, node } = setUp(isAuth, {}, { onWritable: () => writable++ });
		node.open();
		clock.advance(1000);
		node.client.beginPublish(Buffer.from("a"), 2, 0);
		assert.equal(node.client.authenticate(), BUSY);
		const before = writable;
		node.client.writePayload(Buffer.from("xy"), 0, 2);
		clock.advance(100);
		assert.ok(writable > before);
		assert.equal(node.client.authenticate(), 0);
		clock.advance(100);
		assert.deepEqual(broker.commands, ["connect", "publish", "auth"]);
	});

	test("another connection begins anew, in the middle of an exchange or after it", () => {
		const { clock, node, log } = setUp(twoChallenges);
		for (const cut of [25, 1000]) {
			node.open();
			clock.advance(cut);
			node.abort();
			clock.advance(100);
		}
		node.open();
		clock.advance(1000);
		assert.equal(node.client.state, "open");
		assert.deepEqual(log.slice(-2), ["24 a", "24 aa"]);
	});
});

test("on a real socket, with mqtt-packet at the other end: authentication and re-authentication", async () => {
	const options = { protocolVersion: 5 };
	const packets: Packet[] = [];
	const server = createServer((socket) => {
		const decoder = parser(options);
		decoder.on("packet", (packet: Packet) => {
			packets.push(packet);
			const send = (answer: Packet): void => void socket.write(generate(answer, options));
			if (packet.cmd === "connect") send(challenge("a"));
			else if (packet.cmd === "disconnect") socket.end();
			else if (isAuth(packet) && packet.reasonCode === 0x19) send(challenge("c"));
			else if (isAuth(packet) && String(packet.properties?.authenticationData) === "cc")
				send(challenge("", 0));
			else send({ cmd: "connack", sessionPresent: false, reasonCode: 0, returnCode: 0 });
		});
		socket.on("data", (bytes) => decoder.parse(bytes));
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	const log: string[] = [];
	await new Promise<void>((resolve) => {
		const hooks = doublingHooks(() => node, log);
		const node: RecordingClient = new RecordingClient({ port, authenticationMethod: METHOD }, nodeDevice(), {
			onOpen: () => void node.client.authenticate(),
			onAuth(packet) {
				hooks.onAuth?.(packet);
				if (packet.reasonCode === 0) node.client.close();
			},
			onClosed: () => resolve(),
		});
		node.open();
	});
	server.close();
	assert.deepEqual(log, ["24 a", "24 c", "0 "]);
	assert.deepEqual(sent(packets), ["24 aa", "25 -", "24 cc"]);
});
