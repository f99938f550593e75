import type { Time } from "../device";
import { PROTOCOL_ERROR, TOPIC_NAME_INVALID } from "../mqtt/constants";
import { ALIAS_BYTES } from "../mqtt/encode/properties";
import { MQTTError } from "../mqtt/error";
import type { PropertyWriter } from "../mqtt/property-writer";
import { validTopicName } from "../mqtt/topics";
import { publishSize } from "./limits";
import type { ClientOptions } from "./options";
import {
	BUSY,
	Outbound,
	type OutboundConnection,
	type OutboundOptions,
	type PublishResult,
	REJECTED,
} from "./outbound";
import { TopicAliases } from "./topic-aliases";

export interface AliasingOptions extends OutboundOptions {
	readonly topicAliases: number;
	readonly aliasedTopicBytes?: number;
}

/** MQTT 3.1.1 has no topic aliases. */
export function hasTopicAliases<Options extends ClientOptions>(
	options: Options,
): options is Options & AliasingOptions {
	return options.version === 5 && options.topicAliases !== undefined && options.topicAliases !== 0;
}

/** Messages to the broker of a client with topic aliases. */
export class AliasingOutbound extends Outbound {
	private readonly aliases: TopicAliases;

	/** @throws RangeError for options out of range */
	constructor(options: AliasingOptions, connection: OutboundConnection, time: Pick<Time, "delta">) {
		super(options, connection, time);
		this.aliases = new TopicAliases(options.topicAliases, options.aliasedTopicBytes);
	}

	override reset(): void {
		super.reset();
		this.aliases.reset();
	}

	override publish(
		topic: Uint8Array,
		payload: Uint8Array,
		payloadLength: number,
		flags: number,
		properties: PropertyWriter | undefined,
		packetId: number,
		tag: number,
	): PublishResult {
		const { length } = topic;
		if (!validTopicName(topic, 0, length)) throw new MQTTError(TOPIC_NAME_INVALID, "not a topic name"); // [MQTT-3.3.2-2]
		if (!(payloadLength >= 0 && payloadLength <= payload.length))
			throw new MQTTError(PROTOCOL_ERROR, "payloadLength is not within the payload");
		if (properties !== undefined) this.checkedLength(properties);
		return this.send(topic, 0, length, payload, 0, payloadLength, flags, properties, packetId, tag);
	}

	override publishRange(
		bytes: Uint8Array,
		start: number,
		topicEnd: number,
		end: number,
		flags: number,
		properties: PropertyWriter | undefined,
		packetId: number,
		tag: number,
	): PublishResult {
		return this.send(bytes, start, topicEnd, bytes, topicEnd, end, flags, properties, packetId, tag);
	}

	/** Sends a message, by an alias where the broker and the table have one. The topic is valid. */
	private send(
		topic: Uint8Array,
		topicStart: number,
		topicEnd: number,
		payload: Uint8Array,
		start: number,
		end: number,
		flags: number,
		properties: PropertyWriter | undefined,
		packetId: number,
		tag: number,
	): PublishResult {
		const aliases = this.aliases;
		const { encoder, negotiated } = this.connection;
		const { version } = encoder;
		const { sendBuffer } = this.options;
		const qos = (flags >> 1) & 3;
		const length = properties === undefined ? 0 : properties.length;
		// 0 before CONNACK, as only it says how many there may be. [MQTT-3.2.2-17] [MQTT-3.2.2-18]
		const maximum = negotiated.topicAliasMaximum;
		let sentEnd = topicEnd;
		let alias = aliases.find(topic, topicStart, topicEnd, maximum);
		let size = publishSize(version, topicEnd - topicStart, end - start, qos, length);
		if (alias > 0) {
			if (aliases.isAnnounced(alias)) sentEnd = topicStart;
			const aliased = publishSize(version, sentEnd - topicStart, end - start, qos, length + ALIAS_BYTES);
			// Beside its topic an alias may take more room than there is.
			if (aliased > size && (aliased > sendBuffer || aliased > negotiated.maximumPacketSize)) alias = 0;
			else size = aliased;
		}
		if (size > sendBuffer) return REJECTED;
		const obstacle = this.obstacle(qos, size, packetId);
		if (obstacle !== 0) return obstacle;
		if (!this.hasRoom(size)) return BUSY;
		const id = this.identify(flags, packetId);
		const allowed = this.allowedFlags(flags);
		if (alias > 0) {
			encoder.aliasedPublishHeader(topic, topicStart, sentEnd, end - start, allowed, id, properties, alias);
			aliases.announce(alias);
		} else {
			encoder.publishHeader(topic, topicStart, topicEnd, end - start, allowed, id, properties);
			aliases.remember(topic, topicStart, topicEnd, maximum);
		}
		encoder.payload(payload, start, end);
		this.record(id, flags, tag);
		return id;
	}
}
