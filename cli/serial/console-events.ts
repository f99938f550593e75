import type { WakeReason } from "../../src/device";
import type { DeviceEvent, DeviceEventName, DeviceEvents } from "../../src/device-events";

/** What a board prints, line by line. */
export type ConsoleLine =
	/** An event of the firmware. `ms`: since the chip started. */
	| { readonly type: "event"; readonly ms: number; readonly event: DeviceEvent }
	/** The chip starts. */
	| { readonly type: "reset"; readonly reason: WakeReason }
	| { readonly type: "text"; readonly text: string };

/** Each event and the number of its arguments; firmware/console/event.ts prints them. */
const ARGUMENTS: { readonly [Name in DeviceEventName]: DeviceEvents[Name]["length"] } = {
	wake: 3,
	sample: 2,
	gathered: 2,
	filtered: 1,
	accepted: 2,
	join: 0,
	joined: 3,
	open: 2,
	opened: 2,
	publish: 3,
	acknowledged: 3,
	dropped: 3,
	oversized: 3,
	closed: 1,
	failed: 3,
	limit: 2,
	sleep: 3,
	command: 2,
	update: 1,
	bridge: 3,
	retained: 3,
	delivered: 2,
};
const EVENT = /^firefly> (\d+) (\w+)((?: \S+)*)$/;

/** What the ROM of a chip prints before the firmware runs. */
const ROM = /^(ESP-ROM:|Build:|SPIWP:|mode:|load:|entry |configsip:|clk_drv:|ets \w+ +\d|Saved PC:|Octal )/;
const RESET = /^rst:0x[\da-f]+ \((\w+)\)/i;
/** One line a second of an image with a console: the SDK's measurements. */
const INSTRUMENTS = /^instruments( key)?: /;

/** What a line of the console says; undefined: nothing for people. */
export function readConsoleLine(line: string): ConsoleLine | undefined {
	const event = EVENT.exec(line);
	if (event !== null) {
		const [, ms, name = "", rest = ""] = event;
		const values = rest.split(" ").slice(1).map(readValue);
		if (Object.hasOwn(ARGUMENTS, name) && values.length === ARGUMENTS[name as DeviceEventName])
			return { type: "event", ms: Number(ms), event: [name, ...values] as unknown as DeviceEvent };
	}
	const reset = RESET.exec(line);
	if (reset !== null) return { type: "reset", reason: resetReason(reset[1]!) };
	if (line.trim() === "" || ROM.test(line) || INSTRUMENTS.test(line)) return undefined;
	return { type: "text", text: line };
}

function readValue(text: string): number | boolean | string {
	if (text === "true" || text === "false") return text === "true";
	const number = Number(text);
	return Number.isNaN(number) && text !== "NaN" ? text : number;
}

/** The chips' ROMs name the same reasons in two ways: DEEPSLEEP_RESET and DSLEEP. */
function resetReason(name: string): WakeReason {
	if (/DEEPSLEEP|DSLEEP/.test(name)) return "deep-sleep";
	if (/POWER_?ON/.test(name)) return "power-on";
	if (/BROWN/.test(name)) return "brown-out";
	return /WDT/.test(name) ? "watchdog" : "reset";
}
