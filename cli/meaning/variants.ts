import type { PropertyDeclaration } from "../../sim/manifest/driver-declaration";
import { formatDuration } from "../../src/config/duration";
import type { SensorSettings, Settings } from "../../src/config/settings";
import { changed } from "./changed-settings";

/** Other settings, and what is other in them, as text of a manifest. */
export interface Variant {
	readonly label: string;
	readonly settings: Settings;
}

/** Times between samples that are tried, ms. */
const STEPS_MS = [10_000, 60_000, 300_000, 900_000];
/** How many of those that are longer than the shortest one. */
const MAX_STEPS = 2;
/** With a deadband where there was none, ms. */
const HEARTBEAT_MS = 900_000;

type SleepMode = Settings["sleep"]["mode"];

/** Modes that take less, by mode. */
const DEEPER: Readonly<Record<SleepMode, readonly SleepMode[]>> = {
	none: ["light", "deep"],
	light: ["deep"],
	deep: [],
};

/** Changes of the settings that a battery depends on. */
export function variantsOf(
	settings: Settings,
	declarations: readonly (PropertyDeclaration | undefined)[],
): readonly Variant[] {
	if (settings.role !== "sensor") return [];
	const deeper = DEEPER[settings.sleep.mode];
	if (deeper.length > 0)
		return deeper.map((mode) => {
			const sleep = changed(settings.sleep, { mode });
			return { label: `sleep.mode "${mode}"`, settings: changed(settings, { sleep }) };
		});
	const { sensors } = settings;
	const shortest = Math.min(...sensors.map(({ every }) => every));
	const slower = STEPS_MS.filter((step) => step > shortest)
		.slice(0, MAX_STEPS)
		.map((step) => ({
			label: `every ${formatDuration(step)}`,
			sensors: sensors.map((sensor) => withEvery(sensor, step)),
		}));
	const sets = [{ label: "", sensors }, ...slower];
	const damped = sets.flatMap((set) => {
		const held = set.sensors.map((sensor, index) => withDelta(sensor, declarations[index]?.delta));
		const texts = held
			.filter((sensor, index) => sensor !== set.sensors[index])
			.map(({ name, delta }) => `${delta} of ${name}`);
		if (texts.length === 0) return [];
		const label = [set.label, `delta ${texts.join(", ")}`].filter((text) => text !== "").join(" with ");
		return [{ label, sensors: held }];
	});
	return [...slower, ...damped].map((set) => ({
		label: set.label,
		settings: changed(settings, { sensors: set.sensors }),
	}));
}

function withEvery(sensor: SensorSettings, every: number): SensorSettings {
	if (sensor.every >= every) return sensor;
	const { heartbeat, spacing, samples } = sensor;
	const spread = spacing === sensor.every / samples;
	return changed(sensor, {
		every,
		...(spread ? { spacing: every / samples } : {}),
		...(heartbeat === undefined ? {} : { heartbeat: Math.max(heartbeat, every) }),
	});
}

function withDelta(sensor: SensorSettings, delta: number | undefined): SensorSettings {
	if (sensor.delta !== undefined || delta === undefined) return sensor;
	return changed(sensor, { delta, heartbeat: Math.max(sensor.heartbeat ?? HEARTBEAT_MS, sensor.every) });
}
