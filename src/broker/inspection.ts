import { CONNECTED, FREE } from "../session/broker-phase";
import type { Core } from "./core/core";

/**
 * Receives a current value. Its topic and payload lie in [topicStart, topicEnd) and [payloadStart,
 * payloadEnd) of `bytes`, which is valid only during the call. `time` is the arrival time, ms since 1970, by
 * the present setting of the host's clock.
 */
export type ValueCallback = (
	bytes: Uint8Array,
	topicStart: number,
	topicEnd: number,
	payloadStart: number,
	payloadEnd: number,
	time: number,
	retained: boolean,
) => void;

/** Receives a client identifier: [start, end) of `bytes`, which is valid only during the call. */
export type ClientCallback = (bytes: Uint8Array, start: number, end: number) => void;

/** Pool usage. */
export interface Usage {
	readonly sockets: number;
	readonly connections: number;
	readonly sessions: number;
	readonly sessionBytes: number;
	readonly subscriptions: number;
	readonly filterLevels: number;
	readonly filterBytes: number;
	readonly values: number;
	readonly valueBytes: number;
	/** Entries of the queues, and packet identifiers of incoming QoS 2 messages. */
	readonly queued: number;
	readonly queuedBytes: number;
	readonly partialBytes: number;
}

/** Calls `callback` with the current value of every topic. */
export function forEachValue({ store, clock, scratch: value }: Core, callback: ValueCallback): void {
	clock.tick();
	const now = Date.now();
	for (let record = 1; record <= store.records; record++) {
		if (!store.isInitialValue(record, true, clock.nowMs)) continue;
		store.messages.readInto(record, value);
		callback(
			value.bytes,
			value.topicStart,
			value.topicEnd,
			value.payloadStart,
			value.payloadEnd,
			now - (clock.nowMs - value.arrivedAtMs),
			value.retain,
		);
	}
}

/** Calls `callback` with each connected client. */
export function forEachClient({ connections, sessions }: Core, callback: ClientCallback): void {
	for (let i = 1; i < connections.length; i++) {
		const { phase, session } = connections[i]!;
		if (phase !== CONNECTED) continue;
		callback(sessions.identifierBytes, sessions.identifierStart(session), sessions.identifierEnd(session));
	}
}

/** How much of each pool is used. */
export function usageOf(core: Core): Usage {
	const { connections, openCount, sessions, subscriptions, queues, store, settings, reader } = core;
	let sockets = 0;
	let queued = settings.queuedMessages - queues.free;
	for (let i = 1; i <= sessions.capacity; i++) queued += queues.incomingQos2.count(i);
	for (let i = 1; i < connections.length; i++) if (connections[i]!.phase !== FREE) sockets++;
	return {
		sockets,
		connections: openCount,
		sessions: sessions.count,
		sessionBytes: sessions.bytes,
		subscriptions: subscriptions.count,
		filterLevels: subscriptions.tree.count,
		filterBytes: subscriptions.tree.bytes,
		values: store.count,
		valueBytes: store.messages.arena.used,
		queued,
		queuedBytes: queues.contents.arena.used,
		partialBytes: reader.partialPackets.used,
	};
}
