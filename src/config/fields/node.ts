import { deepFreeze } from "../deep-freeze";
import { LONGEST_MS } from "../limits";
import { hostProblem, passphraseProblem, ssidProblem } from "../validators";
import type { Fields } from "./field";

export const wifiFields = deepFreeze({
	ssid: {
		kind: "text",
		check: ssidProblem,
		override: "wifi_ssid",
		text: "Name of the network, 1 to 32 bytes.",
		examples: ["greenhouse"],
	},
	password: {
		kind: "text",
		check: passphraseProblem,
		secret: true,
		override: "wifi_password",
		text: "Passphrase, 8 to 63 bytes, or a key of 64 hexadecimal digits; absent for an open network. Not in the manifest: it belongs into firefly.local.json or FIREFLY_WIFI_PASSWORD.",
	},
	mode: {
		kind: "choice",
		choices: ["join", "accessPoint"],
		default: "join",
		text: '"join": joins the network. "accessPoint": a broker opens it, so that sensors need no router.',
		detail: [
			"Its address is then 192.168.4.1, which the sensors' broker.url names, and it assigns addresses to ten stations at most; further ones are refused.",
			"There is no internet: without another source of time, the broker tells ages instead of times.",
		],
	},
	channel: {
		kind: "count",
		minimum: 1,
		maximum: 13,
		default: 6,
		text: "Channel of an own access point.",
	},
} as const satisfies Fields);

export const sleepFields = deepFreeze({
	mode: {
		kind: "choice",
		choices: ["deep", "light", "none"],
		default: "deep",
		settable: true,
		text: '"deep": the chip is off between reports. "light": it stays connected and sleeps in between. "none": it stays awake and connected.',
		detail: [
			"With light sleep a chip needs the include firmware/light-sleep/manifest.json, which check names; in mcsim, and where a broker is in the same chip, it is as with none. docs/sleep.md says which mode suits what.",
		],
	},
	awakeLimit: {
		kind: "duration",
		minimum: 1000,
		maximum: 600_000,
		default: 8000,
		settable: true,
		text: "A wake ends after this time, whatever happens.",
		detail: ["A broken network never empties a battery: what was not reported stays in the outbox."],
	},
	commandWindow: {
		kind: "duration",
		minimum: 0,
		maximum: 60_000,
		default: 300,
		settable: true,
		text: "With commands: how long the node listens after CONNACK for what the broker has queued, and after each message.",
		detail: [
			"It does not listen where the broker has no session of it, or says that nothing is queued, as Firefly's does (MQTT 5.0, CONNACK, user property `firefly-queued`). Where that says how many are queued, it waits for them for broker.acknowledgeTimeout.",
		],
	},
	pinWakeLimit: {
		kind: "count",
		minimum: 1,
		maximum: 3600,
		default: 60,
		text: "Wakes by a pin within an hour, for sensors with `wake`.",
		detail: [
			"A contact that bounces or is stuck does not empty the battery: past the limit pins wake the node as often as it allows at an even rate, and the node samples as its sensors' `every` says.",
		],
	},
} as const satisfies Fields);

export const outboxFields = deepFreeze({
	storage: {
		kind: "choice",
		choices: ["rtc", "flash"],
		default: "rtc",
		text: 'Where reports wait: "rtc" memory survives sleep and reset, "flash" a loss of power, too.',
		detail: [
			"With flash a report is in both. At most as many wait as a part of the SDK's NVS partition holds: 120 of one sensor, fewer of several in one report; then they give way by policy.",
			"check says how many years the flash lasts. If storage fails, reports are in RTC memory only, and the console says so.",
			"What cannot be read at power-on is kept. It is looked for again with each later report, ever more seldom where flash can be read and a record in it cannot, and sent once it is found, with new sequence numbers behind those in use: seq begins at 1 again where RTC memory is lost, too. Meanwhile a new report goes only where flash is known to have nothing, or else stays in RTC memory until flash can be read. The command clear deletes also what cannot be read.",
		],
	},
	policy: {
		kind: "choice",
		choices: ["dropOldest", "thin"],
		default: "dropOldest",
		settable: true,
		text: 'What a full outbox gives up: "dropOldest" the oldest report, "thin" every second one.',
		detail: [
			'"thin" drops every second report of the older half. Either way the drops are counted.',
			"If the broker may have begun to take one of QoS 2, the node begins its session anew: others that were on their way then may arrive twice.",
		],
	},
	size: {
		kind: "count",
		unit: "bytes",
		minimum: 256,
		maximum: 6000,
		default: 4096,
		text: "Bytes.",
		detail: [
			"It lies in retained memory beside the state of the sensors: check says what fits.",
			"Full: a report gives way by policy.",
		],
	},
} as const satisfies Fields);

export const backoffFields = deepFreeze({
	minimum: {
		kind: "duration",
		minimum: 100,
		maximum: LONGEST_MS,
		default: 5000,
		settable: true,
		text: "Bound of the random wait after the first failed report; it doubles with each further one.",
	},
	maximum: {
		kind: "duration",
		minimum: 100,
		maximum: LONGEST_MS,
		default: 900_000,
		settable: true,
		text: "Largest bound.",
		detail: [
			"A topic on which the broker refused a report waits by the same rule, but at least half of the bound, while reports on other topics are sent.",
		],
	},
} as const satisfies Fields);

export const timeFields = deepFreeze({
	server: {
		kind: "switchableText",
		check: hostProblem,
		default: "pool.ntp.org",
		settable: true,
		text: "SNTP server that sets the clock; false for none.",
		detail: ["Without an answer, the interval between requests grows to at most 6 hours."],
	},
} as const satisfies Fields);
