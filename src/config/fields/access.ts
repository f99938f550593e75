import { deepFreeze } from "../deep-freeze";
import { limits } from "../limits";
import { aclTopicProblem, clientProblem, hashProblem, presenceProblem, userProblem } from "../validators";
import type { Fields } from "./field";

const actions = ["publish", "subscribe", "all"] as const;

/** A rule has either `allow` or `deny`. */
export const ruleFields = deepFreeze({
	allow: { kind: "choice", choices: actions, text: "What this rule allows." },
	deny: { kind: "choice", choices: actions, text: "What this rule denies." },
	topic: {
		kind: "text",
		check: aclTopicProblem,
		required: true,
		text: "Topic filter; {user} and {id} stand for the client's user name and client identifier. At most 128 bytes.",
		detail: [
			"A client that may log in chooses its identifier freely, also one that another user's client has: a rule by identifier excludes a client only together with user or {user}.",
		],
		examples: ["home/{id}/#"],
	},
	user: {
		kind: "text",
		check: userProblem,
		text: "The user it is for; everybody when left out.",
		examples: ["greenhouse"],
	},
	client: {
		kind: "text",
		check: clientProblem,
		text: "The client identifier it is for; all when left out.",
		examples: ["greenhouse-a0b1c2d3e4f5"],
	},
} as const satisfies Fields);

export const tlsFields = deepFreeze({
	port: {
		kind: "count",
		minimum: 0,
		maximum: 65_535,
		default: 8883,
		text: "TCP port for MQTT over TLS; 0 lets the host choose one.",
	},
	certificate: {
		kind: "text",
		check: presenceProblem,
		required: true,
		text: "File of the certificate, and of those that lead to its root, in PEM.",
		examples: ["server.pem"],
	},
	key: {
		kind: "text",
		check: presenceProblem,
		required: true,
		text: "File of its private key, in PEM.",
		examples: ["server.key"],
	},
} as const satisfies Fields);

/** Who may log in, and do what. */
export const accessFields = deepFreeze({
	anonymous: {
		kind: "choice",
		choices: [true, false],
		default: false,
		text: "Whether clients without a user name are let in.",
		detail: [
			"Each user has client identifiers of its own, and so have all clients without a user name together: the same identifier of another user is another session, which neither is taken over nor keeps anybody out.",
			"Clients without a user name can take over each other's sessions, as MQTT specifies.",
		],
	},
	users: {
		kind: "table",
		check: hashProblem,
		pattern: "^\\$pbkdf2-sha256\\$i=[1-9][0-9]*\\$[A-Za-z0-9+/]{22}\\$[A-Za-z0-9+/]{43}$",
		maximum: limits.users,
		item: "Password hash, as firefly passwd makes it.",
		text: "Who may log in: user names and password hashes.",
		detail: ["If there are none and anonymous is off, all clients are refused."],
		examples: [
			{
				greenhouse: "$pbkdf2-sha256$i=200$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
			},
		],
	},
	acl: {
		kind: "list",
		fields: ruleFields,
		maximum: limits.rules,
		title: "Access rules",
		item: 'One rule: "allow" or "deny", and for what.',
		text: "What clients may do: the first rule that fits decides, what no rule fits is denied. Everything is allowed where there is no rule.",
		detail: [
			"Publishing to topics that begin with $ is never allowed.",
			"A message is checked when it is published, and again for each client that it is delivered to; a stored value remains, whoever published it.",
		],
		examples: [[{ allow: "subscribe", topic: "home/#" }]],
	},
	failedAddresses: {
		kind: "count",
		unit: "addresses",
		minimum: 1,
		maximum: 256,
		default: 16,
		text: "Addresses whose failed logins are remembered.",
		detail: [
			"An IPv6 network (64 bits) counts as one address, and so does one with a correct login.",
			"After three different wrong passwords an address waits one second, doubled for each further one up to a minute (0x9F, or return code 5), except for the correct password of a user who has logged in from there since the start.",
			"Full: the address with the fewest wrong logins is evicted, or another correct one of the same user.",
			"Wrong logins of all addresses together are checked at most ten times a second after the first twenty; others wait.",
		],
	},
	tls: {
		kind: "section",
		fields: tlsFields,
		optional: true,
		title: "TLS",
		text: "A second port with TLS, on hosts that have it: firefly broker on Node.",
		detail: [
			"At most 128 handshakes are in progress there, 64 per address or IPv6 network; one more closes the oldest.",
		],
	},
} as const satisfies Fields);
