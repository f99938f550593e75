import { deepFreeze } from "../deep-freeze";
import { limits } from "../limits";
import { idProblem, reportTopicProblem } from "../validators";
import { batteryFields } from "./battery";
import { bridgeFields } from "./bridge";
import { brokerFields } from "./broker";
import { commandFields } from "./commands";
import { diagnosticsFields } from "./diagnostics";
import { discoveryFields } from "./discovery";
import type { Fields } from "./field";
import { listenFields } from "./listen";
import { backoffFields, outboxFields, sleepFields, timeFields, wifiFields } from "./node";
import { sensorFields } from "./sensor";
import { updateFields } from "./update";

/** The whole table: `config.firefly` of a manifest. */
export const fireflyFields = deepFreeze({
	role: {
		kind: "choice",
		choices: ["sensor", "broker", "both"],
		default: "sensor",
		text: 'What this device is. "both": a broker, and sensors that report to broker.url.',
	},
	id: {
		kind: "text",
		check: idProblem,
		default: "firefly-{mac}",
		text: "Name of this device: letters, digits, - _ . and the placeholders {mac} and {chip}. At most 64 characters.",
	},
	wifi: {
		kind: "section",
		fields: wifiFields,
		title: "Wi-Fi",
		text: "The Wi-Fi network to join.",
		detail: ["Without it the host is always on a network."],
	},
	broker: { kind: "section", fields: brokerFields, text: "The broker that this node reports to." },
	topic: {
		kind: "text",
		check: reportTopicProblem,
		default: "firefly/{id}/{sensor}",
		pattern: "^[^$#+][^#+]*$",
		text: "Topic of reports. Placeholders: {mac}, {chip}, {id}, {sensor}. With {sensor} each sensor reports for itself. At most 128 bytes.",
	},
	payload: {
		kind: "choice",
		choices: ["value", "json", "history"],
		default: "value",
		text: '"value": the bare number. "json": an object with sequence number, time and values. "history": an array of such objects.',
		detail: [
			"With history, all reports of a topic that wait for QoS 1 share a message, oldest first, as many as a packet holds; other reports are arrays of one object.",
			"It needs RAM for sendBuffer and a report more.",
		],
	},
	sleep: { kind: "section", fields: sleepFields, text: "How the node spends the time between reports." },
	outbox: {
		kind: "section",
		fields: outboxFields,
		text: "Reports that the broker has not yet acknowledged.",
	},
	commands: {
		kind: "section",
		fields: commandFields,
		optional: true,
		text: "Commands over MQTT, which the node takes when it reports; {} for the defaults. Without it there are none.",
		detail: [
			"The node keeps a session at the broker (broker.cleanStart is false, broker.sessionExpiry by default three times the longest gap between reports, and a day at least), and listens for sleep.commandWindow. docs/commands.md has the commands.",
		],
		examples: [{}],
	},
	update: {
		kind: "section",
		fields: updateFields,
		optional: true,
		text: "Images of the firmware over the network, by the command update; {} for the defaults. Without it there are none.",
		detail: [
			"It needs commands, firmware/update/manifest.json and a partition table with two slots: docs/update.md.",
		],
		examples: [{}],
	},
	backoff: {
		kind: "section",
		fields: backoffFields,
		text: "Waits between failed reports; a topic on which the broker refuses a report waits on its own.",
	},
	battery: {
		kind: "section",
		fields: batteryFields,
		optional: true,
		text: "What the node does as its battery runs down: longer periods, a last report, then sleep without Wi-Fi.",
		detail: ["In deep sleep mode only. docs/measurements.md describes it."],
	},
	diagnostics: {
		kind: "section",
		fields: diagnosticsFields,
		optional: true,
		text: "Messages about the node itself: wakes, resets, signal, time awake, what waits, drops and failed readings.",
		detail: ["Without it there are none. docs/measurements.md has what they hold."],
	},
	sensors: {
		kind: "list",
		fields: sensorFields,
		maximum: limits.sensors,
		item: "One measured value.",
		text: "What is measured.",
		examples: [[{ name: "temperature", driver: "sht3x", property: "thermometer.temperature", unit: "°C" }]],
	},
	discovery: {
		kind: "section",
		fields: discoveryFields,
		optional: true,
		shorthand: "formats",
		text: "Announces the node and its sensors to home automation: Home Assistant, or Homie 5. docs/home-assistant.md shows the way.",
		detail: [
			"Without it nothing is announced, and it takes no memory.",
			"Sent after power-on or reset, and after a change of configuration or firmware; never on an ordinary wake, as brokers retain it.",
			"With Homie the convention decides topic and will.",
		],
		examples: ["homeassistant", "homie"],
	},
	listen: {
		kind: "section",
		fields: listenFields,
		text: "The broker on this device; every pool has a fixed size.",
		detail: [
			"A full pool refuses by the protocol's own means and counts the refusal: MQTT 5.0 reason code 0x97 (quota exceeded), or its equivalent in MQTT 3.1.1.",
		],
	},
	bridge: {
		kind: "section",
		fields: bridgeFields,
		optional: true,
		text: "Forwards topics between the broker on this device and another one. Without it nothing is forwarded, and it takes no memory.",
		detail: [
			"docs/bridge.md describes it. The bridge is a client of both brokers, and takes one of listen.connections and listen.sessions.",
		],
		examples: [{ url: "mqtt://192.168.1.10", topics: [{ filter: "sensors/#" }] }],
	},
	time: { kind: "section", fields: timeFields, text: "Where the clock is set from." },
} as const satisfies Fields);
