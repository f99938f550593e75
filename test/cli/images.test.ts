import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Project } from "./project";

const both = "firmware/manifest.json";
const images = ["firmware/manifest_sensor.json", "firmware/manifest_broker.json"];
const project = new Project(Object.fromEntries(images.map((image) => [image, "{}"])));
after(() => project.remove());

const sensors = [{ name: "t", driver: "sht3x", property: "thermometer.temperature" }];
const driver = { modules: { "driver/sht3x": "./sht3x" } };

for (const { include, role, problem } of [
	{ include: "sensor", role: "sensor" },
	{ include: "broker", role: "broker" },
	{
		include: "sensor",
		role: "broker",
		problem: `"broker" is not in the image of firmware/manifest_sensor.json; include ${both} or firmware/manifest_broker.json`,
	},
	{
		include: "sensor",
		role: "both",
		problem: `"both" is not in the image of firmware/manifest_sensor.json; include ${both}`,
	},
	{
		include: "broker",
		role: undefined,
		problem: `"sensor" is not in the image of firmware/manifest_broker.json; include ${both} or firmware/manifest_sensor.json`,
	},
])
	test(`the ${include} image and the role ${role ?? "by default"}: ${problem === undefined ? "fits" : "an error"}`, async () => {
		const firefly = {
			...(role === undefined ? {} : { role }),
			broker: { url: "mqtt://10.0.0.1" },
			...(role === "broker" ? {} : { sensors }),
			...(role === "broker" || role === "both" ? { listen: { anonymous: true } } : {}),
		};
		project.write(
			"manifest.json",
			JSON.stringify({
				include: [`./firmware/manifest_${include}.json`],
				...driver,
				config: { firefly },
			}),
		);
		const { code, stderr } = await project.run(["check"]);
		assert.equal(code, problem === undefined ? 0 : 1, stderr);
		if (problem !== undefined) assert.ok(stderr.includes(problem), stderr);
	});
