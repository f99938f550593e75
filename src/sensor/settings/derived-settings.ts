import { isBinary } from "../../config/binary-value";
import { deepFreeze } from "../../config/deep-freeze";
import { expand } from "../../config/template";
import type { SensorSettings, Settings } from "../../config/types";
import { utf8 } from "../../mqtt/utf8";
import { NUMBER_LENGTH } from "../../text/decimal";
import { fnv1aOfText } from "../../text/fnv1a";
import { ISO8601_LENGTH } from "../../text/iso8601";
import { announcementHash } from "../discovery/announcement-plan";
import { type DiagnosticsLayout, diagnosticsLayout } from "./diagnostics-layout";
import { type Extension, extensionOf } from "./extension";
import { brokerHash, sensorsHash } from "./settings-hash";
import { isTopicName, type TopicTemplate, topicTemplate } from "./topic";
import { type WakePin, wakePinsOf } from "./wake-pin-layout";

/**
 * Values that a node derives from its settings alone. They are computed once, at build time if the settings
 * are known then.
 */
export interface DerivedSettings {
	/** Changes with every setting that the meaning of the values in the outbox depends on. */
	readonly sensorsHash: number;
	/** Changes with the broker and the network. */
	readonly brokerHash: number;
	/** Changes with everything that is announced, and with the broker; absent without discovery. */
	readonly announcementHash?: number;
	/** Where features keep their state. */
	readonly extension: Extension;
	/** Absent: there are none. */
	readonly diagnostics?: DiagnosticsLayout;
	/** Pins that wake the node; absent: none does. */
	readonly wakePins?: readonly WakePin[];
	/** For each sensor, the index of the first one with the same driver and options: they share the driver. */
	readonly firstWithSameDriver: readonly number[];
	/** Topic for each sensor. */
	readonly topics: readonly TopicTemplate[];
	/** They are known to be topic names. */
	readonly hasTopicNames: boolean;
	/** `,"name":` for each sensor; empty if payloads are bare values. */
	readonly keys: readonly Uint8Array[];
	readonly sequence: Uint8Array;
	readonly time: Uint8Array;
	readonly dropped: Uint8Array;
	/** `false` and `true`, for values that are off or on; absent unless the Homie convention wants them so. */
	readonly booleanWords?: readonly Uint8Array[];
	/** Bytes of the longest payload of a report. */
	readonly size: number;
	/** Bytes for reports that share a message; 0: none do. */
	readonly sharedSize: number;
	// Only on a node that takes commands
	readonly commandTopic?: TopicTemplate;
	/** Topic of answers that no response topic asks for. */
	readonly answerTopic?: TopicTemplate;
	/** Changes with the topic of commands. */
	readonly commandsHash?: number;
}

/** For start-up: allocates. @throws RangeError if a topic is not a valid MQTT string */
export function deriveSettings(settings: Settings): DerivedSettings {
	const { sensors, broker, payload, topic, id, discovery, wifi, commands } = settings;
	const json = payload !== "value";
	const sequence = utf8('{"seq":');
	const time = utf8(',"time":');
	const dropped = utf8(',"dropped":');
	const keys = json ? sensors.map(({ name }) => utf8(`,${JSON.stringify(name)}:`)) : [];
	let size = json
		? sequence.length + 10 + time.length + ISO8601_LENGTH + 2 + dropped.length + 12
		: NUMBER_LENGTH;
	for (const key of keys) size += key.length + NUMBER_LENGTH;
	if (payload === "history") size += 2;
	const messages = diagnosticsLayout(settings);
	const wakePins = wakePinsOf(sensors);
	const topics = sensors.map(({ name }) => topicTemplate(expand(topic, { id, sensor: name })));
	return deepFreeze({
		sensorsHash: sensorsHash(sensors, json && !topic.includes("{sensor}")),
		brokerHash: brokerHash(broker, wifi),
		...(discovery === undefined
			? {}
			: { announcementHash: announcementHash(settings, discovery, brokerHash(broker, wifi)) }),
		extension: extensionOf(settings),
		...(messages === undefined ? {} : { diagnostics: messages }),
		...(wakePins.length === 0 ? {} : { wakePins }),
		firstWithSameDriver: findSameDrivers(sensors),
		topics,
		hasTopicNames: topics.every(isTopicName),
		keys,
		sequence,
		time,
		dropped,
		...(discovery?.formats.includes("homie") && sensors.some(isBinary)
			? { booleanWords: [utf8("false"), utf8("true")] }
			: {}),
		size,
		// A report that does not fit any more is written before it is known to.
		sharedSize: payload === "history" ? broker.sendBuffer + size : 0,
		...(commands && {
			commandTopic: topicTemplate(commands.topic),
			answerTopic: topicTemplate(commands.answer),
			commandsHash: fnv1aOfText(commands.topic),
		}),
	});
}

function findSameDrivers(sensors: readonly SensorSettings[]): number[] {
	const keys = sensors.map(({ driver, options = {} }) => `${driver} ${JSON.stringify(options)}`);
	return keys.map((key) => keys.indexOf(key));
}
