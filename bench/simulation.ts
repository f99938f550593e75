/**
 * Processor time of simulated time, for each engine: nodes with one sensor that is sampled every minute, on a
 * virtual network with the broker's board beside them.
 *
 *     node --import tsx bench/simulation.ts [days] [nodes]
 */
import { fileURLToPath } from "node:url";
import { Simulation } from "../sim/simulation";

const DAY = 86_400_000;
const MANIFEST = fileURLToPath(new URL("../manifest.json", import.meta.url));

const days = Number(process.argv[2] ?? 30);
const nodes = Number(process.argv[3] ?? 1);

/** Seconds of processor time so far, all threads. */
function processorTime(): number {
	const { user, system } = process.cpuUsage();
	return (user + system) / 1e6;
}

const json = {
	include: ["./firmware/manifest.json"],
	config: {
		firefly: {
			id: "node-{mac}",
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
	const startedAt = processorTime();
	const simulation = await Simulation.build({
		manifest: { path: MANIFEST, json, overrides: {} },
		speed: "max",
		seed: 1,
		engine,
		nodes,
		listener: {
			event({ type }) {
				if (type === "wake") wakes++;
				else if (type === "acknowledged") reports++;
			},
		},
	});
	const builtAt = processorTime();
	await simulation.run(days * DAY);
	const seconds = processorTime() - builtAt;
	simulation.dispose();
	const ratio = Math.round((nodes * days * DAY) / 1000 / seconds).toLocaleString("en");
	console.log(
		`${engine}: ${nodes} × ${days} days in ${seconds.toFixed(2)} s of processor time, 1 s a node for ${ratio} s; ` +
			`${wakes} wakes, ${reports} reports; built in ${(builtAt - startedAt).toFixed(2)} s`,
	);
}
