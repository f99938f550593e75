import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { connectAsync } from "mqtt";
import type { IConnackPacket, IPublishPacket, Packet } from "mqtt-packet";
import { type ClientOptions, REJECTED } from "../../src/client/client";
import { PublishQueue } from "../../src/client/queue/publish-queue";
import { MAXIMUM_TOPIC_ALIASES, SHORTEST_ALIASED_TOPIC } from "../../src/client/topic-aliases";
import { QOS1 } from "../../src/mqtt/constants";
import { PropertyWriter } from "../../src/mqtt/property-writer";
import { utf8 } from "../../src/mqtt/utf8";
import { nodeDevice } from "../support/node-device";
import { VirtualNetwork } from "../support/virtual-network";
import { liveBrokers } from "./live-brokers";
import { RecordingClient } from "./recording-client";
import { ScriptedBroker } from "./scripted-broker";

const temperature = "home/greenhouse/temperature";
const humidity = "home/greenhouse/humidity";
const payload = utf8("23.5");

function setUp(
	options: Partial<ClientOptions>,
	maximum: number | undefined,
	connack: Partial<IConnackPacket> = {},
) {
	const network = new VirtualNetwork({ latency: 10 });
	const properties = {
		...connack.properties,
		...(maximum === undefined ? {} : { topicAliasMaximum: maximum }),
	};
	const broker = new ScriptedBroker(network, 1883, {
		version: options.version ?? 5,
		connack: { ...connack, properties },
	});
	const node = new RecordingClient({ topicAliases: 4, ...options }, network.device);
	const publish = (topic: string, flags: number = QOS1, properties?: PropertyWriter): number =>
		node.client.publish(utf8(topic), payload, payload.length, flags, properties);
	const connect = (): void => {
		node.open();
		network.clock.advance(1000);
	};
	return { clock: network.clock, broker, node, publish, connect };
}

const isPublish = (packet: Packet): packet is IPublishPacket => packet.cmd === "publish";

/** Topic and alias of each PUBLISH. */
function published(broker: ScriptedBroker): string[] {
	return broker.packets
		.filter(isPublish)
		.map(({ topic, properties }) => `${topic} ${properties?.topicAlias ?? "-"}`);
}

describe("topic aliases", () => {
	test("a topic that repeats: the second message gives it an alias, later ones have only that", () => {
		const { clock, broker, publish, connect } = setUp({}, 10);
		connect();
		for (const topic of [temperature, humidity, temperature, humidity, temperature, temperature]) {
			assert.ok(publish(topic) > 0);
			clock.advance(50);
		}
		assert.deepEqual(published(broker), [
			`${temperature} -`,
			`${humidity} -`,
			`${temperature} 1`,
			`${humidity} 2`,
			" 1",
			" 1",
		]);
	});

	// [MQTT-3.2.2-18]
	test("before CONNACK, and where the broker allows none: topics in full", () => {
		const network = new VirtualNetwork({ latency: 10 });
		const broker = new ScriptedBroker(network, 1883, { connack: { properties: { topicAliasMaximum: 9 } } });
		let left = 4;
		const node: RecordingClient = new RecordingClient({ topicAliases: 4 }, network.device, {
			onWritable: () => {
				while (left > 0 && node.client.publish(utf8(temperature), payload, 4, QOS1) > 0) left--;
			},
		});
		node.open();
		network.clock.advance(1000);
		assert.deepEqual(published(broker), Array(4).fill(`${temperature} -`), "they left before CONNACK");
		for (const maximum of [undefined, 0]) {
			const other = setUp({}, maximum);
			other.connect();
			for (let i = 0; i < 3; i++) other.publish(temperature);
			other.clock.advance(100);
			assert.deepEqual(published(other.broker), Array(3).fill(`${temperature} -`));
		}
	});

	// [MQTT-3.2.2-17] [MQTT-3.3.2-9]
	test("the broker's maximum and the table's size: other topics in full", () => {
		for (const [options, maximum] of [
			[{}, 1],
			[{ topicAliases: 1 }, 10],
		] as const) {
			const { clock, broker, publish, connect } = setUp(options, maximum);
			connect();
			for (let i = 0; i < 3; i++) {
				publish(temperature, 0);
				publish(temperature, 0);
				publish(humidity, 0);
			}
			clock.advance(100);
			assert.deepEqual(published(broker), [
				`${temperature} -`,
				`${temperature} 1`,
				...[`${humidity} -`, " 1", " 1", `${humidity} -`, " 1", " 1", `${humidity} -`],
			]);
		}
	});

	test("a topic that came once gives way, one with an alias stays", () => {
		const { clock, broker, publish, connect } = setUp({ topicAliases: 2 }, 10);
		connect();
		const topics = [temperature, temperature, "once/upon/a/time", humidity, humidity, humidity, temperature];
		for (const topic of topics) publish(topic, 0);
		clock.advance(100);
		assert.deepEqual(published(broker), [
			`${temperature} -`,
			`${temperature} 1`,
			"once/upon/a/time -",
			`${humidity} -`,
			`${humidity} 2`,
			" 2",
			" 1",
		]);
	});

	test("topics too short to pay, and longer than the table's places: in full", () => {
		const { clock, broker, publish, connect } = setUp({ aliasedTopicBytes: 10 }, 10);
		connect();
		const short = "x".repeat(SHORTEST_ALIASED_TOPIC - 1);
		for (const topic of [short, "x".repeat(11), `${short}x`, "x".repeat(10)])
			for (let i = 0; i < 3; i++) publish(topic, 0);
		clock.advance(100);
		assert.deepEqual(
			published(broker).map((text) => text.split(" ")[1]),
			["-", "-", "-", "-", "-", "-", "-", "1", "1", "-", "2", "2"],
		);
	});

	// [MQTT-3.3.2-7]
	test("another connection of the session: topics in full again", () => {
		const { clock, broker, node, publish, connect } = setUp({ cleanStart: false, sessionExpiry: 600 }, 10);
		connect();
		for (let i = 0; i < 3; i++) publish(temperature, 0);
		clock.advance(100);
		node.abort();
		clock.advance(100);
		connect();
		for (let i = 0; i < 3; i++) publish(temperature, 0);
		clock.advance(100);
		const once = [`${temperature} -`, `${temperature} 1`, " 1"];
		assert.deepEqual(published(broker), [...once, ...once]);
	});

	test("no room beside the topic: it is not given, and the message leaves all the same", () => {
		const size = 2 + 2 + temperature.length + 2 + 1 + payload.length;
		for (const [sendBuffer, maximumPacketSize] of [
			[size, 1000],
			[512, size],
		] as const) {
			const { clock, broker, publish, connect } = setUp({ sendBuffer, pipeline: false }, 10, {
				properties: { maximumPacketSize },
			});
			connect();
			for (let i = 0; i < 3; i++) {
				assert.ok(publish(temperature) > 0);
				clock.advance(50);
			}
			assert.deepEqual(published(broker), Array(3).fill(`${temperature} -`));
			assert.equal(publish(`${temperature}/x`), REJECTED);
		}
	});

	test("together with properties: both arrive", () => {
		const { clock, broker, publish, connect } = setUp({}, 10);
		connect();
		const properties = new PropertyWriter(300)
			.contentType(utf8("text/plain"))
			.userProperty(utf8("a"), utf8("b".repeat(120)));
		for (let i = 0; i < 3; i++) publish(temperature, QOS1, properties);
		clock.advance(100);
		assert.deepEqual(published(broker), [`${temperature} -`, `${temperature} 1`, " 1"]);
		for (const packet of broker.packets.filter(isPublish)) {
			assert.equal(packet.properties?.contentType, "text/plain");
			assert.equal(packet.properties?.userProperties?.a, "b".repeat(120));
			assert.equal(String(packet.payload), "23.5");
		}
	});

	test("MQTT 3.1.1: none; a count or a length that is not allowed: RangeError", () => {
		const { clock, broker, publish, connect } = setUp({ version: 4 }, undefined);
		connect();
		for (let i = 0; i < 3; i++) publish(temperature);
		clock.advance(100);
		assert.deepEqual(published(broker), Array(3).fill(`${temperature} -`));
		for (const options of [
			{ topicAliases: MAXIMUM_TOPIC_ALIASES + 1 },
			{ topicAliases: -1 },
			{ aliasedTopicBytes: SHORTEST_ALIASED_TOPIC - 1 },
			{ aliasedTopicBytes: 256 },
		])
			assert.throws(() => setUp(options, 10), RangeError);
	});

	test("what MQTT does not allow throws, and leaves nothing behind", () => {
		const { clock, broker, node, publish, connect } = setUp({}, 10);
		connect();
		assert.throws(() => publish("home/+/temperature"), { name: "MQTTError" });
		assert.throws(() => node.client.publish(utf8(temperature), payload, 5, QOS1), { name: "MQTTError" });
		const alias = new PropertyWriter(3).topicAlias(1);
		assert.throws(() => publish(temperature, QOS1, alias), { name: "MQTTError", reasonCode: 0x94 });
		publish(temperature);
		clock.advance(100);
		assert.deepEqual(published(broker), [`${temperature} -`]);
	});

	test("any order of topics: each message arrives on its own, aliases are within the broker's maximum", () => {
		const topics = ["a", "home/a1", "home/a2", "home/b/long/topic", "home/ä/ö/ü", "x".repeat(65)];
		fc.assert(
			fc.property(
				fc.array(fc.nat(topics.length - 1), { maxLength: 60 }),
				fc.integer({ min: 1, max: 5 }),
				fc.integer({ min: 0, max: 5 }),
				fc.nat(60),
				(order, topicAliases, maximum, cut) => {
					const { clock, broker, node, publish, connect } = setUp({ topicAliases }, maximum);
					connect();
					order.forEach((index, at) => {
						if (at === cut) {
							node.abort();
							clock.advance(100);
							connect();
						}
						publish(topics[index], at % 2);
						clock.advance(30);
					});
					let known = new Map<number, string>();
					const arrived: string[] = [];
					for (const packet of broker.packets) {
						if (packet.cmd === "connect") known = new Map();
						if (!isPublish(packet)) continue;
						const alias = packet.properties?.topicAlias;
						if (alias === undefined) arrived.push(packet.topic);
						else {
							assert.ok(alias <= Math.min(maximum, topicAliases));
							if (packet.topic !== "") known.set(alias, packet.topic);
							arrived.push(known.get(alias) ?? "unknown");
						}
					}
					assert.deepEqual(
						arrived,
						order.map((index) => topics[index]),
					);
				},
			),
			{ numRuns: 100 },
		);
	});
});

for (const kind of liveBrokers)
	if (kind.versions.includes(5))
		test(`${kind.name}: messages of a queue by aliases, over a reconnect, arrive on their topics`, {
			skip: kind.skip,
		}, async () => {
			const broker = await kind.start();
			const peer = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, { protocolVersion: 5 });
			const received: string[] = [];
			peer.on("message", (topic, bytes) => received.push(`${topic} ${bytes}`));
			await peer.subscribeAsync("home/#", { qos: 1 });
			let onClosed = (): void => {};
			const node: RecordingClient = new RecordingClient(
				{ port: broker.port, clientId: "aliases", topicAliases: 4, inFlight: 4 },
				nodeDevice(),
				{
					onOpen: (sessionPresent) => queue.onOpen(sessionPresent),
					onWritable: () => queue.onWritable(),
					onAcknowledged: (packetId, reasonCode, tag) => queue.onAcknowledged(packetId, reasonCode, tag),
					onClosed: () => {
						queue.onClosed();
						onClosed();
					},
				},
			);
			const queue: PublishQueue = new PublishQueue(
				{ messages: 40, bytes: 4000, policy: "reject" },
				node.client,
				{},
			);
			const expected: string[] = [];
			for (let connection = 0; connection < 2; connection++) {
				for (let i = 0; i < 20; i++) {
					const topic = i % 3 === 0 ? temperature : humidity;
					const text = `${connection} ${i}`;
					queue.publish(utf8(topic), utf8(text), text.length, QOS1);
					expected.push(`${topic} ${text}`);
				}
				await new Promise<void>((resolve) => {
					onClosed = resolve;
					queue.flush(() => node.client.close());
					node.open();
				});
			}
			assert.ok(node.client.negotiated.topicAliasMaximum > 0, "the broker allows aliases");
			while (received.length < expected.length) await new Promise(setImmediate);
			assert.deepEqual(received, expected);
			await peer.endAsync();
			await broker.stop();
		});
