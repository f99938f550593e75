import { basename, dirname, join } from "node:path";
import { RETAINED_BYTES } from "../src/retained-memory";
import { withAnnouncement } from "./manifest/announcement";
import { type JSONObject, type Manifest, readManifest } from "./manifest/manifest-reader";
import { linkProgram, type Program } from "./manifest/program";
import type { BoardPlan } from "./plan";

/** The firmware of a board. @param config the board's configuration */
export function boardProgram(
	manifest: Manifest,
	{ role, settings: { listen, sensors } }: BoardPlan,
	config: JSONObject,
): Program {
	const firmware = role === "broker" ? withBrokerRole(manifest) : manifest;
	return linkProgram(typeof listen.mdns === "string" ? withAnnouncement(firmware) : firmware, {
		config,
		drivers: sensors.map(({ driver }) => driver),
		properties: sensors.map(({ property }) => property),
	});
}

/**
 * The firmware that stands for a node's broker: the image with both roles in place of one of sensors only.
 */
function withBrokerRole(manifest: Manifest): Manifest {
	const sensorImage = manifest.files.find((file) => basename(file) === "manifest_sensor.json");
	return sensorImage === undefined ? manifest : readManifest(join(dirname(sensorImage), "manifest.json"));
}

/** `defines.firefly.retained`, which sizes the C array on the chip. */
export function retainedSize(defines: JSONObject): number {
	const firefly = defines.firefly;
	const size = typeof firefly === "object" && firefly !== null ? (firefly as JSONObject).retained : undefined;
	return typeof size === "number" ? size : RETAINED_BYTES;
}
