import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decode, oneByteChunks } from "../mqtt/decoder-recorder";
import { bytes } from "../mqtt/notation";

// Reason codes of a decoder for packets that violate, or comply with, a statement about the wire format

type Sender = "client" | "broker";
/** Version, sender, packet, and the reason code of the rejection; 0: accepted. */
type WireCase = readonly [4 | 5, Sender, string, number];

const MALFORMED = 0x81;
const PROTOCOL = 0x82;
const VERSION = 0x84;
const IDENTIFIER = 0x85;
const TOPIC = 0x90;
const ALIAS = 0x94;
const CLIENT = "client";
const BROKER = "broker";
const connect = "s'MQTT' 05 02 003c";
const old = "s'MQTT' 04 02 003c";

const rows: readonly (readonly [string, readonly WireCase[]])[] = [
	[
		"[MQTT-1.5.4-1] [MQTT-3.1.1:1.5.3-1] ill-formed UTF-8, surrogates included: malformed",
		[
			[5, CLIENT, "30 { 0002 c328 00 }", MALFORMED],
			[5, BROKER, "30 { 0003 eda080 00 }", MALFORMED],
			[4, CLIENT, "30 { 0003 eda080 }", MALFORMED],
			[4, BROKER, "30 { 0002 c080 }", MALFORMED],
		],
	],
	[
		"[MQTT-1.5.4-2] [MQTT-4.7.3-2] [MQTT-3.1.1:1.5.3-2] U+0000 in strings and topics: malformed",
		[
			[5, CLIENT, "30 { 0003 610062 00 }", MALFORMED],
			[4, BROKER, "30 { 0003 610062 }", MALFORMED],
			[4, CLIENT, "82 { 0001 0003 610062 00 }", MALFORMED],
			[4, CLIENT, `10 { ${old} 0002 6100 }`, MALFORMED],
		],
	],
	[
		"[MQTT-1.5.4-3] [MQTT-3.1.1:1.5.3-3] a byte order mark: accepted",
		[
			[5, BROKER, "30 { 0004 efbbbf61 00 }", 0],
			[4, BROKER, "30 { 0004 efbbbf61 }", 0],
		],
	],
	[
		"[MQTT-1.5.4-1] [MQTT-3.1.1:1.5.3-1] control and non-characters, which a receiver may refuse: accepted",
		[
			[5, CLIENT, `10 { ${connect} 00 0003 61017f }`, 0],
			[4, CLIENT, `10 { ${old} 0003 61c29f }`, 0],
			[5, CLIENT, "30 { 0004 61011f7f 00 }", 0],
			[4, CLIENT, "30 { 0005 c280efbfbf }", 0],
			[5, CLIENT, "82 { 0001 00 0003 61c29f 00 }", 0],
			[4, CLIENT, "a2 { 0001 0002 017f }", 0],
		],
	],
	[
		"[MQTT-1.5.5-1] a length with more bytes than necessary: malformed",
		[
			[5, CLIENT, "c0 8000", MALFORMED],
			[5, BROKER, "30 { s'a' 8000 }", MALFORMED],
			[5, BROKER, "30 ffffffff01", MALFORMED],
		],
	],
	[
		"[MQTT-1.5.7-1] an ill-formed string in a pair: malformed",
		[
			[5, CLIENT, "30 { s'a' { 26 0001 ff s'v' } }", MALFORMED],
			[5, BROKER, "30 { s'a' { 26 s'k' 0001 00 } }", MALFORMED],
		],
	],
	[
		"[MQTT-2.1.3-1] [MQTT-3.1.1:2.2.2-1] [MQTT-3.1.1:2.2.2-2] reserved flags set: malformed",
		[
			[5, CLIENT, "c1 00", MALFORMED],
			[4, CLIENT, "c8 00", MALFORMED],
			[5, BROKER, "d2 00", MALFORMED],
			[4, BROKER, "21 { 0000 }", MALFORMED],
		],
	],
	[
		"[MQTT-3.6.1-1] PUBREL flags other than 2: malformed",
		[
			[5, CLIENT, "62 { 0001 }", 0],
			[4, CLIENT, "60 { 0001 }", MALFORMED],
			[5, BROKER, "63 { 0001 }", MALFORMED],
		],
	],
	[
		"[MQTT-3.8.1-1] [MQTT-3.10.1-1] wrong flags of SUBSCRIBE and UNSUBSCRIBE: malformed",
		[
			[4, CLIENT, "80 { 0001 s'a' 00 }", MALFORMED],
			[5, CLIENT, "8a { 0001 00 s'a' 00 }", MALFORMED],
			[4, CLIENT, "a0 { 0001 s'a' }", MALFORMED],
			[5, CLIENT, "a3 { 0001 00 s'a' }", MALFORMED],
		],
	],
	[
		"[MQTT-3.14.1-1] [MQTT-3.15.1-1] wrong flags of DISCONNECT and AUTH: malformed",
		[
			[4, CLIENT, "e2 00", MALFORMED],
			[5, CLIENT, "e1 00", MALFORMED],
			[5, BROKER, "e1 00", MALFORMED],
			[5, CLIENT, "f1 { 18 { 15 s'm' } }", MALFORMED],
			[5, BROKER, "f2 { 18 { 15 s'm' } }", MALFORMED],
		],
	],
	[
		"[MQTT-2.2.1-2] [MQTT-3.1.1:2.3.1-5] QoS 0 PUBLISH without a packet identifier: accepted",
		[
			[4, CLIENT, "30 { s'a' }", 0],
			[5, BROKER, "30 { s'a' 00 }", 0],
		],
	],
	[
		"[MQTT-2.2.1-3] [MQTT-2.2.1-4] [MQTT-3.1.1:2.3.1-1] packet identifier 0: protocol error",
		[
			[5, CLIENT, "32 { s'a' 0000 00 }", PROTOCOL],
			[5, BROKER, "34 { s'a' 0000 00 }", PROTOCOL],
			[4, BROKER, "32 { s'a' 0000 }", PROTOCOL],
			[4, CLIENT, "82 { 0000 s'a' 00 }", PROTOCOL],
			[4, CLIENT, "a2 { 0000 s'a' }", PROTOCOL],
		],
	],
	[
		"[MQTT-2.2.2-1] no property length: malformed",
		[
			[5, CLIENT, "30 { s'a' }", MALFORMED],
			[5, BROKER, "20 { 0000 }", MALFORMED],
			[5, CLIENT, "82 { 0001 s'a' 00 }", MALFORMED],
		],
	],
	[
		"[MQTT-3.1.2-1] an unsupported protocol name: rejected",
		[
			[5, CLIENT, "10 { s'MQTX' 05 02 003c 00 s'a' }", VERSION],
			[4, CLIENT, "10 { s'MQIsdp' 03 02 003c s'a' }", VERSION],
		],
	],
	[
		"[MQTT-3.1.2-2] an unsupported protocol version: rejected",
		[
			[5, CLIENT, "10 { s'MQTT' 06 02 003c 00 s'a' }", VERSION],
			[4, CLIENT, "10 { s'MQTT' 03 02 003c s'a' }", VERSION],
		],
	],
	[
		"[MQTT-3.1.2-3] reserved CONNECT flag set: malformed",
		[
			[5, CLIENT, "10 { s'MQTT' 05 03 003c 00 s'a' }", MALFORMED],
			[4, CLIENT, "10 { s'MQTT' 04 03 003c s'a' }", MALFORMED],
		],
	],
	[
		"[MQTT-3.1.2-9] [MQTT-3.1.3-1] Will Flag without the will's fields: malformed",
		[
			[5, CLIENT, "10 { s'MQTT' 05 06 003c 00 s'a' }", MALFORMED],
			[4, CLIENT, "10 { s'MQTT' 04 06 003c s'a' s'w' }", MALFORMED],
			[4, CLIENT, "10 { s'MQTT' 04 06 003c s'a' s'w' s'' }", 0],
		],
	],
	[
		"[MQTT-3.1.2-11] [MQTT-3.1.2-13] [MQTT-3.1.1:3.1.2-11] [MQTT-3.1.1:3.1.2-13] [MQTT-3.1.1:3.1.2-15] will flags or fields without a will: rejected",
		[
			[5, CLIENT, "10 { s'MQTT' 05 0a 003c 00 s'a' }", PROTOCOL],
			[5, CLIENT, "10 { s'MQTT' 05 22 003c 00 s'a' }", PROTOCOL],
			[4, CLIENT, "10 { s'MQTT' 04 0a 003c s'a' }", PROTOCOL],
			[4, CLIENT, "10 { s'MQTT' 04 22 003c s'a' }", PROTOCOL],
			[4, CLIENT, "10 { s'MQTT' 04 02 003c s'a' s'w' s'x' }", MALFORMED],
		],
	],
	[
		"[MQTT-3.1.2-12] [MQTT-3.1.1:3.1.2-14] Will QoS 3: malformed",
		[
			[5, CLIENT, "10 { s'MQTT' 05 1e 003c 00 s'a' 00 s'w' s'x' }", MALFORMED],
			[4, CLIENT, "10 { s'MQTT' 04 1e 003c s'a' s'w' s'x' }", MALFORMED],
		],
	],
	[
		"[MQTT-3.1.2-16] [MQTT-3.1.2-18] [MQTT-3.1.1:3.1.2-18] [MQTT-3.1.1:3.1.2-20] a user name or password without its flag: malformed",
		[
			[5, CLIENT, `10 { ${connect} 00 s'a' s'u' }`, MALFORMED],
			[4, CLIENT, `10 { ${old} s'a' s'u' }`, MALFORMED],
			[4, CLIENT, "10 { s'MQTT' 04 82 003c s'a' s'u' s'p' }", MALFORMED],
		],
	],
	[
		"[MQTT-3.1.2-17] [MQTT-3.1.2-19] [MQTT-3.1.1:3.1.2-19] [MQTT-3.1.1:3.1.2-21] a flag without its user name or password: malformed",
		[
			[5, CLIENT, "10 { s'MQTT' 05 82 003c 00 s'a' }", MALFORMED],
			[5, CLIENT, "10 { s'MQTT' 05 42 003c 00 s'a' }", MALFORMED],
			[4, CLIENT, "10 { s'MQTT' 04 c2 003c s'a' s'u' }", MALFORMED],
			[4, CLIENT, "10 { s'MQTT' 04 c2 003c s'a' s'u' s'p' }", 0],
		],
	],
	[
		"[MQTT-3.1.1:3.1.2-22] a password without a user name: protocol error in MQTT 3.1.1 only",
		[
			[4, CLIENT, "10 { s'MQTT' 04 42 003c s'a' s'p' }", PROTOCOL],
			[5, CLIENT, "10 { s'MQTT' 05 42 003c 00 s'a' s'p' }", 0],
		],
	],
	[
		"[MQTT-3.1.3-3] [MQTT-3.1.3-4] client identifier missing or ill-formed: malformed",
		[
			[5, CLIENT, `10 { ${connect} 00 }`, MALFORMED],
			[4, CLIENT, `10 { ${old} }`, MALFORMED],
			[5, CLIENT, `10 { ${connect} 00 0001 ff }`, MALFORMED],
			[4, CLIENT, `10 { ${old} 0001 ff }`, MALFORMED],
		],
	],
	[
		"[MQTT-3.1.1:3.1.3-7] [MQTT-3.1.1:3.1.3-8] no identifier, clean session 0: rejected in MQTT 3.1.1",
		[
			[4, CLIENT, "10 { s'MQTT' 04 00 003c s'' }", IDENTIFIER],
			[5, CLIENT, "10 { s'MQTT' 05 00 003c 00 s'' }", 0],
		],
	],
	[
		"[MQTT-3.1.3-11] [MQTT-3.1.1:3.1.3-10] ill-formed will topic: malformed",
		[
			[5, CLIENT, "10 { s'MQTT' 05 06 003c 00 s'a' 00 0001 ff s'x' }", MALFORMED],
			[4, CLIENT, "10 { s'MQTT' 04 06 003c s'a' 0001 ff s'x' }", MALFORMED],
		],
	],
	[
		"[MQTT-3.1.3-12] [MQTT-3.1.1:3.1.3-11] ill-formed user name: malformed",
		[
			[5, CLIENT, "10 { s'MQTT' 05 82 003c 00 s'a' 0001 ff }", MALFORMED],
			[4, CLIENT, "10 { s'MQTT' 04 82 003c s'a' 0001 ff }", MALFORMED],
		],
	],
	[
		"[MQTT-3.2.2-1] reserved CONNACK flags set: malformed",
		[
			[5, BROKER, "20 { 02 00 00 }", MALFORMED],
			[4, BROKER, "20 { 80 00 }", MALFORMED],
		],
	],
	[
		"[MQTT-3.2.2-6] [MQTT-3.1.1:3.2.2-4] refusing CONNACK with Session Present 1: protocol error",
		[
			[5, BROKER, "20 { 01 87 00 }", PROTOCOL],
			[4, BROKER, "20 { 01 05 }", PROTOCOL],
		],
	],
	[
		"[MQTT-3.3.1-2] DUP 1 with QoS 0: protocol error",
		[
			[5, CLIENT, "38 { s'a' 00 }", PROTOCOL],
			[4, BROKER, "38 { s'a' }", PROTOCOL],
		],
	],
	[
		"[MQTT-3.3.1-4] QoS 3: malformed",
		[
			[5, CLIENT, "36 { s'a' 0001 00 }", MALFORMED],
			[4, BROKER, "36 { s'a' 0001 }", MALFORMED],
		],
	],
	[
		"[MQTT-3.3.2-1] [MQTT-4.7.3-1] a missing or empty topic: rejected",
		[
			[4, CLIENT, "30 { }", MALFORMED],
			[4, CLIENT, "30 { s'' }", PROTOCOL],
			[5, BROKER, "30 { s'' 00 }", PROTOCOL],
		],
	],
	[
		"[MQTT-3.3.2-2] [MQTT-4.7.0-1] [MQTT-3.1.1:4.7.1-1] a wildcard in a topic name: rejected",
		[
			[5, CLIENT, "30 { s'a/+' 00 }", TOPIC],
			[4, BROKER, "30 { s'#' }", TOPIC],
			[4, CLIENT, "10 { s'MQTT' 04 06 003c s'a' s'w/#' s'' }", TOPIC],
		],
	],
	[
		"[MQTT-3.3.2-8] topic alias 0: rejected",
		[
			[5, CLIENT, "30 { s'a' { 23 0000 } }", ALIAS],
			[5, BROKER, "30 { s'a' { 23 0000 } }", ALIAS],
		],
	],
	[
		"[MQTT-3.3.2-13] [MQTT-3.3.2-14] a response topic that is ill-formed or has a wildcard: rejected",
		[
			[5, CLIENT, "30 { s'a' { 08 0001 ff } }", MALFORMED],
			[5, BROKER, "30 { s'a' { 08 s'a/#' } }", PROTOCOL],
		],
	],
	[
		"[MQTT-3.3.2-19] an ill-formed content type: malformed",
		[[5, CLIENT, "30 { s'a' { 03 0001 ff } }", MALFORMED]],
	],
	[
		"[MQTT-3.3.4-6] a subscription identifier from a client: protocol error",
		[
			[5, CLIENT, "30 { s'a' { 0b 01 } }", PROTOCOL],
			[5, BROKER, "30 { s'a' { 0b 01 } }", 0],
		],
	],
	[
		"[MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1] invalid reason codes of acknowledgements: protocol error",
		[
			[5, CLIENT, "40 { 0001 01 }", PROTOCOL],
			[5, BROKER, "50 { 0001 92 }", PROTOCOL],
			[5, CLIENT, "62 { 0001 91 }", PROTOCOL],
			[5, BROKER, "70 { 0001 80 }", PROTOCOL],
		],
	],
	[
		"[MQTT-3.2.2-8] invalid reason codes of CONNACK: protocol error",
		[
			[5, BROKER, "20 { 00 8b 00 }", PROTOCOL],
			[5, BROKER, "20 { 00 01 00 }", PROTOCOL],
		],
	],
	[
		"[MQTT-3.9.3-2] invalid codes of SUBACK: protocol error",
		[
			[5, BROKER, "90 { 0001 00 03 }", PROTOCOL],
			[4, BROKER, "90 { 0001 03 }", PROTOCOL],
		],
	],
	["[MQTT-3.11.3-2] invalid codes of UNSUBACK: protocol error", [[5, BROKER, "b0 { 0001 00 01 }", PROTOCOL]]],
	[
		"[MQTT-3.14.2-1] invalid reason codes of DISCONNECT: protocol error",
		[
			[5, BROKER, "e0 { 04 }", PROTOCOL],
			[5, CLIENT, "e0 { 8b }", PROTOCOL],
		],
	],
	[
		"[MQTT-3.15.2-1] invalid reason codes of AUTH: protocol error",
		[
			[5, CLIENT, "f0 { 00 { 15 s'm' } }", PROTOCOL],
			[5, BROKER, "f0 { 19 { 15 s'm' } }", PROTOCOL],
		],
	],
	[
		"[MQTT-3.14.2-2] session expiry interval from a server: protocol error",
		[[5, BROKER, "e0 { 00 { 11 00000001 } }", PROTOCOL]],
	],
	[
		"[MQTT-2.2.1-5] [MQTT-2.2.1-6] [MQTT-3.1.1:2.3.1-6] [MQTT-3.1.1:2.3.1-7] acknowledgements with packet identifier 0: protocol error",
		[
			[5, CLIENT, "40 { 0000 }", PROTOCOL],
			[4, BROKER, "40 { 0000 }", PROTOCOL],
			[4, BROKER, "90 { 0000 00 }", PROTOCOL],
			[5, BROKER, "b0 { 0000 00 00 }", PROTOCOL],
		],
	],
	[
		"[MQTT-3.8.3-1] [MQTT-3.10.3-1] an ill-formed topic filter: malformed",
		[
			[5, CLIENT, "82 { 0001 00 0001 ff 00 }", MALFORMED],
			[4, CLIENT, "82 { 0001 0001 ff 00 }", MALFORMED],
			[4, CLIENT, "a2 { 0001 0001 ff }", MALFORMED],
		],
	],
	[
		"[MQTT-3.8.3-2] [MQTT-3.10.3-2] [MQTT-3.1.1:3.8.3-3] no topic filter, or one without options: rejected",
		[
			[5, CLIENT, "82 { 0001 00 }", PROTOCOL],
			[4, CLIENT, "82 { 0001 }", PROTOCOL],
			[4, CLIENT, "82 { 0001 s'a' }", MALFORMED],
			[4, CLIENT, "a2 { 0001 }", PROTOCOL],
		],
	],
	[
		"[MQTT-3.8.3-4] No Local on a shared subscription: protocol error",
		[[5, CLIENT, "82 { 0001 00 s'$share/g/a' 04 }", PROTOCOL]],
	],
	[
		"[MQTT-3.8.3-5] reserved subscription options set: malformed",
		[
			[5, CLIENT, "82 { 0001 00 s'a' 40 }", MALFORMED],
			[5, CLIENT, "82 { 0001 00 s'a' 80 }", MALFORMED],
		],
	],
	[
		"[MQTT-3.1.1:3-8.3-4] reserved bits or QoS 3 in SUBSCRIBE: malformed",
		[
			[4, CLIENT, "82 { 0001 s'a' 03 }", MALFORMED],
			[4, CLIENT, "82 { 0001 s'a' 04 }", MALFORMED],
		],
	],
	[
		"[MQTT-3.8.4-6] [MQTT-3.1.1:3.8.4-5] SUBACK without a code: protocol error",
		[
			[5, BROKER, "90 { 0001 00 }", PROTOCOL],
			[4, BROKER, "90 { 0001 }", PROTOCOL],
		],
	],
	[
		"[MQTT-4.7.1-1] [MQTT-3.1.1:4.7.1-2] # that is not the whole last level: rejected",
		[
			[5, CLIENT, "82 { 0001 00 s'a/#/b' 00 }", MALFORMED],
			[4, CLIENT, "82 { 0001 s'a#' 00 }", MALFORMED],
		],
	],
	[
		"[MQTT-4.7.1-2] [MQTT-3.1.1:4.7.1-3] + that is not a whole level: rejected",
		[
			[5, CLIENT, "82 { 0001 00 s'a+' 00 }", MALFORMED],
			[4, CLIENT, "a2 { 0001 s'+a/b' }", MALFORMED],
		],
	],
	[
		"[MQTT-4.8.2-1] [MQTT-4.8.2-2] an invalid share name: rejected in MQTT 5.0 only",
		[
			[5, CLIENT, "82 { 0001 00 s'$share//a' 00 }", MALFORMED],
			[5, CLIENT, "82 { 0001 00 s'$share/g' 00 }", MALFORMED],
			[5, CLIENT, "82 { 0001 00 s'$share/g/' 00 }", MALFORMED],
			[5, CLIENT, "82 { 0001 00 s'$share/g+/a' 00 }", MALFORMED],
			[5, CLIENT, "82 { 0001 00 s'$share/g/a' 00 }", 0],
			[4, CLIENT, "82 { 0001 s'$share/g' 00 }", 0],
		],
	],
];

describe("wire format: reason code of the decoder", () => {
	for (const [title, cases] of rows) {
		it(title, () => {
			for (const [version, from, notation, code] of cases) {
				const packetBytes = bytes(notation);
				for (const split of [[], oneByteChunks(packetBytes)]) {
					const { events, message } = decode(packetBytes, { version, from, split });
					const [event] = events;
					assert.equal(
						event !== undefined && "error" in event ? event.error : 0,
						code,
						`${version} ${from} ${notation}: ${message}`,
					);
				}
			}
		});
	}

	it("[MQTT-4.13.1-1] [MQTT-3.1.1:4.8.0-1] bytes after a rejected packet: not decoded", () => {
		for (const version of [4, 5] as const) {
			for (const from of [CLIENT, BROKER] as const) {
				const recorder = decode(bytes(`c1 00 ${version === 4 ? "30 { s'a' }" : "30 { s'a' 00 }"}`), {
					version,
					from,
				});
				assert.equal(recorder.events.length, 1);
			}
		}
	});
});
