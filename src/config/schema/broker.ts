import Type from "typebox";
import { defaults } from "../defaults";
import { ranges } from "../ranges";
import { deviceTopicProblem, payloadProblem, secretProblem, textProblem, urlProblem } from "../validators";
import { Choice, Count, Duration, Seconds, strict, Text } from "./kinds";

const values = defaults.broker;
const limits = ranges.broker;

const Will = Type.Object(
	{
		topic: Type.Optional(
			Text("Topic of the will. Placeholders: {mac}, {chip}, {id}. At most 128 bytes.", deviceTopicProblem, {
				default: defaults.will.topic,
			}),
		),
		payload: Type.Optional(
			Type.Refine(
				Type.String({
					description: "What the broker publishes. At most 128 bytes.",
					default: defaults.will.payload,
				}),
				(value) => payloadProblem(value) === undefined,
				(value) => payloadProblem(value) ?? "",
			),
		),
		qos: Type.Optional(Choice("Quality of service of the will.", [0, 1, 2], defaults.will.qos)),
		retain: Type.Optional(
			Choice(
				"Whether the broker keeps the will as the topic's retained value.",
				[true, false],
				defaults.will.retain,
			),
		),
		delay: Type.Optional(
			Seconds(
				"Time the broker waits before it publishes the will (MQTT 5.0 only).",
				limits.willDelay,
				defaults.will.delay,
			),
		),
	},
	{ ...strict, description: "Published by the broker when the connection ends without a DISCONNECT." },
);

export const BrokerConfig = Type.Object(
	{
		url: Type.Optional(
			Text(
				"Where the broker listens: mqtt://host or mqtt://host:port; the port is 1883 when none is given.",
				urlProblem,
				{
					pattern: "^mqtt://[^@]+$",
					examples: ["mqtt://192.168.1.10"],
				},
			),
		),
		version: Type.Optional(
			Choice("Protocol version: 4 for MQTT 3.1.1, 5 for MQTT 5.0.", [4, 5], values.version),
		),
		keepAlive: Type.Optional(
			Seconds(
				"Longest silence before the client sends PINGREQ; 0s turns keepalive off.",
				limits.keepAlive,
				values.keepAlive,
			),
		),
		pipeline: Type.Optional(
			Choice(
				'Whether reports leave together with CONNECT, before the broker has answered; "auto" stops doing so for a day when a broker refuses.',
				["auto", true, false],
				values.pipeline,
			),
		),
		clientId: Type.Optional(
			Text("Client identifier. Placeholders: {mac}, {chip}, {id}. At most 128 bytes.", textProblem, {
				default: values.clientId,
			}),
		),
		username: Type.Optional(
			Text(
				"User name; better kept in firefly.local.json. Placeholders: {mac}, {chip}, {id}. At most 128 bytes.",
				textProblem,
			),
		),
		password: Type.Optional(
			Text(
				"Password. Not in the manifest: it belongs into firefly.local.json or FIREFLY_BROKER_PASSWORD. At most 128 bytes.",
				secretProblem,
			),
		),
		cleanStart: Type.Optional(
			Choice("Whether each connection begins a new session.", [true, false], values.cleanStart),
		),
		sessionExpiry: Type.Optional(
			Seconds(
				"How long the broker keeps the session after the connection ended.",
				limits.sessionExpiry,
				values.sessionExpiry,
			),
		),
		will: Type.Optional(Will),
		connectTimeout: Type.Optional(
			Duration("Time for TCP and CONNACK.", limits.connectTimeout, values.connectTimeout),
		),
		acknowledgeTimeout: Type.Optional(
			Duration(
				"Time for the broker to acknowledge a report.",
				limits.acknowledgeTimeout,
				values.acknowledgeTimeout,
			),
		),
		pingTimeout: Type.Optional(
			Duration("Time for the answer to PINGREQ.", limits.pingTimeout, values.pingTimeout),
		),
		sendBuffer: Type.Optional(Count("Bytes for packets to send.", limits.sendBuffer, values.sendBuffer)),
		receiveBuffer: Type.Optional(
			Count("Bytes for a packet received.", limits.receiveBuffer, values.receiveBuffer),
		),
		inFlight: Type.Optional(
			Count("Reports sent and not yet acknowledged, at most.", limits.inFlight, values.inFlight),
		),
	},
	{ ...strict, description: "The broker that this node reports to." },
);
