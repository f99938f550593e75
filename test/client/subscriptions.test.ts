import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connectAsync } from "mqtt";
import type { ISubscribePacket, Packet } from "mqtt-packet";
import { BUSY, type ClientOptions, REJECTED, subscription } from "../../src/client/client";
import { QOS1, QOS2, SUBACK, UNSUBACK } from "../../src/mqtt/constants";
import { SUBSCRIPTION_IDENTIFIER } from "../../src/mqtt/properties";
import { PropertyWriter } from "../../src/mqtt/property-writer";
import { nodeDevice } from "../support/node-device";
import { VirtualNetwork } from "../support/virtual-network";
import { liveBrokers } from "./live-brokers";
import { RecordingClient, topic } from "./recording-client";
import { type BrokerScript, ScriptedBroker } from "./scripted-broker";

function setUp(script: BrokerScript = {}, options: Partial<ClientOptions> = {}) {
	const network = new VirtualNetwork({ latency: 10 });
	const broker = new ScriptedBroker(network, 1883, { version: options.version ?? 5, ...script });
	const node = new RecordingClient(options, network.device);
	node.now = () => network.clock.now;
	return { network, clock: network.clock, broker, node };
}

function connected(script: BrokerScript = {}, options: Partial<ClientOptions> = {}) {
	const parts = setUp(script, options);
	parts.node.open();
	parts.clock.advance(1000);
	return parts;
}

const subscribes = (packets: readonly Packet[]): ISubscribePacket[] =>
	packets.filter((packet) => packet.cmd === "subscribe");

describe("SUBSCRIBE and UNSUBSCRIBE", () => {
	for (const version of [4, 5] as const)
		test(`MQTT ${version}: each filter has its result, in the order of the call`, () => {
			const { clock, broker, node } = connected({}, { version });
			const [connection] = broker.connections;
			const filters = ["a/#", "b/+/c", "refused"];
			const id = node.subscribe(
				filters.map((filter, qos) => subscription(filter, { qos: qos as 0 | 1 | 2 })),
			);
			clock.advance(100);
			const packet = broker.packets.at(-1);
			assert.ok(packet?.cmd === "subscribe" && packet.messageId === id);
			assert.deepEqual(
				packet.subscriptions.map(({ topic: filter, qos }) => [filter, qos]),
				[
					["a/#", 0],
					["b/+/c", 1],
					["refused", 2],
				],
			);
			connection.send({ cmd: "suback", messageId: id, granted: [0, 1, 0x80] } as Packet);
			clock.advance(100);
			assert.deepEqual(node.answers, [{ type: SUBACK, packetId: id, results: [0, 1, 0x80] }]);

			const next = node.unsubscribe("a/#", "never");
			assert.equal(next, id + 1);
			clock.advance(100);
			const unsubscribe = broker.packets.at(-1);
			assert.ok(unsubscribe?.cmd === "unsubscribe" && unsubscribe.messageId === next);
			assert.deepEqual(unsubscribe.unsubscriptions, ["a/#", "never"]);
			connection.send({ cmd: "unsuback", messageId: next, granted: [0, 0x11] } as Packet);
			clock.advance(100);
			assert.deepEqual(node.answers[1], {
				type: UNSUBACK,
				packetId: next,
				results: version === 5 ? [0, 0x11] : [],
			});
			assert.equal(node.closed.length, 0);
			assert.equal(node.nestedCallbacks, 0);
		});

	test("MQTT 5.0: the options and the identifier leave as they were given", () => {
		const { clock, broker, node } = connected();
		const options = { qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 } as const;
		node.subscribe([subscription("a", options)], new PropertyWriter(8).subscriptionIdentifier(300));
		clock.advance(100);
		const [packet] = subscribes(broker.packets);
		assert.deepEqual(packet.subscriptions, [{ topic: "a", qos: 2, nl: true, rap: true, rh: 2 }]);
		assert.equal(packet.properties?.subscriptionIdentifier, 300);
	});

	test("options that MQTT does not allow: the call throws, and nothing leaves", () => {
		const { clock, broker, node } = connected();
		const bad = [
			subscription("a/#/b"),
			subscription("", {}),
			subscription("$share/g/a", { noLocal: true }), // [MQTT-3.8.3-4]
			subscription("a", { qos: 3 as 2 }),
			subscription("a", { retainHandling: 3 as 2 }),
		];
		for (const one of bad) assert.throws(() => node.subscribe([one]), { name: "MQTTError" });
		assert.throws(() => node.subscribe([]), { name: "MQTTError" });
		assert.throws(() => node.unsubscribe(), { name: "MQTTError" });
		clock.advance(100);
		assert.deepEqual(broker.commands, ["connect"]);
		assert.equal(node.client.inFlight.count, 0);
	});

	test("no SUBACK within acknowledgeTimeout: the connection ends", () => {
		for (const request of ["subscribe", "unsubscribe"] as const) {
			const { clock, node } = connected({}, { acknowledgeTimeout: 3000 });
			const sentAt = clock.now;
			if (request === "subscribe") node.subscribe([subscription("a")]);
			else node.unsubscribe("a");
			clock.advance(5000);
			assert.equal(node.error?.message, "no SUBACK or UNSUBACK within 3000 ms");
			assert.equal(node.error?.fault, "peer");
			assert.equal(node.closed[0].at, sentAt + 3000);
		}
	});

	test("requests and messages share the identifiers and the places in flight", () => {
		const { clock, broker, node } = connected({ answer: ({ cmd }) => cmd === "publish" }, { inFlight: 3 });
		assert.equal(node.publish("1", QOS1), 1);
		assert.equal(node.subscribe([subscription("a")]), 2);
		assert.equal(node.publish("2", QOS2), 3);
		assert.equal(node.client.inFlight.count, 2, "messages only");
		assert.equal(node.subscribe([subscription("b")]), BUSY);
		assert.equal(node.publish("3", QOS1), BUSY);
		clock.advance(100);
		const writable = node.writable.length;
		broker.connections[0].send({ cmd: "suback", messageId: 2, granted: [0] } as Packet);
		clock.advance(100);
		assert.equal(node.writable.length, writable + 1, "a place is free");
		assert.equal(node.publish("4", QOS1), 4);
	});

	test("Receive Maximum used up: SUBSCRIBE leaves all the same", () => {
		const { node } = connected({
			connack: { properties: { receiveMaximum: 1 } },
			answer: ({ cmd }) => cmd === "publish",
		});
		assert.equal(node.publish("1", QOS1), 1);
		assert.equal(node.publish("2", QOS1), BUSY);
		assert.equal(node.subscribe([subscription("a")]), 2);
	});

	test("what the broker lacks, or takes no packet large enough for, is rejected once CONNACK said so", () => {
		const lacks = {
			wildcardSubscriptionAvailable: false,
			subscriptionIdentifiersAvailable: false,
			sharedSubscriptionAvailable: false,
			maximumPacketSize: 40,
		};
		const { clock, broker, node } = connected({ connack: { properties: lacks } });
		assert.equal(node.subscribe([subscription("a/#")]), REJECTED);
		assert.equal(node.subscribe([subscription("+")]), REJECTED);
		assert.equal(node.subscribe([subscription("$share/g/a")]), REJECTED);
		const identifier = new PropertyWriter(8).subscriptionIdentifier(1);
		assert.equal(node.subscribe([subscription("a")], identifier), REJECTED);
		assert.equal(node.subscribe([subscription("a".repeat(40))]), REJECTED);
		assert.equal(node.unsubscribe("a".repeat(40)), REJECTED);
		assert.equal(node.subscribe([subscription("a")]), 1);
		clock.advance(100);
		assert.deepEqual(broker.commands, ["connect", "subscribe"]);
	});

	test("pipelined: SUBSCRIBE leaves with CONNECT; otherwise it waits for CONNACK", () => {
		for (const pipeline of [true, false]) {
			const { network, clock, broker } = setUp();
			const results: number[] = [];
			const node: RecordingClient = new RecordingClient({ pipeline }, network.device, {
				onWritable: () => results.push(node.subscribe([subscription("a")])),
			});
			node.open();
			assert.equal(node.subscribe([subscription("a")]), BUSY, "not connected");
			clock.advance(1000);
			assert.deepEqual(results, [1]);
			const times = broker.times.slice(0, 2);
			assert.equal(times[1] - times[0], pipeline ? 0 : 20);
		}
	});

	// [MQTT-3.8.4-6] [MQTT-3.1.1:3.8.4-5]
	test("an answer that is not one result a filter, or that nobody asked for: protocol violation", () => {
		const answers: Packet[] = [
			{ cmd: "suback", messageId: 1, granted: [0] } as Packet,
			{ cmd: "suback", messageId: 1, granted: [0, 0, 0] } as Packet,
			{ cmd: "suback", messageId: 2, granted: [0, 0] } as Packet,
			{ cmd: "unsuback", messageId: 1, granted: [0, 0] } as Packet,
			{ cmd: "puback", messageId: 1, reasonCode: 0 },
		];
		for (const answer of answers) {
			const { clock, broker, node } = connected();
			node.subscribe([subscription("a"), subscription("b")]);
			broker.connections[0].send(answer);
			clock.advance(1000);
			assert.equal(node.error?.reasonCode, 0x82, JSON.stringify(answer));
			assert.deepEqual(node.answers, []);
		}
	});

	test("a request ends with its connection, and its identifier is free on the next one", () => {
		const { clock, broker, node } = connected({}, { cleanStart: false, inFlight: 1 });
		assert.equal(node.subscribe([subscription("a")]), 1);
		clock.advance(100);
		broker.connections[0].end();
		clock.advance(1000);
		node.open();
		clock.advance(1000);
		assert.equal(node.subscribe([subscription("a")]), 2, "the only place is free");
		clock.advance(100);
		assert.equal(subscribes(broker.packets).length, 2);
	});
});

for (const kind of liveBrokers)
	for (const version of kind.versions)
		test(`${kind.name}, MQTT ${version}: messages of a subscription arrive until it is removed`, {
			skip: kind.skip,
		}, async () => {
			const broker = await kind.start();
			const peer = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, { protocolVersion: version });
			const identifiers: number[] = [];
			const node = await new Promise<RecordingClient>((resolve) => {
				const node: RecordingClient = new RecordingClient({ port: broker.port, version }, nodeDevice(), {
					onOpen() {
						const properties = version === 5 ? new PropertyWriter(8).subscriptionIdentifier(7) : undefined;
						const own = subscription("home/#", { qos: 2, ...(version === 5 && { noLocal: true }) });
						node.client.subscribe([subscription("set/+", { qos: 1 }), own], properties);
					},
					onSubscribed() {
						const own = Buffer.from("own");
						node.client.publish(topic, own, own.length, QOS1);
						for (const qos of [0, 1, 2] as const) peer.publish("set/a", `${qos}`, { qos });
					},
					onMessage(packet) {
						if (packet.properties.find(SUBSCRIPTION_IDENTIFIER)) identifiers.push(packet.properties.number);
					},
					onPayload(bytes, start) {
						if (bytes[start] === 0x32) node.client.unsubscribe([Buffer.from("set/+")]);
					},
					onUnsubscribed() {
						peer.publish("set/a", "late", { qos: 1 }, () => node.client.close());
					},
					onClosed: () => resolve(node),
				});
				node.open();
			});
			await peer.endAsync();
			await broker.stop();
			const set = node.messages.filter((message) => message.topic === "set/a");
			assert.deepEqual(
				set.map(({ payload, qos }) => [payload, kind.name === "aedes" ? Math.min(qos, 1) : qos]).sort(),
				[
					["0", 0],
					["1", 1],
					["2", 1],
				],
			);
			const echoes = node.messages.filter(({ payload }) => payload === "own").length;
			assert.equal(echoes, version === 5 ? 0 : 1, "No Local");
			assert.deepEqual(node.answers[0].results, [1, 2]);
			assert.deepEqual(node.answers[1].results, version === 5 ? [0] : []);
			assert.deepEqual(new Set(identifiers), new Set(version === 5 ? [7] : []));
			assert.equal(node.error, undefined);
		});

describe("isSubscribed: whether the session has the subscriptions that were made", () => {
	/** A broker whose session and silence the test decides. */
	function sessions() {
		const script = { sessionPresent: false, silent: new Set<string>() };
		const parts = setUp(
			{
				answer: ({ cmd, messageId }, connection) => {
					if (script.silent.has(cmd)) return true;
					const { sessionPresent } = script;
					if (cmd === "connect") connection.send({ cmd: "connack", sessionPresent, reasonCode: 0 } as Packet);
					else if (cmd === "subscribe") connection.send({ cmd: "suback", messageId, granted: [0] } as Packet);
					else return false;
					return true;
				},
			},
			{ cleanStart: false, sessionExpiry: 3600 },
		);
		const { clock, node, broker } = parts;
		const connect = (): void => {
			node.open();
			clock.advance(10_000);
		};
		const cut = (): void => {
			broker.connections.at(-1)!.end();
			clock.advance(1000);
		};
		const subscribe = (): void => {
			node.subscribe([subscription("a/#")]);
			clock.advance(1000);
		};
		return { ...parts, script, connect, cut, subscribe };
	}

	test("true from SUBACK on, over connections whose CONNACK has Session Present", () => {
		const { node, connect, cut, subscribe, script } = sessions();
		connect();
		assert.equal(node.client.isSubscribed, false);
		subscribe();
		assert.equal(node.client.isSubscribed, true);
		script.sessionPresent = true;
		for (let i = 0; i < 2; i++) {
			cut();
			connect();
			assert.equal(node.client.isSubscribed, true);
		}
	});

	test("no session: false until the next SUBACK", () => {
		const { node, connect, cut, subscribe } = sessions();
		connect();
		subscribe();
		cut();
		connect();
		assert.equal(node.client.isSubscribed, false);
		subscribe();
		assert.equal(node.client.isSubscribed, true);
	});

	test("a CONNECT without CONNACK: false, although the next CONNACK has Session Present", () => {
		const { node, connect, cut, subscribe, script } = sessions();
		connect();
		subscribe();
		cut();
		script.silent.add("connect");
		connect();
		assert.match(node.closed.at(-1)!.error!.message, /no CONNACK/);
		script.silent.clear();
		script.sessionPresent = true;
		connect();
		assert.deepEqual(node.opened.at(-1)?.sessionPresent, true);
		assert.equal(node.client.isSubscribed, false);
		subscribe();
		assert.equal(node.client.isSubscribed, true);
	});

	test("no TCP connection: CONNECT did not leave, and the next CONNACK has Session Present: still true", () => {
		const { node, connect, cut, subscribe, script, network } = sessions();
		connect();
		subscribe();
		cut();
		network.blackHoles.add(1883);
		connect();
		assert.match(node.closed.at(-1)!.error!.message, /no TCP connection/);
		network.blackHoles.clear();
		script.sessionPresent = true;
		connect();
		assert.deepEqual(node.opened.at(-1)?.sessionPresent, true);
		assert.equal(node.client.isSubscribed, true);
	});

	test("a SUBSCRIBE without SUBACK: false on the next connection; of two, the last one counts", () => {
		const { node, connect, cut, subscribe, script, broker, clock } = sessions();
		connect();
		subscribe();
		script.silent.add("subscribe");
		subscribe();
		cut();
		script.sessionPresent = true;
		connect();
		assert.equal(node.client.isSubscribed, false);
		const ids = [node.subscribe([subscription("a")]), node.subscribe([subscription("b")])];
		clock.advance(100);
		for (const [index, messageId] of ids.entries()) {
			broker.connections.at(-1)!.send({ cmd: "suback", messageId, granted: [0] } as Packet);
			clock.advance(100);
			assert.equal(node.client.isSubscribed, index === 1);
		}
	});
});
