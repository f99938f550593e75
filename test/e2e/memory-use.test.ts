import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { memoryNeeded } from "../../cli/config/memory";
import type { ChipStatistics } from "../../sim/engine/engine";
import { Simulation } from "../../sim/simulation";
import { readSettings } from "../../src/config/settings";

const MANIFEST = fileURLToPath(new URL("../../manifest.json", import.meta.url));
const DIGITAL = "./firmware/drivers/digital/manifest.json";
const WAKES = 10;
/**
 * Computrons of the default manifest's wakes at most, 2 to 3 % more than they take: of one in which a sensor
 * was sampled and nothing reported, and of one with a report, from the start of the firmware to its sleep.
 */
const QUIET_WAKE = 11_050;
const REPORTING_WAKE = 39_600;
/** Bytes of a slot on a 32-bit device. */
const SLOT_BYTES = 16;
const TARGET = 20 * 1024;
/**
 * Share by which the model of `firefly check` may exceed what a node takes in its arena; and bytes of what
 * does not happen in these wakes: `set` is executed, an outbox in flash is read after a loss of power.
 */
const MODEL_SLACK = 0.15;
const SET = 3800;
const FLASH_RECOVERY = 2400;

const manifest = (): Manifest => JSON.parse(readFileSync(MANIFEST, "utf8"));
interface Manifest {
	readonly include: string[];
	readonly config: { readonly firefly: Record<string, unknown> & { sensors: object[]; broker: object } };
}

const { sensors, broker } = manifest().config.firefly;
const door = { name: "door", driver: "digital", property: "contact.open", options: { pin: 4 }, every: "60s" };
const wakePin = { sensors: [...sensors, { ...door, wake: true }] };
const commands = { commands: {} };
const both = { discovery: { formats: ["homeassistant", "homie"] } };
const battery = { battery: { sensor: "battery", low: 3.3 } };
const history = { payload: "history" };
const flash = { outbox: { storage: "flash" } };
const qos2 = {
	sensors: sensors.map((sensor) => ({ ...sensor, qos: 2 })),
	broker: { ...broker, cleanStart: false, sessionExpiry: "1h" },
};

/** What a configuration may ask for beside the default manifest's three sensors. */
const FEATURES: Readonly<Record<string, object>> = {
	"nothing else": {},
	"MQTT 3.1.1": { broker: { ...broker, version: 4 } },
	'payload "json"': { payload: "json", topic: "home/{id}" },
	'payload "history"': history,
	"QoS 2 in a lasting session": qos2,
	"two samples a value": { sensors: [{ ...sensors[0], samples: 2 }, ...sensors.slice(1)] },
	battery,
	commands,
	"commands and updates, none in progress": { ...commands, update: {} },
	diagnostics: { diagnostics: {} },
	"discovery for Home Assistant": { discovery: "homeassistant" },
	"discovery by Homie": { discovery: "homie" },
	"discovery in both formats": both,
	"outbox in flash": flash,
	"a pin that wakes it": wakePin,
};

const COMBINATIONS: Readonly<Record<string, object>> = {
	"Home Assistant, commands, history": { discovery: "homeassistant", ...commands, ...history },
	"Homie, commands": { discovery: "homie", ...commands },
	"both formats, diagnostics": { ...both, diagnostics: {} },
	"flash, Home Assistant": { ...flash, discovery: "homeassistant" },
	"a pin, Home Assistant": { ...wakePin, discovery: "homeassistant" },
};

const ALL: Readonly<Record<string, object>> = {
	"everything but Homie": {
		discovery: "homeassistant",
		...commands,
		...history,
		...flash,
		...battery,
		...wakePin,
		diagnostics: {},
	},
	"everything but history": { ...both, ...commands, ...flash, ...battery, ...wakePin, diagnostics: {} },
};

/**
 * Upper bound of RAM on a 32-bit device: peak of slots and peak of chunk bytes, including garbage that is not
 * yet collected, and the deepest stack. Counts of slots are those of the device; chunk bytes are those of a
 * 64-bit machine, which needs up to twice as many. Data in flash (built-ins, preloaded modules, settings) is
 * not RAM.
 */
function bytes({ slotsPeak, chunksPeak, stackPeak }: ChipStatistics): number {
	return slotsPeak * SLOT_BYTES + chunksPeak + stackPeak * SLOT_BYTES;
}

describe(`a sensor node takes at most ${TARGET} bytes of RAM in ${WAKES} wakes, with any features and all`, () => {
	let plain = 0;
	for (const [name, extra] of Object.entries({ ...FEATURES, ...COMBINATIONS, ...ALL }))
		test(`with ${name}`, async (t) => {
			const { largest, smallest, needed, quiet, reporting } = await measure(extra);
			plain ||= bytes(largest);
			t.diagnostic(`a wake without a report: ${quiet} computrons, with one: ${reporting}`);
			if (name === "nothing else") {
				assert.ok(quiet <= QUIET_WAKE, `${quiet} computrons`);
				assert.ok(reporting <= REPORTING_WAKE, `${reporting} computrons`);
			}
			for (const [wake, statistics] of [
				["the largest wake", largest],
				["the smallest", smallest],
			] as const) {
				const { slotsPeak, chunksPeak, stackPeak, computrons } = statistics;
				t.diagnostic(
					`${wake}: ${bytes(statistics)} bytes = ${slotsPeak} slots × ${SLOT_BYTES} + ${chunksPeak} chunk bytes + ${stackPeak} stack slots × ${SLOT_BYTES}; ${computrons} computrons`,
				);
			}
			const inArena = bytes(largest) - largest.stackPeak * SLOT_BYTES;
			t.diagnostic(
				`${bytes(largest) - plain} more than nothing else; arena ${inArena}, ${needed} in the model of check`,
			);
			assert.ok(bytes(largest) <= TARGET, `${bytes(largest)} bytes`);
			assert.ok(inArena <= needed, "the model of check has enough");
			const rare = ("commands" in extra ? SET : 0) + ("outbox" in extra ? FLASH_RECOVERY : 0);
			assert.ok(
				needed - rare <= (1 + MODEL_SLACK) * inArena,
				"the model of check does not have far too much",
			);
		});
});

/** @param extra keys of `config.firefly` */
async function measure(extra: object): Promise<{
	readonly largest: ChipStatistics;
	readonly smallest: ChipStatistics;
	/** Bytes that `check` reckons with. */
	readonly needed: number;
	/** Computrons of the wake that took fewest, without a report and with one. */
	readonly quiet: number;
	readonly reporting: number;
}> {
	const json = manifest();
	const { firefly } = json.config;
	Object.assign(firefly, extra);
	if (JSON.stringify(extra).includes("homie")) delete firefly.topic;
	if (firefly.sensors.length > sensors.length) json.include.push(DIGITAL);
	if ("update" in extra) json.include.push("./firmware/update/manifest.json");
	const wakes: ChipStatistics[] = [];
	let acknowledged = 0;
	let reporting = 0;
	const fewest = { quiet: Infinity, reporting: Infinity };
	const simulation: Simulation = await Simulation.build({
		manifest: { path: MANIFEST, json: json as never, overrides: {} },
		speed: "max",
		seed: 1,
		engine: "xs",
		listener: {
			event({ type, node }) {
				assert.notEqual(type, "crash");
				if (node === "broker") return;
				if (type === "acknowledged") acknowledged++;
				if (type !== "sleep") return;
				const statistics = simulation.node.statistics()!;
				wakes.push(statistics);
				const kind = acknowledged > 0 ? "reporting" : "quiet";
				fewest[kind] = Math.min(fewest[kind], statistics.computrons);
				if (acknowledged > 0) reporting++;
				acknowledged = 0;
				if (wakes.length === WAKES) simulation.stop();
			},
		},
	});
	await simulation.run(3_600_000);
	simulation.dispose();
	assert.equal(wakes.length, WAKES);
	// Includes both kinds of wake and the node's first one.
	assert.ok(reporting > 1 && reporting < WAKES, `${reporting} wakes that report`);
	const settings = readSettings({ firefly }, { mac: "0".repeat(12), chip: "esp32" }, (problem) =>
		assert.fail(problem),
	);
	const { sendBuffer, receiveBuffer } = settings.broker;
	assert.ok(sendBuffer >= 512 && receiveBuffer >= 512, "packets up to 512 bytes both ways");
	return {
		largest: wakes.reduce((most, wake) => (bytes(wake) > bytes(most) ? wake : most)),
		smallest: wakes.reduce((least, wake) => (bytes(wake) < bytes(least) ? wake : least)),
		needed: memoryNeeded(settings),
		...fewest,
	};
}
