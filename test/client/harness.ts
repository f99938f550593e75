import { Client, type ClientError, type ClientHandler, type ClientOptions, type OpenOptions } from "../../src/client/client";
import type { Device } from "../../src/device";
import { utf8 } from "../../src/mqtt/utf8";

export const defaults: ClientOptions = {
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

export interface Message {
	topic: string;
	payload: string;
	pieces: number;
	qos: number;
}

/** A client that writes down what it is told, and when. */
export class Recorder {
	readonly client: Client;
	/** Of the host, in ms; set by the network tests. */
	now: () => number = () => 0;
	readonly opened: { at: number; sessionPresent: boolean }[] = [];
	readonly writable: number[] = [];
	readonly acknowledged: { at: number; packetId: number; reasonCode: number }[] = [];
	readonly closed: { at: number; error: ClientError | undefined }[] = [];
	readonly messages: Message[] = [];
	/** Callbacks seen inside a method of the client: none may come. */
	nested = 0;
	inside = 0;

	/** @param hooks called after the event was written down */
	constructor(
		options: Partial<ClientOptions>,
		device: Pick<Device, "tcp" | "timer" | "time" | "resolve" | "trace"> | Pick<Device, "tcp" | "timer" | "time" | "resolve">,
		hooks: Partial<ClientHandler> = {},
	) {
		let current: Message | undefined;
		const note = (): void => {
			if (this.inside > 0) this.nested++;
		};
		this.client = new Client(
			{ ...defaults, ...options },
			{
				onOpen: (sessionPresent) => {
					note();
					this.opened.push({ at: this.now(), sessionPresent });
					hooks.onOpen?.(sessionPresent);
				},
				onWritable: () => {
					note();
					this.writable.push(this.now());
					hooks.onWritable?.();
				},
				onAcknowledged: (packetId, reasonCode) => {
					note();
					this.acknowledged.push({ at: this.now(), packetId, reasonCode });
					hooks.onAcknowledged?.(packetId, reasonCode);
				},
				onClosed: (error) => {
					note();
					this.closed.push({ at: this.now(), error });
					hooks.onClosed?.(error);
				},
				onMessage: (packet) => {
					note();
					current = {
						topic: Buffer.from(packet.bytes.slice(packet.topicStart, packet.topicEnd)).toString(),
						payload: "",
						pieces: 0,
						qos: packet.qos,
					};
					hooks.onMessage?.(packet);
				},
				onPayload: (bytes, start, end, last) => {
					note();
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
		this.#call(() => this.client.open(options));
	}

	publish(payload: string, flags: number): number {
		const bytes = Buffer.from(payload);
		return this.#call(() => this.client.publish(topic, bytes, bytes.length, flags));
	}

	close(): void {
		this.#call(() => this.client.close());
	}

	abort(): void {
		this.#call(() => this.client.abort());
	}

	/** The error of the only onClosed. */
	get error(): ClientError | undefined {
		if (this.closed.length !== 1) throw new Error(`onClosed came ${this.closed.length} times`);
		return this.closed[0].error;
	}

	#call<T>(method: () => T): T {
		this.inside++;
		try {
			return method();
		} finally {
			this.inside--;
		}
	}
}
