import assert from "node:assert/strict";
import { mock, test } from "node:test";
import type { IPubcompPacket, IPubrelPacket } from "mqtt-packet";
import {
	CONTENT_KIND,
	ENTRY_KIND,
	SESSION_KIND,
	SUBSCRIPTION_KIND,
	TransactionalStore,
	VALUE_KIND,
} from "../../src/broker/persist/transactional-store";
import { Memory } from "../../src/broker/pool/memory";
import { Tables } from "../../src/broker/pool/tables";
import { defaults } from "../../src/config/defaults";
import type { ListenSettings } from "../../src/config/settings";
import { BrokerHarness } from "./support/broker-harness";
import { PowerCutStorage } from "./support/power-cut-storage";

const PERSIST_INTERVAL_MS = 60_000;
const persistent = { clean: false, keepalive: 0, properties: { sessionExpiryInterval: 1000 } };
const { retainedTopics, sessions, subscriptions, queuedMessages } = defaults.listen;

function restart(flash: PowerCutStorage, settings: Partial<ListenSettings> = {}): BrokerHarness {
	return new BrokerHarness(settings, new PowerCutStorage(flash.values));
}

/** A stored state in which a client has sent some QoS 2 messages and released none. */
function storeIdentifiers(identifiers: readonly number[]): PowerCutStorage {
	const flash = new PowerCutStorage();
	const harness = new BrokerHarness({}, flash);
	harness.client("other", 5, persistent);
	const client = harness.client("a", 5, persistent);
	for (const messageId of identifiers) client.publish("t", "1", { qos: 2, messageId });
	harness.host.advance(PERSIST_INTERVAL_MS);
	return flash;
}

/** Releases identifiers and returns which of them the broker knew. */
function release(harness: BrokerHarness, identifiers: readonly number[]): number[] {
	const client = harness.client("a", 5, persistent);
	const known: number[] = [];
	for (const messageId of identifiers) {
		client.send({ cmd: "pubrel", messageId });
		const pubcomp = client.shift("pubcomp") as IPubcompPacket & { reasonCode?: number };
		if ((pubcomp.reasonCode ?? 0) === 0) known.push(messageId);
	}
	harness.host.advance(PERSIST_INTERVAL_MS);
	return known;
}

test("identifiers of incoming QoS 2 messages: restored, also into pools of other sizes", () => {
	const flash = storeIdentifiers([1, 7, 300]);
	assert.deepEqual(release(restart(flash), [1, 7, 8, 300]), [1, 7, 300]);
	for (const settings of [{ queuedMessages: 3 }, { queuedMessages: 80 }, { sessions: 20 }]) {
		const moved = new PowerCutStorage(flash.values);
		assert.deepEqual(release(new BrokerHarness(settings, moved), [7, 8]), [7]);
		assert.deepEqual(release(restart(moved), [1, 7, 8, 300]), [1, 300]);
	}
	const fewer = restart(flash, { receiveMaximum: 2 });
	assert.match(fewer.host.traces.join(), /1 messages/);
	assert.equal(release(fewer, [1, 7, 300]).length, 2);
});

test("identifiers that an earlier version has stored, a record for each: restored and converted", () => {
	const flash = storeIdentifiers([5]);
	const sizes = [retainedTopics, sessions, subscriptions, queuedMessages, queuedMessages];
	const store = new TransactionalStore(new Memory(0, 0, 512), flash.open(), sizes);
	store.loadCommit(new Tables());
	for (const kind of [VALUE_KIND, SESSION_KIND, SUBSCRIPTION_KIND, CONTENT_KIND, ENTRY_KIND] as const)
		for (let i = 1; i < store.dirtyFlags[kind].states.length; i++) store.readRecord(kind, i);
	store.drop(ENTRY_KIND, queuedMessages + 2);
	for (const [record, packetId] of [
		[3, 9],
		[2, 65_535],
	]) {
		const { codec } = store;
		codec.startWriting();
		codec.writeU16(2);
		codec.writeU8(1);
		codec.writeU8(0);
		codec.writeU16(packetId);
		codec.writeU16(0);
		codec.writeU32(0);
		codec.writeU32(record);
		store.put(ENTRY_KIND, record);
	}
	store.commit();
	const entryKeys = () => [...flash.values.keys()].filter((key) => key.startsWith("q"));
	assert.deepEqual(entryKeys().sort(), ["q2a", "q3a"]);
	const harness = new BrokerHarness({}, flash);
	assert.deepEqual(entryKeys(), ["q66a"]);
	assert.deepEqual(release(harness, [5, 9]), [9]);
	assert.deepEqual(release(restart(flash), [9, 65_535]), [65_535]);
});

test("messages in flight that were not kept: after a restart PUBREL for QoS 2, nothing for QoS 1", () => {
	const settings = { queuedBytes: 128 };
	const flash = new PowerCutStorage();
	const harness = new BrokerHarness(settings, flash);
	const peer = harness.client("a", 5, persistent);
	peer.subscribe("#", { qos: 2 });
	const sender = harness.client("sender");
	sender.publish("t", "x".repeat(200), { qos: 1, messageId: 1 });
	sender.publish("t", "y".repeat(200), { qos: 2, messageId: 2 });
	const [, { messageId }] = peer.publishes();
	harness.host.advance(PERSIST_INTERVAL_MS);
	const later = restart(flash, settings);
	const again = later.client("a", 5, persistent);
	assert.deepEqual(
		again.packets.map((packet) => [packet.cmd, (packet as IPubrelPacket).messageId]),
		[["pubrel", messageId]],
	);
	again.send({ cmd: "pubcomp", messageId });
	assert.equal(later.broker.usage.queued, 0);
});

test("a QoS 2 message sent after the last commit: its identifier is not that of the next one", () => {
	const flash = new PowerCutStorage();
	const harness = new BrokerHarness({}, flash);
	const client = harness.client("a", 5, persistent);
	client.subscribe("t", { qos: 2 });
	harness.host.advance(PERSIST_INTERVAL_MS);
	harness.client("sender").publish("t", "1", { qos: 2, messageId: 1 });
	const [received] = client.publishes();
	const random = mock.method(Math, "random", () => 0.5);
	const later = restart(flash);
	const again = later.client("a", 5, persistent);
	later.client("sender").publish("t", "2", { qos: 2, messageId: 1 });
	random.mock.restore();
	const [next] = again.publishes();
	assert.equal(String(next.payload), "2");
	assert.notEqual(next.messageId, received.messageId);
});
