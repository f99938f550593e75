import { deepFreeze } from "../deep-freeze";
import { hostLabelProblem } from "../validators";
import { accessFields } from "./access";
import type { Fields } from "./field";
import { placeFields } from "./places";
import { poolFields } from "./pools";
import { webFields } from "./web";

/** The broker on this device. */
export const listenFields = deepFreeze({
	port: {
		kind: "count",
		minimum: 0,
		maximum: 65_535,
		default: 1883,
		text: "TCP port; 0 lets the host choose one.",
	},
	mdns: {
		kind: "switchableText",
		check: hostLabelProblem,
		title: "Announced name",
		text: 'Name by which the broker announces itself on the network, without ".local"; false: it does not.',
		detail: [
			"Nodes then reach it as mqtt://firefly.local ([mdns.md](mdns.md)).",
			'When left out, firefly broker announces "firefly" if others can reach it, and a chip announces nothing.',
			"A chip also needs ./firmware/mdns/manifest.json among the includes.",
			"If another host has the name already, the next number is added: firefly-2.",
		],
		examples: ["firefly"],
	},
	...placeFields,
	...poolFields,
	connectTimeout: {
		kind: "duration",
		minimum: 100,
		maximum: 120_000,
		default: 10_000,
		text: "Time that a new connection has to send CONNECT.",
		detail: ["Then it is closed."],
	},
	keepAliveLimit: {
		kind: "seconds",
		minimum: 0,
		maximum: 65_535,
		default: 300,
		text: "Keepalive given to MQTT 5.0 clients that ask for none or for more; 0s sets no limit.",
		detail: [
			"An MQTT 3.1.1 client cannot be told: without keep alive it is never closed for silence, but gives way first when all connections are in use.",
		],
	},
	sessionExpiryLimit: {
		kind: "seconds",
		minimum: 0,
		maximum: 4_294_967_295,
		default: 86_400,
		text: "Longest time that the session of an absent client is kept.",
	},
	systemInterval: {
		kind: "duration",
		minimum: 0,
		maximum: 3_600_000,
		default: 10_000,
		text: "Time between two updates of the $SYS/broker topics; 0s: there are none.",
		detail: [
			"Only of topics that are subscribed to, and of values that have changed; one update of six has all of them, as has the first one after a subscription.",
		],
	},
	lastValue: {
		kind: "choice",
		choices: ["retained", "every"],
		default: "retained",
		text: 'What a new subscriber is handed: "retained" values, or the current value of "every" topic.',
	},
	persist: {
		kind: "choice",
		choices: [true, false],
		default: false,
		text: "Whether retained values and lasting sessions, with what waits for them, survive a restart: in flash, or on a desk in a directory.",
		detail: [
			"Stored are the values for new subscribers, and the persistent sessions with their subscriptions, pending QoS 1 and 2 messages and wills.",
			"A power loss at any byte leaves the state that was stored last.",
			"If the storage is full or fails, its contents do not change and the broker continues: what it acknowledges meanwhile exists only in RAM.",
			"The failure is counted, and storing is retried after persistInterval.",
			"State that cannot be read as a whole at the start is not changed, either: the broker begins without it, says so, and stores nothing until its next start.",
			"A message that is longer than packetSize with its topic, possible only with a topic alias, is not stored.",
			"On a chip it lies in the partition nvs, and check refuses pools whose state does not fit at its worst: the SDK's has 24 KB, that of firmware/esp32/partitions.csv, for build.PARTITIONS_FILE of a manifest, has 256 KB on boards with 4 MB of flash.",
		],
	},
	persistInterval: {
		kind: "duration",
		minimum: 0,
		maximum: 3_600_000,
		default: 600_000,
		text: "Time from a change until it is stored, the most that a power cut takes; flash wears, so rarely is better. 0s: before each acknowledgement.",
		detail: [
			"firefly broker, on a disk, uses one second if none is configured.",
			"Flash wears out. In ESP-IDF's NVS a record of up to 64 bytes takes 4 entries of 32 bytes; a page of 4 KB holds 126 entries and endures about 100,000 erasures.",
			"Five pages used in turn endure 15 million such records, and half of that if half of each page stays in use.",
			"Rule of thumb: years = interval in seconds ÷ (4 × records written per interval), where each changed topic, session or message is a record and each interval with a change adds one.",
			"One topic a minute: 7 years; ten topics a minute: more than a year; ten topics every ten minutes: 14 years.",
		],
	},
	...accessFields,
	...webFields,
} as const satisfies Fields);

/** Keys of `listen` that count something: the sizes of pools, and how much of them one client may have. */
export type PoolKey = {
	[Key in keyof typeof listenFields]: (typeof listenFields)[Key] extends {
		readonly kind: "count";
		readonly unit: string;
	}
		? Key
		: never;
}[keyof typeof listenFields];
