import { ranges } from "../src/config/ranges";
import type { ListenSettings } from "../src/config/settings";
import type { Random } from "./clock/random";
import type { JSONObject } from "./manifest/manifest-reader";
import { deterministicHash } from "./password";
import { asObject } from "./plan";

/** As whom the observer connects. */
export interface ObserverCredentials {
	readonly clientId: string;
	readonly username?: string;
	readonly password?: string;
}

export interface ObserverAccess {
	readonly credentials: ObserverCredentials;
	/** `config.firefly.listen` with what lets the observer in. */
	readonly listen: JSONObject;
	/** Why it may see less than there is. */
	readonly warning?: string;
}

const OBSERVER_NAME = "firefly-desk";
/** Bytes for its client identifier and its filter, with what the broker adds to each. */
const OBSERVER_BYTES = 64;

/**
 * Lets the observer look into a virtual board's broker, and nobody else. It gets a place of its own in the
 * pools that a client takes room in; where rules or users would stop it, the first rule is for it alone, and
 * where everybody has to log in, one user more is. What is full stays as it is: then less is seen.
 * @param written `config.firefly.listen` as the board has it
 * @param settings the same, read
 */
export function grantObserverAccess(
	written: JSONObject,
	settings: ListenSettings,
	random: Random,
): ObserverAccess {
	const { users, acl, anonymous } = settings;
	const clientId = `${OBSERVER_NAME}-${random.uint32().toString(16).padStart(8, "0")}`;
	const password = `${random.uint32().toString(36)}${random.uint32().toString(36)}`;
	const listen = { ...written, ...withObserverRoom(settings) };
	if (!anonymous && users.length === ranges.listen.users)
		return {
			credentials: { clientId },
			listen,
			warning:
				"no values are shown: listen.users has no room for one more, which the simulation needs to see them",
		};
	// Where nobody can log in, nobody shall.
	const needsLogin = !anonymous && users.length > 0;
	const username = unusedName(users.map(({ name }) => name));
	const credentials = needsLogin ? { clientId, username, password } : { clientId };
	const known = needsLogin
		? { ...listen, users: { ...asObject(written.users), [username]: deterministicHash(username, password) } }
		: listen;
	if (acl.length === 0) return { credentials, listen: known };
	if (acl.length === ranges.listen.rules)
		return {
			credentials,
			listen: known,
			warning: "values that the rules hide are not shown: listen.acl has no room for one more",
		};
	const rule: JSONObject = {
		allow: "subscribe",
		topic: "#",
		...(needsLogin ? { user: username } : { client: clientId }),
	};
	return {
		credentials,
		listen: { ...known, acl: [rule, ...(Array.isArray(written.acl) ? written.acl : [])] },
	};
}

/** One client more, so that those of the configuration find as much room as on a real board. */
function withObserverRoom(settings: ListenSettings): JSONObject {
	const more = {
		connections: 1,
		sessions: 1,
		subscriptions: 1,
		filterLevels: 1,
		filterBytes: OBSERVER_BYTES,
		sessionBytes: OBSERVER_BYTES,
	} as const;
	const keys = Object.keys(more) as (keyof typeof more)[];
	return Object.fromEntries(
		keys.map((key) => [key, Math.min(settings[key] + more[key], ranges.listen[key].maximum)]),
	);
}

function unusedName(taken: readonly string[]): string {
	let name = OBSERVER_NAME;
	for (let i = 2; taken.includes(name); i++) name = `${OBSERVER_NAME}-${i}`;
	return name;
}
