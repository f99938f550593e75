import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Memory } from "../../src/broker/pool/memory";
import { Message } from "../../src/broker/pool/message";
import { acknowledge, isPacketIdInUse } from "../../src/broker/session/acknowledgement";
import { OutgoingQueues } from "../../src/broker/session/outgoing-queues";
import { dropOldestQos0, takeBack as takeBackFrom } from "../../src/broker/session/queue-release";
import { suspend } from "../../src/broker/session/queue-suspension";
import {
	COMPLETE,
	IGNORE,
	PROTOCOL_VIOLATION,
	PUBACK_ARRIVES,
	PUBCOMP_ARRIVES,
	PUBREC_ARRIVES,
	SEND_PUBREL,
	SEND_PUBREL_NOT_FOUND,
} from "../../src/session/delivery";

const SESSIONS = 3;

interface ModelEntry {
	fillByte: number;
	size: number;
	qos: number;
	/** Packet identifier; 0: not sent yet. */
	id: number;
	released: boolean;
	/** Its content is stored. */
	kept: boolean;
}

/** What takeBack() of queue-release.ts does, by the model. */
function takeBack(
	waiting: ModelEntry[],
	inFlight: ModelEntry[],
	bytes: boolean,
	addUntracked: (entry: ModelEntry) => void,
): number {
	for (const isCandidate of [
		({ qos, released }: ModelEntry) => qos === 0 && !released,
		({ id }: ModelEntry) => id === 0,
	]) {
		const index = waiting.findIndex(isCandidate);
		if (index < 0) continue;
		waiting.splice(index, 1);
		return 1;
	}
	const begun = waiting.find(({ kept }) => kept);
	if (begun !== undefined) {
		if (bytes && begun.qos === 2) {
			begun.kept = false;
			begun.released = true;
		} else waiting.splice(waiting.indexOf(begun), 1);
		return 1;
	}
	if (bytes) inFlight.find(({ kept }) => kept)!.kept = false;
	else if (inFlight.length === 0) waiting.shift();
	else {
		addUntracked(inFlight.shift()!);
	}
	return 0;
}

test("random queue operations: order, contents, QoS 2 state and limits agree with a model", () => {
	const session = fc.integer({ min: 1, max: SESSIONS });
	const step = fc.oneof(
		{
			weight: 4,
			arbitrary: fc.record({
				do: fc.constant("push" as const),
				to: fc.uniqueArray(session, { minLength: 1 }),
				size: fc.nat({ max: 30 }),
				qos: fc.nat({ max: 2 }),
			}),
		},
		{ weight: 4, arbitrary: fc.record({ do: fc.constant("send" as const), session }) },
		{
			weight: 3,
			arbitrary: fc.record({
				do: fc.constant("finish" as const),
				session,
				which: fc.nat({ max: 4 }),
				qos: fc.constantFrom(1, 2),
			}),
		},
		{
			weight: 2,
			arbitrary: fc.record({ do: fc.constant("release" as const), session, which: fc.nat({ max: 4 }) }),
		},
		{
			weight: 2,
			arbitrary: fc.record({ do: fc.constant("take" as const), session, id: fc.integer({ min: 1, max: 4 }) }),
		},
		{
			weight: 2,
			arbitrary: fc.record({
				do: fc.constant("untake" as const),
				session,
				id: fc.integer({ min: 1, max: 4 }),
			}),
		},
		{ weight: 1, arbitrary: fc.record({ do: fc.constant("yield" as const), session }) },
		{
			weight: 2,
			arbitrary: fc.record({ do: fc.constant("takeBack" as const), session, bytes: fc.boolean() }),
		},
		{ weight: 1, arbitrary: fc.record({ do: fc.constant("suspend" as const), session }) },
		{ weight: 1, arbitrary: fc.record({ do: fc.constant("clear" as const), session }) },
	);
	fc.assert(
		fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
			const memory = new Memory(120, 1000);
			const queues = new OutgoingQueues(memory, SESSIONS, 12, 120, 5, 5, 3);
			const waiting: ModelEntry[][] = [[], [], [], []];
			const inFlight: ModelEntry[][] = [[], [], [], []];
			const untracked = [0, 0, 0, 0];
			/** Of QoS 2, and received by the client: they wait for PUBCOMP. */
			const received = [0, 0, 0, 0];
			const incomingQos2: Set<number>[] = [new Set(), new Set(), new Set(), new Set()];
			let fillByte = 0;
			let packetId = 0;
			const out = new Message(new Uint8Array(0));
			for (const action of steps) {
				if (action.do === "push") {
					fillByte = (fillByte + 1) & 0xff;
					const message = new Message(memory.bytes.fill(fillByte, memory.receiveStart));
					for (const at of ["topicStart", "topicEnd", "propertiesStart", "propertiesEnd"] as const)
						message[at] = memory.receiveStart;
					message.payloadStart = memory.receiveStart;
					message.payloadEnd = memory.receiveStart + action.size;
					queues.contents.beginMessage();
					for (const session of action.to) {
						const queueLength = waiting[session].length + inFlight[session].length;
						const pushed = queues.push(session, message, action.qos << 1, 0, 0);
						if (pushed)
							waiting[session].push({
								fillByte,
								size: (action.size + 7) & -8,
								qos: action.qos,
								id: 0,
								released: false,
								kept: true,
							});
						assert.ok(!pushed || queueLength < 5);
					}
					queues.contents.endMessage();
				} else if (action.do === "clear") {
					queues.clear(action.session);
					waiting[action.session] = [];
					inFlight[action.session] = [];
					untracked[action.session] = 0;
					received[action.session] = 0;
					incomingQos2[action.session].clear();
				} else if (action.do === "suspend") {
					const { session } = action;
					const unkept = inFlight[session].filter(({ kept, released }) => !kept && !released);
					assert.equal(suspend(queues, session), untracked[session] + unkept.length);
					for (const entry of unkept) entry.released = entry.qos === 2;
					waiting[session] = [
						...inFlight[session].filter(({ kept, released }) => kept || released),
						...waiting[session].filter(({ qos }) => qos > 0),
					];
					inFlight[session] = [];
					untracked[session] = 0;
					received[session] = 0;
				} else if (action.do === "takeBack") {
					const { session, bytes } = action;
					if ((bytes ? queues.bytes(session) : queues.entries(session)) === 0) continue;
					assert.equal(
						takeBackFrom(queues, session, bytes),
						takeBack(
							waiting[session],
							inFlight[session],
							bytes,
							(entry) => (entry.released ? received : untracked)[session]++,
						),
					);
				} else if (action.do === "yield") {
					const list = waiting[action.session];
					const index = list.findIndex(({ qos }) => qos === 0);
					assert.equal(dropOldestQos0(queues, action.session), index >= 0);
					if (index >= 0) list.splice(index, 1);
				} else if (action.do === "take") {
					if (incomingQos2[action.session].has(action.id)) continue;
					const ids = incomingQos2[action.session];
					assert.equal(queues.incomingQos2.add(action.session, action.id), ids.size < 3);
					if (ids.size < 3) ids.add(action.id);
				} else if (action.do === "untake") {
					assert.equal(
						queues.incomingQos2.delete(action.session, action.id),
						incomingQos2[action.session].delete(action.id),
					);
				} else if (action.do === "release") {
					const entry = inFlight[action.session][action.which];
					const counted = untracked[action.session] + received[action.session];
					assert.equal(
						acknowledge(queues, action.session, entry?.id ?? 0xffff, PUBREC_ARRIVES),
						entry === undefined
							? counted > 0
								? SEND_PUBREL
								: SEND_PUBREL_NOT_FOUND
							: entry.qos === 2
								? SEND_PUBREL
								: PROTOCOL_VIOLATION,
					);
					if (entry === undefined && untracked[action.session] > 0) {
						untracked[action.session]--;
						received[action.session]++;
					}
					if (entry?.qos === 2) {
						entry.released = true;
						entry.kept = false;
					}
				} else if (action.do === "finish") {
					const list = inFlight[action.session];
					const entry = list[action.which];
					const due = entry?.qos === action.qos && entry.released === (action.qos === 2);
					const counts = action.qos === 2 && received[action.session] > 0 ? received : untracked;
					assert.equal(
						acknowledge(
							queues,
							action.session,
							entry?.id ?? 0xffff,
							action.qos === 1 ? PUBACK_ARRIVES : PUBCOMP_ARRIVES,
						),
						entry === undefined
							? counts[action.session] > 0
								? COMPLETE
								: IGNORE
							: due
								? COMPLETE
								: PROTOCOL_VIOLATION,
					);
					if (entry === undefined && counts[action.session] > 0) counts[action.session]--;
					if (due) list.splice(action.which, 1);
				} else {
					const { session } = action;
					const entry = queues.firstWaiting(session);
					const first = waiting[session].shift();
					assert.equal(entry !== 0, first !== undefined);
					if (first === undefined) continue;
					assert.equal(queues.table.packetId(entry), first.id);
					assert.equal(queues.released(entry), first.released);
					assert.equal(
						queues.flags(entry),
						(first.qos << 1) | (first.id !== 0 && !first.released ? 8 : queues.flags(entry) & 8),
					);
					if (!first.released) {
						queues.read(entry, out);
						assert.equal((out.payloadEnd - out.payloadStart + 7) & -8, first.size);
						assert.ok(
							out.bytes.subarray(out.payloadStart, out.payloadEnd).every((byte) => byte === first.fillByte),
						);
					}
					if (first.qos === 0) queues.dropFirst(session);
					else {
						if (first.id === 0) first.id = ++packetId;
						else assert.ok(isPacketIdInUse(queues, session, first.id));
						queues.moveToInFlight(session, first.id, true);
						inFlight[session].push(first);
						assert.ok(isPacketIdInUse(queues, session, first.id));
					}
				}
				let entries = 0;
				for (let i = 1; i <= SESSIONS; i++) {
					assert.equal(queues.waiting(i), waiting[i].length);
					assert.equal(queues.inFlight(i), inFlight[i].length + untracked[i] + received[i]);
					const entriesOfSession = [...waiting[i], ...inFlight[i]];
					assert.equal(queues.entries(i), entriesOfSession.length);
					assert.equal(
						queues.bytes(i),
						entriesOfSession.reduce((sum, { kept, size }) => sum + (kept ? size : 0), 0),
					);
					assert.equal(queues.incomingQos2.count(i), incomingQos2[i].size);
					for (let id = 1; id <= 4; id++)
						assert.equal(queues.incomingQos2.has(i, id), incomingQos2[i].has(id));
					entries += waiting[i].length + inFlight[i].length;
				}
				assert.equal(queues.free, 12 - entries);
			}
			for (let i = 1; i <= SESSIONS; i++) queues.clear(i);
			assert.equal(queues.free, 12);
			assert.equal(queues.contents.arena.count, 0);
		}),
		{ numRuns: 300 },
	);
});
