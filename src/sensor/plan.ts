import { freeze } from "../config/freeze";
import { expand } from "../config/template";
import type { SensorSettings, Settings } from "../config/types";
import { utf8 } from "../mqtt/utf8";
import { TIME_LENGTH } from "./civil";
import { NUMBER_LENGTH } from "./decimal";
import { brokerIdentity, sensorsIdentity } from "./identity";
import { type TopicTemplate, topicTemplate } from "./topic";

/** What a node needs and its settings alone decide: made once, where the settings are known at build time then. */
export interface Plan {
	/** Changes with everything that gives the values in the outbox their meaning. */
	readonly sensors: number;
	/** Changes with the broker. */
	readonly broker: number;
	/** For each sensor, the index of the first one with the same driver and options: they share it. */
	readonly sources: readonly number[];
	/** For each sensor. */
	readonly topics: readonly TopicTemplate[];
	/** `,"name":` for each sensor; empty where payloads are bare values. */
	readonly keys: readonly Uint8Array[];
	readonly sequence: Uint8Array;
	readonly time: Uint8Array;
	readonly dropped: Uint8Array;
	/** Bytes of the longest payload. */
	readonly size: number;
}

/** For start-up: allocates. @throws RangeError where a topic is no MQTT string */
export function planOf(settings: Settings): Plan {
	const { sensors, broker, payload, topic, id } = settings;
	const json = payload === "json";
	const sequence = utf8('{"seq":');
	const time = utf8(',"time":');
	const dropped = utf8(',"dropped":');
	const keys = json ? sensors.map(({ name }) => utf8(`,${JSON.stringify(name)}:`)) : [];
	let size = json ? sequence.length + 10 + time.length + TIME_LENGTH + 2 + dropped.length + 12 : NUMBER_LENGTH;
	for (const key of keys) size += key.length + NUMBER_LENGTH;
	return freeze({
		sensors: sensorsIdentity(sensors, json && !topic.includes("{sensor}")),
		broker: brokerIdentity(broker),
		sources: sourcesOf(sensors),
		topics: sensors.map(({ name }) => topicTemplate(expand(topic, { id, sensor: name }))),
		keys,
		sequence,
		time,
		dropped,
		size,
	});
}

function sourcesOf(sensors: readonly SensorSettings[]): number[] {
	const keys = sensors.map(({ driver, options = {} }) => `${driver} ${JSON.stringify(options)}`);
	return keys.map((key) => keys.indexOf(key));
}
