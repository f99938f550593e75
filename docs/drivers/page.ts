import { optionText } from "../../cli/config/driver-values";
import type {
	DriverDeclaration,
	OptionDeclaration,
	PropertyDeclaration,
} from "../../sim/manifest/driver-declaration";

const HEAD = `# Drivers

Firefly's drivers, each with its options and the properties of its samples. This file is generated from what the drivers declare
(\`NAME.declaration.json\` beside each one) by \`node --import tsx docs/drivers/generate.ts\`, and a test fails where it is out of date;
\`firefly check\`, the schema for editors and the simulator's curves come from the same declarations. A device does not load them.

A driver comes into the build by an include of the manifest in its folder below \`firmware/drivers\`, and into use by a sensor:

\`\`\`json
{ "name": "temperature", "driver": "sht3x", "options": { "address": 69 }, "property": "thermometer.temperature", "every": "60s" }
\`\`\`

An option or a property that a driver does not declare is an error of \`firefly check\`. Sensors with the same driver and the same options share one
reading. A driver of your own declares itself in the same way: [writing-a-driver.md](writing-a-driver.md) has one.

## I²C buses

Without \`data\` and \`clock\` a sensor is on the bus that the SDK opens on the board ([pins of boards](#pins-of-boards)); several sensors share it, each
at an address of its own. Where an address is taken, or wires are long, a second bus takes two pins of your choice:

\`\`\`json
{ "name": "indoors", "driver": "sht3x", "property": "thermometer.temperature" },
{ "name": "outdoors", "driver": "sht3x", "options": { "data": 25, "clock": 26 }, "property": "thermometer.temperature" }
\`\`\`

Sensors with the same pins are on the same bus. An ESP32, S2 and S3 have two controllers, a C3 and a C6 one, which may have any two pins. The SDK takes a
free controller for pins that are not the board's; \`port\` names one. \`hz\` is each sensor's own. \`firefly check\` reports an address that is twice
on a bus, and a bus too many. A target of the SDK without a bus of its own needs the pins of every sensor.
`;

/** Renders docs/drivers.md. @param drivers by name */
export function renderPage(drivers: ReadonlyMap<string, DriverDeclaration>): string {
	const lines = [HEAD, "| driver | what it is | properties |", "| --- | --- | --- |"];
	for (const [name, { title, properties }] of drivers) {
		const names = Object.keys(properties).map((property) => `\`${property}\``);
		lines.push(`| [\`${name}\`](#${name}) | ${title} | ${names.join(", ")} |`);
	}
	for (const [name, declaration] of drivers) lines.push("", ...renderDriver(name, declaration));
	return `${lines.join("\n")}\n${renderBoards(drivers)}`;
}

function renderDriver(
	name: string,
	{ title, text, awakeOnly, options, properties }: DriverDeclaration,
): string[] {
	return [
		`## ${name}`,
		"",
		`${title}. ${text}`,
		...(awakeOnly === undefined
			? []
			: ["", `For a node that stays awake (\`sleep.mode\` \`"none"\`): it ${awakeOnly}.`]),
		"",
		"| property | values | decimals | device class of Home Assistant |",
		"| --- | --- | --- | --- |",
		...Object.entries(properties).map(propertyRow),
		"",
		"| option | values | default | meaning |",
		"| --- | --- | --- | --- |",
		...Object.entries(options).map(optionRow),
	];
}

function propertyRow([name, property]: readonly [string, PropertyDeclaration]): string {
	const { minimum, maximum, unit, binary, decimals, deviceClass } = property;
	const range = binary ? "0, 1" : `${minimum} to ${maximum}${unit === undefined ? "" : ` ${unit}`}`;
	return `| \`${name}\` | ${range} | ${decimals} | ${deviceClass === undefined ? "–" : `\`${deviceClass}\``} |`;
}

function optionRow([name, option]: readonly [string, OptionDeclaration]): string {
	const fallback = option.required
		? "needed"
		: typeof option.default === "number"
			? optionText(option.default, option)
			: typeof option.default === "string"
				? `\`"${option.default}"\``
				: String(option.default ?? "–");
	const more = option.boards === undefined ? "" : ` [By board](#${boardsAnchor(option)}).`;
	return `| \`${name}\` | ${optionValues(option)} | ${fallback} | ${option.text}${more} |`;
}

function optionValues(option: OptionDeclaration): string {
	const { type, choices, words, minimum, maximum, unit } = option;
	if (words !== undefined) return words.map((word) => `\`"${word}"\``).join(", ");
	if (choices !== undefined) return choices.map((choice) => optionText(choice, option)).join(", ");
	if (type === "object" || type === "text") return type;
	if (type === "boolean") return "`true`, `false`";
	const range = `${minimum} to ${maximum}${unit === undefined ? "" : ` ${unit}`}`;
	return type === "integer" ? `whole number, ${range}` : range;
}

function boardsAnchor({ pins }: OptionDeclaration): string {
	return pins === undefined ? "pins-of-boards" : `${pins}-pins`;
}

function pinsText(pins: number | readonly number[] | undefined): string {
	const list = [pins ?? []].flat();
	return list.length === 0 ? "–" : list.toSorted((a, b) => a - b).join(", ");
}

/** Values of options by board, each set of boards once. */
function renderBoards(drivers: ReadonlyMap<string, DriverDeclaration>): string {
	const all = [...drivers.values()].flatMap(({ options }) => Object.entries(options));
	const tables = new Map<string, Map<string, OptionDeclaration>>();
	for (const [name, option] of all) {
		if (option.boards === undefined) continue;
		const anchor = boardsAnchor(option);
		tables.set(anchor, (tables.get(anchor) ?? new Map<string, OptionDeclaration>()).set(name, option));
	}
	const titles: Readonly<Record<string, string>> = {
		"pins-of-boards":
			"Pins of boards\n\nThe I²C bus that the SDK opens on a board when `data` and `clock` are absent. Boards are named as after esp32/ for mcconfig.",
		"analog-pins": "Analog pins",
		"output-pins": "Output pins\n\nPins that a driver can pull low, and that no chip needs for its flash.",
		"wake-pins": "Wake pins\n\nPins that can wake a chip from deep sleep.",
	};
	return [...tables]
		.map(([anchor, options]) => `\n## ${titles[anchor]}\n\n${boardTable(options)}\n`)
		.join("");
}

function boardTable(options: ReadonlyMap<string, OptionDeclaration>): string {
	const boards = [...new Set([...options.values()].flatMap(({ boards = {} }) => Object.keys(boards)))];
	const names = [...options.keys()];
	return [
		`| board | ${names.map((name) => `\`${name}\``).join(" | ")} |`,
		`| --- |${" --- |".repeat(names.length)}`,
		...boards.map((board) => {
			const cells = names.map((name) => pinsText(options.get(name)?.boards?.[board]));
			return `| ${board.replace(/^esp32\//, "")} | ${cells.join(" | ")} |`;
		}),
	].join("\n");
}
