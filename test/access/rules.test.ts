import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { skipLastPrefix } from "../../src/broker/access/placeholder-levels";
import { Rules } from "../../src/broker/access/rules";
import { Users } from "../../src/broker/access/users";
import type { RuleSettings } from "../../src/config/settings";
import { naiveMatch } from "../broker/support/naive-match";
import { hashOf } from "./password-hash";

const encoder = new TextEncoder();
const users = new Users(["anna", "ben"].map((name) => ({ name, hash: hashOf(name) })));

/** Rules queried with strings; the client identifier lies inside a larger buffer. */
class RuleQueries {
	readonly #rules: Rules;
	readonly #user: number;

	constructor(rules: readonly RuleSettings[], user: string, client: string) {
		const memory = encoder.encode(`xx${client}yy`);
		const identifiers = { identifierStart: () => 2, identifierEnd: () => memory.length - 2 };
		this.#rules = new Rules(rules, users, identifiers, memory);
		this.#user = users.findByName(user);
	}

	allows(action: "publish" | "receive" | "subscribe", topic: string): boolean {
		const bytes = encoder.encode(`>${topic}<`);
		const end = bytes.length - 1;
		switch (action) {
			case "publish":
				return this.#rules.mayPublish(this.#user, 1, bytes, 1, end);
			case "receive":
				return this.#rules.mayReceive(this.#user, 1, bytes, 1, end);
			case "subscribe":
				return this.#rules.maySubscribe(this.#user, 1, bytes, 1, end);
		}
	}
}

/** Whether a rule applies, as documented. */
function naiveRuleApplies(
	rule: RuleSettings,
	action: "publish" | "subscribe",
	user: string,
	client: string,
	topic: string,
): boolean {
	if (rule.action !== "all" && rule.action !== action) return false;
	if (rule.user !== undefined && rule.user !== user) return false;
	if (rule.client !== undefined && rule.client !== client) return false;
	if (rule.topic.includes("{user}") && user === "") return false;
	if (rule.topic.includes("{id}") && client === "") return false;
	return naiveMatch(rule.topic.replaceAll("{user}", user).replaceAll("{id}", client), topic);
}

function naiveAllows(
	rules: readonly RuleSettings[],
	action: "publish" | "subscribe",
	user: string,
	client: string,
	topic: string,
): boolean {
	if (rules.length === 0) return true;
	return rules.find((rule) => naiveRuleApplies(rule, action, user, client, topic))?.effect === "allow";
}

const word = fc.constantFrom("", "a", "b", "ab", "ü", "anna", "c1");
const topicName = fc
	.tuple(fc.constantFrom("", "", "", "$"), fc.array(word, { minLength: 1, maxLength: 4 }))
	.map(([mark, levels]) => mark + levels.join("/"))
	.filter((topic) => topic !== "");
const filterOf = (level: fc.Arbitrary<string>) =>
	fc
		.tuple(
			fc.constantFrom("", "", "", "$"),
			fc.array(fc.oneof(level, fc.constant("+")), { maxLength: 4 }),
			fc.boolean(),
		)
		.map(
			([mark, levels, rest]) =>
				(levels[0] === "+" ? "" : mark) + (rest ? [...levels, "#"] : levels).join("/"),
		)
		.filter((filter) => filter !== "" && !/^\$#/.test(filter));
const pattern = filterOf(fc.oneof(word, fc.constantFrom("{user}", "{id}", "a{id}", "{user}-{id}")));
const user = fc.constantFrom("", "anna", "ben");
const client = fc.constantFrom("c1", "c2", "anna", "ü");
/** A reader of the status page has no client identifier. */
const statusPageClient = fc.oneof({ weight: 4, arbitrary: client }, fc.constant(""));
const rule: fc.Arbitrary<RuleSettings> = fc
	.record(
		{
			effect: fc.constantFrom("allow", "deny"),
			action: fc.constantFrom("publish", "subscribe", "all"),
			topic: pattern,
			user: fc.constantFrom("anna", "ben", "nobody"),
			client,
		},
		{ requiredKeys: ["effect", "action", "topic"] },
	)
	.map((value) => value as RuleSettings);
const rules = fc.array(rule, { maxLength: 6 });

describe("access rules against a reference implementation", () => {
	test("publish and receive: the first rule that applies decides; without one the topic is denied", () => {
		fc.assert(
			fc.property(
				rules,
				user,
				statusPageClient,
				fc.array(topicName, { minLength: 1, maxLength: 10 }),
				(rules, user, client, topics) => {
					const queries = new RuleQueries(rules, user, client);
					for (const topic of topics) {
						assert.equal(
							queries.allows("publish", topic),
							naiveAllows(rules, "publish", user, client, topic),
							`publish ${topic}`,
						);
						assert.equal(
							queries.allows("receive", topic),
							naiveAllows(rules, "subscribe", user, client, topic),
							`receive ${topic}`,
						);
					}
				},
			),
			{ numRuns: 2000 },
		);
	});

	test("subscribe: granted if an allowed topic can match; without wildcards, if the topic is allowed", () => {
		fc.assert(
			fc.property(
				rules,
				user,
				statusPageClient,
				filterOf(word),
				fc.array(topicName, { minLength: 1, maxLength: 20 }),
				(rules, user, client, filter, topics) => {
					const queries = new RuleQueries(rules, user, client);
					const granted = queries.allows("subscribe", filter);
					for (const topic of topics) {
						if (naiveMatch(filter, topic) && naiveAllows(rules, "subscribe", user, client, topic))
							assert.ok(granted, `${filter} brings ${topic}`);
					}
					if (!/[+#]/.test(filter))
						assert.equal(granted, naiveAllows(rules, "subscribe", user, client, filter), filter);
				},
			),
			{ numRuns: 3000 },
		);
	});

	test("a filter covered by one denial, or matched by no allowance: refused", () => {
		const secret: RuleSettings[] = [
			{ effect: "deny", action: "all", topic: "secret/#" },
			{ effect: "allow", action: "subscribe", topic: "home/+/{id}" },
			{ effect: "allow", action: "subscribe", topic: "#", user: "anna" },
		];
		const table: readonly (readonly [string, string, boolean])[] = [
			["ben", "secret", false],
			["anna", "secret/#", false],
			["anna", "secret/+/x", false],
			["anna", "#", true],
			["anna", "+/x", true],
			["anna", "$SYS/#", false],
			["ben", "#", true],
			["ben", "home/#", true],
			["ben", "home/+/c1", true],
			["ben", "home/x/c1", true],
			["ben", "home/x/c2", false],
			["ben", "home", false],
			["ben", "+/+/c1", true],
			["ben", "+/+/+/#", true],
			["ben", "+/+/+/+", false],
			["ben", "away/#", false],
		];
		for (const [user, filter, expected] of table)
			assert.equal(
				new RuleQueries(secret, user, "c1").allows("subscribe", filter),
				expected,
				`${user} ${filter}`,
			);
	});

	test("{user} in a rule: not for a client without a user, and never beyond the topic", () => {
		const rules: RuleSettings[] = [{ effect: "allow", action: "all", topic: "home/{user}/#" }];
		assert.ok(new RuleQueries(rules, "anna", "c1").allows("publish", "home/anna/x"));
		for (const topic of ["home//x", "home/", "home//"])
			assert.ok(!new RuleQueries(rules, "", "c1").allows("publish", topic), topic);
		// The payload that follows the topic would complete the name.
		const memory = encoder.encode("c1");
		const identifiers = { identifierStart: () => 0, identifierEnd: () => 2 };
		const bytes = encoder.encode("home/anna/x");
		const user = users.findByName("anna");
		for (let end = 1; end < "home/anna".length; end++)
			assert.ok(!new Rules(rules, users, identifiers, memory).mayPublish(user, 1, bytes, 0, end), `${end}`);
	});

	test("$SYS/last/<topic>: the prefix is skipped, so that the topic's own rules apply", () => {
		for (const [filter, rest] of [
			["$SYS/last/home/x", "home/x"],
			["$SYS/last/#", "#"],
			["$SYS/last//", "/"],
			["$SYS/last/", "$SYS/last/"],
			["$SYS/last", "$SYS/last"],
			["$SYS/lost/a", "$SYS/lost/a"],
			["$SYS/broker/uptime", "$SYS/broker/uptime"],
		]) {
			const bytes = encoder.encode(`>${filter}<`);
			assert.equal(
				Buffer.from(bytes.subarray(skipLastPrefix(bytes, 1, bytes.length - 1), -1)).toString(),
				rest,
			);
		}
	});
});
