import { fileURLToPath } from "node:url";
import { JSONDocument } from "../../cli/config/json";
import { checkDocument } from "../../cli/config/load";
import { formatProblem } from "../../cli/config/problem";

const manifest = fileURLToPath(new URL("../../manifest.json", import.meta.url));

/** What a manifest has besides `config.firefly`. */
interface Parts {
	/** Besides the firmware and its virtual driver. */
	readonly include?: readonly string[];
	readonly build?: object;
	readonly platforms?: object;
}

/** Problems and warnings of a sensor's manifest, without their place in the file. */
export function checkedSensor(
	firefly: object,
	{ include = [], build = {}, platforms = {} }: Parts = {},
): { readonly problems: readonly string[]; readonly warnings: readonly string[] } {
	const text = JSON.stringify({
		build,
		include: ["./firmware/manifest.json", "./firmware/drivers/virtual/manifest.json", ...include],
		config: {
			firefly: {
				wifi: { ssid: "n" },
				broker: { url: "mqtt://b" },
				sensors: [{ name: "t", driver: "virtual", property: "thermometer.temperature" }],
				...firefly,
			},
		},
		platforms,
	});
	const loaded = checkDocument(new JSONDocument("m", text), manifest, { FIREFLY_WIFI_PASSWORD: "p4ssword" });
	const texts = (list: readonly Parameters<typeof formatProblem>[0][]): string[] =>
		list.map((problem) => formatProblem(problem).replace(/^m:\d+:\d+ (config\.firefly\.)?/, ""));
	return { problems: "problems" in loaded ? texts(loaded.problems) : [], warnings: texts(loaded.warnings) };
}
