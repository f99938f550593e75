import { ranges } from "./ranges";
import type { Section } from "./section";
import type { RuleSettings, TLSSettings, UserSettings } from "./types";
import { aclTopicProblem, clientProblem, hashProblem, userProblem } from "./validators";

/** Reads the users. A user with an invalid name or hash is left out and cannot log in. */
export function readUsers(listen: Section): readonly UserSettings[] {
	const users: UserSettings[] = [];
	const names = Object.keys(listen.object("users") ?? {});
	const section = listen.section("users");
	for (let i = 0; i < names.length; i++) {
		const name = names[i];
		const problem = userProblem(name);
		if (problem !== undefined) {
			section.refuse(name, `belongs to a user whose name ${problem}`, undefined, true);
			continue;
		}
		if (users.length === ranges.listen.users) {
			section.refuse(
				name,
				`belongs to one user more than the ${ranges.listen.users} there may be`,
				undefined,
				true,
			);
			break;
		}
		const hash = section.string(name, undefined, hashProblem, true);
		if (hash !== undefined) users.push({ name, hash });
	}
	return users;
}

const DENY_ALL: RuleSettings = Object.freeze({ effect: "deny", action: "all", topic: "#" });

/**
 * Reads the rules in order. After a rule that cannot be read, everything is denied: what the rule forbids
 * must not become allowed.
 */
export function readRules(listen: Section): readonly RuleSettings[] {
	const rules: RuleSettings[] = [];
	const value = listen.value("acl");
	if (value === undefined) return rules;
	if (!Array.isArray(value)) return listen.refuse("acl", "is not a list; everything is denied", [DENY_ALL]);
	const entries = listen.list("acl", ranges.listen.rules);
	for (let i = 0; i < entries.length; i++) {
		const rule = readRule(entries[i]);
		if (rule === undefined) {
			rules.push(DENY_ALL);
			return rules;
		}
		rules.push(rule);
	}
	if (value.length > entries.length) rules.push(DENY_ALL);
	return rules;
}

function readRule(section: Section): RuleSettings | undefined {
	const effect = section.value("allow") === undefined ? "deny" : "allow";
	if (effect === "allow" && section.value("deny") !== undefined)
		return section.refuse("deny", "stands beside allow; everything is denied", undefined);
	const action = section.choice(effect, "none", ["publish", "subscribe", "all"]);
	const topic = section.string("topic", "", aclTopicProblem);
	const user = section.string("user", undefined, userProblem);
	const client = section.string("client", undefined, clientProblem);
	if (action === "none" || topic === "")
		return section.refuse(topic === "" ? "topic" : effect, "is needed; everything is denied", undefined);
	if (
		(user === undefined) !== (section.value("user") === undefined) ||
		(client === undefined) !== (section.value("client") === undefined)
	)
		return undefined;
	return {
		effect,
		action,
		topic,
		...(user === undefined ? {} : { user }),
		...(client === undefined ? {} : { client }),
	};
}

/** Undefined: no TLS. An invalid section still requests TLS, and a host with TLS refuses to start with it. */
export function readTLS(listen: Section): TLSSettings | undefined {
	if (listen.value("tls") === undefined) return undefined;
	const section = listen.section("tls");
	return {
		port: section.integer("port", 8883, ranges.listen.port),
		certificate: readPath(section, "certificate"),
		key: readPath(section, "key"),
	};
}

function readPath(section: Section, key: string): string {
	const path = section.string(key, "", (text) => (text === "" ? "is empty" : undefined));
	return path === "" && section.value(key) === undefined ? section.refuse(key, "is missing", "") : path;
}
