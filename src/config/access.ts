import { readFields } from "./field-reader";
import { listenFields } from "./fields/listen";
import type { Section } from "./section";
import type { RuleSettings, UserSettings } from "./types";
import { userProblem } from "./validators";

/** Reads the users. A user with an invalid name or hash is left out and cannot log in. */
export function readUsers(listen: Section): readonly UserSettings[] {
	const { check, maximum } = listenFields.users;
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
		if (users.length === maximum) {
			section.refuse(name, `belongs to one user more than the ${maximum} there may be`, undefined, true);
			break;
		}
		const hash = section.string(name, undefined, check, true);
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
	const entries = listen.list("acl", listenFields.acl.maximum);
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
	const { allow, deny, topic, user, client } = readFields(section, listenFields.acl.fields);
	const effect = section.value("allow") === undefined ? "deny" : "allow";
	if (effect === "allow" && section.value("deny") !== undefined)
		return section.refuse("deny", "stands beside allow; everything is denied", undefined);
	const action = effect === "allow" ? allow : deny;
	if (action === undefined || topic === "")
		return section.refuse(topic === "" ? "topic" : effect, "is needed; everything is denied", undefined);
	// A rule for one user or client must not become one for all.
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
