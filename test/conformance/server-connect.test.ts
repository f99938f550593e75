import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { IConnackPacket, IDisconnectPacket } from "mqtt-packet";
import { BrokerHarness } from "../broker/support/broker-harness";
import type { TestClient } from "../broker/support/test-client";
import { bytes } from "../mqtt/notation";

const versions = [4, 5] as const;

function code(packet: unknown): number | undefined {
	const connack = packet as IConnackPacket | undefined;
	return connack?.reasonCode ?? connack?.returnCode;
}

function commands(peer: TestClient): string[] {
	return peer.packets.map(({ cmd }) => cmd);
}

describe("CONNECT: server requirements", () => {
	test("[MQTT-3.1.4-5] [MQTT-3.1.1:3.1.4-4] [MQTT-3.2.0-1] [MQTT-3.2.0-2] an accepted CONNECT: exactly one CONNACK, before any other packet", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			harness.client("sender", version).publish("t", "1", { retain: true });
			const peer = harness.peer(version);
			const connect = {
				cmd: "connect",
				protocolId: "MQTT",
				protocolVersion: version,
				clean: true,
				clientId: "a",
				keepalive: 60,
			};
			const subscribe = { cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "#", qos: 0 }] };
			peer.sendRaw(
				new Uint8Array([
					...peer.encode(connect),
					...peer.encode(subscribe),
					...peer.encode({ cmd: "pingreq" }),
				]),
			);
			assert.deepEqual(commands(peer).slice(0, 1), ["connack"]);
			assert.deepEqual(commands(peer).sort(), ["connack", "pingresp", "publish", "suback"]);
			assert.equal(code(peer.packets[0]), 0);
		}
	});

	test("[MQTT-3.1.1:3.1.0-2] a second CONNECT: the connection closes", () => {
		for (const version of versions) {
			const peer = new BrokerHarness().client("a", version);
			peer.connect("a");
			assert.ok(peer.closed);
			assert.deepEqual(commands(peer), version === 5 ? ["disconnect"] : []);
		}
	});

	test("[MQTT-3.1.0-2] a second CONNECT that is invalid: the connection closes, and no state remains", () => {
		for (const version of versions) {
			for (const packet of [
				"10 { s'MQTT' 06 02 003c 00 s'a' }",
				"10 { s'MQTT' 03 02 003c s'a' }",
				"10 { s'MQIsdp' 03 02 003c s'a' }",
				"10 { s'MQTT' 04 00 003c s'' }",
				"10 { s'MQTT' 05 03 003c 00 s'a' }",
				"10 { s'M' }",
				"11 { s'MQTT' 05 02 003c 00 s'a' }",
			]) {
				const harness = new BrokerHarness();
				const peer = harness.client("a", version).sendRaw(bytes(packet));
				assert.ok(peer.closed, packet);
				assert.deepEqual(
					peer.packets.map((each) => [each.cmd, (each as IDisconnectPacket).reasonCode]),
					version === 5 ? [["disconnect", 0x82]] : [],
				);
				const { sockets, connections, sessions } = harness.broker.usage;
				assert.deepEqual(
					[sockets, connections, sessions, harness.broker.counters.internalErrors],
					[0, 0, version === 5 ? 0 : sessions, 0],
				);
			}
		}
	});

	test("[MQTT-3.1.4-2] an unauthorized client: CONNACK with the reason, then closed", () => {
		for (const version of versions) {
			const peer = new BrokerHarness({ anonymous: false }).peer(version);
			assert.equal(code(peer.connect("a")), version === 5 ? 0x87 : 5);
			assert.ok(peer.closed);
		}
	});

	test("[MQTT-3.2.2-13] no room for retained messages: Retain Available 0, Will Retain refused", () => {
		for (const settings of [{ retainedTopics: 0 }, { retainedBytes: 0 }, {}]) {
			const none = Object.keys(settings).length > 0;
			const harness = new BrokerHarness(settings);
			const connack = harness.peer(5).connect("a") as IConnackPacket;
			assert.equal(connack.properties?.retainAvailable, none ? false : undefined);
			for (const retain of [false, true]) {
				const peer = harness.peer(5);
				assert.equal(
					code(peer.connect("b", { will: { topic: "t", payload: Buffer.from("x"), qos: 0, retain } })),
					none && retain ? 0x9a : 0,
				);
				assert.equal(peer.closed, none && retain);
			}
			const sender = harness.client("c").publish("t", "1", { retain: true });
			assert.equal(
				(sender.shift("disconnect") as IDisconnectPacket | undefined)?.reasonCode,
				none ? 0x9a : undefined,
			);
		}
	});

	test("[MQTT-3.14.0-1] [MQTT-3.1.2-24] [MQTT-3.2.2-20] a CONNACK above the maximum packet size: shortened, or nothing is sent", () => {
		let withUserProperties = 0;
		for (let maximumPacketSize = 1; maximumPacketSize < 90; maximumPacketSize++) {
			const harness = new BrokerHarness({ aliasBytes: 2048 });
			const watcher = harness.client("watcher");
			watcher.subscribe("will");
			const fields = {
				clean: false,
				keepalive: 0,
				properties: { sessionExpiryInterval: 600, maximumPacketSize, requestResponseInformation: true },
			};
			const will = { topic: "will", payload: Buffer.from("x"), qos: 0, retain: false };
			harness.client("a", 5, { clean: false, properties: { sessionExpiryInterval: 600 } }).drop();
			const peer = harness.peer(5);
			const connack = peer.connect("a", { ...fields, will }) as IConnackPacket | undefined;
			assert.deepEqual(commands(peer), []);
			assert.equal(peer.closed, connack === undefined);
			if (connack === undefined) {
				assert.ok(maximumPacketSize < 16, `${maximumPacketSize}`);
				assert.deepEqual(watcher.messages(), []);
				continue;
			}
			assert.ok((connack.length ?? 0) + 2 <= maximumPacketSize);
			assert.equal(connack.properties?.receiveMaximum, 16);
			if (connack.properties?.userProperties) withUserProperties++;
		}
		assert.ok(withUserProperties > 0);
	});

	test("[MQTT-3.1.2-24] a SUBACK or UNSUBACK above the maximum packet size: DISCONNECT 0x95 instead", () => {
		for (const cmd of ["subscribe", "unsubscribe"]) {
			const peer = new BrokerHarness().client("a", 5, {
				keepalive: 10,
				properties: { maximumPacketSize: 20 },
			});
			const filters = Array.from({ length: 30 }, (_, i) => `${i}`);
			peer.send({
				cmd,
				messageId: 1,
				subscriptions: filters.map((topic) => ({ topic, qos: 0 })),
				unsubscriptions: filters,
			});
			assert.ok(peer.closed);
			assert.deepEqual(
				peer.packets.map((each) => [each.cmd, (each as IDisconnectPacket).reasonCode]),
				[["disconnect", 0x95]],
			);
		}
	});

	test("[MQTT-3.1.4-1] [MQTT-3.1.1:3.1.4-1] [MQTT-3.1.1:3.2.2-6] a malformed CONNECT: the connection closes, in MQTT 3.1.1 without CONNACK", () => {
		for (const [version, packet] of [
			[4, "10 { s'MQTT' 04 03 003c s'a' }"],
			[4, "10 { s'MQTT' 04 02 003c 0001 ff }"],
			[4, "10 { s'MQTT' 04 02 003c s'a' 00 }"],
			[5, "10 { s'MQTT' 05 03 003c 00 s'a' }"],
			[5, "10 { s'MQTT' 05 02 003c 00 s'a' 00 }"],
		] as const) {
			const peer = new BrokerHarness().peer(version).sendRaw(bytes(packet));
			assert.ok(peer.closed, packet);
			assert.ok(version === 5 || peer.packets.length === 0, packet);
			assert.ok(!commands(peer).includes("disconnect"), packet);
		}
	});

	test("[MQTT-3.1.2-1] [MQTT-3.1.2-2] unsupported protocol name or version: refused with 1 or 0x84", () => {
		for (const [version, packet, refusal] of [
			[4, "10 { s'MQIsdp' 03 02 003c s'a' }", 1],
			[4, "10 { s'MQTT' 03 02 003c s'a' }", 1],
			[5, "10 { s'MQTT' 06 02 003c 00 s'a' }", 0x84],
		] as const) {
			const peer = new BrokerHarness().peer(version).sendRaw(bytes(packet));
			assert.equal(code(peer.shift("connack")), refusal);
			assert.ok(peer.closed);
		}
	});

	test("[MQTT-3.2.2-6] [MQTT-3.2.2-7] [MQTT-3.1.1:3.2.2-4] [MQTT-3.1.1:3.2.2-5] [MQTT-4.13.2-1] a refused CONNECT: Session Present 0, then the connection closes", () => {
		for (const version of versions) {
			const harness = new BrokerHarness({ connections: 1 });
			harness.client("a", version, { clean: false });
			const peer = harness.peer(version);
			const connack = peer.connect("b", { clean: false }) as IConnackPacket;
			assert.equal(code(connack), version === 5 ? 0x97 : 3);
			assert.equal(connack.sessionPresent, false);
			assert.ok(peer.closed);
		}
	});

	test("[MQTT-3.1.4-6] [MQTT-3.1.1:3.1.4-5] packets after a refused CONNECT: not processed", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const watcher = harness.client("watcher");
			watcher.subscribe("#");
			const peer = harness.peer(version);
			const connect = {
				cmd: "connect",
				protocolId: "MQTT",
				protocolVersion: version,
				clean: true,
				clientId: "x".repeat(300),
				keepalive: 60,
			};
			const publish = { cmd: "publish", topic: "t", payload: "1", qos: 0, retain: false, dup: false };
			peer.sendRaw(new Uint8Array([...peer.encode(connect), ...peer.encode(publish)]));
			assert.ok(peer.closed);
			assert.deepEqual(watcher.messages(), []);
		}
	});

	test("[MQTT-3.1.3-8] [MQTT-3.1.1:3.1.3-9] a long client identifier: refused with 0x85 or 2", () => {
		for (const version of versions) {
			const peer = new BrokerHarness().peer(version);
			assert.equal(code(peer.connect("x".repeat(300))), version === 5 ? 0x85 : 2);
			assert.ok(peer.closed);
		}
	});

	test("[MQTT-3.1.1:3.1.3-8] MQTT 3.1.1, no client identifier and clean session 0: refused with 2", () => {
		const peer = new BrokerHarness().peer(4).sendRaw(bytes("10 { s'MQTT' 04 00 003c s'' }"));
		assert.equal(code(peer.shift("connack")), 2);
		assert.ok(peer.closed);
	});

	test("[MQTT-3.1.3-5] client identifiers of 1 to 23 letters and digits: accepted", () => {
		const characters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
		for (const version of versions) {
			for (let length = 1; length <= 23; length++) {
				for (const from of [0, 23, 39])
					assert.equal(
						code(new BrokerHarness().peer(version).connect(characters.slice(from, from + length))),
						0,
					);
			}
		}
	});

	test("[MQTT-3.1.3-6] [MQTT-3.1.3-7] [MQTT-3.2.2-16] an empty client identifier: a unique one is assigned and returned", () => {
		const harness = new BrokerHarness();
		const seen = new Set<string | undefined>();
		const peers = [1, 2, 3].map(() => harness.peer(5));
		for (const peer of peers)
			seen.add((peer.connect("") as IConnackPacket).properties?.assignedClientIdentifier);
		assert.equal(seen.size, 3);
		const [first] = seen;
		assert.equal(code(harness.peer(5).connect(first ?? "")), 0);
		assert.ok(peers[0]?.closed, "it is the client's own from now on");
		assert.equal(code(harness.peer(4).connect("")), 0);
		assert.equal(code(harness.peer(4).connect("")), 0);
	});

	test("[MQTT-3.1.3-2] [MQTT-3.1.4-3] [MQTT-3.1.1:3.1.4-2] an identifier in use: the older connection closes", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const old = harness.client("a", version);
			const other = harness.client("b", version);
			harness.client("a", version);
			assert.ok(old.closed && !other.closed);
			if (version === 5) assert.equal((old.shift("disconnect") as IDisconnectPacket).reasonCode, 0x8e);
		}
	});

	test("[MQTT-3.1.2-4] [MQTT-3.1.4-4] [MQTT-3.2.2-2] [MQTT-3.1.1:3.1.2-6] [MQTT-3.1.1:3.1.4-3] [MQTT-3.1.1:3.2.2-1] a CONNECT with clean start: the old session ends, Session Present 0", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const session =
				version === 5 ? { clean: false, properties: { sessionExpiryInterval: 600 } } : { clean: false };
			const old = harness.client("a", version, session);
			old.subscribe("t");
			old.drop();
			const fresh = harness.peer(version);
			const connack = fresh.connect("a") as IConnackPacket;
			assert.equal(connack.sessionPresent, false);
			harness.client("b").publish("t", "1");
			assert.deepEqual(fresh.messages(), []);
		}
	});

	test("[MQTT-3.1.2-6] [MQTT-3.1.1:3.2.2-3] no session to resume: a new session, Session Present 0", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const peer = harness.peer(version);
			assert.equal((peer.connect("a", { clean: false }) as IConnackPacket).sessionPresent, false);
			peer.subscribe("t");
			peer.publish("t", "1");
			assert.deepEqual(peer.messages(), ["t=1"]);
		}
	});

	test("[MQTT-4.12.0-1] [MQTT-4.12.0-4] [MQTT-4.12.0-6] an authentication method: refused with 0x8C; without one: no AUTH is sent", () => {
		const peer = new BrokerHarness().peer(5);
		assert.equal(code(peer.connect("a", { properties: { authenticationMethod: "SCRAM-SHA-1" } })), 0x8c);
		assert.ok(peer.closed);
		const plain = new BrokerHarness().peer(5);
		const connack = plain.connect("a") as IConnackPacket;
		assert.equal(connack.properties?.authenticationMethod, undefined);
		assert.deepEqual(commands(plain), []);
	});
});

describe("closing a connection: server requirements", () => {
	test("[MQTT-3.1.2-22] [MQTT-3.2.2-22] [MQTT-3.1.1:3.1.2-24] no packet for 1.5 times the client's keep alive: the connection closes", () => {
		for (const version of versions) {
			const harness = new BrokerHarness({ keepAliveLimit: 1000 });
			const peer = harness.peer(version);
			const connack = peer.connect("a", { keepalive: 20 }) as IConnackPacket;
			assert.equal(connack.properties?.serverKeepAlive, undefined);
			harness.host.advance(29_900);
			assert.ok(!peer.closed);
			harness.host.advance(200);
			assert.ok(peer.closed);
		}
	});

	test("an error before CONNACK: the connection closes without DISCONNECT", () => {
		for (const packet of ["c0 00", "10 { s'MQTT' 05 02 003c }", "ff ffffffff", "00 00"]) {
			const harness = new BrokerHarness({ connectTimeout: 1000 });
			const peer = harness.peer(5).sendRaw(bytes(packet));
			harness.host.advance(2000);
			assert.ok(peer.closed, packet);
			assert.ok(!commands(peer).includes("disconnect"), packet);
		}
	});

	test("[MQTT-4.13.1-1] [MQTT-4.13.2-1] [MQTT-3.14.4-1] [MQTT-3.14.4-2] [MQTT-3.1.1:4.8.0-1] an error after CONNACK: DISCONNECT in MQTT 5.0, then the connection closes", () => {
		for (const version of versions) {
			for (const [packet, reason] of [
				["c1 00", 0x81],
				[version === 5 ? "32 { s'a' 0000 00 }" : "32 { s'a' 0000 }", 0x82],
				[version === 5 ? "82 { 0001 00 s'a/#/b' 00 }" : "82 { 0001 s'a/#/b' 00 }", 0x81],
			] as const) {
				const peer = new BrokerHarness().client("a", version);
				peer.sendRaw(bytes(`${packet} c0 00`));
				assert.ok(peer.closed);
				assert.deepEqual(
					peer.packets.map((each) => [each.cmd, (each as IDisconnectPacket).reasonCode]),
					version === 5 ? [["disconnect", reason]] : [],
				);
			}
		}
	});

	test("[MQTT-3.12.4-1] PINGREQ: PINGRESP is sent", () => {
		for (const version of versions)
			assert.ok(new BrokerHarness().client("a", version).send({ cmd: "pingreq" }).shift("pingresp"));
	});
});

describe("wills: server requirements", () => {
	const will = { topic: "will", payload: Buffer.from("gone"), qos: 1, retain: false };

	test("[MQTT-3.1.2-7] [MQTT-3.1.2-10] [MQTT-3.1.1:3.1.2-8] [MQTT-3.1.1:3.1.2-12] a lost connection: the will is published once; without a will nothing is published", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const watcher = harness.client("watcher");
			watcher.subscribe("will");
			harness.client("a", version, { will }).drop();
			assert.deepEqual(watcher.messages(), ["will=gone"]);
			harness.client("a", version).drop();
			assert.deepEqual(watcher.messages(), []);
		}
	});

	test("[MQTT-3.14.4-3] DISCONNECT with reason 0: the will is discarded", () => {
		for (const version of versions) {
			const harness = new BrokerHarness();
			const watcher = harness.client("watcher");
			watcher.subscribe("will");
			harness.client("a", version, { will }).send({ cmd: "disconnect", reasonCode: 0 });
			harness.host.advance(1_000_000);
			assert.deepEqual(watcher.messages(), []);
		}
	});

	test("[MQTT-3.1.2-8] [MQTT-3.14.4-3] DISCONNECT with any other reason: the will is published", () => {
		for (const reasonCode of [
			0, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
		]) {
			const harness = new BrokerHarness();
			const watcher = harness.client("watcher");
			watcher.subscribe("will");
			const peer = harness.client("a", 5, { will }).send({ cmd: "disconnect", reasonCode });
			assert.ok(peer.closed);
			assert.deepEqual(watcher.messages(), reasonCode === 0 ? [] : ["will=gone"], `${reasonCode}`);
		}
	});

	test("[MQTT-3.1.2-14] [MQTT-3.1.2-15] [MQTT-3.1.1:3.1.2-16] [MQTT-3.1.1:3.1.2-17] Will Retain 1: the will is retained; 0: it is not", () => {
		for (const version of versions) {
			for (const retain of [false, true]) {
				const harness = new BrokerHarness();
				harness.client("a", version, { will: { ...will, retain } }).drop();
				const late = harness.client("late", version);
				late.subscribe("will");
				assert.deepEqual(late.messages(), retain ? ["will=gone"] : []);
			}
		}
	});

	test("[MQTT-3.1.3-10] user properties of a will: published in their order", () => {
		const harness = new BrokerHarness();
		const watcher = harness.client("watcher");
		watcher.subscribe("will");
		const userProperties = { z: ["1", "2"], a: "3" };
		harness.client("a", 5, { will: { ...will, properties: { userProperties } } }).drop();
		assert.deepEqual({ ...watcher.publishes()[0]?.properties?.userProperties }, userProperties);
	});
});
