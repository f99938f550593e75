import { join } from "node:path";
import type { FileResult } from "./files";
import { ANNOUNCED_BROKER, hasBroker, hasSensors, type Project } from "./project";

/** What was done, and what a person may do now. */
export function nextSteps(project: Project, folder: string, files: readonly FileResult[]): string {
	const lines = files.map(({ name, result }) => `${result.padEnd(9)}  ${join(folder, name)}`);
	const notes = [
		...(project.wifi === undefined
			? [
					"Wi-Fi: FIREFLY_WIFI_SSID and FIREFLY_WIFI_PASSWORD, or firefly.local.json; the simulator needs none",
				]
			: project.wifi.password === undefined
				? ["Wi-Fi password: FIREFLY_WIFI_PASSWORD, or firefly.local.json; the simulator needs none"]
				: []),
		...(hasSensors(project) && project.credentials !== undefined && project.credentials.password === undefined
			? ["password at the broker: FIREFLY_BROKER_PASSWORD, or firefly.local.json"]
			: []),
		...(project.broker === ANNOUNCED_BROKER
			? [
					`${ANNOUNCED_BROKER} is a broker of Firefly; the address of another one: broker.url in manifest.json`,
				]
			: []),
		...(project.discovery === "homeassistant"
			? ["Home Assistant finds the device by itself, once its MQTT integration has the same broker"]
			: []),
		...(hasBroker(project) && project.credentials === undefined
			? ["everybody may connect to the broker: firefly passwd NAME --manifest manifest.json adds a user"]
			: []),
	];
	const steps = [
		...(folder === "" ? [] : [`cd ${/\s/.test(folder) ? JSON.stringify(folder) : folder}`]),
		"npm start        # the firmware, simulated",
		"npm test         # the test of this project",
		"npm run flash    # onto the board; says what is missing for it",
	];
	return `${[
		...lines,
		"",
		...notes,
		...(notes.length > 0 ? [""] : []),
		...steps.map((step) => `  ${step}`),
	].join("\n")}\n`;
}
