import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Memory } from "../../src/broker/memory";
import { Message } from "../../src/broker/message";
import { Queues } from "../../src/broker/queues";

const SESSIONS = 3;

test("queues against a model: order, shared contents, acknowledgements out of order, limits", () => {
	const session = fc.integer({ min: 1, max: SESSIONS });
	const step = fc.oneof(
		{
			weight: 4,
			arbitrary: fc.record({
				do: fc.constant("push" as const),
				to: fc.uniqueArray(session, { minLength: 1 }),
				size: fc.nat({ max: 30 }),
				qos: fc.nat({ max: 1 }),
			}),
		},
		{ weight: 3, arbitrary: fc.record({ do: fc.constant("send" as const), session }) },
		{ weight: 2, arbitrary: fc.record({ do: fc.constant("acknowledge" as const), session, which: fc.nat({ max: 4 }) }) },
		{ weight: 1, arbitrary: fc.record({ do: fc.constant("yield" as const), session }) },
		{ weight: 1, arbitrary: fc.record({ do: fc.constant("clear" as const), session }) },
	);
	fc.assert(
		fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
			const queues = new Queues(new Memory(120, 0), SESSIONS, 10, 120, 5);
			const waiting: { mark: number; size: number; qos: number }[][] = [[], [], [], []];
			const underWay: number[][] = [[], [], [], []];
			let mark = 0;
			let packetId = 0;
			const out = new Message(new Uint8Array(0));
			for (const action of steps) {
				if (action.do === "push") {
					mark = (mark + 1) & 0xff;
					const message = new Message(new Uint8Array(action.size).fill(mark));
					message.payloadEnd = action.size;
					queues.begin();
					for (const to of action.to) {
						const own = waiting[to].length + underWay[to].length;
						const pushed = queues.push(to, message, action.qos << 1, 0);
						if (pushed) waiting[to].push({ mark, size: action.size, qos: action.qos });
						assert.ok(!pushed || own < 5);
					}
				} else if (action.do === "clear") {
					queues.clear(action.session);
					waiting[action.session] = [];
					underWay[action.session] = [];
				} else if (action.do === "yield") {
					const list = waiting[action.session];
					const index = list.findIndex(({ qos }) => qos === 0);
					assert.equal(queues.yield(action.session), index >= 0);
					if (index >= 0) list.splice(index, 1);
				} else if (action.do === "acknowledge") {
					const id = underWay[action.session][action.which];
					assert.equal(queues.acknowledge(action.session, id ?? 0xffff), id !== undefined);
					if (id !== undefined) underWay[action.session].splice(action.which, 1);
				} else {
					const entry = queues.first(action.session);
					const first = waiting[action.session].shift();
					assert.equal(entry !== 0, first !== undefined);
					if (first === undefined) continue;
					queues.read(entry, out);
					assert.equal(out.payloadEnd - out.payloadStart, first.size);
					assert.ok(out.bytes.subarray(out.payloadStart, out.payloadEnd).every((byte) => byte === first.mark));
					assert.equal(queues.flags(entry) >> 1, first.qos);
					if (first.qos === 0) queues.drop(action.session);
					else {
						queues.sent(action.session, ++packetId);
						underWay[action.session].push(packetId);
						assert.ok(queues.busy(action.session, packetId));
					}
				}
				let entries = 0;
				for (let i = 1; i <= SESSIONS; i++) {
					assert.equal(queues.waiting[i], waiting[i].length);
					assert.equal(queues.underWay[i], underWay[i].length);
					entries += waiting[i].length + underWay[i].length;
				}
				assert.equal(queues.free, 10 - entries);
			}
			for (let i = 1; i <= SESSIONS; i++) queues.clear(i);
			assert.equal(queues.free, 10);
			assert.equal(queues.contents.arena.count, 0);
		}),
	);
});
