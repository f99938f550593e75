import { ButtonsRow, ControlsColumn, SliderRow, SwitchRow } from "ControlsPane";

/**
 * A control's data: mcsim puts the new value into it and passes it to the behavior.
 * @typedef {{ value: number | boolean }} ControlData
 */

/**
 * A slider for a reading.
 * @typedef {object} SliderControl
 * @property {"TEMPERATURE" | "HUMIDITY" | "PRESSURE" | "BATTERY" | "ANALOG"} name the behavior's member
 * @property {string} event
 * @property {string} track
 * @property {string} label
 * @property {string} property of the configuration, such as `thermometer.temperature`
 * @property {number} scale the property's unit in that of the slider
 * @property {number} min
 * @property {number} max
 * @property {number} step
 * @property {number} value
 * @property {string} unit behind the value, where there is no room: it is in the label
 */

/** @type {readonly SliderControl[]} */
export const SLIDERS = [
	slider("TEMPERATURE", "Temperature, °C", "thermometer.temperature", 1, -20, 50, 0.1, 20),
	slider("HUMIDITY", "Humidity, %", "hygrometer.humidity", 1, 0, 100, 1, 50),
	slider("PRESSURE", "Pressure, hPa", "barometer.pressure", 100, 900, 1100, 1, 1013),
	slider("BATTERY", "Battery, V", "battery.voltage", 1, 2.5, 4.5, 0.01, 3.9),
	slider("ANALOG", "Analog, mV", "analog.voltage", 1, 0, 3300, 10, 1200),
];

/**
 * @param {SliderControl["name"]} name
 * @param {string} label
 * @param {string} property
 * @param {number} scale
 * @param {number} min
 * @param {number} max
 * @param {number} step
 * @param {number} value
 * @returns {SliderControl}
 */
function slider(name, label, property, scale, min, max, step, value) {
	return {
		name,
		event: "onReadingChanged",
		track: "onReadingTracked",
		label,
		property,
		scale,
		min,
		max,
		step,
		value,
		unit: "",
	};
}

export const BoardControls = ControlsColumn.template(() => ({
	contents: [
		SwitchRow({ name: "POWER", event: "onPowerChanged", label: "Power", on: "on", off: "off", value: true }),
		ButtonsRow({
			label: "Restart",
			buttons: [
				{ event: "onReset", label: "Reset" },
				{ event: "onBrownOut", label: "Brown-out" },
			],
		}),
		ButtonsRow({
			label: "",
			buttons: [
				{ event: "onCrash", label: "Crash" },
				{ event: "onWake", label: "Wake" },
			],
		}),
		SwitchRow({ name: "WIFI", event: "onWiFiChanged", label: "Wi-Fi", on: "on", off: "off", value: true }),
		SwitchRow({
			name: "BROKER",
			event: "onBrokerChanged",
			label: "Broker",
			on: "up",
			off: "down",
			value: true,
		}),
		SwitchRow({
			name: "CONTACT",
			event: "onContactChanged",
			label: "Contact",
			on: "closed",
			off: "open",
			value: false,
		}),
		...SLIDERS.map((data) => SliderRow({ ...data })),
		ButtonsRow({ label: "Readings", buttons: [{ event: "onCurve", label: "Daily curve" }] }),
	],
}));
