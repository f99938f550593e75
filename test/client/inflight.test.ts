import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { InFlight } from "../../src/client/in-flight";
import { IncomingQos2Ids } from "../../src/client/incoming-qos2";
import { PUBACK } from "../../src/mqtt/constants";

const time = { delta: (start: number, end = 0) => end - start };

describe("in flight", () => {
	// [MQTT-2.2.1-3] [MQTT-4.3.2-1] [MQTT-3.1.1:2.3.1-2]
	test("identifiers increase, skip those in use, and wrap to 1", () => {
		const table = new InFlight(3);
		table.add(table.nextPacketId(), 0);
		assert.equal(table.awaitedPacketType(1), PUBACK);
		for (let id = 2; id <= 65_535; id++) {
			assert.equal(table.nextPacketId(), id);
			table.add(id, 0);
			table.remove(id);
		}
		assert.equal(table.nextPacketId(), 2, "0 is never one, 1 is in use");
		table.remove(1);
		assert.equal(table.nextPacketId(), 1);
	});

	test("the age is that of the oldest message", () => {
		const table = new InFlight(3);
		assert.equal(table.longestWaitMs(time, 100), 0);
		table.add(1, 10);
		table.add(2, 20);
		table.add(3, 30);
		assert.equal(table.longestWaitMs(time, 100), 90);
		table.remove(1);
		assert.equal(table.longestWaitMs(time, 100), 80);
		table.restartWaits(95);
		assert.equal(table.longestWaitMs(time, 100), 5);
		table.clear();
		assert.equal(table.count, 0);
	});

	test("behaves like a map", () => {
		fc.assert(
			fc.property(
				fc.array(fc.oneof(fc.constant("add" as const), fc.nat(20)), { maxLength: 100 }),
				(steps) => {
					const table = new InFlight(8);
					const model = new Map<number, number>();
					let now = 0;
					for (const step of steps) {
						now += 10;
						if (step === "add") {
							if (table.count === table.capacity) continue;
							const id = table.nextPacketId();
							assert.ok(!model.has(id) && id > 0 && id < 65_536);
							table.add(id, now);
							model.set(id, now);
						} else {
							table.remove(step);
							model.delete(step);
						}
						assert.equal(table.count, model.size);
						for (let id = 1; id < 40; id++)
							assert.equal(table.awaitedPacketType(id) === PUBACK, model.has(id));
						assert.equal(
							table.longestWaitMs(time, now),
							model.size === 0 ? 0 : now - Math.min(...model.values()),
						);
					}
				},
			),
		);
	});
});

test("received identifiers behave like a set", () => {
	fc.assert(
		fc.property(
			fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 6 })), { maxLength: 60 }),
			(steps) => {
				const ids = new IncomingQos2Ids(4);
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
