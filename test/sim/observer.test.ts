import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Random } from "../../sim/clock/random";
import type { EngineName } from "../../sim/engine/engine-factory";
import type { JSONObject } from "../../sim/manifest/manifest-reader";
import { grantObserverAccess } from "../../sim/observer-credentials";
import { deterministicHash } from "../../sim/password";
import type { TimedEvent } from "../../sim/report/events";
import { runSimulation } from "../../sim/run";
import { listenFields } from "../../src/config/fields/listen";
import { limits } from "../../src/config/limits";
import { readSettings } from "../../src/config/settings";

const MANIFEST = fileURLToPath(new URL("../../manifest.json", import.meta.url));
const MINUTE = 60_000;
const credentials = { broker_username: "greenhouse", broker_password: "tomato" };
const users = {
	greenhouse: deterministicHash("greenhouse", "tomato"),
	anna: deterministicHash("anna", "apple"),
};
const own = { allow: "publish", topic: "home/{user}/#", user: "greenhouse" };

interface RunResult {
	readonly events: TimedEvent[];
	readonly values: string[];
	readonly acknowledged: number;
	readonly failed: number;
	readonly traces: string[];
}

/** Ten minutes with one sensor that samples each minute. */
async function run(
	firefly: JSONObject,
	overrides: Readonly<Record<string, string>> = credentials,
	engine: EngineName = "node",
): Promise<RunResult> {
	const sensor = {
		name: "temperature",
		driver: "virtual",
		property: "thermometer.temperature",
		every: "60s",
		decimals: 1,
	};
	const config = {
		firefly: {
			id: "node",
			broker: { url: "mqtt://192.168.1.10" },
			topic: "home/greenhouse/{sensor}",
			sensors: [sensor],
			...firefly,
		},
	};
	const events: TimedEvent[] = [];
	await runSimulation({
		manifest: { path: MANIFEST, json: { include: ["./firmware/manifest.json"], config }, overrides },
		speed: "max",
		seed: 7,
		engine,
		listener: { event: (event) => void events.push(event) },
		duration: 10 * MINUTE,
	});
	const count = (type: TimedEvent["type"]): number => events.filter((event) => event.type === type).length;
	return {
		events,
		values: events.flatMap((event) => (event.type === "value" ? [event.topic] : [])),
		acknowledged: count("acknowledged"),
		failed: count("failed"),
		traces: events.flatMap((event) => (event.type === "trace" ? [event.message] : [])),
	};
}

const both = { role: "both", sleep: { mode: "none" } } as const;
const pool = (length: number): JSONObject =>
	Object.fromEntries(Array.from({ length }, (_, i) => [`user${i}`, users.anna]));
const rules = (length: number): JSONObject[] =>
	Array.from({ length }, (_, i) => (i === 0 ? own : { deny: "all", topic: `none/${i}` }));

describe("values are shown", () => {
	for (const [name, firefly] of [
		["of a board that is both, with users", { ...both, listen: { users } }],
		[
			"of a board that is both, with users and rules that allow no other reader",
			{ ...both, listen: { users, acl: [own] } },
		],
		[
			"of a board that is both, with anonymous clients that may read nothing",
			{ ...both, listen: { anonymous: true, users, acl: [own] } },
		],
		["of the broker beside a node, with users", { listen: { users } }],
		["of the broker beside a node, with users and rules", { listen: { users, acl: [own] } }],
		[
			"of the broker beside a node, whose user is unknown to it",
			{ listen: { users: { anna: users.anna }, anonymous: false } },
		],
		[
			"of the broker beside a node, which accepts that node only",
			{ listen: { anonymous: false, acl: [{ allow: "all", topic: "#" }] } },
		],
		[
			"of a broker with room for one client",
			{ listen: { connections: 1, sessions: 1, subscriptions: 1, filterLevels: 1, sessionBytes: 64, users } },
		],
	] as const)
		test(name, async () => {
			const { values, acknowledged, failed, traces } = await run(firefly);
			assert.ok(acknowledged >= 9, traces.join("\n"));
			assert.deepEqual([...new Set(values)], ["home/greenhouse/temperature"]);
			assert.ok(values.length >= 9);
			assert.equal(failed, 0);
		});

	test("both engines show the same", async () => {
		const firefly = { ...both, listen: { users, acl: [own] } };
		const eventsJson = JSON.stringify((await run(firefly)).events);
		assert.equal(JSON.stringify((await run(firefly)).events), eventsJson);
		assert.equal(JSON.stringify((await run(firefly, credentials, "xs")).events), eventsJson);
	});
});

describe("the configuration stays in force", () => {
	test("a node with the wrong password is rejected", async () => {
		const { values, acknowledged, failed } = await run(
			{ listen: { users } },
			{ ...credentials, broker_password: "potato" },
		);
		assert.deepEqual([values.length, acknowledged], [0, 0]);
		assert.ok(failed > 0);
	});

	test("a topic that the rules deny is rejected, and not shown", async () => {
		const { values, acknowledged, failed } = await run({
			...both,
			topic: "home/other/{sensor}",
			listen: { users, acl: [own] },
		});
		assert.deepEqual([values.length, acknowledged], [0, 0]);
		assert.ok(failed > 0);
	});

	test("full pools of users or rules: everything works, a trace names the hidden values", async () => {
		const full = { ...pool(limits.users - 1), greenhouse: users.greenhouse };
		const fullUsers = await run({ ...both, listen: { users: full } });
		assert.ok(fullUsers.acknowledged >= 9 && fullUsers.failed === 0);
		assert.ok(
			fullUsers.traces.some((line) => line.startsWith("no values are shown: listen.users has no room")),
		);
		const fullRules = await run({ ...both, listen: { users, acl: rules(limits.rules) } });
		assert.ok(fullRules.acknowledged >= 9 && fullRules.failed === 0);
		assert.ok(fullRules.traces.some((line) => line.startsWith("values that the rules hide are not shown")));
		const withoutCredentials = await run({ listen: { users: pool(limits.users), anonymous: true } });
		assert.equal(withoutCredentials.acknowledged, 0);
		assert.ok(
			withoutCredentials.traces.includes(
				"the simulated broker has no room in listen.users for greenhouse, who reports to it",
			),
		);
	});
});

describe("credentials of the observer", () => {
	const grantAccess = (listen: JSONObject, seed = 1) => {
		const settings = readSettings({ firefly: { listen } }, { mac: "0", chip: "x" }, () => {}).listen;
		return { settings, ...grantObserverAccess(listen, settings, new Random(seed, "observer")) };
	};

	test("apply to the observer only, and depend on the seed", () => {
		const listen = { users, acl: [own] };
		const { credentials, listen: listenWithObserver } = grantAccess(listen);
		assert.deepEqual(grantAccess(listen), grantAccess(listen));
		assert.notDeepEqual(grantAccess(listen, 2).credentials, credentials);
		assert.deepEqual(Object.keys(listenWithObserver.users as JSONObject), [
			"greenhouse",
			"anna",
			"firefly-desk",
		]);
		assert.deepEqual(listenWithObserver.acl, [{ allow: "subscribe", topic: "#", user: "firefly-desk" }, own]);
		assert.deepEqual(listen, { users, acl: [own] }, "nothing is changed in place");
	});

	test("are not added if everyone may read, no login is possible, or the client identifier suffices", () => {
		assert.equal(grantAccess({ anonymous: true }).listen.acl, undefined);
		assert.equal(grantAccess({ anonymous: true }).listen.users, undefined);
		assert.equal(grantAccess({}).listen.users, undefined);
		const { credentials, listen } = grantAccess({ anonymous: true, users, acl: [own] });
		assert.equal(credentials.username, undefined);
		assert.equal(listen.users, users);
		assert.deepEqual(listen.acl, [{ allow: "subscribe", topic: "#", client: credentials.clientId }, own]);
	});

	test("use another user name if the usual one is taken", () => {
		const { credentials } = grantAccess({ users: { ...users, "firefly-desk": users.anna } });
		assert.equal(credentials.username, "firefly-desk-2");
	});

	test("enlarge the pools, within their ranges, so that clients keep their room", () => {
		const { settings, listen } = grantAccess({
			connections: 3,
			sessions: listenFields.sessions.maximum,
		});
		assert.equal(listen.connections, 4);
		assert.equal(listen.sessions, listenFields.sessions.maximum);
		assert.equal(listen.subscriptions, settings.subscriptions + 1);
	});
});
