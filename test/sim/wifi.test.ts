import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../sim/clock/random";
import { Scheduler } from "../../sim/clock/scheduler";
import { AccessPoint, JOIN_TIMES, type JoinTarget } from "../../sim/wifi/access-point";

const { start, scan, probe, associate, address } = JOIN_TIMES;

function join(
	accessPoint: AccessPoint,
	scheduler: Scheduler,
	seed: number,
	station: Partial<JoinTarget> = {},
) {
	const startTime = scheduler.now;
	const log: string[] = [];
	const logEvent = (what: string) => () => void log.push(`${what} ${scheduler.now - startTime}`);
	const joining = accessPoint.join(
		new Random(seed, "wifi"),
		{ ssid: "home", bssid: undefined, channel: undefined, ...station },
		{
			connected: logEvent("connected"),
			addressed: logEvent("addressed"),
			down: logEvent("down"),
			lostAddress: logEvent("lost"),
			disconnected: (reason) => logEvent(`disconnected ${reason}`)(),
		},
	);
	return { joining, log, time: () => Number(log.at(-1)?.split(" ").at(-1)) };
}

test("a full scan takes seconds, a known access point much less; both depend on the seed", () => {
	const scheduler = new Scheduler(0);
	const accessPoint = new AccessPoint(scheduler);
	const known = { bssid: accessPoint.bssid, channel: accessPoint.channel };
	for (let seed = 0; seed < 200; seed++) {
		const full = join(accessPoint, scheduler, seed);
		const fast = join(accessPoint, scheduler, seed, known);
		const again = join(accessPoint, scheduler, seed);
		while (scheduler.step(Infinity));
		assert.ok(
			full.time() >= start.from + scan.from + associate.from + address.from &&
				full.time() <= start.to + scan.to + associate.to + address.to,
		);
		assert.ok(
			fast.time() >= start.from + probe.from + associate.from + address.from &&
				fast.time() <= start.to + probe.to + associate.to + address.to,
		);
		assert.deepEqual(again.log, full.log);
		assert.match(full.log.join(), /^connected \d+,addressed \d+$/);
	}
});

test("an absent access point is searched six times, then the join fails", () => {
	const scheduler = new Scheduler(0);
	const accessPoint = new AccessPoint(scheduler);
	accessPoint.present = false;
	const { log, time } = join(accessPoint, scheduler, 1);
	while (scheduler.step(Infinity));
	assert.match(log.join(), /^disconnected 0 \d+$/);
	assert.ok(time() >= 6 * scan.from);
});

test("an access point is not found on its old channel; one that returns in time is found", () => {
	const scheduler = new Scheduler(0);
	const accessPoint = new AccessPoint(scheduler);
	const known = { bssid: accessPoint.bssid, channel: accessPoint.channel };
	accessPoint.channel = 11;
	const moved = join(accessPoint, scheduler, 1, known);
	while (scheduler.step(Infinity));
	assert.match(moved.log.join(), /^disconnected/);
	accessPoint.present = false;
	const late = join(accessPoint, scheduler, 1);
	scheduler.after(5000, () => {
		accessPoint.present = true;
	});
	while (scheduler.step(Infinity));
	assert.match(late.log.join(), /^connected \d+,addressed \d+$/);
	assert.ok(late.time() > 5000);
});

test("an outage cuts a station off at once, and the station notices missing beacons", () => {
	const scheduler = new Scheduler(0);
	const accessPoint = new AccessPoint(scheduler);
	const { log } = join(accessPoint, scheduler, 1);
	scheduler.at(10_000, () => {
		accessPoint.present = false;
	});
	while (scheduler.step(Infinity));
	assert.deepEqual(log.slice(2), ["down 10000", "lost 16000", "disconnected 0 16000"]);
});

test("a cancelled join calls nothing more", () => {
	const scheduler = new Scheduler(0);
	const { joining, log } = join(new AccessPoint(scheduler), scheduler, 1);
	scheduler.at(1000, () => joining.cancel());
	while (scheduler.step(Infinity));
	assert.deepEqual(log, []);
});
