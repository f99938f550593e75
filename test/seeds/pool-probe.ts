import type { Scheduler } from "../../sim/clock/scheduler";
import type { VirtualHost } from "../../sim/network/virtual";
import { Client, subscription } from "../../src/client/client";
import { RETAIN } from "../../src/mqtt/constants";
import { clientDevice } from "./client-device";

const EMPTY = new Uint8Array(0);
const DECODER = new TextDecoder();

/** Beside the topics, how many messages have come that were not for the probe. */
export const STRAY_MESSAGES = "(messages of others)";

/** The last client of a run: clears all retained values, then reads what the broker says of its pools. */
export class PoolProbe {
	/**
	 * From its start until its values are those of an empty broker, ms: two of the longest `systemInterval`.
	 */
	static readonly DURATION_MS = 15_000;
	/** Newest payload of each `$SYS/broker/…` topic, without that prefix. */
	readonly values = new Map<string, string>([[STRAY_MESSAGES, "0"]]);
	readonly #client: Client;
	readonly #retained: Uint8Array[] = [];
	#subscribed = false;

	constructor(
		scheduler: Scheduler,
		host: VirtualHost,
		address: string,
		login: readonly [string, string] | undefined,
	) {
		let topic = EMPTY;
		let payload = "";
		let isRetained = false;
		this.#client = new Client(
			{
				host: address,
				port: 1883,
				version: 5,
				keepAlive: 60,
				pipeline: false,
				clientId: "probe",
				...(login === undefined ? {} : { username: login[0], password: login[1] }),
				cleanStart: true,
				sessionExpiry: 0,
				connectTimeout: 5000,
				acknowledgeTimeout: 5000,
				pingTimeout: 5000,
				sendBuffer: 512,
				receiveBuffer: 1024,
				inFlight: 16,
			},
			{
				onOpen: () => this.#pump(),
				onWritable: () => this.#pump(),
				onAcknowledged: () => {},
				onClosed: () => {},
				onMessage: (packet) => {
					isRetained = (packet.flags & RETAIN) !== 0;
					topic = packet.bytes.slice(packet.topicStart, packet.topicEnd);
					payload = "";
				},
				onPayload: (bytes, start, end, last) => {
					payload += DECODER.decode(bytes.subarray(start, end));
					if (!last) return;
					const name = DECODER.decode(topic);
					if (name.startsWith("$SYS/broker/")) this.values.set(name.slice("$SYS/broker/".length), payload);
					else if (isRetained) {
						// With `lastValue: "every"` the value may be empty.
						this.#retained.push(topic);
						this.#pump();
					} else if (payload !== "") this.#countStray();
				},
			},
			clientDevice(scheduler, host),
		);
	}

	start(): void {
		this.#client.open();
	}

	stop(): void {
		this.#client.close();
	}

	/** Nobody publishes any more: it waited for another session. */
	#countStray(): void {
		this.values.set(STRAY_MESSAGES, String(Number(this.values.get(STRAY_MESSAGES)) + 1));
	}

	#pump(): void {
		if (!this.#client.negotiated.isAgreed) return;
		if (!this.#subscribed)
			this.#subscribed = this.#client.subscribe([subscription("#"), subscription("$SYS/broker/#")]) > 0;
		for (let topic = this.#retained[0]; topic !== undefined; topic = this.#retained[0]) {
			if (this.#client.publish(topic, EMPTY, 0, RETAIN) < 0) return;
			this.#retained.shift();
		}
	}
}
