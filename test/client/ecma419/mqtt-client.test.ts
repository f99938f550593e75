import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MQTTClient } from "../../../src/client/ecma419/mqtt-client";
import type { ControlMessage, MQTTConnection, ReadableOptions } from "../../../src/client/ecma419/options";
import { MQTTError } from "../../../src/mqtt/error";
import { VirtualNetwork } from "../../support/virtual-network";
import { type BrokerScript, ScriptedBroker } from "../scripted-broker";
import { bytes, environment, type ProgramOptions, text } from "./support";

function start(options: ProgramOptions = {}, script: BrokerScript = {}, style: "ECMA-419" | "SDK" = "SDK") {
	const network = new VirtualNetwork({ latency: 10 });
	network.names.set("broker", "10.0.0.1");
	const broker = new ScriptedBroker(network, 1883, { version: 4, ...script });
	const host = environment(network.device, style);
	const control: ControlMessage[] = [];
	const errors: (Error | undefined)[] = [];
	const client = new MQTTClient(
		{
			...host.network,
			host: "broker",
			onControl: (message: ControlMessage) => void control.push(message),
			onError: (error) => void errors.push(error),
			...options,
		},
		host.platform,
	);
	return { client, network, clock: network.clock, broker, control, errors, host };
}

/** Connected, or refused, a second later. */
function connected(...parameters: Parameters<typeof start>): ReturnType<typeof start> {
	const started = start(...parameters);
	started.clock.advance(1000);
	return started;
}

const { CONNACK, DISCONNECT, PINGREQ, PINGRESP, PUBACK, PUBCOMP, PUBREC, PUBREL } = MQTTClient;
const { SUBACK, SUBSCRIBE, UNSUBACK, UNSUBSCRIBE } = MQTTClient;

describe("options", () => {
	test("the packet types of MQTT 3.1.1 §2.2.1 are static properties", () => {
		const { CONNECT, PUBLISH } = MQTTClient;
		assert.deepEqual(
			[CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK],
			[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
		);
		assert.deepEqual([PINGREQ, PINGRESP, DISCONNECT], [12, 13, 14]);
	});

	test("all of them reach CONNECT", () => {
		const { broker } = connected({
			id: "sensor",
			user: "name",
			password: bytes("secret"),
			keepAlive: 60_500,
			clean: false,
			will: { topic: "state", message: bytes("gone"), QoS: 1, retain: 1 },
		});
		const [connect] = broker.packets;
		assert.ok(connect.cmd === "connect");
		assert.equal(connect.clientId, "sensor");
		assert.equal(connect.username, "name");
		assert.equal(connect.password?.toString(), "secret");
		assert.equal(connect.keepalive, 61, "rounded up to seconds");
		assert.equal(connect.clean, false);
		assert.equal(connect.protocolVersion, 4);
		assert.deepEqual(
			[connect.will?.topic, connect.will?.payload.toString(), connect.will?.qos, connect.will?.retain],
			["state", "gone", 1, true],
		);
	});

	test("defaults: port 1883, an empty identifier, a clean session, no keep alive", () => {
		const { broker, control } = connected();
		const [connect] = broker.packets;
		assert.ok(connect.cmd === "connect");
		assert.deepEqual([connect.clientId, connect.clean, connect.keepalive], ["", true, 0]);
		assert.deepEqual(control, [{ operation: CONNACK, sessionPresent: false }]);
	});

	test("the SDK's spelling `keepalive` is understood", () => {
		const [connect] = connected({ keepalive: 30_000 }).broker.packets;
		assert.ok(connect.cmd === "connect");
		assert.equal(connect.keepalive, 30);
	});

	for (const [problem, options] of [
		["no host", { host: "" }],
		["a keep alive longer than MQTT has", { keepAlive: 65_535_001 }],
		["no identifier for a kept session", { clean: false }],
		["a QoS that does not exist", { will: { topic: "state", message: "", QoS: 3 } }],
		["a format that does not exist", { format: "number" as "buffer" }],
	] satisfies [string, ProgramOptions][])
		test(`${problem}: the constructor throws`, () => {
			assert.throws(() => start(options), RangeError);
		});

	test("sockets get the host's options and the name of the host, as TLS needs them", () => {
		const network = new VirtualNetwork();
		network.names.set("broker", "10.0.0.1");
		new ScriptedBroker(network, 1883, { version: 4 });
		const host = environment(network.device);
		const seen: object[] = [];
		const { io } = network.device.tcp;
		class Socket extends io {
			constructor(options: ConstructorParameters<typeof io>[0]) {
				super(options);
				seen.push(options);
			}
		}
		new MQTTClient(
			{ ...host.network, socket: { io: Socket, secure: { verify: true } }, host: "broker" },
			host.platform,
		);
		network.clock.advance(1000);
		const [options] = seen as { host: string; address: string; secure: object }[];
		assert.deepEqual(
			[options.host, options.address, options.secure],
			["broker", "10.0.0.1", { verify: true }],
		);
	});

	for (const style of ["ECMA-419", "SDK"] as const)
		test(`a resolver as ${style} has it is understood, closed with the client, and may fail`, () => {
			const good = connected({}, {}, style);
			assert.equal(good.control.length, 1);
			good.client.close();
			assert.equal(good.host.closedResolvers, 1);
			const bad = connected({ host: "nowhere" }, {}, style);
			assert.match(String(bad.errors[0]), /nowhere cannot be resolved/);
		});
});

describe("control messages", () => {
	test("a function with one parameter gets the message, one with two gets its type before", () => {
		const seen: unknown[] = [];
		connected({
			onControl(operation: number, message: ControlMessage) {
				seen.push(operation, message);
			},
		});
		assert.deepEqual(seen, [CONNACK, { operation: CONNACK, sessionPresent: false }]);
	});

	test("`this` is the client in every callback", () => {
		const seen: unknown[] = [];
		const { client, clock, broker } = connected({
			target: "mine",
			onControl(_message: ControlMessage) {
				seen.push(this);
			},
			onWritable() {
				seen.push(this);
			},
			onReadable() {
				seen.push(this);
				this.read();
			},
			onError() {
				seen.push(this);
			},
		});
		broker.connections[0].send({
			cmd: "publish",
			topic: "a",
			payload: "b",
			qos: 0,
			dup: false,
			retain: false,
		});
		broker.connections[0].end();
		clock.advance(1000);
		assert.equal(client.target, "mine");
		assert.deepEqual(
			seen.map((value) => value === client),
			[true, true, true, true],
		);
	});

	test("SUBSCRIBE and UNSUBSCRIBE are answered with their identifiers and results", () => {
		const { client, clock, broker, control } = connected(
			{},
			{
				answer(packet, connection) {
					if (packet.cmd === "subscribe")
						connection.send({ cmd: "suback", messageId: packet.messageId as number, granted: [2, 128] });
					else if (packet.cmd === "unsubscribe")
						connection.send({ cmd: "unsuback", messageId: packet.messageId as number, granted: [] });
					else return false;
					return true;
				},
			},
		);
		client.write(null, { operation: SUBSCRIBE, id: 77, items: [{ topic: "a/+", QoS: 2 }, { topic: "b" }] });
		client.write(null, { operation: UNSUBSCRIBE, items: [{ topic: "a/+" }, { topic: "frogs" }] });
		clock.advance(1000);
		assert.deepEqual(control.slice(1), [
			{ operation: SUBACK, id: 77, payload: [2, 128] },
			{ operation: UNSUBACK, id: 78 },
		]);
		const [, subscribe, unsubscribe] = broker.packets;
		assert.ok(subscribe.cmd === "subscribe" && unsubscribe.cmd === "unsubscribe");
		assert.deepEqual(
			subscribe.subscriptions.map(({ topic, qos }) => [topic, qos]),
			[
				["a/+", 2],
				["b", 0],
			],
		);
		assert.deepEqual(unsubscribe.unsubscriptions, ["a/+", "frogs"]);
	});

	test("PINGREQ: answered with and without keep alive; a second one does not leave before the answer", () => {
		for (const keepAlive of [0, 60_000]) {
			const { client, clock, broker, control, errors } = connected({ keepAlive });
			client.write(null, { operation: PINGREQ });
			client.write(null, { operation: PINGREQ });
			clock.advance(1000);
			client.write(null, { operation: PINGREQ });
			clock.advance(1000);
			assert.deepEqual(broker.commands, ["connect", "pingreq", "pingreq"]);
			assert.deepEqual(control.slice(1), [{ operation: PINGRESP }, { operation: PINGRESP }]);
			assert.deepEqual(errors, []);
		}
	});

	test("no PINGRESP: the connection ends, also without keep alive", () => {
		const { client, clock, errors } = connected({}, { answer: (packet) => packet.cmd === "pingreq" });
		client.write(null, { operation: PINGREQ });
		clock.advance(60_000);
		assert.match(String(errors[0]), /no PINGRESP/);
	});

	test("keep alive: PINGREQ leaves by itself, and a silent broker is noticed within one and a half intervals", () => {
		const { clock, broker, errors } = connected(
			{ keepAlive: 10_000 },
			{ answer: (packet) => packet.cmd === "pingreq" },
		);
		clock.advance(8000);
		assert.deepEqual(broker.commands, ["connect", "pingreq"]);
		clock.advance(8000);
		assert.equal(errors.length, 1);
	});

	test("PUBREL of an earlier connection is sent, other answers are refused: the class sends them itself", () => {
		const { client, clock, broker, control } = connected();
		client.write(null, { operation: PUBREL, id: 9 });
		clock.advance(1000);
		assert.deepEqual(broker.commands, ["connect", "pubrel"]);
		assert.deepEqual(control.slice(1), [{ operation: PUBCOMP, id: 9 }]);
		for (const operation of [PUBACK, PUBREC, PUBCOMP, CONNACK, 0, 15])
			assert.throws(() => client.write(null, { operation, id: 1 }), RangeError);
		assert.throws(() => client.write(null, { operation: PUBREL }), RangeError);
	});

	test("CONNACK refuses: onError, nothing else", () => {
		const { control, errors, client, clock } = connected({}, { connack: { returnCode: 5 } });
		assert.deepEqual(control, []);
		assert.equal(errors.length, 1);
		assert.throws(() => client.write(bytes("x"), { topic: "a" }), /needs a connection/);
		client.close();
		clock.advance(1000);
		assert.equal(errors.length, 1);
	});

	test("no CONNACK: onError, also without keep alive", () => {
		const { clock, errors } = start({}, { answer: () => true });
		clock.advance(31_000);
		assert.match(String(errors[0]), /no CONNACK/);
	});
});

describe("the end of a connection", () => {
	test("DISCONNECT is the last packet; onClose follows, or without it onError", () => {
		for (const hasOnClose of [true, false]) {
			let closed = 0;
			const onClose = (): void => {
				closed++;
			};
			const { client, clock, broker, errors } = connected(hasOnClose ? { onClose } : {});
			client.write(null, { operation: DISCONNECT });
			assert.throws(() => client.write(bytes("x"), { topic: "a" }), /needs a connection/);
			clock.advance(1000);
			assert.deepEqual(broker.commands, ["connect", "disconnect"]);
			assert.equal(closed, hasOnClose ? 1 : 0);
			assert.deepEqual(errors, hasOnClose ? [] : [undefined]);
		}
	});

	test("close() sends no DISCONNECT, and no callback follows", () => {
		const { client, network, clock, broker, control, errors } = connected();
		client.close();
		client.close();
		clock.advance(60_000);
		assert.deepEqual(broker.commands, ["connect"]);
		assert.equal(broker.endCount, 1);
		assert.equal(control.length, 1);
		assert.deepEqual(errors, []);
		assert.equal(client.read(), undefined);
		assert.equal(network.openSockets, 0);
	});

	test("close() before the connection, and inside every callback: no callback follows", () => {
		const { client, clock, control, errors, broker } = start();
		client.close();
		clock.advance(60_000);
		assert.deepEqual([control.length, errors.length, broker.packets.length], [0, 0, 0]);
		for (const callback of ["onControl", "onWritable", "onReadable"] as const) {
			let calls = 0;
			const inside = connected({
				[callback](this: MQTTConnection) {
					calls++;
					this.close();
				},
			});
			inside.broker.connections[0].send({
				cmd: "publish",
				topic: "a",
				payload: "b",
				qos: 0,
				dup: false,
				retain: false,
			});
			inside.clock.advance(1000);
			assert.equal(calls, 1, callback);
			assert.deepEqual(inside.errors, []);
		}
	});

	test("the broker ends the connection, or it breaks: onError once", () => {
		const { clock, broker, errors } = connected();
		broker.connections[0].end();
		clock.advance(1000);
		assert.equal(errors.length, 1);
		assert.match(String(errors[0]), /connection was lost/);
	});
});

describe("messages to the broker", () => {
	for (const QoS of [0, 1, 2])
		test(`QoS ${QoS}: sent as asked, and answered`, () => {
			const { client, clock, broker, control } = connected();
			client.write(bytes("23.5"), { topic: "temperature", QoS, retain: true, id: 1234 });
			clock.advance(1000);
			const packet = broker.packets[1];
			assert.ok(packet.cmd === "publish");
			assert.deepEqual(
				[packet.topic, packet.payload.toString(), packet.qos, packet.retain, packet.dup],
				["temperature", "23.5", QoS, true, false],
			);
			const expected = [[], [PUBACK], [PUBREC, PUBCOMP]][QoS];
			assert.deepEqual(
				control.slice(1),
				expected.map((operation) => ({ operation, id: 1234 })),
			);
		});

	test("every kind of byte buffer is accepted, others throw", () => {
		const { client, clock, broker } = connected();
		const source = Uint8Array.from([0, 1, 2, 3, 4]).buffer;
		for (const data of [
			source.slice(1, 4),
			new Uint8Array(source, 1, 3),
			new Int8Array(source, 1, 3),
			new DataView(source, 1, 3),
		])
			client.write(data, { topic: "a" });
		client.write(null, { topic: "a" });
		clock.advance(1000);
		const payloads = broker.packets.slice(1).map((packet) => packet.cmd === "publish" && [...packet.payload]);
		assert.deepEqual(payloads, [[1, 2, 3], [1, 2, 3], [1, 2, 3], [1, 2, 3], []]);
		assert.throws(
			() => client.write(new Uint16Array(2) as unknown as Uint8Array, { topic: "a" }),
			RangeError,
		);
	});

	test("before CONNACK, and without what a packet needs, write throws and sends nothing", () => {
		const early = start();
		assert.throws(() => early.client.write(bytes("x"), { topic: "a" }), /after CONNACK/);
		const { client, clock, broker, errors } = connected();
		for (const options of [
			undefined,
			{},
			{ topic: "a", QoS: 3 },
			{ topic: "a", id: 65_536, QoS: 1 },
			{ topic: "a", id: 0, QoS: 1 },
			{ topic: "a", duplicate: true, QoS: 1 },
			{ topic: "a", byteLength: 0 },
			{ operation: SUBSCRIBE },
			{ operation: SUBSCRIBE, items: [] },
			{ operation: SUBSCRIBE, items: [{ topic: "a", QoS: 3 }] },
			{ operation: UNSUBSCRIBE, items: [] },
		])
			assert.throws(() => client.write(bytes("x"), options), JSON.stringify(options));
		// The SDK's class publishes to a filter.
		for (const topic of ["a/#", "a/+/b", "", "a\0b"])
			assert.throws(
				() => client.write(bytes("x"), { topic }),
				(error) => error instanceof MQTTError || error instanceof RangeError,
			);
		assert.throws(() => client.write(null, { operation: SUBSCRIBE, items: [{ topic: "a/#/b" }] }), MQTTError);
		client.write(bytes("x"), { topic: "still connected" });
		clock.advance(1000);
		assert.deepEqual(broker.commands, ["connect", "publish"]);
		assert.deepEqual(errors, []);
	});

	test("topics as bytes, and null for what is missing, as the SDK's module `mqtt` has them", () => {
		const { client, clock, broker, errors } = connected({ will: null, user: null, password: null });
		const [connect] = broker.packets;
		assert.ok(connect.cmd === "connect");
		assert.deepEqual([connect.will, connect.username, connect.password], [undefined, undefined, undefined]);
		client.write(bytes("x"), { topic: bytes("a/ü"), QoS: 0 });
		client.write(bytes("y"), { topic: bytes("b"), QoS: 0 });
		client.write(null, { operation: SUBSCRIBE, items: [{ topic: bytes("s/ü"), QoS: 1 }], id: 7 });
		client.write(null, { operation: UNSUBSCRIBE, items: [{ topic: bytes("u/ü") }], id: 8 });
		client.write(bytes("ab"), { topic: bytes("c"), byteLength: 4 });
		client.write(bytes("cd"), null);
		assert.throws(() => client.write(bytes("x"), { topic: bytes("a/#") }), MQTTError);
		assert.throws(() => client.write(bytes("x"), null), /without options/);
		clock.advance(1000);
		assert.deepEqual(
			broker.packets.slice(1).map((packet) => {
				if (packet.cmd === "publish") return `${packet.topic} ${packet.payload}`;
				if (packet.cmd === "subscribe")
					return packet.subscriptions.map(({ topic, qos }) => `${topic} ${qos}`);
				return packet.cmd === "unsubscribe" ? packet.unsubscriptions : packet.cmd;
			}),
			["a/ü x", "b y", ["s/ü 1"], ["u/ü"], "c abcd"],
		);
		assert.deepEqual(errors, []);
	});

	test("the first piece of a payload may be all that onWritable offers, less the topic and the header", () => {
		for (const sendBuffer of [64, 512, 1536]) {
			const writable: number[] = [];
			const { client, clock, broker, errors } = connected({
				sendBuffer,
				onWritable: (count) => void writable.push(count),
			});
			const topic = "a/b/c";
			const payload = new Uint8Array(5000).fill(65);
			let at = 0;
			const offered = writable.at(-1) ?? 0;
			assert.equal(offered, sendBuffer - 9);
			at += offered - (5 + 2 + topic.length + 2);
			assert.ok(client.write(payload.slice(0, at), { topic, QoS: 1, byteLength: payload.length }) >= 0);
			while (at < payload.length) {
				clock.advance(100);
				const next = Math.min(payload.length - at, writable.at(-1) ?? 0);
				client.write(payload.slice(at, at + next));
				at += next;
			}
			clock.advance(1000);
			const packet = broker.packets.at(-1);
			assert.ok(packet?.cmd === "publish");
			assert.equal(packet.payload.length, 5000);
			assert.deepEqual(errors, []);
		}
	});

	test("a payload in pieces: each write says how much the next may be", () => {
		const payload = Uint8Array.from({ length: 20_000 }, (_, i) => i % 251);
		let written = 0;
		const { client, clock, broker, control } = connected({
			sendBuffer: 300,
			onWritable(count) {
				if (written === 0 || written === payload.length) return;
				const end = Math.min(written + count, payload.length);
				const fragment = payload.subarray(written, end);
				written = end;
				this.write(fragment);
			},
		});
		written = 10;
		const room = client.write(payload.subarray(0, 10), { topic: "a", QoS: 2, byteLength: payload.length });
		assert.ok(room > 0 && room <= 300);
		assert.throws(() => client.write(bytes("x"), { topic: "b" }), /incomplete/);
		assert.throws(() => client.write(new Uint8Array(payload.length)), RangeError);
		assert.throws(() => client.write(new Uint8Array(room + 1)), RangeError);
		clock.advance(60_000);
		assert.equal(written, payload.length);
		const packet = broker.packets[1];
		assert.ok(packet.cmd === "publish");
		assert.deepEqual(Buffer.from(packet.payload), Buffer.from(payload));
		assert.deepEqual(
			control.slice(1).map(({ operation }) => operation),
			[PUBREC, PUBCOMP],
		);
	});

	test("a program that writes all that onWritable offers keeps the connection busy and loses nothing", () => {
		let sent = 0;
		const { clock, broker, errors } = connected({
			sendBuffer: 256,
			onWritable(count) {
				if (sent === 300) return;
				this.write(new Uint8Array(Math.min(count - 1, 100)).fill(sent), { topic: "a", QoS: sent % 3 });
				sent++;
			},
		});
		clock.advance(60_000);
		const received = broker.packets.filter((packet) => packet.cmd === "publish");
		assert.deepEqual(
			received.map((packet) => packet.payload[0]),
			Array.from({ length: 300 }, (_, i) => i % 256),
		);
		assert.deepEqual(errors, []);
	});

	test("as many packets without an answer as there may be: write throws, onWritable follows their answers", () => {
		const pending: number[] = [];
		let offered = 0;
		const { client, clock, broker } = connected(
			{
				inFlight: 2,
				onWritable() {
					offered++;
				},
			},
			{
				answer(packet) {
					if (packet.cmd !== "publish") return false;
					pending.push(packet.messageId as number);
					return true;
				},
			},
		);
		client.write(bytes("1"), { topic: "a", QoS: 1 });
		assert.equal(client.write(bytes("2"), { topic: "a", QoS: 1 }), 0);
		assert.throws(() => client.write(bytes("3"), { topic: "a", QoS: 1 }), /wait for onWritable/);
		clock.advance(1000);
		const before = offered;
		broker.connections[0].send({ cmd: "puback", messageId: pending[0] });
		clock.advance(1000);
		assert.equal(offered, before + 1);
		assert.ok(client.write(bytes("3"), { topic: "a", QoS: 1 }) === 0);
	});

	test("the identifier is never 0, after 65,535 messages as well", () => {
		let messages = 0;
		const { client, clock, errors } = connected(
			{},
			{
				answer(packet, connection) {
					if (packet.cmd !== "publish") return false;
					messages++;
					assert.notEqual(packet.messageId, 0);
					connection.send({ cmd: "puback", messageId: packet.messageId as number });
					return true;
				},
			},
		);
		for (let i = 0; i < 6560; i++) {
			for (let burst = 0; burst < 10; burst++) client.write(bytes("x"), { topic: "a", QoS: 1 });
			clock.advance(40);
		}
		assert.equal(messages, 65_600);
		assert.deepEqual(errors, []);
	});
});

describe("messages from the broker", () => {
	interface Received {
		readonly topic: string;
		readonly payload: string;
		readonly QoS: number;
		readonly byteLength: number;
		readonly fragments: number;
	}

	/** A program that reads all at once. */
	function reader(read: (client: MQTTConnection, count: number) => string) {
		const messages: Received[] = [];
		let payload = "";
		let fragments = 0;
		let first: ReadableOptions = { more: false };
		return {
			messages,
			onReadable(this: MQTTConnection, count: number, options: ReadableOptions) {
				if (options.topic !== undefined) {
					first = options;
					payload = "";
					fragments = 0;
				}
				payload += read(this, count);
				fragments++;
				if (options.more) return;
				const { topic = "", QoS = -1, byteLength = -1 } = first;
				messages.push({ topic, payload, QoS, byteLength, fragments });
			},
		};
	}

	const whole = (client: MQTTConnection, count: number): string => text(client.read(count));
	const intoBuffer = (client: MQTTConnection, count: number): string => {
		const buffer = new Uint8Array(count + 10);
		assert.equal(client.read(buffer), count === 0 ? undefined : count);
		return Buffer.from(buffer.subarray(0, count)).toString();
	};
	const inSteps = (client: MQTTConnection): string => {
		let all = "";
		for (let part = client.read(7); part !== undefined; part = client.read(7)) all += text(part);
		return all;
	};

	for (const [name, read] of [
		["as one array buffer", whole],
		["into a buffer", intoBuffer],
		["a few bytes at a time", inSteps],
	] as const)
		test(`read ${name}: topic, QoS, length and bytes; QoS 1 and 2 are answered`, () => {
			const program = reader(read);
			const { clock, broker, control } = connected({ receiveBuffer: 128, onReadable: program.onReadable });
			const large = "0123456789".repeat(100);
			const [connection] = broker.connections;
			const publish = { cmd: "publish", dup: false, retain: false } as const;
			connection.send({ ...publish, topic: "a/ü", payload: "23.5", qos: 0 });
			connection.send({ ...publish, topic: "b", payload: "", qos: 1, messageId: 5 });
			connection.send({ ...publish, topic: "c", payload: large, qos: 2, messageId: 6 });
			clock.advance(1000);
			connection.send({ cmd: "pubrel", messageId: 6 });
			clock.advance(1000);
			// A message without payload, such as a cleared value, stops the SDK's parser.
			assert.deepEqual(
				program.messages.map(({ fragments, ...message }) => message),
				[
					{ topic: "a/ü", payload: "23.5", QoS: 0, byteLength: 4 },
					{ topic: "b", payload: "", QoS: 1, byteLength: 0 },
					{ topic: "c", payload: large, QoS: 2, byteLength: large.length },
				],
			);
			assert.deepEqual(broker.commands, ["connect", "puback", "pubrec", "pubcomp"]);
			assert.deepEqual(control.slice(1), [{ operation: PUBREL, id: 6 }]);
		});

	test("what is not read stays: nothing else is received or acknowledged until it is, however much waits", () => {
		const seen: number[] = [];
		const { client, clock, broker, errors } = connected({
			keepAlive: 60_000,
			onReadable(count) {
				seen.push(count);
			},
		});
		const [connection] = broker.connections;
		for (let i = 1; i <= 3; i++)
			connection.send({
				cmd: "publish",
				topic: "a",
				payload: `message ${i}`,
				qos: 1,
				messageId: i,
				dup: false,
				retain: false,
			});
		clock.advance(120_000);
		assert.deepEqual(seen, [9]);
		assert.equal(broker.commands.includes("puback"), false);
		for (const count of [-1, -Infinity, NaN]) assert.throws(() => client.read(count), RangeError);
		assert.equal(text(client.read(4.9)), "mess");
		clock.advance(1000);
		assert.deepEqual(seen, [9]);
		assert.equal(text(client.read()), "age 1");
		assert.equal(client.read(), undefined);
		clock.advance(1000);
		assert.deepEqual(seen, [9, 9]);
		assert.equal(text(client.read()), "message 2");
		clock.advance(1000);
		assert.equal(text(client.read(100)), "message 3");
		clock.advance(1000);
		assert.equal(broker.commands.filter((command) => command === "puback").length, 3);
		assert.deepEqual(errors, []);
	});

	test("a QoS 2 message is delivered once, though the broker repeats it", () => {
		const program = reader(whole);
		const { clock, broker } = connected({ onReadable: program.onReadable });
		for (const dup of [false, true])
			broker.connections[0].send({
				cmd: "publish",
				topic: "a",
				payload: "once",
				qos: 2,
				messageId: 9,
				dup,
				retain: false,
			});
		clock.advance(1000);
		assert.equal(program.messages.length, 1);
		assert.deepEqual(broker.commands, ["connect", "pubrec", "pubrec"]);
	});

	test("without onReadable messages are discarded and answered", () => {
		const { clock, broker, errors } = connected();
		const publish = { cmd: "publish", topic: "a", qos: 1, dup: false, retain: false } as const;
		broker.connections[0].send({ ...publish, payload: "x".repeat(3000), messageId: 1 });
		broker.connections[0].send({ ...publish, payload: "y", messageId: 2 });
		clock.advance(1000);
		assert.deepEqual(broker.commands, ["connect", "puback", "puback"]);
		assert.deepEqual(errors, []);
	});

	test("a PUBLISH with QoS 3 ends the connection", () => {
		const { clock, broker, errors } = connected();
		broker.connections[0].sendBytes(0x36, 5, 0, 1, 97, 0, 1);
		clock.advance(1000);
		assert.equal(errors.length, 1);
	});
});
