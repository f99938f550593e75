import { defaults } from "../../src/config/defaults";
import { WAKE_PIN_LIMIT } from "../../src/sensor/settings/wake-pin-layout";
import { boards } from "../project/boards";
import type { ManifestView } from "./json";
import type { Path, Problem } from "./problem";
import { valueAt } from "./schema-problems";

const root: Path = ["config", "firefly"];

/** Pins that wake a chip from deep sleep, by chip (ESP-IDF: RTC IO; on a C3 GPIO 0 to 5). */
export const WAKE_PINS: Readonly<Record<string, readonly number[]>> = {
	ESP32: [0, 2, 4, 12, 13, 14, 15, 25, 26, 27, 32, 33, 34, 35, 36, 37, 38, 39],
	"ESP32-S2, S3": range(0, 21),
	"ESP32-C3": range(0, 5),
	"ESP32-C6": range(0, 7),
};

/** Pins of an ESP32 without a resistor of the chip. */
const UNPULLED = range(34, 39);
/** What makes another value of 0 and 1. */
const CALIBRATION = ["table", "scale", "offset", "samples"];

interface Found {
	readonly problems: readonly Problem[];
	readonly warnings: readonly Problem[];
}

/**
 * What is wrong with sensors whose pin is to wake the node.
 * @param platform of mcconfig, such as `esp32/nodemcu`
 */
export function wakePinProblems(document: ManifestView, platform: string): Found {
	const problems: Problem[] = [];
	const warnings: Problem[] = [];
	const get = (...path: (string | number)[]): unknown => valueAt(document.value, [...root, ...path]);
	const list = get("sensors");
	const indexes = Array.isArray(list) ? [...list.keys()] : [];
	const waking = indexes.filter((index) => get("sensors", index, "wake") === true);
	if (waking.length === 0) {
		if (get("sleep", "pinWakeLimit") !== undefined)
			warnings.push(
				document.at([...root, "sleep", "pinWakeLimit"], 'has no effect without a sensor with "wake": true'),
			);
		return { problems, warnings };
	}
	const sleeps = (get("sleep", "mode") ?? defaults.sleep.mode) === "deep";
	const isSensor = (get("role") ?? defaults.role) === "sensor";
	const chip = boards[platform.replace(/^esp32\//, "")];
	const pins: number[] = [];
	for (const index of waking) {
		const at: Path = [...root, "sensors", index];
		if (!sleeps || !isSensor)
			problems.push(document.at([...at, "wake"], "has no effect on a node that stays awake"));
		for (const key of CALIBRATION)
			if (get("sensors", index, key) !== undefined)
				problems.push(document.at([...at, key], "does not go with wake, which is for values of 0 and 1"));
		const pin = get("sensors", index, "options", "pin");
		if (typeof pin !== "number" || !Number.isInteger(pin)) {
			if (pin === undefined)
				problems.push(document.at([...at, "wake"], "needs options.pin, the pin of a driver such as digital"));
			continue;
		}
		const pinPath = [...at, "options", "pin"];
		const wrong = pinProblem(pin, chip);
		if (wrong !== undefined) problems.push(document.at(pinPath, wrong));
		else if (
			UNPULLED.includes(pin) &&
			chip !== "ESP32-S2, S3" &&
			get("sensors", index, "options", "pull") !== "none"
		)
			warnings.push(
				document.at(pinPath, `an ESP32 has no resistor at GPIO ${pin}: wire one, and set pull to "none"`),
			);
		if (!pins.includes(pin) && pins.push(pin) > WAKE_PIN_LIMIT)
			problems.push(document.at(pinPath, `is one more pin than the ${WAKE_PIN_LIMIT} that can wake a chip`));
	}
	return { problems, warnings };
}

function pinProblem(pin: number, chip: string | undefined): string | undefined {
	const chips = chip === undefined ? Object.keys(WAKE_PINS) : [chip];
	if (chips.some((name) => WAKE_PINS[name]!.includes(pin))) return undefined;
	const lists = chips.map((name) => `${name}: ${WAKE_PINS[name]!.join(", ")}`).join("; ");
	return `GPIO ${pin} cannot wake ${chip === undefined ? "a chip" : `an ${chip}`}; these can: ${lists}`;
}

function range(first: number, last: number): readonly number[] {
	return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
