import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { IDLE, PUBACK_PENDING, PUBCOMP_PENDING, PUBREC_PENDING } from "../../src/session/delivery";
import { InFlight } from "../../src/session/in-flight";
import { IncomingIds } from "../../src/session/incoming-ids";

const time = { delta: (start: number, end = 0) => end - start };

describe("in flight", () => {
	// [MQTT-2.2.1-3] [MQTT-4.3.2-1] [MQTT-3.1.1:2.3.1-2]
	test("identifiers increase, skip those in use, and wrap to 1", () => {
		const table = new InFlight(3);
		table.add(table.nextPacketId(), PUBACK_PENDING, 0);
		assert.equal(table.state(1), PUBACK_PENDING);
		for (let id = 2; id <= 65_535; id++) {
			assert.equal(table.nextPacketId(), id);
			table.add(id, PUBACK_PENDING, 0);
			table.setState(id, IDLE, 0);
		}
		assert.equal(table.nextPacketId(), 2, "0 is never one, 1 is in use");
		table.setState(1, IDLE, 0);
		assert.equal(table.nextPacketId(), 1);
	});

	test("the age is that of the oldest message", () => {
		const table = new InFlight(3);
		assert.equal(table.longestWaitMs(time, 100), 0);
		table.add(1, PUBACK_PENDING, 10);
		table.add(2, PUBACK_PENDING, 20);
		table.add(3, PUBACK_PENDING, 30);
		assert.equal(table.longestWaitMs(time, 100), 90);
		table.setState(1, IDLE, 0);
		assert.equal(table.longestWaitMs(time, 100), 80);
		table.restartWaits(95);
		assert.equal(table.longestWaitMs(time, 100), 5);
		table.clear();
		assert.equal(table.count, 0);
	});

	test("a tag stays with its messages through all states, until it is removed", () => {
		const table = new InFlight(4);
		const tag = (packetId: number) => table.tagAt(table.find(packetId));
		table.add(65_535, PUBREC_PENDING, 0, 0xffff_ffff);
		table.add(2, PUBACK_PENDING, 0, 7);
		table.add(3, PUBACK_PENDING, 0, 7);
		table.add(4, PUBACK_PENDING, 0);
		assert.deepEqual([tag(65_535), tag(2), tag(4), tag(5)], [0xffff_ffff, 7, 0, 0]);
		assert.equal(table.smallestTag, 7);
		table.setState(65_535, PUBCOMP_PENDING, 1);
		assert.equal(table.state(65_535), PUBCOMP_PENDING);
		assert.equal(tag(65_535), 0xffff_ffff);
		table.setState(2, IDLE, 1);
		assert.ok(table.hasTag(7), "of another packet");
		table.removeTag(7);
		assert.ok(!table.hasTag(7));
		assert.equal(table.state(3), PUBACK_PENDING, "it is still in flight");
		assert.equal(table.smallestTag, 0xffff_ffff);
	});

	test("behaves like a map of states and times", () => {
		const step = fc.record({
			id: fc.integer({ min: 1, max: 20 }),
			to: fc.constantFrom("add 1", "add 2", "released", "idle"),
		});
		fc.assert(
			fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
				const table = new InFlight(8);
				const model = new Map<number, { state: number; since: number }>();
				let now = 0;
				for (const { id, to } of steps) {
					now += 10;
					if (to === "add 1" || to === "add 2") {
						if (table.count === table.capacity) continue;
						const state = to === "add 1" ? PUBACK_PENDING : PUBREC_PENDING;
						const free = table.nextPacketId();
						assert.ok(!model.has(free) && free > 0 && free < 65_536, `${free}`);
						table.add(free, state, now);
						model.set(free, { state, since: now });
					} else if (to === "idle") {
						table.setState(id, IDLE, now);
						model.delete(id);
					} else if (model.get(id)?.state === PUBREC_PENDING) {
						table.setState(id, PUBCOMP_PENDING, now);
						model.set(id, { state: PUBCOMP_PENDING, since: now });
					}
					const entries = [...model.values()];
					assert.equal(table.count, entries.length);
					assert.equal(
						table.hasQos2,
						entries.some(({ state }) => state !== PUBACK_PENDING),
					);
					for (let each = 1; each < 120; each++)
						assert.equal(table.state(each), model.get(each)?.state ?? IDLE, `state of ${each}`);
					const oldest = Math.min(...entries.map(({ since }) => since));
					assert.equal(table.longestWaitMs(time, now), entries.length === 0 ? 0 : now - oldest);
				}
			}),
		);
	});
});

test("received identifiers behave like a set", () => {
	fc.assert(
		fc.property(
			fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 6 })), { maxLength: 60 }),
			(steps) => {
				const ids = new IncomingIds(4);
				const model = new Set<number>();
				for (const [add, id] of steps) {
					if (!add) assert.equal(ids.remove(id), model.delete(id));
					else if (!ids.full && !ids.has(id)) {
						ids.add(id);
						model.add(id);
					}
					assert.equal(ids.full, model.size === 4);
					for (let each = 1; each <= 6; each++) assert.equal(ids.has(each), model.has(each));
				}
				ids.clear();
				assert.ok(!ids.has(1) && !ids.full);
			},
		),
	);
});
