import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { MAX_NODES } from "../../sim/most-nodes";
import { nodeIdentities } from "../../sim/node-identities";
import type { TimedEvent } from "../../sim/report/events";
import { type RunOptions, runSimulation } from "../../sim/run";

const MANIFEST = fileURLToPath(new URL("../../manifest.json", import.meta.url));
const MINUTE = 60_000;

function manifest(firefly: Readonly<Record<string, unknown>> = {}): RunOptions["manifest"] {
	const sensor = {
		name: "temperature",
		driver: "virtual",
		property: "thermometer.temperature",
		every: "60s",
	};
	const config = {
		firefly: {
			id: "node-{mac}",
			wifi: { ssid: "home" },
			broker: { url: "mqtt://192.168.4.12" },
			topic: "home/{id}/{sensor}",
			sensors: [sensor],
			...firefly,
		},
	};
	const include = ["./firmware/manifest.json", "./firmware/drivers/virtual/manifest.json"];
	return { path: MANIFEST, json: { include, config }, overrides: {} };
}

async function run(
	nodes: number,
	duration: number | undefined,
	rest: Partial<RunOptions> = {},
): Promise<TimedEvent[]> {
	const events: TimedEvent[] = [];
	const listener = { event: (event: TimedEvent) => void events.push(event) };
	const base = { manifest: manifest(), speed: "max", seed: 7, engine: "node", listener, nodes } as const;
	await runSimulation({ ...base, ...rest, duration });
	return events;
}

/** Names of the nodes, in the order of their events. */
function nodesWith(events: readonly TimedEvent[], type: TimedEvent["type"]): string[] {
	return [...new Set(events.filter((event) => event.type === type).map(({ node }) => node))];
}

const names = (count: number): string[] => nodeIdentities(count, "").map(({ mac }) => `node-${mac}`);

describe("several nodes", () => {
	for (const engine of ["node", "xs"] as const)
		test(`three on ${engine}: each has its own name, curve and start, and reports to the broker`, async () => {
			const events = await run(3, 5 * MINUTE, { engine });
			assert.deepEqual(nodesWith(events, "acknowledged"), names(3));
			const starts = names(3).map(
				(name) => events.find(({ node, type }) => node === name && type === "boot")!,
			);
			assert.deepEqual(
				starts.map(({ time }) => Math.round(time - events[0]!.time)),
				[0, 3333, 6667],
			);
			const values = events.flatMap((event) => (event.type === "value" ? [event] : []));
			const topics = new Set(values.map(({ topic }) => topic));
			assert.deepEqual(
				[...topics].sort(),
				names(3).map((name) => `home/${name}/temperature`),
			);
			const firsts = [...topics].map((topic) => values.find((value) => value.topic === topic)!.payload);
			assert.equal(new Set(firsts).size, 3, "two nodes measure the same");
		});

	test("the events are the same twice", async () => {
		const once = await run(2, 5 * MINUTE);
		assert.deepEqual(await run(2, 5 * MINUTE), once);
	});

	test(`${MAX_NODES}, each with discovery, on XS: the broker that stands beside them has room for all`, async () => {
		const events = await run(MAX_NODES, 2 * MINUTE, {
			engine: "xs",
			manifest: manifest({ discovery: "homeassistant" }),
		});
		const announced = events.filter(
			({ type, ...rest }) => type === "trace" && /announced/.test(String(Object(rest).message)),
		);
		assert.equal(announced.length, MAX_NODES);
		assert.deepEqual(nodesWith(events, "dropped"), []);
		assert.deepEqual(nodesWith(events, "failed"), []);
		assert.deepEqual(nodesWith(events, "acknowledged"), names(MAX_NODES));
	});

	test("a fault that names one: no other is concerned; one that names none: all are", async () => {
		const base = { name: "reset", at: 2 * MINUTE } as const;
		const resets = async (board?: string): Promise<string[]> => {
			const faults = [{ ...base, ...(board === undefined ? {} : { board }) }];
			const events = await run(3, 3 * MINUTE, { faults });
			return events.flatMap((event) =>
				event.type === "boot" && event.reason === "reset" ? [event.node] : [],
			);
		};
		const [, second] = names(3);
		assert.deepEqual(await resets(second), [second]);
		assert.deepEqual((await resets()).sort(), names(3));
	});

	for (const [title, firefly, message] of [
		[
			"an id without {mac}",
			{ id: "node" },
			/config\.firefly\.id: several nodes need \{mac\} in it, such as "node-\{mac\}"/,
		],
		[
			"a client identifier without {mac}",
			{ broker: { url: "mqtt://b", clientId: "x" } },
			/config\.firefly\.broker\.clientId: several nodes need \{id\} or \{mac\}/,
		],
		["a broker", { role: "both" }, /config\.firefly\.role: "both" is one board; --nodes is for sensors/],
	] as const)
		test(`${title}: refused, but for one node`, async () => {
			await assert.rejects(run(2, MINUTE, { manifest: manifest(firefly) }), {
				name: "ManifestError",
				message,
			});
			await run(1, MINUTE, { manifest: manifest(firefly) });
		});

	test("a topic without {id}: a warning", async () => {
		const events = await run(2, MINUTE, { manifest: manifest({ topic: "home/{sensor}" }) });
		const traces = events.flatMap((event) => (event.type === "trace" ? [event.message] : []));
		assert.deepEqual(
			traces.filter((text) => text.includes("topic")),
			["all nodes publish to the same topics: config.firefly.topic has neither {id} nor {mac}"],
		);
	});

	test("no node has the broker's address", () => {
		assert.deepEqual(
			nodeIdentities(3, "192.168.4.12").map(({ address }) => address),
			["192.168.4.11", "192.168.4.13", "192.168.4.14"],
		);
	});
});

describe("several nodes and a recording", () => {
	const folder = mkdtempSync(join(tmpdir(), "firefly-nodes-"));
	after(() => rmSync(folder, { recursive: true }));

	test("the run ends when each node has reported its last row", async () => {
		const replay = join(folder, "room.csv");
		const rows = Array.from({ length: 6 }, (_, i) => `2026-03-01T00:0${i}:00Z,${20 + i}`);
		writeFileSync(replay, `time,temperature\n${rows.join("\n")}\n`);
		const events = await run(2, undefined, { replay });
		const last = names(2).map(
			(name) =>
				events.findLast((event) => event.type === "value" && event.topic === `home/${name}/temperature`)!,
		);
		assert.deepEqual(
			last.map((event) => event.type === "value" && event.payload),
			["25", "25"],
		);
	});
});
