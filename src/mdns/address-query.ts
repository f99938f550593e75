import type { Datagram, Timer, TimerId, UDP, UDPConstructor } from "../device";
import { CLASS_IN, HEADER_SIZE, MDNS_GROUP, MDNS_PORT, TYPE_A } from "./constants";
import { ipv4Text } from "./ipv4";
import { MessageReader, SECTION_ANSWER } from "./message-reader";
import { compareNames } from "./wire-name";
import { wireName } from "./wire-text";

/** What a query needs of its host. */
export interface QueryHost {
	readonly udp: UDPConstructor;
	readonly timer: Pick<Timer, "set" | "clear">;
}

/**
 * Queries are repeated, as multicast over Wi-Fi is not acknowledged: after 1, 2 and 4 s. After 7 s nobody has
 * the name. As lwIP does (DNS_MAX_RETRIES), so that a simulated node waits as long as a chip.
 */
const QUERIES = 4;
const TICK_MS = 1000;
/** Type and class of the question. */
const QUESTION_SIZE = 4;

/** Whether a name is looked up by Multicast DNS (RFC 6762 §3). */
export function isLocalName(host: string): boolean {
	const name = host.toLowerCase();
	return name.endsWith(".local") || name.endsWith(".local.");
}

/**
 * Asks for the IPv4 address of a host by Multicast DNS, once (RFC 6762 §5.1): from a port of its own, so that
 * answers come to it alone, and no group has to be joined.
 */
export class AddressQuery {
	#host: QueryHost;
	#callback: (address: string | undefined) => void;
	#query: Uint8Array;
	#socket: UDP | undefined;
	#timer: TimerId | undefined;
	#queries = 0;
	/** Ticks until the next query. */
	#wait = 0;

	/**
	 * @param name ends with ".local"
	 * @param callback called once, with the address, or after seven seconds with undefined
	 * @throws {RangeError} if the name cannot be one of DNS @throws errors of the host's socket
	 */
	constructor(host: QueryHost, name: string, callback: (address: string | undefined) => void) {
		this.#host = host;
		this.#callback = callback;
		const labels = wireName(name);
		const query = new Uint8Array(HEADER_SIZE + labels.length + QUESTION_SIZE);
		query[0] = Math.random() * 256;
		query[1] = Math.random() * 256;
		query[5] = 1;
		query.set(labels, HEADER_SIZE);
		query[query.length - 3] = TYPE_A;
		query[query.length - 1] = CLASS_IN;
		this.#query = query;
		this.#socket = new host.udp({ timeToLive: 255, onReadable: () => this.#receive() });
		this.#timer = host.timer.set(() => this.#onTick(), TICK_MS, TICK_MS);
		this.#send();
	}

	/** No callback follows. */
	close(): void {
		this.#host.timer.clear(this.#timer);
		this.#timer = undefined;
		this.#socket?.close();
		this.#socket = undefined;
	}

	#onTick(): void {
		if (--this.#wait > 0) return;
		if (this.#queries === QUERIES) this.#end(undefined);
		else this.#send();
	}

	#send(): void {
		// 1, 1, 2 and 3 s
		this.#wait = Math.max(1, this.#queries++);
		try {
			this.#socket?.write(this.#query, MDNS_GROUP, MDNS_PORT);
		} catch {
			// The network is down at the moment: the next query may leave.
		}
	}

	#receive(): void {
		for (let datagram = this.#socket?.read(); datagram !== undefined; datagram = this.#socket?.read()) {
			const address = datagram.port === MDNS_PORT ? this.#addressIn(datagram) : undefined;
			if (address !== undefined) {
				this.#end(address);
				return;
			}
		}
	}

	#addressIn(datagram: Datagram): string | undefined {
		const reader = new MessageReader();
		const query = this.#query;
		if (!reader.begin(new Uint8Array(datagram)) || !reader.isResponse) return undefined;
		const { bytes } = reader;
		if (bytes[0] !== query[0] || bytes[1] !== query[1]) return undefined;
		while (reader.read())
			if (
				reader.section >= SECTION_ANSWER &&
				reader.type === TYPE_A &&
				reader.class === CLASS_IN &&
				reader.ttlSeconds > 0 &&
				reader.dataLength === 4 &&
				compareNames(bytes, reader.nameAt, query, HEADER_SIZE, 1) === 0
			)
				return ipv4Text(bytes, reader.dataAt);
		return undefined;
	}

	#end(address: string | undefined): void {
		this.close();
		this.#callback(address);
	}
}
