import { listenFields } from "../src/config/fields/listen";
import { limits } from "../src/config/limits";
import type { ListenSettings } from "../src/config/settings";
import type { Random } from "./clock/random";
import type { JSONObject } from "./manifest/manifest-reader";
import { deterministicHash } from "./password";
import { asObject } from "./plan";

/** The identity with which the observer connects. */
export interface ObserverCredentials {
	readonly clientId: string;
	readonly username?: string;
	readonly password?: string;
}

export interface ObserverAccess {
	readonly credentials: ObserverCredentials;
	/** `config.firefly.listen` with access for the observer. */
	readonly listen: JSONObject;
	/** Why some values may stay hidden from the observer. */
	readonly warning?: string;
}

const OBSERVER_NAME = "firefly-desk";
/** Bytes for its client identifier and its filter, including the broker's overhead for each. */
const OBSERVER_BYTES = 64;

/**
 * Grants the observer, and nobody else, access to a virtual board's broker. It adds one client's room to the
 * pools that a client occupies, a rule for the observer in front of the access rules if there are any, and a
 * user if logging in is required. A list at its limit is left unchanged; the observer then sees less.
 * @param written `config.firefly.listen` as the board has it
 * @param settings the same, parsed
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
	if (!anonymous && users.length === limits.users)
		return {
			credentials: { clientId },
			listen,
			warning:
				"no values are shown: listen.users has no room for one more, which the simulation needs to see them",
		};
	// Without users nobody can log in; adding one would change that.
	const needsLogin = !anonymous && users.length > 0;
	const username = unusedName(users.map(({ name }) => name));
	const credentials = needsLogin ? { clientId, username, password } : { clientId };
	const known = needsLogin
		? { ...listen, users: { ...asObject(written.users), [username]: deterministicHash(username, password) } }
		: listen;
	if (acl.length === 0) return { credentials, listen: known };
	if (acl.length === limits.rules)
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

/** Adds room for one client, so that the configured clients have as much as on a real board. */
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
		keys.map((key) => [key, Math.min(settings[key] + more[key], listenFields[key].maximum)]),
	);
}

function unusedName(taken: readonly string[]): string {
	let name = OBSERVER_NAME;
	for (let i = 2; taken.includes(name); i++) name = `${OBSERVER_NAME}-${i}`;
	return name;
}
