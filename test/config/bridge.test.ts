import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { JSONDocument } from "../../cli/config/json";
import { ruleProblems } from "../../cli/config/rules";
import { configWarnings } from "../../cli/config/warnings";
import { filtersOverlap } from "../../src/config/filter-overlap";
import { readSettings } from "../../src/config/settings";
import { matches } from "../../src/mqtt/topics";
import { utf8 } from "../../src/mqtt/utf8";

const LEVELS = ["a", "b", "", "$c"];

/** Every topic name of up to three of these levels. */
const names: readonly string[] = (() => {
	const all: string[] = [];
	for (const a of LEVELS) {
		if (a !== "") all.push(a);
		for (const b of LEVELS) {
			all.push(`${a}/${b}`);
			for (const c of LEVELS) all.push(`${a}/${b}/${c}`);
		}
	}
	return all;
})();

const filters = fc
	.tuple(fc.array(fc.constantFrom(...LEVELS, "+"), { minLength: 0, maxLength: 3 }), fc.constantFrom("", "#"))
	.map(([levels, end]) => [...levels, ...(end === "" ? [] : [end])].slice(0, 3).join("/"))
	.filter((filter) => filter !== "");

function matchesName(filter: string, name: string): boolean {
	const [f, n] = [utf8(filter), utf8(name)];
	return matches(f, 0, f.length, n, 0, n.length);
}

function read(bridge: object, role = "broker") {
	const traces: string[] = [];
	const firefly = { role, id: "edge-{mac}", bridge };
	const { bridge: settings } = readSettings({ firefly }, { mac: "a0b1c2d3e4f5", chip: "esp32" }, (message) =>
		traces.push(message),
	);
	return { settings, traces };
}

function document(bridge: object, role = "broker", listen: object = { anonymous: true }): JSONDocument {
	return new JSONDocument("manifest.json", JSON.stringify({ config: { firefly: { role, listen, bridge } } }));
}

function problems(bridge: object, role?: string): string[] {
	return ruleProblems(document(bridge, role), {}, false).map(
		({ path, message }) => `${path.replace("config.firefly.", "")} ${message}`,
	);
}

const url = "mqtt://b:1884";

describe("two filters overlap", () => {
	test("exactly if a topic name matches both", () => {
		fc.assert(
			fc.property(filters, filters, (one, other) => {
				const common = names.some((name) => matchesName(one, name) && matchesName(other, name));
				assert.equal(filtersOverlap(one, other), common, `${one} ${other}`);
				assert.equal(filtersOverlap(other, one), common);
			}),
			{ numRuns: 5000 },
		);
	});
});

describe("bridge of the configuration", () => {
	const warnings = (bridge: object, listen: object = {}): string[] =>
		configWarnings(document(bridge, "broker", listen), {})
			.filter(({ path }) => path.includes(".bridge."))
			.map(({ path, message }) => `${path.replace("config.firefly.bridge.", "")} ${message}`);

	test("placeholders, defaults and prefixes: as a bridge uses them", () => {
		const { settings, traces } = read({
			url,
			username: "u-{id}",
			topics: [{ filter: "s/#", remotePrefix: "sites/{id}/" }],
		});
		assert.deepEqual(traces, []);
		assert.equal(settings?.host, "b");
		assert.equal(settings?.port, 1884);
		assert.equal(settings?.clientId, "edge-a0b1c2d3e4f5-bridge");
		assert.equal(settings?.username, "u-edge-a0b1c2d3e4f5");
		assert.deepEqual(settings?.topics, [
			{
				filter: "s/#",
				direction: "out",
				qos: 1,
				localPrefix: "",
				remotePrefix: "sites/edge-a0b1c2d3e4f5/",
			},
		]);
	});

	for (const tryPrivate of [false, true])
		test(`over 3.1.1, what goes out and would come in again, tryPrivate ${tryPrivate}: ${tryPrivate ? "a warning of check, and kept by the device" : "refused by check and left out by the device"}`, () => {
			for (const [topics, message] of [
				[[{ filter: "a/#", direction: "both" }], "topics[0].filter"],
				[
					[
						{ filter: "a/+", direction: "out", remotePrefix: "x/" },
						{ filter: "#", direction: "in", localPrefix: "y/" },
					],
					"topics[1].filter",
				],
				[
					[
						{ filter: "a/b", direction: "in", remotePrefix: "x/", localPrefix: "l/" },
						{ filter: "x/a/#", direction: "out" },
					],
					"topics[1].filter",
				],
			] as const) {
				const bridge = { url, version: 4, tryPrivate, topics };
				const refused = problems(bridge);
				const warned = warnings(bridge).filter((text) => text.includes("0x84"));
				const { settings, traces } = read(bridge);
				assert.deepEqual(problems({ url, version: 5, topics }), []);
				assert.deepEqual(warnings({ url, version: 5, topics }), []);
				assert.equal(read({ url, version: 5, topics }).settings?.topics.length, topics.length);
				if (tryPrivate) {
					const incoming = topics.findIndex(({ direction }) => direction !== "out");
					assert.deepEqual(refused, []);
					assert.equal(warned.length, 1);
					assert.ok(warned[0]?.startsWith(`topics[${incoming}].filter `), warned[0]);
					assert.equal(settings?.topics.length, topics.length);
					assert.deepEqual(traces, []);
					continue;
				}
				assert.deepEqual(warned, []);
				assert.equal(refused.length, 1);
				assert.ok(refused[0]?.startsWith(`bridge.${message} `), refused[0]);
				assert.match(refused[0] ?? "", /makes a loop/);
				assert.equal(settings?.topics.length ?? 0, topics.length - 1);
				assert.match(traces[0] ?? "", /makes a loop/);
			}
		});

	test("over 3.1.1, names that do not overlap at the other broker: allowed", () => {
		const topics = [
			{ filter: "a/#", direction: "out", remotePrefix: "x/" },
			{ filter: "a/#", direction: "in", remotePrefix: "y/" },
			{ filter: "+/status", direction: "out", remotePrefix: "x/" },
		];
		assert.deepEqual(problems({ url, version: 4, topics }), []);
		assert.deepEqual(read({ url, version: 4, topics }).traces, []);
	});

	test("what cannot work: said by check", () => {
		const topics = [{ filter: "a" }];
		assert.match(problems({ topics })[0] ?? "", /^bridge lacks "url"/);
		assert.match(problems({ url })[0] ?? "", /^bridge lacks "topics"/);
		assert.match(problems({ url, topics }, "sensor").join(), /needs "role": "broker"/);
		assert.match(
			problems({ url, topics, retryMinimum: "2m" }).join(),
			/bridge.retryMinimum makes retryMaximum less than retryMinimum/,
		);
		assert.match(
			problems({ url, topics: [{ filter: "b", localPrefix: "a".repeat(128) }] }).join(),
			/with the prefix/,
		);
	});

	for (const [direction, otherwise] of [
		["out", /ends the session at the other broker/],
		["both", /ends the session at the other broker/],
		["in", /may be published here twice/],
	] as const)
		test(`QoS 2 "${direction}" without a session that survives a restart exactly: a warning`, () => {
			const bridge = {
				url,
				topics: [
					{ filter: "z", direction, qos: 1 },
					{ filter: "a", direction, qos: 2 },
				],
			};
			for (const listen of [{}, { persist: true }]) {
				const [warning = "", ...more] = warnings(bridge, listen);
				assert.match(warning, /^topics\[1\]\.qos 2 is exactly once/);
				assert.match(warning, otherwise);
				assert.deepEqual(more, []);
			}
			assert.deepEqual(warnings(bridge, { persist: true, persistInterval: "0s" }), []);
		});

	for (const [what, topics, expected] of [
		["the same filter", [{ filter: "a/#" }, { filter: "a/#" }], 1],
		["one filter within the other", [{ filter: "a/+" }, { filter: "b" }, { filter: "#" }], 1],
		[
			"the same by prefixes",
			[
				{ filter: "b/c", remotePrefix: "a/" },
				{ filter: "+/c", remotePrefix: "a/" },
			],
			1,
		],
		[
			"other names there",
			[
				{ filter: "a", remotePrefix: "x/" },
				{ filter: "a", remotePrefix: "y/" },
			],
			0,
		],
		[
			"the same names here alone",
			[
				{ filter: "a/b", localPrefix: "c/" },
				{ filter: "b", localPrefix: "c/a/" },
			],
			0,
		],
		["one of them out", [{ filter: "a", direction: "out" }, { filter: "a" }], 0],
		["one of them both ways", [{ filter: "a", direction: "both" }, { filter: "a" }], 1],
	] as const)
		test(`rows "in" with ${what}: ${expected === 0 ? "no warning" : "a warning at the later one"}`, () => {
			const rows = topics.map((row) => ({ direction: "in", qos: 0, ...row }));
			const found = warnings({ url, topics: rows });
			assert.equal(found.length, expected);
			for (const warning of found) assert.match(warning, /^topics\[[12]\]\.filter .*overlaps topics\[\d\]/);
		});

	test("a bridge that the rules accept: read without a trace, and one with a trace is refused", () => {
		const prefix = fc.constantFrom("", "x/", "{id}/", "a", "$SYS/", "+", "a".repeat(127));
		const row = fc.record(
			{
				filter: fc.oneof(filters, fc.constantFrom("a".repeat(100), "$share/g/t")),
				direction: fc.constantFrom("in", "out", "both"),
				qos: fc.constantFrom(0, 1, 2),
				localPrefix: prefix.filter((text) => text !== "+"),
				remotePrefix: prefix.filter((text) => text !== "+"),
			},
			{ requiredKeys: ["filter"], noNullPrototype: true },
		);
		const bridges = fc.record(
			{
				url: fc.constant(url),
				version: fc.constantFrom(4, 5),
				tryPrivate: fc.boolean(),
				retryMinimum: fc.constantFrom("1s", "2m"),
				retryMaximum: fc.constantFrom("10s", "3m"),
				topics: fc.array(row, { maxLength: 3 }),
			},
			{ requiredKeys: ["topics"], noNullPrototype: true },
		);
		let accepted = 0;
		fc.assert(
			fc.property(bridges, (bridge) => {
				// The schema, not a rule, refuses shared subscriptions
				fc.pre(!bridge.topics.some(({ filter }) => filter.startsWith("$share/")));
				const isRefused = problems(bridge).length > 0;
				assert.equal(read(bridge).traces.length > 0, isRefused, problems(bridge).join("\n"));
				if (!isRefused) accepted++;
			}),
			{ numRuns: 1000 },
		);
		assert.ok(accepted > 50, `${accepted} accepted`);
	});
});
