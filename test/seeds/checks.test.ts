import assert from "node:assert/strict";
import { before, test } from "node:test";
import type { Fault } from "../../sim/faults/fault";
import type { JSONObject } from "../../sim/manifest/manifest-reader";
import type { TimedEvent } from "../../sim/report/events";
import { ENDS } from "./checks/losses";
import { subscriberMayLose } from "./checks/queues";
import { commandViolations, findCommandedRun } from "./command-violations";
import { announces } from "./discovery-draw";
import { Disturbance } from "./disturbance";
import { SettingsHistory } from "./effective-settings";
import { GUEST_KINDS } from "./guests/guest-plan";
import { isHomie } from "./homie-draw";
import { MISSING_MESSAGES } from "./place-probe";
import { drawPlan } from "./plan-draw";
import { CHECKS, checkPlan } from "./run-seed";
import { PIN_SENSOR } from "./seed-plan";
import type { ReceivedMessage, WellBehavedClient } from "./well-behaved-client";
import { type SeedRun, START_TIME, sitesOf } from "./world";

/** A run without faults, which each row changes into one that must not be. */
let good: SeedRun;
/** The same with two brokers. */
let bridged: SeedRun;
/** The same with a node that sleeps lightly. */
let light: SeedRun;
/** The same with a contact that closes for long. */
let pinned: SeedRun;
/** The same with a node that announces itself. */
let announced: SeedRun;
/** The same with a node of the Homie convention. */
let homie: SeedRun;
/** The same with a node that is told what to do. */
let commanded: SeedRun;

before(async () => {
	good = await findGoodRun();
	bridged = await findBridgedRun();
	light = await findLightRun();
	pinned = await findPinnedRun();
	announced = await findAnnouncedRun();
	homie = await findHomieRun();
	commanded = await findCommandedRun();
});

async function findAnnouncedRun(): Promise<SeedRun> {
	for (let seed = 1; ; seed++) {
		const plan = { ...drawPlan(seed), faults: [] };
		if (!plan.boards.some((board) => announces(plan, board))) continue;
		const { run, failures } = await checkPlan(plan);
		assert.deepEqual(failures, []);
		if (run.subscriber.received.some(isAnnouncement)) return run;
	}
}

async function findHomieRun(): Promise<SeedRun> {
	for (let seed = 1; ; seed++) {
		const plan = { ...drawPlan(seed), faults: [] };
		if (!plan.boards.some(isHomie)) continue;
		const { run, failures } = await checkPlan(plan);
		assert.deepEqual(failures, []);
		if (!subscriberMayLose(run, sitesOf(run)[0]!)) return run;
	}
}

function isAnnouncement({ topic, payload }: ReceivedMessage): boolean {
	return topic.startsWith("homeassistant/") && payload !== "";
}

async function findPinnedRun(): Promise<SeedRun> {
	for (let seed = 1; ; seed++) {
		const drawn = drawPlan(seed);
		const faults = drawn.faults.filter(({ name, duration = 0 }) => name === "contact" && duration >= 40_000);
		if (faults.length === 0) continue;
		const { run, failures } = await checkPlan({ ...drawn, faults });
		assert.deepEqual(failures, []);
		return run;
	}
}

async function findLightRun(): Promise<SeedRun> {
	for (let seed = 1; ; seed++) {
		const plan = { ...drawPlan(seed), faults: [] };
		if (!plan.boards.some(({ firefly }) => isLight(firefly))) continue;
		const { run, failures } = await checkPlan(plan);
		assert.deepEqual(failures, []);
		return run;
	}
}

function isLight({ sleep }: JSONObject): boolean {
	return (sleep as JSONObject | undefined)?.mode === "light";
}

async function findBridgedRun(): Promise<SeedRun> {
	for (let seed = 1; ; seed++) {
		const plan = { ...drawPlan(seed), faults: [] };
		if (plan.hub?.qos !== 2) continue;
		const { run, failures } = await checkPlan(plan);
		assert.deepEqual(failures, []);
		if (sitesOf(run).every((site) => !subscriberMayLose(run, site))) return run;
	}
}

async function findGoodRun(): Promise<SeedRun> {
	for (let seed = 1; ; seed++) {
		const plan = { ...drawPlan(seed), faults: [] };
		const node = plan.boards[1]!.firefly as {
			payload: string;
			topic: string;
			sleep: { mode: string };
			time: { server: unknown };
		};
		const sensors = plan.boards[1]!.firefly.sensors as { qos?: number; delta?: number; grid?: boolean }[];
		// A node whose reports tell their times, one topic a sensor, each sample reported with QoS 1.
		if (
			node.payload !== "json" ||
			node.topic === "home/{id}" ||
			node.sleep.mode !== "deep" ||
			node.time.server === false
		)
			continue;
		if (
			plan.hub !== undefined ||
			plan.boards[0]!.firefly.role === "both" ||
			sensors.some(({ qos, delta }) => qos === 0 || delta)
		)
			continue;
		const { run, failures } = await checkPlan(plan);
		assert.deepEqual(failures, []);
		if (subscriberMayLose(run, sitesOf(run)[0]!)) continue;
		return run;
	}
}

/** The same run with other events. */
function withEvents(change: (events: TimedEvent[]) => TimedEvent[]): SeedRun {
	return { ...good, events: change([...good.events]) };
}

/** The same run with other messages at the subscriber. */
function withReceived(change: (received: ReceivedMessage[]) => ReceivedMessage[]): SeedRun {
	const { subscriber } = good;
	return { ...good, subscriber: changed(subscriber, { received: change([...subscriber.received]) }) };
}

function changed(client: WellBehavedClient, fields: Partial<WellBehavedClient>): WellBehavedClient {
	return Object.create(client, Object.getOwnPropertyDescriptors(fields)) as WellBehavedClient;
}

const ofNode = ({ node }: TimedEvent): boolean => node === "n1";
/** Index of the nth event of a type of the node. */
function indexOf(events: readonly TimedEvent[], type: TimedEvent["type"], nth = 3): number {
	let left = nth;
	return events.findIndex((event) => event.type === type && ofNode(event) && --left === 0);
}

/** The bridged run with other messages at the second broker's subscriber. */
function withReceivedAtHub(change: (received: ReceivedMessage[]) => ReceivedMessage[]): SeedRun {
	const hub = bridged.hub!;
	const { subscriber } = hub;
	return {
		...bridged,
		hub: { ...hub, subscriber: changed(subscriber, { received: change([...subscriber.received]) }) },
	};
}

/** Of each check, a run that it must not let pass. */
const violations: Readonly<Record<string, () => SeedRun>> = {
	"nothing crashes": () =>
		withEvents((events) => [
			...events,
			{
				time: good.recoveredAt,
				node: "n1",
				type: "trace",
				message: "broker: TypeError: x is not a function",
			},
		]),
	"lost is 0": () => withEvents((events) => events.filter((_, i) => i !== indexOf(events, "acknowledged"))),
	"the awake limit holds": () =>
		withEvents((events) => {
			const at = indexOf(events, "sleep");
			return events.map((event, i) => (i === at ? { ...event, time: event.time + 30_000 } : event));
		}),
	"QoS 2 exactly once, QoS 0 at most once": () =>
		withReceived((received) => {
			const twice = received.find(({ topic }) => topic === "pub/2")!;
			return [...received, { ...twice, retain: false }];
		}),
	"order of each topic": () =>
		withReceived((received) => {
			const [one, other] = received.filter(({ topic, retain }) => topic === "pub/1" && !retain);
			return received.map((each) => (each === one ? other! : each === other ? one! : each));
		}),
	"what was acknowledged arrives": () =>
		withReceived((received) => {
			const { payload } = received.find(({ topic }) => topic === "pub/1")!;
			return received.map((each) => (each.payload === payload ? { ...each, payload: "0" } : each));
		}),
	"what was acknowledged crosses the bridge": () =>
		withReceivedAtHub((received) => {
			const { payload } = received.find(({ topic }) => topic.endsWith("pub/2"))!;
			return received.filter((each) => each.payload !== payload);
		}),
	"nothing circles between bridged brokers": () =>
		withReceivedAtHub((received) => {
			const twice = received.find(({ topic, retain }) => topic.endsWith("pub/1") && !retain)!;
			return [...received, { ...twice, time: twice.time + 10 }];
		}),
	"well-behaved clients stay connected": () => {
		const { publisher } = good;
		const [first] = publisher.connections;
		const lost = { time: first!.time + 1000, open: false, error: "transport 0: gone" };
		return {
			...good,
			publisher: changed(publisher, { connections: [first!, lost, ...publisher.connections.slice(1)] }),
		};
	},
	"well-behaved clients are not starved": () => {
		const { publisher } = good;
		const published = publisher.published.map((each) =>
			each.acknowledgedAt === undefined ? each : { ...each, acknowledgedAt: each.acknowledgedAt + 3000 },
		);
		return { ...good, publisher: changed(publisher, { published }) };
	},
	"nodes are served in spite of their neighbours": () =>
		withEvents((events) => [
			...events,
			{ time: good.recoveredAt - 1, node: "n1", type: "failed", fault: "transport", reasonCode: 0 },
		]),
	"changes of pins are noticed": () => ({
		...pinned,
		events: pinned.events.filter((event) => !(event.type === "sample" && event.sensor === PIN_SENSOR)),
	}),
	"wakes by pin are limited": () => {
		const [board] = pinned.pins.keys();
		const wake = { node: board!, type: "boot", reason: "deep-sleep", pin: 4 } as const;
		const wakes = Array.from({ length: 1000 }, (_, i) => ({ ...wake, time: START_TIME + 100 * i }));
		return { ...pinned, events: [...pinned.events, ...wakes] };
	},
	"nodes that are to stay connected do": () => ({
		...light,
		events: light.events.filter(({ type }) => type !== "lightSleep"),
	}),
	"samples are taken at their times": () =>
		withEvents((events) => {
			const from = good.recoveredAt - 200_000;
			return events.filter(
				({ type, time, node }) =>
					type !== "sample" || node !== "n1" || time < from || time > good.recoveredAt - 60_000,
			);
		}),
	"reports arrive once the faults are over": () =>
		withEvents((events) => {
			const { sequence } = events[indexOf(events, "acknowledged")] as TimedEvent & {
				readonly type: "acknowledged";
			};
			return events.filter(
				(event) => !(event.type === "acknowledged" && ofNode(event) && event.sequence === sequence),
			);
		}),
	"clients are served once the faults are over": () =>
		withReceived((received) => received.filter(({ time }) => time < good.recoveredAt - 120_000)),
	"times in reports are right within the stated error": () =>
		withReceived((received) =>
			received.map((each) =>
				each.topic.startsWith("home/n1")
					? { ...each, payload: each.payload.replace(/T(\d\d):(\d\d)/, (_, hour) => `T${hour}:59`) }
					: each,
			),
		),
	"reports are numbers": () =>
		withReceived((received) =>
			received.map((each) =>
				each.topic.startsWith("home/n1")
					? { ...each, payload: each.payload.replace(/("s\d":)\d+/, "$1null") }
					: each,
			),
		),
	"nodes are announced": () => {
		const { subscriber } = announced;
		const received = subscriber.received.map((each) =>
			isAnnouncement(each) ? { ...each, payload: each.payload.slice(0, -1) } : each,
		);
		return { ...announced, subscriber: changed(subscriber, { received }) };
	},
	"every pool of the broker is back at its baseline": () => ({
		...good,
		pools: new Map([...good.pools, ["entries/used", "1"]]),
	}),
	"a broker with tiny pools counts what is lost": () => {
		const { publisher } = good;
		const published = publisher.published.map((each) => ({ ...each, reasonCode: 0x97 }));
		return { ...good, plan: { ...good.plan, isTiny: true }, publisher: changed(publisher, { published }) };
	},
	"states of the Homie convention are true": () => {
		const { subscriber } = homie;
		const received = subscriber.received.map((each) =>
			each.topic.endsWith("/$state") ? { ...each, payload: "lost" } : each,
		);
		return { ...homie, subscriber: changed(subscriber, { received }) };
	},
	"guests get what they are owed": () => ({
		...good,
		guests: [
			{
				kind: "wanderer",
				passed: 0,
				problems: [{ from: START_TIME, to: good.recoveredAt, text: "a message" }],
			},
		],
	}),
	...commandViolations(() => commanded),
};

test("awakeLimit ends a wake: no failure of its neighbours while the exchange may still be going on, one later", () => {
	const check = CHECKS.find(({ name }) => name.startsWith("nodes are served"))!;
	const joined = good.events[indexOf([...good.events], "joined")]!;
	const limitAfter = (ms: number): SeedRun =>
		withEvents((events) => [
			...events.filter((event) => event.time <= joined.time || !ofNode(event)),
			{ time: joined.time + ms, node: "n1", type: "limit" },
		]);
	assert.deepEqual(check.run(limitAfter(200)), []);
	assert.equal(check.run(limitAfter(3000)).length, 1);
});

test("a node says that its settings cannot be read: what is configured holds until it starts again", () => {
	const board = commanded.plan.boards.find(({ name }) => name === "n1")!;
	const stored = commanded.settings.get("n1")![0]!.time;
	const [wake, next] = commanded.events.filter(
		({ type, node, time }) => type === "wake" && node === "n1" && time > stored,
	);
	const says = { ...wake!, type: "trace", message: "settings cannot be read: Error" } as TimedEvent;
	const settingsAt = (events: readonly TimedEvent[], { time }: TimedEvent) =>
		new SettingsHistory({ ...commanded, events }, board).at(time).settings;
	const unread = commanded.events.flatMap((event) => (event === wake ? [says, event] : [event]));
	assert.ok(settingsAt(commanded.events, wake!));
	assert.equal(settingsAt(unread, wake!), undefined);
	assert.ok(settingsAt(unread, next!));
});

test("a node that is to stay connected connects once more, without a fault: a violation", () => {
	const check = CHECKS.find(({ name }) => name.startsWith("nodes that are to stay"))!;
	const { name } = light.plan.boards.find(({ firefly }) => isLight(firefly))!;
	const again = light.events.find(({ type, node }) => type === "connected" && node === name)!;
	const run = { ...light, events: [...light.events, { ...again, time: light.recoveredAt - 1 }] };
	assert.equal(check.run(run).length, 1);
});

test("order: what was published before the subscriber's new session may come late where the broker has forgotten the old one", () => {
	const check = CHECKS.find(({ name }) => name === "order of each topic")!;
	const swapped = violations["order of each topic"]!();
	const { subscriber } = swapped;
	const [first] = subscriber.connections;
	const time = subscriber.received.find(({ topic }) => topic === "pub/1")!.time - 1;
	const boot = { time, node: "broker", type: "boot", reason: "reset" } as const;
	const [broker, ...others] = good.plan.boards;
	const listen = { ...(broker!.firefly.listen as JSONObject), persist: false };
	const boards = [{ ...broker!, firefly: { ...broker!.firefly, listen } }, ...others];
	const forgotten = {
		...swapped,
		plan: { ...good.plan, boards },
		events: [...good.events, boot],
		subscriber: changed(subscriber, {
			connections: [first!, { time, open: true, sessionPresent: false }],
		}),
	};
	assert.equal(check.run(swapped).length, 1);
	assert.deepEqual(check.run(forgotten), []);
	assert.equal(check.run({ ...forgotten, subscriber }).length, 1);
});

test("a publisher's repetition of QoS 1 stays one where a bridge lowers its QoS to 0", () => {
	const check = CHECKS.find(({ name }) => name.startsWith("QoS 2 exactly once"))!;
	const twice = (suffix: string): SeedRun =>
		withReceivedAtHub((received) => {
			const message = received.find(({ topic, retain }) => topic.endsWith(suffix) && !retain)!;
			return [message, message].map((each) => ({ ...each, qos: 0 }));
		});
	assert.deepEqual(check.run(twice("pub/1")), []);
	assert.equal(check.run(twice("pub/2")).length, 1);
});

test("the last report is acknowledged just before the end: it may still be on its way; before that it must be there", () => {
	const check = CHECKS.find(({ name }) => name === "what was acknowledged arrives")!;
	const isReport = ({ topic }: ReceivedMessage): boolean => topic.startsWith("home/n1");
	const withoutLast = withReceived((received) => {
		const last = received.findLastIndex(isReport);
		return received.filter((_, i) => i !== last);
	});
	const acknowledgedAt = (time: number): SeedRun => {
		const at = good.events.findLastIndex((event) => event.type === "acknowledged" && ofNode(event));
		return { ...withoutLast, events: good.events.map((event, i) => (i === at ? { ...event, time } : event)) };
	};
	assert.deepEqual(check.run(acknowledgedAt(good.recoveredAt - 20)), []);
	assert.equal(check.run(acknowledgedAt(good.recoveredAt - 3000)).length, 1);
});

test("the power fails between an acknowledgement and its record in flash: that report waits again, no other", () => {
	const check = CHECKS.find(({ name }) => name === "lost is 0")!;
	const [broker, node, ...others] = good.plan.boards;
	const inFlash = { ...node!, firefly: { ...node!.firefly, outbox: { storage: "flash" } } };
	const plan = { ...good.plan, boards: [broker!, inFlash, ...others] };
	const withWaiting = (more: number): SeedRun =>
		withEvents((events) => {
			const at = indexOf(events, "acknowledged");
			const last = events[at] as TimedEvent & { readonly type: "acknowledged" };
			const { time, node, sequence, waiting } = last;
			const accepted = events
				.slice(0, at)
				.filter((event) => event.type === "accepted" && ofNode(event)).length;
			return [
				...events.slice(0, at + 1),
				{ time, node, type: "boot", reason: "brown-out" },
				{
					time,
					node,
					type: "wake",
					reason: "brown-out",
					waiting: waiting + more,
					accepted: Math.max(accepted, sequence),
					dropped: 0,
				},
				last,
				...events.slice(at + 1),
			];
		});
	const full = { name: "flash-full", at: good.events[0]!.time - START_TIME, duration: good.plan.active };
	for (const faults of [[], [{ ...full, board: "n1" }]]) {
		assert.deepEqual(check.run({ ...withWaiting(1), plan: { ...plan, faults } }), []);
		assert.notDeepEqual(check.run({ ...withWaiting(9), plan: { ...plan, faults } }), []);
	}
});

for (const [how, awayMs] of [
	["", 0],
	[" and comes back ten minutes later", 600_000],
] as const)
	test(`the power fails while flash is full${how}: what was accepted meanwhile may be lost, and without that fault it may not`, () => {
		const check = CHECKS.find(({ name }) => name === "lost is 0")!;
		const [broker, node, ...others] = good.plan.boards;
		const inFlash = { ...node!, firefly: { ...node!.firefly, outbox: { storage: "flash" } } };
		const last = good.events.findLast((event) => event.type === "accepted" && ofNode(event))!;
		const { sequence } = last as TimedEvent & { readonly type: "accepted" };
		const time = last.time + 1 + awayMs;
		const run = withEvents((events) => [
			...events.slice(0, events.indexOf(last) + 1),
			{ time: last.time + 1, node: "n1", type: "off" },
			{ time, node: "n1", type: "boot", reason: "power-on" },
			// The last report is not in flash, and its number comes again.
			...[0, 1].flatMap((more): TimedEvent[] => [
				{
					time: time + more,
					node: "n1",
					type: "wake",
					reason: "power-on",
					waiting: more,
					accepted: sequence - 1 + more,
					dropped: 0,
				},
			]),
		]);
		const full = { name: "flash-full", at: last.time - START_TIME - 1000, duration: 60_000, board: "n1" };
		const withFaults = (faults: readonly Fault[]): SeedRun => ({
			...run,
			plan: { ...good.plan, boards: [broker!, inFlash, ...others], faults },
		});
		assert.deepEqual(check.run(withFaults([full])), []);
		assert.notDeepEqual(check.run(withFaults([])), []);
		assert.notDeepEqual(check.run(withFaults([{ ...full, board: "n2" }])), []);
	});

test("a fault during an episode of a guest: it is owed nothing; before the fault it is", () => {
	const check = CHECKS.find(({ name }) => name.startsWith("guests"))!;
	const at = START_TIME + 60_000;
	const fault = { name: "disconnect", at: 60_000 };
	const after = (from: number, to: number): number =>
		check.run({
			...good,
			plan: { ...good.plan, faults: [fault] },
			guests: [{ kind: "mortal", passed: 1, problems: [{ from, to, text: "a will" }] }],
		}).length;
	assert.deepEqual([after(at - 10_000, at - 1), after(at - 1, at), after(at + 1000, at + 9000)], [1, 0, 0]);
});

test("a reset ends the first start with new settings before it says so: what is given up are these", async () => {
	const plan = drawPlan(701501);
	assert.ok(plan.commands?.commands.some(({ command }) => command === "set"));
	assert.ok(plan.faults.some(({ name }) => name === "reset"));
	assert.deepEqual((await checkPlan(plan)).failures, []);
});

test("the power fails again where flash could not be read: a number that was given twice is no report that waits", async () => {
	const plan = drawPlan(1381);
	const names = plan.faults.map(({ name }) => name);
	assert.ok(names.includes("storage-read") && names.filter((name) => name === "brown-out").length > 1);
	assert.deepEqual((await checkPlan(plan)).failures, []);
});

test("a torn write disturbs from the write on, however late it comes, and not before", () => {
	const fault = { name: "torn-write", at: 60_000 };
	const plan = { ...good.plan, faults: [fault] };
	const off = good.plan.active + START_TIME;
	const run = { plan, events: [{ time: off, node: "broker", type: "off" } as TimedEvent] };
	const disturbance = new Disturbance(run, ["broker"]);
	assert.equal(disturbance.touches(START_TIME, off - 1), false);
	assert.ok(disturbance.touches(off) && disturbance.touches(off + 100_000));
	assert.equal(disturbance.touches(off + 120_000), false);
	assert.equal(new Disturbance({ plan, events: [] }, ["broker"]).touches(0, 1e15), false);
});

test("each kind of guest gets through its episodes on a quiet network", async () => {
	const passed = new Map<string, number>();
	for (let seed = 1; passed.size < GUEST_KINDS.length; seed++) {
		const plan = { ...drawPlan(seed), faults: [], oddClients: [] };
		if (!plan.guests?.some(({ kind }) => !passed.has(kind))) continue;
		const { run, failures } = await checkPlan(plan);
		assert.deepEqual(failures, [], `${seed}`);
		for (const { kind, passed: count } of run.guests) passed.set(kind, (passed.get(kind) ?? 0) + count);
	}
	for (const [kind, count] of passed) assert.ok(count >= 3, `${kind}: ${count}`);
});

test("tiny pools: what is missing, refused or ended is no violation if it is counted", () => {
	const check = CHECKS.find(({ name }) => name.startsWith("a broker with tiny"))!;
	const { publisher, subscriber, pools } = good;
	const [connection] = publisher.connections;
	const end = { time: connection!.time + 1000, open: false, error: "resource 151: no place" };
	const retained = publisher.published.find(({ qos }) => qos > 0)!;
	const name = `${retained.topic} ${retained.payload}`;
	const lossy: SeedRun = {
		...good,
		plan: { ...good.plan, isTiny: true },
		subscriber: changed(subscriber, { received: [] }),
		publisher: changed(publisher, {
			connections: [connection!, end],
			retained: new Set([name]),
			published: publisher.published.map((each) =>
				each === retained ? { ...each, reasonCode: 0x97 } : each,
			),
		}),
	};
	const failures = (topics: readonly string[], count: string, run = lossy): readonly string[] =>
		check.run({ ...run, pools: new Map([...pools, ...topics.map((topic) => [topic, count] as const)]) });
	const counters = ["dropped/queue", "refused/quota", "refused/connect", ...ENDS];
	assert.equal(failures(counters, "0").length, 3);
	assert.deepEqual(failures(counters, "999"), []);
	assert.deepEqual(failures(counters, "0", { ...lossy, plan: good.plan }), []);
});

test("what a new session swallows is a violation", () => {
	const check = CHECKS.find(({ name }) => name.startsWith("every pool"))!;
	const run = { ...good, pools: new Map([...good.pools, [MISSING_MESSAGES, "4"]]) };
	assert.deepEqual(check.run(run), [`${MISSING_MESSAGES} of broker is 4, and not 0`]);
});

for (const { name } of CHECKS)
	test(`a run that violates it does not pass: ${name}`, () => {
		const violation = violations[name];
		assert.ok(violation, "each check has a violation");
		const check = CHECKS.find((each) => each.name === name)!;
		for (const run of [good, bridged, light, pinned, homie, commanded]) assert.deepEqual(check.run(run), []);
		assert.notDeepEqual(check.run(violation()), []);
	});

test("a node that nobody disturbs and that is not announced within some exchanges: a violation", async () => {
	const check = CHECKS.find(({ name }) => name === "nodes are announced")!;
	for (let seed = 1; ; seed++) {
		const plan = { ...drawPlan(seed), faults: [] };
		if (!plan.boards.some((board) => announces(plan, board))) continue;
		const { run } = await checkPlan(plan);
		const events = run.events.filter(
			(event) => event.type !== "trace" || event.message !== "announced: homeassistant",
		);
		if (check.run({ ...run, events }).length === 0) continue;
		assert.deepEqual(check.run(run), []);
		return;
	}
});

test("a bridge over MQTT 3.1.1 starts again: what comes in may come twice; over 5.0, or without a start, not", () => {
	const check = CHECKS.find(({ name }) => name.startsWith("QoS 2 exactly once"))!;
	const { subscriber, plan } = bridged;
	const twice = subscriber.received.find(({ topic, retain }) => topic.endsWith("up/2") && !retain)!;
	const again = changed(subscriber, { received: [...subscriber.received, twice] });
	const [broker, ...others] = plan.boards;
	const boot = { time: twice.time, node: "broker", type: "boot", reason: "power-on" } as TimedEvent;
	const failures = (version: number, events: readonly TimedEvent[]): number => {
		const { bridge, listen } = broker!.firefly as {
			readonly bridge: JSONObject;
			readonly listen: JSONObject;
		};
		const firefly = {
			...broker!.firefly,
			bridge: { ...bridge, version },
			listen: { ...listen, persist: true, persistInterval: "0s" },
		};
		const boards = [{ ...broker!, firefly }, ...others];
		return check.run({ ...bridged, plan: { ...plan, boards }, events, subscriber: again }).length;
	};
	const restarted = [...bridged.events, boot];
	assert.deepEqual([failures(4, restarted), failures(5, restarted), failures(4, bridged.events)], [0, 1, 1]);
});

test("a node with QoS 2 that was without power begins its session anew: what was queued there needs no answer", async () => {
	const drawn = drawPlan(504_241);
	const faults: Fault[] = [{ name: "power", duration: 400, at: 52_800, board: "n2" }];
	const { run, failures } = await checkPlan({ ...drawn, faults });
	assert.deepEqual(failures, []);
	const begun = run.events.filter(
		(event) => event.node === "n2" && event.type === "connected" && event.sessionPresent !== true,
	);
	// The first session, and the one after the loss of power
	assert.equal(begun.length, 2);
});
