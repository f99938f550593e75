/** A sensor that a recording stands for. */
export interface ReplayedSensor {
	readonly name: string;
	readonly property: readonly string[];
	/** Unit of its values; undefined: unknown, and nothing is converted. */
	readonly unit?: string | undefined;
}

/**
 * The column of a sensor by its name: the property's whole path, its last part, or the sensor's name; else
 * the only column that ends with one of them, as `sensor.hall_temperature` does with `temperature`, else the
 * only one that has it as a word. Case, units in parentheses and signs between words are ignored. -1: none
 * fits.
 */
export function chooseColumn({ name, property }: ReplayedSensor, columns: readonly string[]): number {
	const plain = columns.map(plainName);
	const wanted = [property.join("."), name, property.at(-1) ?? name].map(plainName);
	for (const word of [wanted[0]!, wanted[2]!, wanted[1]!]) {
		const whole = plain.indexOf(word);
		if (whole >= 0) return whole;
	}
	for (const fits of [endsWith, hasWord])
		for (const word of wanted) {
			const found = plain.flatMap((column, index) => (fits(column, word) ? [index] : []));
			if (found.length === 1) return found[0]!;
		}
	return -1;
}

/** The column that a person named: by its whole name, whatever its case; -1: there is none. */
export function namedColumn(name: string, columns: readonly string[]): number {
	const exact = columns.indexOf(name);
	return exact >= 0 ? exact : columns.findIndex((column) => column.toLowerCase() === name.toLowerCase());
}

function plainName(name: string): string {
	return name
		.toLowerCase()
		.replace(/[([].*?[)\]]/g, "")
		.replace(/[^\p{L}\d]+/gu, "_")
		.replace(/^_+|_+$/g, "");
}

function endsWith(column: string, word: string): boolean {
	return column.endsWith(`_${word}`);
}

function hasWord(column: string, word: string): boolean {
	return `_${column}_`.includes(`_${word}_`);
}
