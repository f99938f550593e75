import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { ChipStatistics } from "../../../sim/engine/engine";
import { Simulation } from "../../../sim/simulation";

const MANIFEST = fileURLToPath(new URL("../../../manifest.json", import.meta.url));
/** Wakes until each kind has been seen: announcing, silent, and reporting. */
const WAKES = 4;

const bytesOf = ({ slotsPeak, chunksPeak, stackPeak }: ChipStatistics): number =>
	slotsPeak * 16 + chunksPeak + stackPeak * 16;

/** Statistics of the first wakes on XS: the first one announces, the last one reports. */
async function wakesWith(discovery?: string | string[], more: object = {}): Promise<ChipStatistics[]> {
	const json = JSON.parse(readFileSync(MANIFEST, "utf8"));
	const { firefly } = json.config;
	if (discovery !== undefined) firefly.discovery = discovery;
	if (discovery?.includes("homie")) delete firefly.topic;
	Object.assign(firefly, more);
	const wakes: ChipStatistics[] = [];
	const traces: string[] = [];
	const simulation: Simulation = await Simulation.build({
		manifest: { path: MANIFEST, json, overrides: {} },
		speed: "max",
		seed: 1,
		engine: "xs",
		listener: {
			event(event) {
				assert.notEqual(event.type, "crash");
				if (event.node === "broker") return;
				if (event.type === "trace") traces.push(event.message);
				if (event.type !== "sleep") return;
				wakes.push(simulation.node.statistics()!);
				if (wakes.length === WAKES) simulation.stop();
			},
		},
	});
	await simulation.run(3_600_000);
	simulation.dispose();
	const formats = [discovery ?? []].flat().join(" and ");
	assert.deepEqual(traces, formats === "" ? [] : [`announced: ${formats}`]);
	return wakes;
}

test("on XS: without discovery it takes no memory, with Home Assistant only the wake that announces, and the stack suffices", async (t) => {
	const [off, homeAssistant, homie] = [
		await wakesWith(),
		await wakesWith("homeassistant"),
		await wakesWith("homie"),
	];
	const reporting = WAKES - 1;
	for (const [name, wakes] of [
		["off", off],
		["homeassistant", homeAssistant],
		["homie", homie],
	] as const)
		for (const wake of [0, reporting])
			t.diagnostic(
				`${name}, wake ${wake + 1}: ${bytesOf(wakes[wake]!)} bytes, ${wakes[wake]!.computrons} computrons, ${wakes[wake]!.stackPeak} of 512 slots of stack`,
			);
	assert.equal(bytesOf(homeAssistant[reporting]!), bytesOf(off[reporting]!));
	assert.ok(homeAssistant[reporting]!.computrons - off[reporting]!.computrons < 1000);
	// What each takes at most is in test/e2e/memory-use.test.ts.
	for (const wakes of [homeAssistant, homie]) assert.ok(wakes[0]!.stackPeak <= 300);
});

test("on XS: both formats, diagnostics and commands at once: a wake that reports stays within 20 KB", async (t) => {
	const wakes = await wakesWith(["homeassistant", "homie"], { diagnostics: {}, commands: {} });
	const [announcing, reporting] = [wakes[0]!, wakes[WAKES - 1]!];
	for (const wake of [announcing, reporting])
		t.diagnostic(
			`${bytesOf(wake)} bytes, ${wake.computrons} computrons, ${wake.stackPeak} of 512 slots of stack`,
		);
	assert.ok(bytesOf(reporting) <= 20 * 1024);
	assert.ok(bytesOf(announcing) <= 21 * 1024);
	assert.ok(announcing.stackPeak <= 420);
});
