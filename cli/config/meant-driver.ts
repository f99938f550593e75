import { distance } from "fastest-levenshtein";
import { nearest } from "./suggest";

/** What ESPHome calls the platforms of some drivers (esphome.io/components/sensor, …/binary_sensor). */
const FOREIGN_NAMES: Readonly<Record<string, string>> = { adc: "analog", gpio: "digital" };

/**
 * The driver that a name probably means: one whose title has it as the name of a part (`sht31`: "Sensirion
 * SHT30, SHT31, SHT35"), also with an addition (`bme680_bsec`), or one that it misspells. One character for
 * another makes the name of another part, not a mistake: a `bme280` is no `bmp280`.
 * @param titles of all drivers, by name; undefined: not known
 */
export function meantDriver(
	text: string,
	titles: ReadonlyMap<string, string | undefined>,
): string | undefined {
	const wanted = text.toLowerCase();
	const foreign = FOREIGN_NAMES[wanted];
	if (foreign !== undefined && titles.has(foreign)) return foreign;
	const part = wanted.split(/[_-]/)[0]!;
	for (const [name, title = ""] of titles)
		if (
			name === part ||
			title
				.toLowerCase()
				.split(/[^a-z0-9]+/)
				.includes(part)
		)
			return name;
	const names = [...titles.keys()];
	return nearest(text, /\d/.test(text) ? names.filter((name) => isMistyped(wanted, name)) : names);
}

/** Whether a word is another one with characters too many, missing, or in another order. */
function isMistyped(text: string, word: string): boolean {
	const sorted = (characters: string): string => [...characters].sort().join("");
	const name = word.toLowerCase();
	return distance(text, name) === Math.abs(text.length - name.length) || sorted(text) === sorted(name);
}
