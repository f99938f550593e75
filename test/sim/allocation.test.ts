import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { ChipStatistics } from "../../sim/engine/engine";
import { Simulation } from "../../sim/simulation";

const MANIFEST = fileURLToPath(new URL("../../manifest.json", import.meta.url));
const PUBLISHES = 10_000;
/** Number of publishes after which every pool and buffer has been used. */
const WARM_UP_REPORTS = 50;

test(`${PUBLISHES} publishes of an awake node allocate nothing, in node and broker`, async (t) => {
	const sensor = {
		name: "temperature",
		driver: "virtual",
		property: "thermometer.temperature",
		every: "1s",
		decimals: 1,
	};
	const firefly = {
		id: "node",
		broker: { url: "mqtt://192.168.1.10" },
		topic: "home/{sensor}",
		sleep: { mode: "none" },
		sensors: [sensor],
	};
	let acknowledged = 0;
	let before: ChipStatistics[] = [];
	const fleet: Simulation = await Simulation.build({
		manifest: {
			path: MANIFEST,
			json: { include: ["./firmware/manifest.json"], config: { firefly } },
			overrides: {},
		},
		speed: "max",
		seed: 1,
		engine: "xs",
		listener: {
			event({ type }) {
				if (type !== "acknowledged") return;
				if (++acknowledged === WARM_UP_REPORTS) before = statistics();
				if (acknowledged === WARM_UP_REPORTS + PUBLISHES) fleet.stop();
			},
		},
	});
	const statistics = (): ChipStatistics[] => fleet.boards.map((board) => board.statistics()!);
	await fleet.run(2 * PUBLISHES * 1000);
	const after = statistics();
	fleet.dispose();
	assert.equal(acknowledged, WARM_UP_REPORTS + PUBLISHES);
	for (const [index, name] of ["broker", "node"].entries()) {
		const [from, to] = [before[index]!, after[index]!];
		t.diagnostic(
			`${name}: ${((to.computrons - from.computrons) / PUBLISHES).toFixed(0)} computrons a publish, sampled to acknowledged`,
		);
		assert.equal(to.slotsAllocated - from.slotsAllocated, 0, name);
		assert.equal(to.chunksAllocated - from.chunksAllocated, 0, name);
		assert.equal(to.collections - from.collections, 0, name);
	}
});
