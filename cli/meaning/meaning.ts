import type { DriverDeclaration, PropertyDeclaration } from "../../sim/manifest/driver-declaration";
import { batteryCapacityMAh } from "../../sim/report/currents";
import type { Settings } from "../../src/config/settings";
import { memoryAvailable, memoryNeeded, memoryNeeds } from "../config/memory";
import { largestPackets } from "../config/sizes";
import { dailyCharge } from "./charge";
import { type Day, DayPlayer } from "./day";
import { flashYears } from "./flash";
import { variantsOf } from "./variants";

/** A device as its manifest and the command line configure it. */
export interface ConfiguredDevice {
	readonly settings: Settings;
	/** `creation.static` and `creation.stack`, if the manifest has them. */
	readonly arena?: number;
	readonly stack?: number;
	/** What the drivers of the build declare. */
	readonly drivers: ReadonlyMap<string, DriverDeclaration>;
}

/** What a configuration means for its device. */
export interface Meaning {
	/** Absent without sensors. */
	readonly day?: Day;
	/** Of the chip alone, by the simulator's currents. */
	readonly battery: Battery & {
		readonly capacity: number;
		/** With other settings. */
		readonly instead: readonly (Battery & { readonly with: string })[];
	};
	/** Years until an outbox in flash has worn it out, at the most reports; absent for others. */
	readonly flashYears?: number;
	readonly memory: {
		/** Bytes at the worst. */
		readonly needed: number;
		readonly available: number;
		/** Bytes of each pool of a broker, by the key that sizes it, largest first. */
		readonly pools: readonly { readonly key: string; readonly bytes: number }[];
	};
	/** Bytes. */
	readonly packets: {
		/** Absent without sensors. */
		readonly report?: number;
		readonly connect?: number;
		/** Absent without discovery. */
		readonly announcement?: number;
		/** Largest that a broker on this device accepts. */
		readonly accepted?: number;
	};
}

interface Battery {
	/** mAh a day. */
	readonly charge: number;
	readonly days: number;
}

/** Days that are as good as the same. */
const SAME = 0.05;

/** Estimates what a configuration without problems means. */
export function meaningOf({ settings, arena, stack, drivers }: ConfiguredDevice): Meaning {
	const { role, sensors, listen } = settings;
	const measures = role !== "broker" && sensors.length > 0;
	const packets: Meaning["packets"] = measures ? largestPackets(settings) : {};
	const declarations = sensors.map(
		({ driver, property }): PropertyDeclaration | undefined =>
			drivers.get(driver)?.properties[property.join(".")],
	);
	const player = new DayPlayer(declarations);
	const none: Day = {
		wakes: 0,
		samples: 0,
		values: 0,
		gathering: 0,
		reportsAtMost: 0,
		reports: 0,
		exchanges: 0,
	};
	const estimate = (changed: Settings): Battery & { readonly day: Day } => {
		const day = measures ? player.play(changed) : none;
		const charge = dailyCharge(changed, day, packets.report ?? 0);
		return { day, charge: rounded(charge), days: rounded(batteryCapacityMAh / charge) };
	};
	const { day, ...now } = estimate(settings);
	const instead = (measures ? variantsOf(settings, declarations) : [])
		.map(({ label, settings: changed }) => {
			const { charge, days } = estimate(changed);
			return { with: label, charge, days };
		})
		.filter(({ days }) => Math.abs(days / now.days - 1) > SAME);
	return {
		...(measures ? { day } : {}),
		battery: { ...now, capacity: batteryCapacityMAh, instead },
		...(measures && day.reportsAtMost > 0 && settings.outbox.storage === "flash"
			? { flashYears: rounded(flashYears(settings, day.reportsAtMost)) }
			: {}),
		memory: {
			needed: memoryNeeded(settings),
			available: memoryAvailable(arena, stack),
			pools: memoryNeeds(settings)
				.flatMap(({ key, bytes }) => (key === undefined || bytes === 0 ? [] : [{ key, bytes }]))
				.sort((a, b) => b.bytes - a.bytes),
		},
		packets: { ...packets, ...(role === "sensor" ? {} : { accepted: listen.packetSize }) },
	};
}

/** To hundredths: an estimate has no more. */
function rounded(value: number): number {
	return Math.round(value * 100) / 100;
}
