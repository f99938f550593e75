import { defaults } from "./defaults";
import { ranges } from "./ranges";
import type { Section } from "./section";
import { expand } from "./template";
import type { BrokerSettings, WillSettings } from "./types";
import { type BrokerAddress, parseBrokerURL } from "./url";
import { deviceTopicProblem, payloadProblem, secretProblem, textProblem, urlProblem } from "./validators";

/**
 * @param top `mc/config`, whose command-line strings take precedence over `section`, `config.firefly.broker`
 * @param id replaces `{id}`
 */
export function readBroker(top: Section, section: Section, id: string): BrokerSettings {
	const address = readAddress(top, "broker_url") ?? readAddress(section, "url") ?? defaults.broker;
	const username = top.string(
		"broker_username",
		section.string("username", undefined, textProblem),
		textProblem,
	);
	const password = top.string(
		"broker_password",
		section.string("password", undefined, secretProblem),
		secretProblem,
	);
	const will = readWill(section, id);
	return {
		host: address.host,
		port: address.port,
		version: section.choice("version", defaults.broker.version, [4, 5]),
		keepAlive: section.seconds("keepAlive", defaults.broker.keepAlive, ranges.broker.keepAlive),
		pipeline: section.choice("pipeline", defaults.broker.pipeline, ["auto", true, false]),
		clientId: expand(section.string("clientId", defaults.broker.clientId, textProblem), { id }),
		...(username === undefined ? {} : { username: expand(username, { id }) }),
		...(password === undefined ? {} : { password }),
		cleanStart: section.choice("cleanStart", defaults.broker.cleanStart, [true, false]),
		sessionExpiry: section.seconds(
			"sessionExpiry",
			defaults.broker.sessionExpiry,
			ranges.broker.sessionExpiry,
		),
		...(will === undefined ? {} : { will }),
		connectTimeout: section.duration(
			"connectTimeout",
			defaults.broker.connectTimeout,
			ranges.broker.connectTimeout,
		),
		acknowledgeTimeout: section.duration(
			"acknowledgeTimeout",
			defaults.broker.acknowledgeTimeout,
			ranges.broker.acknowledgeTimeout,
		),
		pingTimeout: section.duration("pingTimeout", defaults.broker.pingTimeout, ranges.broker.pingTimeout),
		sendBuffer: section.integer("sendBuffer", defaults.broker.sendBuffer, ranges.broker.sendBuffer),
		receiveBuffer: section.integer(
			"receiveBuffer",
			defaults.broker.receiveBuffer,
			ranges.broker.receiveBuffer,
		),
		inFlight: section.integer("inFlight", defaults.broker.inFlight, ranges.broker.inFlight),
	};
}

function readAddress(section: Section, key: string): BrokerAddress | undefined {
	const text = section.string(key, undefined, urlProblem);
	const address = text === undefined ? undefined : parseBrokerURL(text);
	return typeof address === "string" ? undefined : address;
}

function readWill(broker: Section, id: string): WillSettings | undefined {
	if (broker.value("will") === undefined) return undefined;
	const section = broker.section("will");
	const topic = section.string("topic", defaults.will.topic, deviceTopicProblem);
	return {
		topic: expand(topic, { id }),
		payload: section.string("payload", defaults.will.payload, payloadProblem),
		qos: section.choice("qos", defaults.will.qos, [0, 1, 2]),
		retain: section.choice("retain", defaults.will.retain, [true, false]),
		delay: section.seconds("delay", defaults.will.delay, ranges.broker.willDelay),
	};
}
