import { basename, dirname, join } from "node:path";
import { RETAINED_BYTES } from "../src/retained-memory";
import { withAnnouncement } from "./manifest/announcement";
import { type JSONObject, type Manifest, readManifest } from "./manifest/manifest-reader";
import { linkProgram, type Program } from "./manifest/program";
import type { BoardPlan } from "./plan";

/** The firmware of a manifest's boards: the same program for boards that differ in nothing but identity. */
export class BoardPrograms {
	readonly #manifest: Manifest;
	/** By all that a program depends on. */
	readonly #programs = new Map<string, Program>();

	constructor(manifest: Manifest) {
		this.#manifest = manifest;
	}

	/** The firmware of a board. @param config the board's configuration */
	program({ role, settings: { listen, sensors } }: BoardPlan, config: JSONObject): Program {
		const announces = typeof listen.mdns === "string";
		const options = {
			config,
			drivers: sensors.map(({ driver }) => driver),
			properties: sensors.map(({ property }) => property),
		};
		const key = JSON.stringify([role, announces, options]);
		let program = this.#programs.get(key);
		if (program === undefined) {
			const firmware = role === "broker" ? withBrokerRole(this.#manifest) : this.#manifest;
			program = linkProgram(announces ? withAnnouncement(firmware) : firmware, options);
			this.#programs.set(key, program);
		}
		return program;
	}
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
