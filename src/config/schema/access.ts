import Type from "typebox";
import { ranges } from "../ranges";
import { aclTopicProblem, clientProblem, hashProblem, userProblem } from "../validators";
import { Count, strict, Text } from "./kinds";

export const UsersConfig = Type.Record(
	Type.String(),
	Text("Password hash, as firefly passwd makes it.", hashProblem, {
		pattern: "^\\$pbkdf2-sha256\\$i=[1-9][0-9]*\\$[A-Za-z0-9+/]{22}\\$[A-Za-z0-9+/]{43}$",
	}),
	{ description: "Who may log in: user names and password hashes." },
);

const Action = (description: string) =>
	Type.Optional(
		Type.Unsafe<"publish" | "subscribe" | "all">({ description, enum: ["publish", "subscribe", "all"] }),
	);

export const AccessRule = Type.Object(
	{
		allow: Action("What this rule allows."),
		deny: Action("What this rule denies."),
		topic: Text(
			"Topic filter; {user} and {id} stand for the client's user name and client identifier. At most 128 bytes.",
			aclTopicProblem,
			{
				examples: ["home/{id}/#"],
			},
		),
		user: Type.Optional(Text("The user it is for; everybody when left out.", userProblem)),
		client: Type.Optional(Text("The client identifier it is for; all when left out.", clientProblem)),
	},
	{ ...strict, description: 'One rule: "allow" or "deny", and for what.' },
);

export const TLSConfig = Type.Object(
	{
		port: Type.Optional(
			Count("TCP port for MQTT over TLS; 0 lets the host choose one.", ranges.listen.port, 8883),
		),
		certificate: Text(
			"File of the certificate, and of those that lead to its root, in PEM.",
			() => undefined,
		),
		key: Text("File of its private key, in PEM.", () => undefined),
	},
	{ ...strict, description: "A second port with TLS, on hosts that have it: firefly broker on Node." },
);
