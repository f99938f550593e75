/*
 * Home Assistant's device classes of sensors with numbers, each with the units that it accepts: it refuses an
 * entity with another. From homeassistant/components/sensor/const.py, DEVICE_CLASS_UNITS and
 * DEVICE_CLASS_STATE_CLASSES. An empty unit stands for none.
 */

const PRESSURE = "mPa Pa hPa kPa bar cbar mbar mmHg inHg inH₂O psi";
const ENERGY = "J kJ MJ GJ mWh Wh kWh MWh GWh TWh cal kcal Mcal Gcal";
/** Particles and gases, by mass; nanograms and ppt only in the newest versions. */
const MASS = "µg/m³ ng/m³";
const SPEED = "ft/s in/s m/s m/min km/h mm/s mph kn Beaufort";
const VOLUMETRIC_FLUX = "in/d in/h mm/d mm/h";
const VOLUME = "L mL m³ ft³ CCF MCF gal fl.⠀oz.";
const DATA = "bit kbit Mbit Gbit B kB MB GB TB PB EB ZB YB KiB MiB GiB TiB PiB EiB ZiB YiB";

/** Units, separated by spaces; a space within one is U+2800 here. */
const UNITS: Readonly<Record<string, string>> = {
	absolute_humidity: "g/m³ mg/m³",
	apparent_power: "mVA VA kVA",
	aqi: "",
	area: "m² cm² km² mm² in² ft² yd² mi² ac ha",
	atmospheric_pressure: PRESSURE,
	battery: "%",
	blood_glucose_concentration: "mg/dL mmol/L",
	carbon_dioxide: "ppm",
	carbon_monoxide: `ppm ppb ppt mg/m³ ${MASS}`,
	conductivity: "S/cm mS/cm µS/cm",
	current: "A mA µA",
	data_rate: "bit/s kbit/s Mbit/s Gbit/s B/s kB/s MB/s GB/s KiB/s MiB/s GiB/s",
	data_size: DATA,
	distance: "mm cm m km in ft yd mi nmi",
	duration: "d h min s ms µs",
	energy: ENERGY,
	energy_distance: "kWh/100km Wh/km mi/kWh km/kWh",
	energy_storage: ENERGY,
	frequency: "mHz Hz kHz MHz GHz",
	gas: "CCF MCF ft³ m³ L",
	humidity: "%",
	illuminance: "lx",
	irradiance: "W/m² BTU/(h⋅ft²)",
	moisture: "%",
	nitrogen_dioxide: `${MASS} ppt ppb ppm`,
	nitrogen_monoxide: `${MASS} ppt ppb`,
	nitrous_oxide: "µg/m³",
	ozone: `${MASS} ppt ppb ppm`,
	ph: "",
	pm1: MASS,
	pm10: MASS,
	pm25: MASS,
	pm4: MASS,
	power: "mW W kW MW GW TW",
	power_factor: " %",
	precipitation: "mm cm in",
	precipitation_intensity: VOLUMETRIC_FLUX,
	pressure: PRESSURE,
	radon: "Bq/m³ pCi/L",
	reactive_energy: "varh kvarh",
	reactive_power: "mvar var kvar",
	signal_strength: "dB dBm",
	sound_pressure: "dB dBA",
	speed: `${SPEED} ${VOLUMETRIC_FLUX}`,
	sulphur_dioxide: `${MASS} ppt ppb`,
	temperature: "°C °F K",
	temperature_delta: "°C °F K",
	volatile_organic_compounds: `${MASS} mg/m³`,
	volatile_organic_compounds_parts: "ppm ppb ppt",
	voltage: "V mV µV kV MV",
	volume: VOLUME,
	volume_flow_rate: "m³/h m³/min m³/s L/h L/min L/s mL/s ft³/min gal/min gal/h gal/d",
	volume_storage: VOLUME,
	water: "CCF MCF ft³ m³ gal L",
	weight: "kg g mg µg oz lb st",
	wind_direction: "°",
	wind_speed: SPEED,
};

/** Units that a state class needs, whatever the device class: STATE_CLASS_UNITS there. */
const STATE_CLASS_UNITS: Readonly<Record<string, string>> = { measurement_angle: "°" };

/** Device classes that admit other state classes than "measurement" alone. */
const STATE_CLASSES: Readonly<Record<string, readonly string[]>> = {
	area: ["measurement", "total", "total_increasing"],
	data_size: ["measurement", "total", "total_increasing"],
	distance: ["measurement", "total", "total_increasing"],
	duration: ["measurement", "total", "total_increasing"],
	energy: ["total", "total_increasing"],
	gas: ["total", "total_increasing"],
	precipitation: ["measurement", "total", "total_increasing"],
	reactive_energy: ["total", "total_increasing"],
	volume: ["total", "total_increasing"],
	water: ["total", "total_increasing"],
	weight: ["measurement", "total", "total_increasing"],
	wind_direction: ["measurement_angle"],
};

export const deviceClasses: readonly string[] = Object.keys(UNITS);

/** Those of values that are on or off, from homeassistant/components/binary_sensor/__init__.py. */
export const binaryDeviceClasses: readonly string[] = [
	...["battery", "battery_charging", "carbon_monoxide", "cold", "connectivity", "door", "garage_door", "gas"],
	...["heat", "light", "lock", "moisture", "motion", "moving", "occupancy", "opening", "plug", "power"],
	...[
		"presence",
		"problem",
		"running",
		"safety",
		"smoke",
		"sound",
		"tamper",
		"update",
		"vibration",
		"window",
	],
];

/** Units that a known device class accepts; an empty text stands for none. */
export function unitsOf(deviceClass: string): readonly string[] {
	return UNITS[deviceClass].split(" ").map((unit) => unit.replaceAll("⠀", " "));
}

/** Whether two units are the same: there are two characters for micro, and Home Assistant takes both. */
export function sameUnit(one: string, other: string): boolean {
	return one.replaceAll("μ", "µ") === other.replaceAll("μ", "µ");
}

/** State classes that suit a known device class. */
export function stateClassesOf(deviceClass: string): readonly string[] {
	return STATE_CLASSES[deviceClass] ?? ["measurement"];
}

/** The unit that a state class needs; undefined: it needs none. */
export function unitOfStateClass(stateClass: string): string | undefined {
	return STATE_CLASS_UNITS[stateClass];
}
