import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
	BUSY,
	type ClientHandler,
	type ClientOptions,
	REJECTED,
	subscription,
} from "../../src/client/client";
import { QOS1, QOS2 } from "../../src/mqtt/constants";
import { nodeDevice } from "../support/node-device";
import { VirtualNetwork } from "../support/virtual-network";
import { liveBrokers } from "./live-brokers";
import { RecordingClient, topic } from "./recording-client";
import { type BrokerScript, ScriptedBroker } from "./scripted-broker";

function connected(
	script: BrokerScript = {},
	options: Partial<ClientOptions> = {},
	hooks: Partial<ClientHandler> = {},
) {
	const network = new VirtualNetwork({ latency: 10 });
	const broker = new ScriptedBroker(network, 1883, { version: options.version ?? 5, ...script });
	const node = new RecordingClient(options, network.device, hooks);
	node.open();
	network.clock.advance(1000);
	return { clock: network.clock, broker, connection: broker.connections[0], node };
}

const pattern = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i % 251);

describe("payloads larger than the buffers, to the broker", () => {
	for (const qos of [0, QOS1, QOS2] as const)
		test(`flags ${qos}: the payload leaves in pieces, acknowledged as a whole`, () => {
			const payload = pattern(20_000);
			let written = 0;
			let begun = false;
			const { clock, broker, node } = connected(
				{},
				{ sendBuffer: 256 },
				{
					onWritable() {
						if (begun) written += node.client.writePayload(payload, written, payload.length);
					},
				},
			);
			const id = node.client.beginPublish(topic, payload.length, qos);
			assert.equal(id, qos === 0 ? 0 : 1);
			begun = true;
			written += node.client.writePayload(payload, 0, 3000);
			assert.equal(written, 3000, "the socket takes them at once");
			written += node.client.writePayload(payload, written, payload.length);
			assert.ok(written < payload.length);
			clock.advance(5000);
			assert.equal(node.client.payloadRemaining, 0);
			const packet = broker.packets[1];
			assert.ok(packet.cmd === "publish");
			assert.deepEqual(Buffer.from(packet.payload), Buffer.from(payload));
			assert.equal(node.acknowledged.length, qos === 0 ? 0 : 1);
			assert.equal(node.nestedCallbacks, 0);
		});

	test("no other packet leaves before its end: answers wait, DISCONNECT waits, publish is BUSY", () => {
		const { clock, broker, connection, node } = connected({}, { keepAlive: 4, acknowledgeTimeout: 60_000 });
		const payload = pattern(600);
		assert.equal(node.client.beginPublish(topic, 600, QOS1), 1);
		node.client.writePayload(payload, 0, 100);
		for (let messageId = 1; messageId <= 8; messageId++)
			connection.send({
				cmd: "publish",
				topic: "set",
				payload: "x",
				qos: 1,
				messageId,
				dup: false,
				retain: false,
			});
		clock.advance(3500);
		assert.equal(node.messages.length, 8, "read all the same");
		assert.equal(node.publish("no", 0), BUSY);
		assert.equal(node.client.subscribe([subscription("a")]), BUSY);
		assert.equal(node.client.release(9), BUSY);
		node.close();
		clock.advance(500);
		assert.deepEqual(broker.commands, ["connect"], "not even PINGREQ");
		assert.equal(node.client.writePayload(payload, 100, 600), 500);
		clock.advance(100);
		assert.deepEqual(broker.commands, ["connect", "publish", ...Array(8).fill("puback"), "disconnect"]);
		assert.equal(node.error, undefined);
	});

	test("while more answers wait than have room, nothing is read, and nothing is lost", () => {
		const { clock, broker, connection, node } = connected({}, { acknowledgeTimeout: 60_000 });
		node.client.beginPublish(topic, 10, 0);
		for (let messageId = 1; messageId <= 100; messageId++)
			connection.send({
				cmd: "publish",
				topic: "set",
				payload: "x",
				qos: 1,
				messageId,
				dup: false,
				retain: false,
			});
		clock.advance(100);
		assert.ok(node.messages.length < 30, `${node.messages.length}`);
		node.client.writePayload(pattern(10), 0, 10);
		clock.advance(1000);
		assert.equal(node.messages.length, 100);
		assert.equal(broker.commands.filter((name) => name === "puback").length, 100);
	});

	test("a piece that is too long: RangeError; a message beyond the broker's limits: REJECTED", () => {
		const { node } = connected({ connack: { properties: { maximumPacketSize: 1000 } } });
		assert.throws(() => node.client.writePayload(pattern(1), 0, 1), RangeError);
		assert.equal(node.client.beginPublish(topic, 1000, 0), REJECTED);
		assert.throws(() => node.client.beginPublish(Buffer.from("a/#"), 10, 0), { name: "MQTTError" });
		assert.equal(node.client.beginPublish(topic, 10, 0), 0);
		assert.throws(() => node.client.writePayload(pattern(11), 0, 11), RangeError);
	});

	test("no piece within acknowledgeTimeout: the connection ends without DISCONNECT", () => {
		const { clock, broker, node } = connected({}, { acknowledgeTimeout: 2000 });
		node.client.beginPublish(topic, 10, QOS1);
		clock.advance(3000);
		assert.equal(node.error?.message, "no PUBACK within 2000 ms");
		assert.deepEqual(broker.commands, ["connect"]);
		node.open();
		clock.advance(1000);
		assert.equal(node.publish("whole", QOS1) > 0, true, "another connection begins anew");
	});
});

describe("messages that the application takes at its own pace", () => {
	const message = { cmd: "publish", topic: "set", dup: false, retain: false, qos: 1 } as const;

	test("paused: what follows is held, the answer too, until resume", () => {
		let piece: Uint8Array | undefined;
		const { clock, broker, connection, node } = connected(
			{},
			{ keepAlive: 10 },
			{
				onPayload(bytes, start, end) {
					piece = bytes.subarray(start, end);
					node.client.pause();
				},
			},
		);
		for (const [index, payload] of ["one", "two", "three"].entries())
			connection.send({ ...message, payload, messageId: index + 1 });
		for (const [index, payload] of ["one", "two", "three"].entries()) {
			clock.advance(30_000);
			assert.equal(node.messages.length, index + 1);
			assert.equal(Buffer.from(piece ?? []).toString(), payload, "still valid");
			assert.equal(broker.commands.filter((name) => name === "puback").length, index);
			node.client.resume();
			assert.equal(node.messages.length, index + 1, "not inside the call");
			clock.advance(20);
		}
		clock.advance(1000);
		assert.equal(broker.commands.filter((name) => name === "puback").length, 3);
		assert.equal(node.closed.length, 0, "PINGRESP was awaited longer");
	});

	test("pieces of a payload larger than the buffer, one at a time", () => {
		const payload = Buffer.from(pattern(4000)).toString("latin1");
		let resumed = 0;
		const { clock, connection, node } = connected(
			{},
			{ receiveBuffer: 128 },
			{
				onPayload() {
					node.client.pause();
					resumed++;
					node.client.resume();
				},
			},
		);
		connection.send({ ...message, payload: Buffer.from(payload, "latin1"), messageId: 1 });
		connection.send({ ...message, payload: "next", messageId: 2 });
		clock.advance(1000);
		assert.equal(node.messages.length, 2);
		assert.equal(node.messages[1].payload, "next");
		assert.ok(resumed > 30, `${resumed}`);
	});

	test("resume() inside onWritable, with nothing to send: the answer leaves, and what was held is delivered", () => {
		let resumes = false;
		const { clock, broker, connection, node } = connected(
			{},
			{ keepAlive: 0 },
			// From CONNACK on, when there is a node
			{ onPayload: () => node.client.pause(), onWritable: () => resumes && node.client.resume() },
		);
		resumes = true;
		for (const messageId of [1, 2]) connection.send({ ...message, payload: "x", messageId });
		clock.advance(1000);
		assert.equal(node.messages.length, 1);
		for (const count of [1, 2]) {
			node.client.notifyWritable();
			clock.advance(1000);
			assert.equal(broker.commands.filter((name) => name === "puback").length, count);
		}
		assert.equal(node.messages.length, 2);
	});

	test("a connection that ends while paused is not resumed into the next one", () => {
		const { clock, broker, connection, node } = connected({}, {}, { onPayload: () => node.client.pause() });
		connection.send({ ...message, payload: "one", messageId: 1 });
		connection.send({ ...message, payload: "two", messageId: 2 });
		clock.advance(100);
		node.abort();
		clock.advance(100);
		node.open();
		clock.advance(1000);
		assert.equal(node.opened.length, 2);
		broker.connections[1].send({ ...message, payload: "three", messageId: 1 });
		clock.advance(100);
		assert.deepEqual(
			node.messages.map(({ payload }) => payload),
			["one", "three"],
		);
	});
});

for (const kind of liveBrokers)
	for (const version of kind.versions)
		test(`${kind.name}, MQTT ${version}: 12 KB through buffers of 512 bytes and back`, {
			skip: kind.skip,
		}, async () => {
			const broker = await kind.start();
			const payload = Buffer.from("0123456789".repeat(1200));
			let written = 0;
			const node = await new Promise<RecordingClient>((resolve) => {
				const node: RecordingClient = new RecordingClient({ port: broker.port, version }, nodeDevice(), {
					onOpen: () => void node.client.subscribe([subscription("home/#", { qos: 1 })]),
					onSubscribed: () => {
						node.client.beginPublish(topic, payload.length, QOS1);
						written += node.client.writePayload(payload, 0, payload.length);
					},
					onWritable: () => {
						if (node.client.payloadRemaining > 0)
							written += node.client.writePayload(payload, written, payload.length);
					},
					onPayload: (_bytes, _start, _end, last) => {
						if (last) node.client.close();
					},
					onClosed: () => resolve(node),
				});
				node.open();
			});
			await broker.stop();
			assert.equal(node.error, undefined);
			assert.equal(node.messages[0]?.payload, payload.toString());
			assert.ok(node.messages[0].pieces > 20);
		});
