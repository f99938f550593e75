import Type, { type Static } from "typebox";
import { defaults } from "../defaults";
import { ranges } from "../ranges";
import {
	hostProblem,
	idProblem,
	nameProblem,
	passphraseProblem,
	propertyProblem,
	reportTopicProblem,
	ssidProblem,
	unitProblem,
} from "../validators";
import { BrokerConfig } from "./broker";
import { Choice, Count, Duration, strict, Text } from "./kinds";
import { ListenConfig } from "./listen";

export const WiFiConfig = Type.Object(
	{
		ssid: Type.Optional(Text("Name of the network, 1 to 32 bytes.", ssidProblem)),
		password: Type.Optional(
			Text(
				"Passphrase, 8 to 64 bytes. Not in the manifest: it belongs into firefly.local.json or FIREFLY_WIFI_PASSWORD.",
				passphraseProblem,
			),
		),
	},
	{ ...strict, description: "The Wi-Fi network to join." },
);

const limits = ranges.sensor;
const values = defaults.sensor;

export const SensorConfig = Type.Object(
	{
		name: Text("Name, used for {sensor} and in JSON reports: 1 to 32 letters, digits, - _ .", nameProblem, {
			pattern: "^[A-Za-z0-9._-]{1,32}$",
		}),
		driver: Text(
			'Driver: the folder in firmware/drivers, or in the simulator also "virtual" and "replay".',
			nameProblem,
			{
				pattern: "^[A-Za-z0-9._-]{1,32}$",
			},
		),
		options: Type.Optional(
			Type.Record(Type.String(), Type.Unknown(), { description: "Handed to the driver." }),
		),
		property: Type.Optional(
			Text(
				"Where the value is in the driver's sample, names joined by dots; the sensor's name when left out.",
				propertyProblem,
				{
					examples: ["thermometer.temperature"],
				},
			),
		),
		unit: Type.Optional(
			Text("Unit, for people and home automation. 1 to 32 bytes.", unitProblem, { examples: ["°C"] }),
		),
		every: Type.Optional(Duration("Time between samples.", limits.every, values.every)),
		grid: Type.Optional(
			Choice(
				'Whether samples are taken at whole multiples of "every" in wall time.',
				[true, false],
				values.grid,
			),
		),
		delta: Type.Optional(
			Type.Number({
				description: `Deadband in the sensor's unit: a value closer than this to the last one reported is not reported. From ${limits.delta.minimum} to ${limits.delta.maximum}.`,
				...limits.delta,
			}),
		),
		heartbeat: Type.Optional(
			Duration('A value is reported after this time though it stayed within "delta".', limits.heartbeat),
		),
		decimals: Type.Optional(
			Count("Digits after the decimal point; as many as the value needs when left out.", limits.decimals),
		),
		qos: Type.Optional(Choice("Quality of service: 0 at most once, 1 at least once.", [0, 1], 1)),
		retain: Type.Optional(
			Choice("Whether the broker keeps the value for later subscribers.", [true, false], values.retain),
		),
	},
	strict,
);

const Sleep = Type.Object(
	{
		mode: Type.Optional(
			Choice(
				'"deep": the chip is off between reports. "none": it stays awake and connected.',
				["deep", "none"],
				defaults.sleep.mode,
			),
		),
		awakeLimit: Type.Optional(
			Duration(
				"A wake ends after this time, whatever happens.",
				ranges.sleep.awakeLimit,
				defaults.sleep.awakeLimit,
			),
		),
		commandWindow: Type.Optional(
			Type.Unknown({
				description: "Accepted, as configurations may have it, without effect: nodes take no commands yet.",
			}),
		),
	},
	strict,
);

const Outbox = Type.Object(
	{
		storage: Type.Optional(
			Choice(
				'Where reports wait: "rtc" memory survives sleep and reset, not power loss.',
				["rtc"],
				defaults.outbox.storage,
			),
		),
		policy: Type.Optional(
			Choice(
				'What a full outbox gives up: "dropOldest" the oldest report, "thin" every second one.',
				["dropOldest", "thin"],
				defaults.outbox.policy,
			),
		),
		size: Type.Optional(Count("Bytes.", ranges.outbox.size, defaults.outbox.size)),
	},
	{ ...strict, description: "Reports that the broker has not yet acknowledged." },
);

const Backoff = Type.Object(
	{
		minimum: Type.Optional(
			Duration(
				"Bound of the random wait after the first failed report; it doubles with each further one.",
				ranges.backoff.minimum,
				defaults.backoff.minimum,
			),
		),
		maximum: Type.Optional(Duration("Largest bound.", ranges.backoff.maximum, defaults.backoff.maximum)),
	},
	{
		...strict,
		description:
			"Waits between failed reports; a topic on which the broker refuses a report waits on its own.",
	},
);

const Time = Type.Object(
	{
		server: Type.Optional(
			Type.Refine(
				Type.Unsafe<string | false>({
					description: "SNTP server that sets the clock; false for none.",
					default: defaults.time.server,
					anyOf: [{ type: "string" }, { const: false }],
				}),
				(value) => value === false || hostProblem(value) === undefined,
				(value) => (value === false ? "" : (hostProblem(value) ?? "")),
			),
		),
	},
	strict,
);

/** `config.firefly` of a manifest. */
export const FireflyConfig = Type.Object(
	{
		role: Type.Optional(
			Choice(
				'What this device is. "both": a broker, and sensors that report to broker.url.',
				["sensor", "broker", "both"],
				defaults.role,
			),
		),
		id: Type.Optional(
			Text(
				"Name of this device: letters, digits, - _ . and the placeholders {mac} and {chip}. At most 64 characters.",
				idProblem,
				{
					default: defaults.id,
				},
			),
		),
		wifi: Type.Optional(WiFiConfig),
		broker: Type.Optional(BrokerConfig),
		topic: Type.Optional(
			Text(
				"Topic of reports. Placeholders: {mac}, {chip}, {id}, {sensor}. With {sensor} each sensor reports for itself. At most 128 bytes.",
				reportTopicProblem,
				{
					default: defaults.topic,
					pattern: "^[^$#+][^#+]*$",
				},
			),
		),
		payload: Type.Optional(
			Choice(
				'"value": the bare number. "json": an object with sequence number, time and values.',
				["value", "json"],
				defaults.payload,
			),
		),
		sleep: Type.Optional(Sleep),
		outbox: Type.Optional(Outbox),
		backoff: Type.Optional(Backoff),
		sensors: Type.Optional(
			Type.Array(SensorConfig, { description: "What is measured.", maxItems: ranges.sensors }),
		),
		listen: Type.Optional(ListenConfig),
		time: Type.Optional(Time),
	},
	{ ...strict, description: "Firefly." },
);

export type FireflyConfig = Static<typeof FireflyConfig>;
export type SensorConfig = Static<typeof SensorConfig>;
