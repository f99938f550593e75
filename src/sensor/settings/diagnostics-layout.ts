import { deepFreeze } from "../../config/deep-freeze";
import { expand } from "../../config/template";
import type { Settings } from "../../config/types";
import type { WakeReason } from "../../device";
import { utf8 } from "../../mqtt/utf8";
import { NUMBER_LENGTH } from "../../text/decimal";
import { ISO8601_LENGTH } from "../../text/iso8601";
import { VERSION } from "../../version";
import { type TopicTemplate, topicTemplate } from "./topic";

// Doubles of the retained extension, counted from where diagnostics begin
/** Node time of the next message. */
export const DIAGNOSTICS_DUE = 0;
/** Time awake in all earlier wakes, ms. */
export const DIAGNOSTICS_AWAKE = 1;
/** Number of boots that were no wake from deep sleep. */
export const DIAGNOSTICS_RESETS = 2;
/** Index in {@link resetReasons} of the last one of them. */
export const DIAGNOSTICS_REASON = 3;
/** Failed readings of the first sensor; those of the others follow. */
export const DIAGNOSTICS_FAILURES = 4;

/** The reasons of a boot that are told. */
export const resetReasons: readonly WakeReason[] = Object.freeze([
	"power-on",
	"reset",
	"brown-out",
	"crash",
	"watchdog",
]);

/** Longest text of a count: 2^32 − 1, or ms in 30 years. */
const COUNT_LENGTH = 12;
const LONGEST_REASON = 9;

/** What the messages hold that the settings alone decide. */
export interface DiagnosticsLayout {
	readonly topic: TopicTemplate;
	/** The texts before each number, in the order in which they are written. */
	readonly texts: Readonly<Record<DiagnosticsText, Uint8Array>>;
	readonly reasons: readonly Uint8Array[];
	/** What has ended a sleep: the timer, and the beginning of a pin. */
	readonly timer: Uint8Array;
	readonly pin: Uint8Array;
	/** `"name":` of each sensor. */
	readonly names: readonly Uint8Array[];
	/** Index of the sensor that measures the battery; −1: none does. */
	readonly battery: number;
	/** Bytes of the longest message without failed sensors, and with all of them. */
	readonly leastSize: number;
	readonly size: number;
}

const TEXTS = Object.freeze({
	time: '{"time":',
	wakes: `,"version":${JSON.stringify(VERSION)},"wakes":`,
	uptime: ',"uptime":',
	reason: ',"resetReason":',
	resets: ',"resets":',
	cause: ',"wakeCause":',
	rssi: ',"rssi":',
	awake: ',"awakeTime":',
	totalAwake: ',"totalAwakeTime":',
	waiting: ',"waiting":',
	dropped: ',"dropped":',
	failed: ',"failedReadings":',
	sensors: ',"failedSensors":{',
	battery: ',"battery":',
	end: "}",
});
type DiagnosticsText = keyof typeof TEXTS;

/** For start-up: allocates. @throws RangeError if the topic is not a valid MQTT string */
export function diagnosticsLayout({
	diagnostics,
	battery,
	sensors,
	id,
}: Settings): DiagnosticsLayout | undefined {
	if (diagnostics === undefined) return undefined;
	const keys = Object.keys(TEXTS) as DiagnosticsText[];
	const texts = Object.fromEntries(keys.map((key) => [key, utf8(TEXTS[key])]));
	const names = sensors.map(({ name }) => utf8(`${JSON.stringify(name)}:`));
	const counts = keys.length * COUNT_LENGTH + ISO8601_LENGTH + 2 + LONGEST_REASON + 2 + NUMBER_LENGTH;
	const leastSize = keys.reduce((sum, key) => sum + texts[key].length, counts);
	return deepFreeze({
		topic: topicTemplate(expand(diagnostics.topic, { id })),
		texts: texts as DiagnosticsLayout["texts"],
		reasons: resetReasons.map((reason) => utf8(JSON.stringify(reason))),
		timer: utf8('"timer"'),
		pin: utf8('"pin '),
		names,
		battery: sensors.findIndex(({ name, property }) =>
			battery === undefined ? property[0] === "battery" : name === battery.sensor,
		),
		leastSize,
		size: names.reduce((sum, name) => sum + name.length + COUNT_LENGTH + 1, leastSize + 1),
	});
}
