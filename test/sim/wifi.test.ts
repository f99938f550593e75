import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../sim/clock/random";
import { Scheduler } from "../../sim/clock/scheduler";
import { AccessPoint, JOIN_TIMES, type JoinTarget } from "../../sim/wifi/access-point";

const { start, scan, probe, missedProbe, association, dhcp } = JOIN_TIMES;

function join(
	accessPoint: AccessPoint,
	scheduler: Scheduler,
	seed: number,
	station: Partial<JoinTarget> = {},
) {
	const startTime = scheduler.now;
	const log: string[] = [];
	const steps: string[] = [];
	const logEvent = (what: string) => () => void log.push(`${what} ${scheduler.now - startTime}`);
	const joining = accessPoint.join(
		new Random(seed, "wifi"),
		{
			ssid: "home",
			mac: "02f1ef1f0001",
			bssid: undefined,
			channel: undefined,
			address: undefined,
			preferredAddress: "192.168.4.11",
			...station,
		},
		{
			step: (step) => steps.push(step),
			connected: logEvent("connected"),
			addressed: (lease, usable) =>
				logEvent(`${lease?.address ?? "fixed"} ${usable ? "usable" : "of another"}`)(),
			down: logEvent("down"),
			disconnected: (reason) => logEvent(`disconnected ${reason}`)(),
		},
	);
	return { joining, log, steps, time: () => Number(log.at(-1)?.split(" ").at(-1)) };
}

test("a full scan takes seconds, a known access point and address much less; all depends on the seed", () => {
	const scheduler = new Scheduler(0);
	const accessPoint = new AccessPoint(scheduler);
	const known = { bssid: accessPoint.bssid, channel: accessPoint.channel };
	for (let seed = 0; seed < 200; seed++) {
		const full = join(accessPoint, scheduler, seed);
		const fast = join(accessPoint, scheduler, seed, { ...known, address: "192.168.4.11" });
		const again = join(accessPoint, scheduler, seed);
		while (scheduler.step(Infinity));
		assert.deepEqual(full.steps, ["start", "scan", "association", "dhcp"]);
		assert.ok(
			full.time() >= start.from + scan.from + association.from + dhcp.from &&
				full.time() <= start.to + scan.to + association.to + dhcp.to,
		);
		assert.deepEqual(fast.steps, ["start", "probe", "association"]);
		assert.ok(
			fast.time() >= start.from + probe.from + association.from &&
				fast.time() <= start.to + probe.to + association.to,
		);
		assert.deepEqual(again.log, full.log);
		assert.match(full.log.join(), /^connected \d+,192.168.4.11 usable \d+$/);
	}
});

test("an absent access point: the join fails after one scan", () => {
	const scheduler = new Scheduler(0);
	const accessPoint = new AccessPoint(scheduler);
	accessPoint.present = false;
	const { log, time, steps } = join(accessPoint, scheduler, 1);
	while (scheduler.step(Infinity));
	assert.match(log.join(), /^disconnected 201 \d+$/);
	assert.deepEqual(steps, ["start", "scan"]);
	assert.ok(time() >= scan.from && time() <= start.to + scan.to);
});

test("an access point on another channel, or another in its place, is not found by the old link", () => {
	const scheduler = new Scheduler(0);
	const accessPoint = new AccessPoint(scheduler);
	const known = { bssid: accessPoint.bssid, channel: accessPoint.channel };
	accessPoint.channel = 11;
	const moved = join(accessPoint, scheduler, 1, known);
	while (scheduler.step(Infinity));
	assert.match(moved.log.join(), /^disconnected 201/);
	accessPoint.channel = known.channel;
	accessPoint.bssid = "02f17ef1f1ff";
	const replaced = join(accessPoint, scheduler, 1, known);
	while (scheduler.step(Infinity));
	assert.match(replaced.log.join(), /^disconnected 201/);
	const scanned = join(accessPoint, scheduler, 1);
	while (scheduler.step(Infinity));
	assert.match(scanned.log.join(), /^connected/);
});

test("an address is the station's until its lease ends or another host takes it", () => {
	const scheduler = new Scheduler(0);
	const accessPoint = new AccessPoint(scheduler);
	const { dhcp: server } = accessPoint;
	server.leaseSeconds = 100;
	const fixed = { address: "192.168.4.11" };
	const last = (station: Partial<JoinTarget>): string => {
		const { log } = join(accessPoint, scheduler, 1, station);
		while (scheduler.step(Infinity));
		return log.at(-1)!.replace(/ \d+$/, "");
	};
	assert.equal(last(fixed), "fixed of another");
	assert.equal(last({}), "192.168.4.11 usable");
	assert.equal(last(fixed), "fixed usable");
	scheduler.advance(scheduler.now + 100_000);
	assert.equal(last(fixed), "fixed of another");
	server.take("192.168.4.11");
	server.take("192.168.4.12");
	assert.equal(last({}), "192.168.4.13 usable");
	assert.equal(last(fixed), "fixed of another");
	assert.equal(last({ address: "192.168.4.13" }), "fixed usable");
	server.forget();
	assert.equal(last({ address: "192.168.4.13" }), "fixed of another");
});

test("an outage cuts a station off at once, and the station notices missing beacons", () => {
	const scheduler = new Scheduler(0);
	const accessPoint = new AccessPoint(scheduler);
	const { log } = join(accessPoint, scheduler, 1);
	scheduler.at(10_000, () => {
		accessPoint.present = false;
	});
	while (scheduler.step(Infinity));
	assert.deepEqual(log.slice(2), ["down 10000", "disconnected 200 16000"]);
});

test("a cancelled join calls nothing more", () => {
	const scheduler = new Scheduler(0);
	const { joining, log } = join(new AccessPoint(scheduler), scheduler, 1);
	scheduler.at(1000, () => joining.cancel());
	while (scheduler.step(Infinity));
	assert.deepEqual(log, []);
});

test("nobody answers a probe: it lasts as long as a scan of its channel", () => {
	const scheduler = new Scheduler(0);
	const accessPoint = new AccessPoint(scheduler);
	const { bssid, channel } = accessPoint;
	for (const sought of [
		{ bssid: "02f17ef1ffff", channel },
		{ bssid, channel: channel + 1 },
	]) {
		const { steps, log, time } = join(accessPoint, scheduler, 1, sought);
		while (scheduler.step(Infinity));
		assert.deepEqual(steps, ["start", "probe"]);
		assert.match(log[0]!, /^disconnected 201/);
		assert.ok(time() >= start.from + missedProbe.from && time() <= start.to + missedProbe.to);
	}
});
