import assert from "node:assert/strict";
import { test } from "node:test";
import { Memory } from "../../src/broker/pool/memory";
import { Message } from "../../src/broker/pool/message";
import { Messages } from "../../src/broker/pool/messages";
import { Tables } from "../../src/broker/pool/tables";
import { IncomingQos2 } from "../../src/broker/session/incoming-qos2";
import { PartialPackets } from "../../src/broker/session/partial-packets";
import { QueueEntries } from "../../src/broker/session/queue-entries";
import { Sessions } from "../../src/broker/session/sessions";
import { Subscriptions } from "../../src/broker/topics/subscriptions";
import { TopicTree } from "../../src/broker/topics/topic-tree";
import { ReportRecord } from "../../src/sensor/outbox/report-record";
import { Ring } from "../../src/sensor/outbox/ring";
import { RetainedState } from "../../src/sensor/retained/retained-state";
import { PUBACK_PENDING } from "../../src/session/delivery";
import { InFlight } from "../../src/session/in-flight";
import { account, takeViolations } from "./pool-assertions";

const filter = new TextEncoder().encode("a/b");

function assertViolation(action: () => void, message: RegExp): void {
	assert.throws(action, message);
	const found = takeViolations();
	assert.ok(found.length === 1 && message.test(found[0]!), `${found}`);
}

/** Calls what TypeScript keeps private. */
function release(pool: object, place: number): void {
	(pool as unknown as { release(place: number): void }).release(place);
}

test("an arena: a record released twice, never allocated, or used after its release", () => {
	const arena = new Memory(64, 16).arena(64, 4);
	const record = arena.allocate(8);
	arena.release(record);
	assertViolation(() => arena.release(record), /Arena: 1 is released, but not in use/);
	assertViolation(() => arena.release(0), /Arena: 0 is released/);
	assertViolation(() => arena.offset(record), /offset\(1\): not a place of Arena in use/);
	assertViolation(() => arena.size(9), /size\(9\)/);
	const other = new Memory(64, 16).arena(64, 4);
	assert.equal(other.allocate(8), record, "each arena has an account of its own");
});

test("a damaged list of free places: a place that is in use, or none, is handed out", () => {
	class Damaged {
		place = 1;
		allocate(): number {
			return this.place;
		}
		release(_place: number): void {}
	}
	account(Damaged, "allocate", "release", []);
	const pool = new Damaged();
	pool.allocate();
	assertViolation(() => pool.allocate(), /Damaged: 1 is allocated while it is in use/);
	pool.release(1);
	assert.equal(pool.allocate(), 1);
	pool.place = Number.NaN;
	assertViolation(() => pool.allocate(), /Damaged: NaN is no place/);
});

test("queue entries: one released twice, or used after its release", () => {
	const entries = new QueueEntries(new Tables(), 2);
	const entry = entries.allocate(1, 0, 0, 0);
	entries.release(entry);
	assertViolation(() => entries.release(entry), /QueueEntries: 1 is released/);
	assertViolation(() => entries.setPacketId(entry, 5), /setPacketId\(1, 5\)/);
	assertViolation(() => entries.next(0), /next\(0\)/);
});

test("subscriptions and their levels: removed twice, or used afterwards", () => {
	const memory = new Memory(256, 16);
	memory.bytes.set(filter, memory.receiveStart);
	const end = memory.receiveStart + filter.length;
	const subscriptions = new Subscriptions(memory, 2, 2, 8, 64);
	const subscription = subscriptions.add(1, memory.receiveStart, end, 0, 0, 0);
	subscriptions.removeAll(1);
	assertViolation(() => release(subscriptions, subscription), /Subscriptions: 1 is released/);
	assertViolation(() => subscriptions.qos(subscription), /qos\(1\)/);
	const tree = new TopicTree(memory, 4, 64);
	const node = tree.add(memory.receiveStart, end);
	tree.remove(node);
	assertViolation(() => tree.remove(node), /TopicTree: no filter ends at node/);
});

test("sessions: one removed twice, or whose client identifier is read afterwards", () => {
	const sessions = new Sessions(new Memory(64, 16), 2, 64);
	const session = sessions.add(0, filter, 0, filter.length);
	sessions.remove(session);
	assertViolation(() => sessions.identifierStart(session), /identifierStart\(1\)/);
	const violations: string[] = [];
	assert.throws(() => sessions.remove(session), /Sessions: 1 is released/);
	violations.push(...takeViolations());
	assert.equal(violations.length, 1);
});

test("a message longer than its record", () => {
	const memory = new Memory(64, 16);
	const messages = new Messages(memory, memory.arena(64, 2), 2);
	const message = new Message(memory.bytes);
	message.payloadEnd = 8;
	const record = messages.add(message);
	message.payloadEnd = 9;
	assertViolation(() => messages.overwrite(record, message), /longer than its record/);
});

test("partial packets and identifiers of QoS 2: more than there is room for, twice, or none", () => {
	const memory = new Memory(16, 32);
	const parts = new PartialPackets(memory, 16, 2);
	parts.append(1, memory.receiveStart, 10);
	assertViolation(() => parts.append(2, memory.receiveStart, 7), /there is no room for it/);
	const identifiers = new IncomingQos2(new Tables(), 2, 2);
	identifiers.add(1, 7);
	assertViolation(() => identifiers.add(1, 7), /add\(1, 7\)/);
	assertViolation(() => identifiers.add(0, 7), /add\(0, 7\)/);
	assertViolation(() => identifiers.add(1, 0), /add\(1, 0\)/);
});

test("messages in flight: more than the capacity, or an identifier twice", () => {
	const inFlight = new InFlight(2);
	inFlight.add(1, PUBACK_PENDING, 0);
	assertViolation(() => inFlight.add(1, PUBACK_PENDING, 0), /add\(1, /);
	inFlight.add(2, PUBACK_PENDING, 0);
	assertViolation(() => inFlight.add(3, PUBACK_PENDING, 0), /all places are taken/);
});

test("the ring of the outbox: an index beyond it, or a record without room", () => {
	const retained = new RetainedState(new Uint8Array(1024), 1, 1, 256);
	retained.restore();
	const ring = new Ring(retained);
	assertViolation(() => ring.stateAt(ring.freeBytes), /an index beyond the ring/);
	const record = new ReportRecord();
	record.reset(0, false);
	record.addValue(0, 20);
	record.length = ring.freeBytes + 1;
	assertViolation(() => ring.appendRecord(record), /there is no room for the record/);
});
