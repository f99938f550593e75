import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { connect, connectAsync } from "mqtt";
import type { IPublishPacket, Packet } from "mqtt-packet";
import type { ClientOptions } from "../../src/client/client";
import { MessageStore } from "../../src/client/queue/message-store";
import { PublishQueue, type PublishQueueOptions, QUEUE_FULL } from "../../src/client/queue/publish-queue";
import { QueuedProperties } from "../../src/client/queue/queued-properties";
import type { Device } from "../../src/device";
import { QOS1, QOS2 } from "../../src/mqtt/constants";
import { PropertyWriter } from "../../src/mqtt/property-writer";
import { utf8 } from "../../src/mqtt/utf8";
import { nodeDevice } from "../support/node-device";
import { VirtualNetwork } from "../support/virtual-network";
import { liveBrokers } from "./live-brokers";
import { RecordingClient, topic } from "./recording-client";
import { type BrokerScript, ScriptedBroker } from "./scripted-broker";

const expiry = (seconds: number): PropertyWriter => new PropertyWriter(5).messageExpiryInterval(seconds);

function queuedClient(
	options: Partial<ClientOptions>,
	device: Pick<Device, "tcp" | "timer" | "time" | "resolve">,
	queueOptions: Partial<PublishQueueOptions> = {},
) {
	const dropped: number[] = [];
	const node: RecordingClient = new RecordingClient(options, device, {
		onOpen: (sessionPresent) => queue.onOpen(sessionPresent),
		onWritable: () => queue.onWritable(),
		onAcknowledged: (packetId, reasonCode, tag) => queue.onAcknowledged(packetId, reasonCode, tag),
		onReceived: (packetId) => queue.onReceived(packetId),
		onClosed: () => queue.onClosed(),
	});
	const queue: PublishQueue = new PublishQueue(
		{ messages: 8, bytes: 1000, policy: "reject", properties: 200, ...queueOptions },
		node.client,
		{ onDropped: (handle) => dropped.push(handle) },
	);
	const add = (payload: string, properties?: PropertyWriter, flags: number = QOS1): number =>
		queue.publish(topic, Buffer.from(payload), payload.length, flags, properties);
	return { node, queue, add, dropped };
}

function setUp(
	script: BrokerScript = {},
	options: Partial<ClientOptions> = {},
	queueOptions: Partial<PublishQueueOptions> = {},
) {
	const network = new VirtualNetwork({ latency: 10 });
	const broker = new ScriptedBroker(network, 1883, { version: options.version ?? 5, ...script });
	const queued = queuedClient(options, network.device, queueOptions);
	const connect = (): void => {
		queued.node.open();
		network.clock.advance(1000);
	};
	return { clock: network.clock, broker, connect, ...queued };
}

/** Of a random text in a property. */
const MAXIMUM_TEXT_BYTES = 30;

const isPublish = (packet: Packet): packet is IPublishPacket => packet.cmd === "publish";

/** Payload and expiry of each PUBLISH. */
function published(broker: ScriptedBroker): string[] {
	return broker.packets
		.filter(isPublish)
		.map(
			({ payload, dup, properties }) =>
				`${payload} ${properties?.messageExpiryInterval ?? "-"}${dup ? " again" : ""}`,
		);
}

describe("properties of a message", () => {
	test("any of them, by publish, in pieces and through the queue: arrive as mqtt-packet reads them", () => {
		// All properties together have to fit the writer's 200 bytes: a grapheme may have any number.
		const text = fc
			.string({ unit: "grapheme", maxLength: 12 })
			.filter((value) => !/[\0+#]/.test(value) && Buffer.byteLength(value) <= MAXIMUM_TEXT_BYTES);
		const values = fc.record(
			{
				payloadFormatIndicator: fc.boolean(),
				messageExpiryInterval: fc.integer({ min: 60, max: 0xffff_ffff }),
				contentType: text,
				responseTopic: text.filter((value) => value !== ""),
				correlationData: fc.uint8Array({ maxLength: 12 }),
				userProperties: text
					.filter((value) => value !== "__proto__")
					.map((value) => ({ [`n${value}`]: value })),
			},
			{ requiredKeys: [] },
		);
		fc.assert(
			fc.property(values, (wanted) => {
				const writer = new PropertyWriter(200);
				if (wanted.payloadFormatIndicator !== undefined)
					writer.payloadFormatIndicator(wanted.payloadFormatIndicator);
				if (wanted.messageExpiryInterval !== undefined)
					writer.messageExpiryInterval(wanted.messageExpiryInterval);
				if (wanted.contentType !== undefined) writer.contentType(utf8(wanted.contentType));
				if (wanted.responseTopic !== undefined) writer.responseTopic(utf8(wanted.responseTopic));
				if (wanted.correlationData !== undefined) writer.correlationData(wanted.correlationData);
				for (const [name, value] of Object.entries(wanted.userProperties ?? {}))
					writer.userProperty(utf8(name), utf8(value));
				const { clock, broker, node, connect, add } = setUp();
				connect();
				node.client.publish(topic, Buffer.from("now"), 3, 0, writer);
				node.client.beginPublish(topic, 6, 0, writer);
				node.client.writePayload(Buffer.from("pieces"), 0, 6);
				add("queue", writer);
				clock.advance(100);
				const packets = broker.packets.filter(isPublish);
				assert.deepEqual(
					packets.map(({ payload }) => String(payload)),
					["now", "pieces", "queue"],
				);
				for (const { properties } of packets) {
					const read = { ...properties };
					if (read.userProperties) read.userProperties = { ...read.userProperties };
					const data = wanted.correlationData;
					assert.deepEqual(
						read,
						data === undefined ? { ...wanted } : { ...wanted, correlationData: Buffer.from(data) },
					);
				}
			}),
			{ numRuns: 100 },
		);
	});

	test("a message waits: its expiry is less by so much; without a connection too long: dropped and counted", () => {
		const { clock, broker, connect, queue, add, dropped } = setUp();
		add("a", expiry(60));
		const short = add("b", expiry(9));
		add("c", new PropertyWriter(20).contentType(utf8("x")));
		clock.advance(9500);
		let flushed = false;
		queue.flush(() => {
			flushed = true;
		});
		connect();
		assert.deepEqual(published(broker), ["a 51", "c -"]);
		assert.deepEqual(dropped, [short]);
		assert.deepEqual([queue.dropped, queue.expired, queue.count, flushed], [1, 1, 0, true]);
	});

	test("dropExpired without a connection: they are gone, and flush calls back", () => {
		const { clock, queue, add, dropped } = setUp();
		const handles = [add("a", expiry(1)), add("b", expiry(2)), add("c", expiry(1))];
		let flushed = false;
		queue.flush(() => {
			flushed = true;
		});
		clock.advance(1500);
		queue.dropExpired();
		assert.deepEqual(dropped, [handles[2], handles[0]]);
		assert.equal(flushed, false);
		clock.advance(1000);
		queue.dropExpired();
		assert.deepEqual([queue.count, queue.expired, flushed], [0, 3, true]);
	});

	test("a full queue: what has expired gives way first, whatever the policy", () => {
		for (const policy of ["reject", "dropOldest"] as const) {
			const { clock, add, queue, dropped } = setUp({}, {}, { messages: 2, policy });
			const kept = add("a");
			const short = add("b", expiry(5));
			clock.advance(6000);
			assert.ok(add("c") > 0);
			assert.deepEqual([dropped, queue.expired], [[short], 1]);
			assert.equal(queue.cancel(kept), true);
		}
	});

	// [MQTT-4.3.3-7] [MQTT-4.4.0-1] [MQTT-3.3.1-1]
	test("sent, and expired before it is acknowledged: leaves again, with one second, and its properties", () => {
		for (const qos of [QOS1, QOS2]) {
			let answers = false;
			const { clock, broker, node, connect, queue, add } = setUp(
				{ connack: { sessionPresent: true }, answer: ({ cmd }) => cmd === "publish" && !answers },
				{ cleanStart: false, sessionExpiry: 600 },
			);
			add("a", new PropertyWriter(30).messageExpiryInterval(5).contentType(utf8("x")), qos);
			add("b", expiry(60), qos);
			connect();
			node.abort();
			clock.advance(6500);
			answers = true;
			connect();
			assert.deepEqual(published(broker), ["a 5", "b 60", "a 1 again", "b 53 again"]);
			assert.deepEqual(
				broker.packets.filter(isPublish).map(({ properties }) => properties?.contentType),
				["x", undefined, "x", undefined],
			);
			assert.deepEqual([queue.count, queue.expired], [0, 0]);
		}
	});

	test("sent, and the broker lost the session: new to it, so that an expired one is dropped", () => {
		let answers = false;
		const { clock, broker, node, connect, queue, add, dropped } = setUp(
			{ answer: ({ cmd }) => cmd === "publish" && !answers },
			{ cleanStart: false, sessionExpiry: 600 },
		);
		const short = add("a", expiry(5));
		add("b");
		connect();
		node.abort();
		clock.advance(6500);
		answers = true;
		connect();
		assert.deepEqual(published(broker), ["a 5", "b -", "b -"]);
		assert.deepEqual([dropped, queue.count], [[short], 0]);
	});

	test("MQTT 3.1.1: no properties leave; the expiry counts all the same", () => {
		const { clock, broker, connect, add, dropped } = setUp({}, { version: 4 });
		add("a", new PropertyWriter(30).messageExpiryInterval(60).contentType(utf8("x")));
		const short = add("b", expiry(5));
		clock.advance(6000);
		connect();
		assert.deepEqual(published(broker), ["a -"]);
		assert.equal(broker.packets.filter(isPublish)[0].properties, undefined);
		assert.deepEqual(dropped, [short]);
	});

	// [MQTT-3.3.4-6]
	test("what does not fit, or a client may not send: an error with its reason code, and nothing is queued", () => {
		const { connect, node, queue, add } = setUp({}, {}, { properties: 8 });
		const none = setUp({}, {}, { properties: 0 });
		connect();
		const long = new PropertyWriter(20).contentType(utf8("text/plain"));
		for (const [properties, reasonCode] of [
			[new PropertyWriter(3).topicAlias(1), 0x94],
			[new PropertyWriter(5).subscriptionIdentifier(1), 0x82],
			[new PropertyWriter(5).receiveMaximum(1), 0x82],
		] as const) {
			assert.throws(() => add("a", properties), { name: "MQTTError", reasonCode });
			assert.throws(() => node.client.publish(topic, topic, 1, 0, properties), {
				name: "MQTTError",
				reasonCode,
			});
			assert.throws(() => node.client.beginPublish(topic, 9, 0, properties), {
				name: "MQTTError",
				reasonCode,
			});
			assert.equal(node.client.payloadRemaining, 0);
		}
		assert.throws(() => add("a", long), { name: "MQTTError", reasonCode: 0x95 });
		assert.throws(() => none.add("a", expiry(1)), { name: "MQTTError", reasonCode: 0x95 });
		assert.equal(none.add("a", new PropertyWriter(1)), 1, "no property is none");
		assert.equal(queue.count, 0);
		assert.throws(() => setUp({}, {}, { properties: 65_536 }), RangeError);
	});

	test("properties count as bytes of the queue", () => {
		const { add } = setUp({}, {}, { bytes: topic.length + 1 + 5 });
		assert.equal(add("ab", expiry(1)), QUEUE_FULL, "larger than the queue");
		assert.equal(add("a", expiry(60)), 1);
		assert.equal(add("", undefined), QUEUE_FULL);
	});

	test("ticks that wrap: expiries of up to 2^32 − 1 s count on", () => {
		let ticks = 0x7fff_0000;
		const time = {
			get ticks() {
				return ticks;
			},
			delta: (start: number, end: number = ticks) => (end - start) | 0,
		};
		const store = new MessageStore(2, 200);
		const queued = new QueuedProperties(50, store, time);
		const forever = expiry(0xffff_ffff);
		const short = expiry(5_000_000);
		store.add(1, topic, topic, 0, 0, forever, queued.expiry(forever));
		store.add(2, topic, topic, 0, 0, short, queued.expiry(short));
		const left = (index: number): number => Buffer.from(queued.current(store, index).bytes).readUInt32BE(1);
		for (let day = 1; day <= 57; day++) {
			ticks = (ticks + 86_400_000) | 0;
			assert.equal(left(0), 0xffff_ffff - day * 86_400);
			assert.equal(left(1), 5_000_000 - day * 86_400);
		}
		ticks = (ticks + 80_000_000) | 0;
		assert.ok(store.expiresAt(1) < queued.now);
		assert.ok(store.expiresAt(0) > queued.now);
		// Nobody asks for longer than the difference of two ticks can tell
		const before = left(0);
		ticks = (ticks + 36 * 86_400_000) | 0;
		assert.equal(left(0), before - 36 * 86_400);
		// A clock that is not quite steady
		ticks = (ticks - 5000) | 0;
		assert.equal(left(0), before - 36 * 86_400 + 5);
	});
});

for (const kind of liveBrokers)
	if (kind.versions.includes(5))
		test(`${kind.name}: properties and what is left of the expiry reach a subscriber that was away`, {
			skip: kind.skip,
		}, async () => {
			const broker = await kind.start();
			const url = `mqtt://127.0.0.1:${broker.port}`;
			const subscriber = {
				clientId: "away",
				protocolVersion: 5,
				clean: false,
				properties: { sessionExpiryInterval: 600 },
			} as const;
			const peer = await connectAsync(url, subscriber);
			await peer.subscribeAsync("home/#", { qos: 1 });
			await peer.endAsync();

			const device = nodeDevice();
			let ahead = 0;
			const { time } = device;
			const clock: Device["time"] = {
				get ticks() {
					return (time.ticks + ahead) | 0;
				},
				delta: (start: number, end: number = clock.ticks): number => (end - start) | 0,
			};
			const { node, queue, add } = queuedClient({ port: broker.port }, { ...device, time: clock });
			const all = new PropertyWriter(100)
				.messageExpiryInterval(3600)
				.payloadFormatIndicator(true)
				.contentType(utf8("text/plain"))
				.responseTopic(utf8("home/answer"))
				.correlationData(Uint8Array.of(1, 0, 255))
				.userProperty(utf8("a"), utf8("ä"));
			add("late", expiry(60));
			add("kept", all);
			add("plain");
			ahead = 600_000;
			await new Promise<void>((resolve) => {
				queue.flush(resolve);
				node.open();
			});
			node.close();
			assert.equal(queue.expired, 1);

			const packets: IPublishPacket[] = [];
			const again = connect(url, subscriber);
			await new Promise<void>((resolve) => {
				again.on("packetreceive", (packet) => {
					if (packet.cmd === "publish") packets.push(packet);
					if (packets.length === 2) resolve();
				});
			});
			assert.deepEqual(
				packets.map(({ payload }) => String(payload)),
				["kept", "plain"],
			);
			const properties = { ...packets[0].properties };
			const left = properties.messageExpiryInterval ?? 0;
			assert.ok(left > 2900 && left <= 3000, `${left} s are left`);
			assert.equal(properties.payloadFormatIndicator, true);
			assert.equal(properties.contentType, "text/plain");
			assert.equal(properties.responseTopic, "home/answer");
			assert.deepEqual(properties.correlationData, Buffer.from([1, 0, 255]));
			assert.equal(properties.userProperties?.a, "ä");
			await again.endAsync();
			await broker.stop();
		});
