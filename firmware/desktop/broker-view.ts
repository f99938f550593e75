import type { Broker } from "../../src/broker/broker";
import type { ListenSettings } from "../../src/config/settings";
import { decodeUTF8, validUTF8 } from "../../src/mqtt/utf8";

/** Clients and values that the panel shows; it counts the others. */
const ROW_LIMIT = 12;
/** Bytes of a payload that are shown. */
const PAYLOAD_LIMIT = 40;

interface ValueRow {
	readonly topic: string;
	readonly payload: string;
	/** ms since 1970. */
	readonly time: number;
	readonly retained: boolean;
}

/** A pool of the broker: entries or bytes in use, and how many there are. */
interface PoolRow {
	readonly name: string;
	readonly used: number;
	readonly size: number;
}

/** What the panel shows of a broker. */
export interface BrokerView {
	/** Client identifiers. */
	readonly clients: readonly string[];
	readonly clientCount: number;
	readonly values: readonly ValueRow[];
	readonly valueCount: number;
	readonly pools: readonly PoolRow[];
}

export function viewBroker(broker: Broker, settings: ListenSettings): BrokerView {
	const clients: string[] = [];
	const values: ValueRow[] = [];
	let clientCount = 0;
	let valueCount = 0;
	broker.forEachClient((bytes, start, end) => {
		if (++clientCount <= ROW_LIMIT) clients.push(decodeUTF8(bytes, start, end));
	});
	broker.forEachValue((bytes, topicStart, topicEnd, payloadStart, payloadEnd, time, retained) => {
		if (++valueCount > ROW_LIMIT) return;
		const topic = decodeUTF8(bytes, topicStart, topicEnd);
		values.push({ topic, payload: payloadOf(bytes, payloadStart, payloadEnd), time, retained });
	});
	const { usage } = broker;
	return {
		clients,
		clientCount,
		values,
		valueCount,
		pools: [
			{ name: "connections", used: usage.connections, size: settings.connections },
			{ name: "sessions", used: usage.sessions, size: settings.sessions },
			{ name: "subscriptions", used: usage.subscriptions, size: settings.subscriptions },
			{ name: "values", used: usage.values, size: settings.retainedTopics },
			{ name: "value bytes", used: usage.valueBytes, size: settings.retainedBytes },
			{ name: "queued", used: usage.queued, size: settings.queuedMessages },
			{ name: "queued bytes", used: usage.queuedBytes, size: settings.queuedBytes },
		],
	};
}

/** A payload as text, or its size. */
function payloadOf(bytes: Uint8Array, start: number, end: number): string {
	const printable = end - start <= PAYLOAD_LIMIT && validUTF8(bytes, start, end);
	return printable ? decodeUTF8(bytes, start, end) : `${end - start} bytes`;
}
