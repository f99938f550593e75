import { InvalidArgumentError, Option } from "commander";
import { isTimeZone } from "../sim/sensors/time-zone";

/** `--map NAME=COLUMN`, which may be repeated. */
export function mapOption(): Option {
	return new Option(
		"--map <sensor=column>",
		"the recording's column or entity for a sensor whose name does not tell it; may be repeated",
	).argParser(addColumn);
}

/** `--zone Europe/Berlin` */
export function zoneOption(): Option {
	return new Option(
		"--zone <name>",
		"time zone of the recording's times if they have none, such as Europe/Berlin (default: UTC)",
	).argParser((text) => {
		if (isTimeZone(text)) return text;
		throw new InvalidArgumentError("The name of a time zone such as Europe/Berlin is needed.");
	});
}

function addColumn(
	text: string,
	before: ReadonlyMap<string, string> | undefined,
): ReadonlyMap<string, string> {
	const at = text.indexOf("=");
	if (at <= 0 || at === text.length - 1)
		throw new InvalidArgumentError("SENSOR=COLUMN is needed, such as temperature=sensor.hall_temperature.");
	return new Map(before).set(text.slice(0, at), text.slice(at + 1));
}
