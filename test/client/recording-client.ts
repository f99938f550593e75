import {
	Client,
	type ClientError,
	type ClientHandler,
	type ClientOptions,
	type OpenOptions,
} from "../../src/client/client";
import type { Device } from "../../src/device";
import type { Packet } from "../../src/mqtt/packet";
import type { Subscription } from "../../src/mqtt/packet-fields";
import type { PropertyWriter } from "../../src/mqtt/property-writer";
import { utf8 } from "../../src/mqtt/utf8";

export const defaultOptions: ClientOptions = {
	host: "127.0.0.1",
	port: 1883,
	version: 5,
	keepAlive: 60,
	pipeline: "auto",
	clientId: "firefly-1",
	cleanStart: true,
	sessionExpiry: 0,
	connectTimeout: 5000,
	acknowledgeTimeout: 3000,
	pingTimeout: 2000,
	sendBuffer: 512,
	receiveBuffer: 512,
	inFlight: 16,
};

export const topic = utf8("home/greenhouse/temperature");

export interface ReceivedMessage {
	topic: string;
	payload: string;
	pieces: number;
	qos: number;
}

/** A client that records its callbacks and their times. */
export class RecordingClient {
	readonly client: Client;
	/** Time of the host, ms; set by the network tests. */
	now: () => number = () => 0;
	readonly opened: { at: number; sessionPresent: boolean }[] = [];
	readonly writable: number[] = [];
	readonly acknowledged: { at: number; packetId: number; reasonCode: number }[] = [];
	/** Packet identifiers of QoS 2 messages whose PUBREC arrived. */
	readonly received: number[] = [];
	readonly closed: { at: number; error: ClientError | undefined }[] = [];
	readonly messages: ReceivedMessage[] = [];
	/** SUBACK and UNSUBACK: the result of each filter. */
	readonly answers: { type: number; packetId: number; results: number[] }[] = [];
	/** Callbacks called inside a method of the client; must stay 0. */
	nestedCallbacks = 0;
	callDepth = 0;

	/** @param hooks called after the event was recorded */
	constructor(
		options: Partial<ClientOptions>,
		device:
			| Pick<Device, "tcp" | "timer" | "time" | "resolve" | "trace">
			| Pick<Device, "tcp" | "timer" | "time" | "resolve">,
		hooks: Partial<ClientHandler> = {},
	) {
		let current: ReceivedMessage | undefined;
		const recordAnswer = (packet: Packet): void => {
			checkNesting();
			const results: number[] = [];
			while (packet.nextReason()) results.push(packet.reasonCode);
			this.answers.push({ type: packet.type, packetId: packet.packetId, results });
		};
		const checkNesting = (): void => {
			if (this.callDepth > 0) this.nestedCallbacks++;
		};
		this.client = new Client(
			{ ...defaultOptions, ...options },
			{
				onOpen: (sessionPresent, properties) => {
					checkNesting();
					this.opened.push({ at: this.now(), sessionPresent });
					hooks.onOpen?.(sessionPresent, properties);
				},
				onWritable: () => {
					checkNesting();
					this.writable.push(this.now());
					hooks.onWritable?.();
				},
				onAcknowledged: (packetId, reasonCode, tag) => {
					checkNesting();
					this.acknowledged.push({ at: this.now(), packetId, reasonCode });
					hooks.onAcknowledged?.(packetId, reasonCode, tag);
				},
				onReceived: (packetId, tag) => {
					checkNesting();
					this.received.push(packetId);
					hooks.onReceived?.(packetId, tag);
				},
				onClosed: (error) => {
					checkNesting();
					this.closed.push({ at: this.now(), error });
					hooks.onClosed?.(error);
				},
				onSubscribed: (packet) => {
					recordAnswer(packet);
					hooks.onSubscribed?.(packet);
				},
				onUnsubscribed: (packet) => {
					recordAnswer(packet);
					hooks.onUnsubscribed?.(packet);
				},
				onReleased: (packetId) => {
					checkNesting();
					hooks.onReleased?.(packetId);
				},
				...(hooks.onAuth === undefined
					? {}
					: {
							onAuth: (packet: Packet) => {
								checkNesting();
								hooks.onAuth?.(packet);
							},
						}),
				onPingresp: () => {
					checkNesting();
					hooks.onPingresp?.();
				},
				onMessage: (packet) => {
					checkNesting();
					current = {
						topic: Buffer.from(packet.bytes.slice(packet.topicStart, packet.topicEnd)).toString(),
						payload: "",
						pieces: 0,
						qos: packet.qos,
					};
					hooks.onMessage?.(packet);
				},
				onPayload: (bytes, start, end, last) => {
					checkNesting();
					if (current === undefined) throw new Error("payload without a message");
					current.payload += Buffer.from(bytes.slice(start, end)).toString();
					current.pieces++;
					if (last) {
						this.messages.push(current);
						current = undefined;
					}
					hooks.onPayload?.(bytes, start, end, last);
				},
			},
			device,
		);
	}

	open(options?: OpenOptions): void {
		this.#runCall(() => this.client.open(options));
	}

	publish(payload: string, flags: number): number {
		const bytes = Buffer.from(payload);
		return this.#runCall(() => this.client.publish(topic, bytes, bytes.length, flags));
	}

	subscribe(subscriptions: readonly Subscription[], properties?: PropertyWriter): number {
		return this.#runCall(() => this.client.subscribe(subscriptions, properties));
	}

	unsubscribe(...filters: string[]): number {
		return this.#runCall(() => this.client.unsubscribe(filters.map(utf8)));
	}

	close(): void {
		this.#runCall(() => this.client.close());
	}

	abort(): void {
		this.#runCall(() => this.client.abort());
	}

	/** The error of the only onClosed call. */
	get error(): ClientError | undefined {
		if (this.closed.length !== 1) throw new Error(`onClosed came ${this.closed.length} times`);
		return this.closed[0].error;
	}

	#runCall<T>(method: () => T): T {
		this.callDepth++;
		try {
			return method();
		} finally {
			this.callDepth--;
		}
	}
}
