/**
 * Simulated time by wall time, for each engine: one node with one sensor that is sampled every minute, on a
 * virtual network with the broker's board beside it.
 *
 *     node --import tsx bench/simulation.ts [days]
 */
import { fileURLToPath } from "node:url";
import { Simulation } from "../sim/simulation";

const DAY = 86_400_000;
const MANIFEST = fileURLToPath(new URL("../manifest.json", import.meta.url));

const days = Number(process.argv[2] ?? 30);
const json = {
	include: ["./firmware/manifest.json"],
	config: {
		firefly: {
			id: "node",
			wifi: { ssid: "net" },
			broker: { url: "mqtt://192.168.1.10" },
			topic: "home/{id}/{sensor}",
			sensors: [
				{
					name: "temperature",
					driver: "virtual",
					property: "thermometer.temperature",
					every: "60s",
					decimals: 1,
					delta: 0.2,
					heartbeat: "15m",
				},
			],
			listen: { anonymous: true },
		},
	},
};

for (const engine of ["xs", "node"] as const) {
	let wakes = 0;
	let reports = 0;
	const startedAt = performance.now();
	const simulation = await Simulation.build({
		manifest: { path: MANIFEST, json, overrides: {} },
		speed: "max",
		seed: 1,
		engine,
		listener: {
			event({ type }) {
				if (type === "wake") wakes++;
				else if (type === "acknowledged") reports++;
			},
		},
	});
	const builtAt = performance.now();
	await simulation.run(days * DAY);
	const endedAt = performance.now();
	simulation.dispose();
	const seconds = (endedAt - builtAt) / 1000;
	const ratio = Math.round((days * DAY) / (endedAt - builtAt)).toLocaleString("en");
	console.log(
		`${engine}: ${days} days in ${seconds.toFixed(2)} s, ${ratio} times real time; ${wakes} wakes, ${reports} reports; built in ${((builtAt - startedAt) / 1000).toFixed(2)} s`,
	);
}
