import type { DriverDeclaration } from "../../sim/manifest/driver-declaration";
import { boards } from "../project/boards";
import type { ManifestView } from "./json";
import type { Path, Problem } from "./problem";
import { valueAt } from "./schema-problems";

const root: Path = ["config", "firefly", "sensors"];

/** I²C controllers of chips with only one; the others have two (ESP-IDF, SOC_HP_I2C_NUM). */
const SINGLE_CONTROLLER = ["ESP32-C3", "ESP32-C6"];

interface BusSensor {
	readonly path: Path;
	readonly index: number;
	/** Pins, as written, or those of the board. */
	readonly bus: string;
	readonly address: unknown;
	readonly port: unknown;
	readonly driver: unknown;
	/** What makes two sensors share a driver. */
	readonly key: string;
}

/**
 * Sensors on I²C buses that get in each other's way: the SDK opens an address once on a bus, and a bus once.
 * @param platform of mcconfig, such as `esp32/nodemcu`
 */
export function busProblems(
	document: ManifestView,
	drivers: ReadonlyMap<string, DriverDeclaration>,
	platform: string,
): Problem[] {
	const sensors = busSensors(document, drivers, platform);
	const problems: Problem[] = [];
	const buses: string[] = [];
	const chip = boards[platform.replace(/^esp32\//, "")];
	const controllers = SINGLE_CONTROLLER.includes(chip ?? "") ? 1 : 2;
	for (const [place, sensor] of sensors.entries()) {
		const { path, bus, address, port, key } = sensor;
		const before = sensors.slice(0, place).filter((other) => other.bus === bus);
		const rival = before.find((other) => other.address === address && other.key !== key);
		if (rival !== undefined)
			problems.push(
				document.at(
					path,
					`has the address ${address} of sensors[${rival.index}] on the same bus, and ${rival.driver === sensor.driver ? "other options; with the same options they share one driver" : "another driver"}`,
				),
			);
		const [first] = before;
		if (first !== undefined && first.port !== port)
			problems.push(
				document.at(path, `needs the port of sensors[${first.index}], which is on the same pins`),
			);
		if (buses.includes(bus)) continue;
		buses.push(bus);
		if (buses.length === controllers + 1)
			problems.push(
				document.at(
					path,
					`is on one more I²C bus than ${chip === undefined ? "a chip" : `an ${chip}`} has controllers, ${controllers}`,
				),
			);
	}
	return [...problems, ...pinProblems(document, drivers)];
}

/** Sensors that would drive the same pin, each with a driver of its own: two of 1-Wire, say. */
function pinProblems(document: ManifestView, drivers: ReadonlyMap<string, DriverDeclaration>): Problem[] {
	const list = valueAt(document.value, root);
	if (!Array.isArray(list)) return [];
	const problems: Problem[] = [];
	const lines = new Map<unknown, { readonly index: number; readonly key: string }>();
	for (const [index, entry] of list.entries()) {
		const { driver, options } = Object(entry) as { readonly driver?: unknown; readonly options?: unknown };
		const { pin } = Object(options) as { readonly pin?: unknown };
		if (pin === undefined || drivers.get(String(driver))?.options.pin?.pins !== "output") continue;
		const key = JSON.stringify([driver, options]);
		const other = lines.get(pin);
		if (other === undefined) lines.set(pin, { index, key });
		else if (other.key !== key)
			problems.push(
				document.at(
					[...root, index],
					`has the pin ${pin} of sensors[${other.index}], and other options; with the same options they share one driver`,
				),
			);
	}
	return problems;
}

function busSensors(
	document: ManifestView,
	drivers: ReadonlyMap<string, DriverDeclaration>,
	platform: string,
): BusSensor[] {
	const list = valueAt(document.value, root);
	if (!Array.isArray(list)) return [];
	return list.flatMap((entry, index): BusSensor[] => {
		const { driver, options } = Object(entry) as { readonly driver?: unknown; readonly options?: unknown };
		const declared = drivers.get(String(driver))?.options;
		if (declared?.data === undefined || declared.clock === undefined) return [];
		const written = Object(options) as Readonly<Record<string, unknown>>;
		const pinOf = (name: "data" | "clock"): unknown =>
			written[name] ?? declared[name]?.boards?.[platform] ?? "board";
		return [
			{
				path: [...root, index],
				index,
				bus: `${pinOf("data")} ${pinOf("clock")}`,
				address: written.address ?? declared.address?.default,
				port: written.port,
				driver,
				key: JSON.stringify([driver, options ?? {}]),
			},
		];
	});
}
