import { changed } from "../meaning/changed-settings";
import type { LoadedManifest } from "./load";
import { memoryShortage } from "./memory";
import type { Path } from "./problem";
import { valueAt } from "./schema-problems";

const listen: Path = ["config", "firefly", "listen"];

/**
 * Why a broker of a simulation would not start: it is that of a chip, on both engines. check has a warning of
 * it, or no word where nothing else on a node uses `listen`: the same manifest may be for a broker on this
 * machine.
 * @param onXS whether it has a chip's memory, too
 * @returns undefined: it starts
 */
export function simulatedBrokerProblem(
	{ device, json }: LoadedManifest,
	file: string,
	onXS: boolean,
): string | undefined {
	const { settings, arena, stack } = device;
	if (valueAt(json, listen) === undefined) return undefined;
	if (settings.role !== "sensor")
		return valueAt(json, [...listen, "tls"]) === undefined
			? undefined
			: `${file} config.firefly.listen.tls: a broker on a chip, and so a simulated one, has no TLS and does not start; leave it out here, or serve it with firefly broker --engine node`;
	if (!onXS) return undefined;
	const shortage = memoryShortage(changed(settings, { role: "broker" }), arena, stack);
	if (shortage === undefined) return undefined;
	const place = [...listen, ...(shortage.key === undefined ? [] : [shortage.key])].join(".");
	const message = shortage.message.replace(
		/^this device takes/,
		"the broker simulated beside the node takes",
	);
	return `${file} ${place}: ${message}; or name a broker with --broker, or take --engine node`;
}
