import type { Packet } from "../../mqtt/packet";
import { CORRELATION_DATA, RESPONSE_TOPIC } from "../../mqtt/properties";
import { FNV_SEED, fnv1a } from "../../text/fnv1a";
import { CORRELATION_LIMIT, RESPONSE_TOPIC_LIMIT } from "./answer-area";

const NONE: Uint8Array = new Uint8Array(0);

/** A message on the topic of commands, while it is read and executed. Allocates: for when there is one. */
export class IncomingCommand {
	readonly qos: number;
	/** 0 with QoS 0. */
	readonly packetId: number;
	readonly isRetained: boolean;
	readonly isDuplicate: boolean;
	/** Where the answer goes; empty: to the topic of the configuration. */
	readonly responseTopic: Uint8Array;
	/** Undefined: none. */
	readonly correlation: Uint8Array | undefined;
	/** Why it cannot be answered as it asks. */
	readonly problem: string | undefined;
	/** The payload, [start, end) of `bytes`; it stays there while the client is paused. */
	bytes: Uint8Array = NONE;
	start = 0;
	end = 0;
	/** It is larger than the receive buffer. */
	isTooLarge = false;
	/** All of it has arrived. */
	isComplete = false;

	constructor(packet: Packet) {
		const { properties } = packet;
		this.qos = packet.qos;
		this.packetId = packet.packetId;
		this.isRetained = packet.retain;
		this.isDuplicate = packet.dup;
		const topic = property(packet, RESPONSE_TOPIC);
		const correlation = properties.has(CORRELATION_DATA) ? property(packet, CORRELATION_DATA) : undefined;
		let problem: string | undefined;
		if (topic.length > RESPONSE_TOPIC_LIMIT)
			problem = `the response topic takes ${topic.length} bytes; at most ${RESPONSE_TOPIC_LIMIT} are allowed`;
		else if (correlation !== undefined && correlation.length > CORRELATION_LIMIT)
			problem = `the correlation data take ${correlation.length} bytes; at most ${CORRELATION_LIMIT} are allowed`;
		this.problem = problem;
		this.responseTopic = problem === undefined ? topic : NONE;
		this.correlation = problem === undefined ? correlation : undefined;
	}

	/** Adds a piece of the payload. */
	addPayload(bytes: Uint8Array, start: number, end: number, last: boolean): void {
		if (!last) this.isTooLarge = true;
		this.bytes = bytes;
		this.start = start;
		this.end = end;
		this.isComplete = last;
	}

	/** Tells its content from others; 1 … 2^32 − 1. @param id its `id` in JSON, which then alone counts */
	identity(id: string | undefined): number {
		let hash = FNV_SEED;
		if (id !== undefined)
			for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
		else {
			hash = fnv1a(this.bytes, this.start, this.end, hash);
			const { correlation } = this;
			if (correlation !== undefined) hash = fnv1a(correlation, 0, correlation.length, hash);
		}
		return hash >>> 0 || 1;
	}
}

function property({ properties }: Packet, id: number): Uint8Array {
	return properties.find(id) ? properties.bytes.slice(properties.start, properties.end) : NONE;
}
