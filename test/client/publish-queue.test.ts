import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connectAsync } from "mqtt";
import type { Packet } from "mqtt-packet";
import type { ClientOptions } from "../../src/client/client";
import { PublishQueue, type PublishQueueOptions, QUEUE_FULL } from "../../src/client/queue/publish-queue";
import { QOS1, QOS2 } from "../../src/mqtt/constants";
import { nodeDevice } from "../support/node-device";
import { VirtualNetwork } from "../support/virtual-network";
import { ByteCutter } from "./byte-cutter";
import { liveBrokers } from "./live-brokers";
import { RecordingClient, topic } from "./recording-client";
import { type BrokerScript, ScriptedBroker } from "./scripted-broker";

type ClientDevice = ConstructorParameters<typeof RecordingClient>[1];

/** An application's client with its queue. */
function queuedClient(
	options: Partial<ClientOptions>,
	device: ClientDevice,
	queueOptions: Partial<PublishQueueOptions> = {},
	onClosed: () => void = () => {},
) {
	const published: number[] = [];
	const dropped: number[] = [];
	const node: RecordingClient = new RecordingClient(options, device, {
		onOpen: (sessionPresent) => queue.onOpen(sessionPresent),
		onWritable: () => queue.onWritable(),
		onAcknowledged: (packetId, reasonCode, tag) => queue.onAcknowledged(packetId, reasonCode, tag),
		onReceived: (packetId) => queue.onReceived(packetId),
		onClosed: () => {
			queue.onClosed();
			onClosed();
		},
	});
	const queue: PublishQueue = new PublishQueue(
		{ messages: 8, bytes: 1000, policy: "reject", ...queueOptions },
		node.client,
		{ onPublished: (handle) => published.push(handle), onDropped: (handle) => dropped.push(handle) },
	);
	const add = (payload: string, flags: number = QOS1): number =>
		queue.publish(topic, Buffer.from(payload), payload.length, flags);
	return { node, queue, add, published, dropped };
}

function setUp(
	script: BrokerScript = {},
	options: Partial<ClientOptions> = {},
	queueOptions: Partial<PublishQueueOptions> = {},
) {
	const network = new VirtualNetwork({ latency: 10 });
	const broker = new ScriptedBroker(network, 1883, { version: options.version ?? 5, ...script });
	return { clock: network.clock, broker, ...queuedClient(options, network.device, queueOptions) };
}

const sent = (packets: readonly Packet[]): string[] =>
	packets.flatMap((packet) =>
		packet.cmd === "publish"
			? [`${packet.payload}${packet.dup ? " again" : ""} ${packet.messageId ?? "-"}`]
			: packet.cmd === "pubrel"
				? [`release ${packet.messageId}`]
				: [],
	);

describe("a queue of messages", () => {
	test("offline: messages wait, then leave in order; flush tells when all are acknowledged", () => {
		for (const pipeline of [true, false]) {
			const { clock, broker, node, queue, add, published } = setUp({}, { pipeline });
			const handles = [add("a"), add("b", 0), add("c", QOS2), add("d")];
			assert.deepEqual(handles, [1, 2, 3, 4]);
			let flushedAt = 0;
			queue.flush(() => {
				flushedAt = clock.now;
			});
			assert.throws(() => queue.flush(() => {}), /another one waits/);
			clock.advance(100);
			assert.equal(queue.count, 4);
			node.open();
			clock.advance(1000);
			assert.deepEqual(
				sent(broker.packets).filter((text) => !text.startsWith("release")),
				["a 1", "b -", "c 2", "d 3"],
			);
			assert.equal(queue.count, 0);
			assert.ok(flushedAt > 100);
			assert.deepEqual([...published].sort(), [1, 3, 4]);
			let again = false;
			queue.flush(() => {
				again = true;
			});
			assert.ok(again, "nothing waits");
			add("e");
			clock.advance(100);
			assert.equal(sent(broker.packets).at(-1), "e 4", "online: at once");
		}
	});

	test("reject: a full queue keeps what it has; dropOldest: the oldest unsent give way, and are counted", () => {
		const kept = setUp({}, {}, { messages: 2 });
		assert.deepEqual([kept.add("a"), kept.add("b"), kept.add("c")], [1, 2, QUEUE_FULL]);
		assert.equal(kept.queue.dropped, 0);

		const { clock, broker, node, queue, add, dropped } = setUp(
			{ answer: ({ cmd }) => cmd === "publish" },
			{},
			{ messages: 3, bytes: 3 * (topic.length + 2), policy: "dropOldest" },
		);
		add("aa");
		node.open();
		clock.advance(100);
		add("bb");
		add("cc");
		node.abort();
		clock.advance(10);
		assert.equal(queue.count, 3, "all were sent");
		assert.equal(add("dd"), QUEUE_FULL, "the broker may have them");
		const offline = setUp({}, {}, { messages: 3, bytes: 3 * (topic.length + 2), policy: "dropOldest" });
		for (const payload of ["aa", "bb", "cc", "dddd"]) offline.add(payload);
		assert.deepEqual(offline.dropped, [1, 2], "room is counted in bytes as well");
		assert.equal(offline.queue.dropped, 2);
		assert.equal(offline.add("x".repeat(200)), QUEUE_FULL, "larger than the queue: nothing gives way");
		assert.equal(offline.queue.count, 2);
		assert.equal(broker.packets.length > 1, true);
		assert.deepEqual(dropped, []);
	});

	test("cancel: a message that was not sent is taken back, one that was is not", () => {
		const { clock, broker, node, queue, add } = setUp({ answer: ({ cmd }) => cmd === "publish" });
		const [first, second, third] = [add("a"), add("b"), add("c")];
		assert.equal(queue.cancel(second), true);
		assert.equal(queue.cancel(second), false, "gone");
		node.open();
		clock.advance(100);
		assert.equal(queue.cancel(first), false);
		assert.equal(queue.cancel(third), false);
		assert.deepEqual(sent(broker.packets), ["a 1", "c 2"]);
	});

	// [MQTT-4.4.0-1] [MQTT-4.6.0-1] [MQTT-3.3.1-1] [MQTT-4.3.2-2]
	test("a session that the broker continues: the same identifiers in the same order, with DUP or PUBREL", () => {
		let answers = false;
		const { clock, broker, node, queue, add } = setUp(
			{
				connack: { sessionPresent: true },
				answer: ({ cmd, messageId }, connection) => {
					if (answers || (cmd !== "publish" && cmd !== "pubrel")) return false;
					if (cmd === "publish" && messageId === 2)
						connection.send({ cmd: "pubrec", messageId, reasonCode: 0 });
					return true;
				},
			},
			{ cleanStart: false, sessionExpiry: 600 },
		);
		add("a");
		add("b", QOS2);
		add("c", QOS2);
		node.open();
		clock.advance(100);
		node.abort();
		clock.advance(100);
		add("d");
		answers = true;
		const before = broker.packets.length;
		node.open();
		clock.advance(1000);
		assert.deepEqual(sent(broker.packets.slice(before)), [
			"a again 1",
			"release 2",
			"c again 3",
			"d 4",
			"release 3",
		]);
		assert.equal(queue.count, 0);
		assert.equal(node.error === undefined, true);
	});

	// [MQTT-3.2.2-5]
	test("a session that the broker lost: new messages without DUP; what had its PUBREC is done", () => {
		let answers = false;
		const { clock, broker, node, queue, add, published } = setUp(
			{
				answer: ({ cmd, messageId }, connection) => {
					if (answers || (cmd !== "publish" && cmd !== "pubrel")) return false;
					if (cmd === "publish" && messageId === 2)
						connection.send({ cmd: "pubrec", messageId, reasonCode: 0 });
					return true;
				},
			},
			{ cleanStart: false, sessionExpiry: 600 },
		);
		add("a");
		add("b", QOS2);
		add("c", QOS2);
		node.open();
		clock.advance(100);
		node.abort();
		clock.advance(100);
		answers = true;
		const before = broker.packets.length;
		node.open();
		clock.advance(1000);
		assert.deepEqual(
			sent(broker.packets.slice(before)).map((text) => text.split(" ")[0]),
			["a", "c", "release"],
		);
		assert.ok(!sent(broker.packets.slice(before)).join().includes("again"));
		assert.deepEqual([...published].sort(), [1, 2, 3]);
		assert.equal(queue.count, 0);
	});

	test("what the broker does not take is dropped, and what is behind it leaves", () => {
		const { clock, broker, node, queue, add, dropped } = setUp({
			connack: { properties: { maximumPacketSize: 60 } },
		});
		node.open();
		clock.advance(1000);
		add("x".repeat(100));
		add("ok");
		clock.advance(100);
		assert.deepEqual(dropped, [1]);
		assert.equal(queue.dropped, 1);
		assert.deepEqual(sent(broker.packets), ["ok 1"]);
		assert.throws(() => queue.publish(Buffer.from("a/+"), topic, 0, 0), { name: "MQTTError" });
	});
});

for (const kind of liveBrokers)
	test(`${kind.name}: four messages of QoS 2 with every byte cut arrive once and in order`, {
		skip: kind.skip,
	}, async () => {
		const broker = await kind.start();
		const cutter = new ByteCutter(broker.port);
		const port = await cutter.listen();
		const received: string[] = [];
		const peer = await connectAsync(`mqtt://127.0.0.1:${broker.port}`);
		peer.on("message", (_, payload) => received.push(payload.toString()));
		await peer.subscribeAsync("home/#", { qos: 2 });
		let resolveClosed: () => void = () => {};
		const { node, queue, add } = queuedClient(
			{
				port,
				version: 4,
				clientId: "queue",
				cleanStart: false,
				connectTimeout: 2000,
				acknowledgeTimeout: 2000,
			},
			nodeDevice(),
			{},
			() => resolveClosed(),
		);
		const expected: string[] = [];
		for (const direction of ["to the broker", "to the client"] as const) {
			cutter.direction = direction;
			await cutter.cutEverywhere(async (name) => {
				for (const letter of "abcd") {
					expected.push(`${name} ${letter}`);
					add(`${name} ${letter}`, QOS2);
				}
				queue.flush(() => node.client.close());
				while (queue.count > 0)
					await new Promise<void>((resolve) => {
						resolveClosed = resolve;
						node.open();
					});
			});
		}
		while (received.length < expected.length) await new Promise(setImmediate);
		assert.deepEqual(received, expected);
		cutter.close();
		await peer.endAsync();
		await broker.stop();
	});
