import { fileURLToPath } from "node:url";
import type { Image } from "../../sim/engine/engine";
import { createEngine, type EngineName } from "../../sim/engine/engine-factory";
import { type JSONObject, readManifest } from "../../sim/manifest/manifest-reader";
import { linkProgram, type Program } from "../../sim/manifest/program";
import { PIN_PROPERTY, SENSOR_PROPERTIES } from "./seed-plan";

const MANIFEST = fileURLToPath(new URL("../../manifest.json", import.meta.url));

/** What a drawn configuration may need. */
const INCLUDES = [
	"./firmware/manifest.json",
	"./firmware/light-sleep/manifest.json",
	"./firmware/update/manifest.json",
	"./firmware/websocket/manifest.json",
];

/** The firmware, linked once for all seeds; only the configuration differs. */
let linked: Program | undefined;

/** The firmware of a board with this configuration. @param natives names of the board's native functions */
export async function loadFirmware(
	config: JSONObject,
	natives: readonly string[],
	engineName: EngineName,
): Promise<Image> {
	// The Node engine takes the configuration from the program; that of XS is in a module.
	linked ??= link(config);
	const program = engineName === "xs" ? withMoreMemory(link(config)) : { ...linked, config };
	return (await createEngine(engineName)).load(program, natives);
}

function link(config: JSONObject): Program {
	return linkProgram(readManifest(MANIFEST, { include: INCLUDES, config: {} }), {
		config,
		drivers: ["virtual", "digital"],
		properties: [...SENSOR_PROPERTIES.map((property) => [property]), PIN_PROPERTY.split(".")],
	});
}

/** Some drawn pools are too large for a chip, which `firefly check` would say; a seed is not about memory. */
function withMoreMemory(program: Program): Program {
	const { creation } = program;
	return { ...program, creation: { ...creation, static: 8 * creation.static } };
}
