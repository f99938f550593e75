import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Random } from "../../../sim/clock/random";
import { expireAfter, longestGap } from "../../../src/sensor/discovery/expiry";
import { HOUR, MINUTE } from "../support/payloads";
import { settings } from "../support/test-board";
import { AnnouncedBoard, CONFIG_TOPIC, discovery } from "./announced-board";
import { readDeviceConfig, SensorEntity } from "./rules";

const DAY = 24 * HOUR;
const REPORT_TOPIC = "home/node/temperature";
const steady = {
	discovery: discovery(["homeassistant"]),
	sensors: [{ every: 10 * MINUTE, delta: 0.5, heartbeat: HOUR }],
};

test("the longest gap is a whole number of samples; without a heartbeat there is none, and no expiry", () => {
	const rows = [
		[{ every: MINUTE }, MINUTE, 150],
		[{ every: 1000 }, 1000, 60],
		[{ every: MINUTE, delta: 1, heartbeat: 90_000 }, 2 * MINUTE, 300],
		[{ every: 7 * MINUTE, delta: 1, heartbeat: HOUR }, 63 * MINUTE, 9450],
		[{ every: MINUTE, delta: 0 }, Infinity, undefined],
		[{ every: MINUTE, heartbeat: HOUR }, MINUTE, 150],
	] as const;
	for (const [sensor, gap, expiry] of rows) {
		const [complete] = settings({ sensors: [sensor] }).sensors;
		assert.deepEqual([longestGap(complete!), expireAfter(complete!)], [gap, expiry], JSON.stringify(sensor));
	}
});

describe("a month of sleep with an hourly heartbeat", () => {
	/** Times, in ms, at which the entity was looked at and not available. */
	function unavailableTimes(node: AnnouncedBoard, from: number): number[] {
		const entity = new SensorEntity(
			readDeviceConfig(CONFIG_TOPIC, node.payloads(CONFIG_TOPIC)[0]!).components.temperature!,
		);
		const arrivals = node.broker.packets.flatMap((packet, i) =>
			packet.cmd === "publish" && packet.topic === REPORT_TOPIC
				? [[node.broker.times[i]!, packet.payload.toString()] as const]
				: [],
		);
		const times: number[] = [];
		let next = 0;
		for (let time = from; time < node.board.time; time += MINUTE) {
			for (; next < arrivals.length && arrivals[next]![0] <= time; next++) entity.receive(...arrivals[next]!);
			if (!entity.isAvailable(time)) times.push(time);
		}
		return times;
	}

	test("never shows the sleeper as unavailable, and it wakes Wi-Fi once an hour", () => {
		const node = new AnnouncedBoard(steady);
		node.board.sleepDrift = 0.01;
		node.board.run(30 * DAY);
		assert.equal(node.payloads(CONFIG_TOPIC).length, 1);
		assert.ok(Math.abs(node.payloads(REPORT_TOPIC).length - 30 * 24) < 12);
		assert.deepEqual(unavailableTimes(node, MINUTE), []);
	});

	test("nor when single reports fail: Wi-Fi does not come, the broker does not answer, the node crashes", () => {
		const random = new Random(1, "faults");
		let silent = false;
		const node = new AnnouncedBoard(steady, { answer: (packet) => silent && packet.cmd === "connect" });
		node.board.run(2 * HOUR);
		let faults = 0;
		for (let hour = 0; hour < 30 * 24; hour += 6) {
			// One report in six hours fails at first, in its own way.
			const kind = Math.floor(random.between(0, 3));
			if (kind === 0) node.board.wifi = "fails";
			else if (kind === 1) silent = true;
			node.board.run(HOUR);
			if (kind === 2) node.board.reset("crash");
			node.board.wifi = "joins";
			silent = false;
			faults++;
			node.board.run(5 * HOUR);
		}
		assert.ok(faults === 120 && node.board.events("failed").length > 60);
		assert.deepEqual(unavailableTimes(node, MINUTE), []);
		node.board.run(MINUTE);
		assert.equal(node.board.reportCounts.lost, 0);
	});

	test("but shows a node that is dead, two and a half hours after its last report", () => {
		const node = new AnnouncedBoard(steady);
		node.board.run(DAY);
		node.board.wifi = "silent";
		node.board.run(DAY);
		const [first] = unavailableTimes(node, MINUTE);
		assert.ok(first! > DAY + HOUR && first! < DAY + 2.5 * HOUR + 2 * MINUTE, `${first}`);
	});
});
