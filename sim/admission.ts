import { ranges } from "../src/config/ranges";
import type { ListenSettings } from "../src/config/settings";
import type { Random } from "./clock/random";
import type { JSONObject } from "./manifest/read";
import { virtualHash } from "./password";
import { objectOf } from "./plan";

/** As whom the observer connects. */
export interface Admission {
	readonly clientId: string;
	readonly username?: string;
	readonly password?: string;
}

export interface Admitted {
	readonly admission: Admission;
	/** `config.firefly.listen` with what lets the observer in. */
	readonly listen: JSONObject;
	/** Why it may see less than there is. */
	readonly complaint?: string;
}

const NAME = "firefly-desk";
/** Bytes for its client identifier and its filter, with what the broker adds to each. */
const BYTES = 64;

/**
 * Lets the observer look into a virtual board's broker, and nobody else. It gets a place of its own in the pools that a client takes room in; where rules or users
 * would stop it, the first rule is for it alone, and where everybody has to log in, one user more is. What is full stays as it is: then less is seen.
 * @param written `config.firefly.listen` as the board has it @param settings the same, read
 */
export function admitObserver(written: JSONObject, settings: ListenSettings, random: Random): Admitted {
	const { users, acl, anonymous } = settings;
	const clientId = `${NAME}-${random.uint32().toString(16).padStart(8, "0")}`;
	const password = `${random.uint32().toString(36)}${random.uint32().toString(36)}`;
	const listen = { ...written, ...roomier(settings) };
	if (!anonymous && users.length === ranges.listen.users)
		return {
			admission: { clientId },
			listen,
			complaint: "no values are shown: listen.users has no room for one more, which the simulation needs to see them",
		};
	// Where nobody can log in, nobody shall.
	const logsIn = !anonymous && users.length > 0;
	const username = freeName(users.map(({ name }) => name));
	const admission = logsIn ? { clientId, username, password } : { clientId };
	const known = logsIn ? { ...listen, users: { ...objectOf(written.users), [username]: virtualHash(username, password) } } : listen;
	if (acl.length === 0) return { admission, listen: known };
	if (acl.length === ranges.listen.rules)
		return { admission, listen: known, complaint: "values that the rules hide are not shown: listen.acl has no room for one more" };
	const rule: JSONObject = { allow: "subscribe", topic: "#", ...(logsIn ? { user: username } : { client: clientId }) };
	return { admission, listen: { ...known, acl: [rule, ...(Array.isArray(written.acl) ? written.acl : [])] } };
}

/** One client more, so that those of the configuration find as much room as on a real board. */
function roomier(settings: ListenSettings): JSONObject {
	const more = { connections: 1, sessions: 1, subscriptions: 1, filterLevels: 1, filterBytes: BYTES, sessionBytes: BYTES } as const;
	const keys = Object.keys(more) as (keyof typeof more)[];
	return Object.fromEntries(keys.map((key) => [key, Math.min(settings[key] + more[key], ranges.listen[key].maximum)]));
}

function freeName(taken: readonly string[]): string {
	let name = NAME;
	for (let i = 2; taken.includes(name); i++) name = `${NAME}-${i}`;
	return name;
}
