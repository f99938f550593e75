import type { DriverDeclaration, OptionDeclaration } from "../../sim/manifest/driver-declaration";

/** Chip of each board, as drivers name it in the pins they declare; the key is the name that the SDK has. */
export const boards: Readonly<Record<string, string>> = {
	nodemcu: "ESP32",
	esp32_thing: "ESP32",
	esp32_thing_plus: "ESP32",
	m5atom_lite: "ESP32",
	esp32c3: "ESP32-C3",
	c3_devkit_rust: "ESP32-C3",
	lolin_c3mini: "ESP32-C3",
	xiao_esp32c3: "ESP32-C3",
	qtpyc3: "ESP32-C3",
	esp32c6: "ESP32-C6",
	esp32s3: "ESP32-S2, S3",
	xiao_esp32s3: "ESP32-S2, S3",
	lolin_s2mini: "ESP32-S2, S3",
	saola_wroom: "ESP32-S2, S3",
};

/** A board without a name of its own: the SDK has its development kit of an ESP32 under this one. */
export const DEFAULT_BOARD = "nodemcu";

/** How mcconfig calls a board. */
export function platformOf(board: string): string {
	return `esp32/${board}`;
}

/** The board that a person means: `esp32/esp32c3` and `ESP32C3` are `esp32c3`, and `esp32` is any ESP32. */
export function boardNamed(text: string): string | undefined {
	const name = text.toLowerCase().replace(/^esp32\//, "");
	if (name === "esp32") return DEFAULT_BOARD;
	return name in boards ? name : undefined;
}

/** The pins that a driver uses on a board without being told. */
export function boardPins(driver: DriverDeclaration, board: string): Readonly<Record<string, number>> {
	return valuesOf(driver, board, ({ required }) => required !== true);
}

/** Values for the options that a driver needs, of those that suit a board. */
export function neededOptions(driver: DriverDeclaration, board: string): Readonly<Record<string, number>> {
	return valuesOf(driver, board, ({ required }) => required === true);
}

function valuesOf(
	{ options }: DriverDeclaration,
	board: string,
	isWanted: (option: OptionDeclaration) => boolean,
): Readonly<Record<string, number>> {
	const values = Object.entries(options).flatMap(([name, option]) => {
		if (!isWanted(option)) return [];
		const value = option.boards?.[platformOf(board)] ?? option.boards?.[boards[board]!];
		const [first] = [value].flat();
		return first === undefined ? [] : [[name, first] as const];
	});
	return Object.fromEntries(values);
}
