import type { Scheduled, Scheduler } from "../../sim/clock/scheduler";
import type { VirtualHost } from "../../sim/network/virtual";
import { Client, type ClientError, subscription } from "../../src/client/client";
import type { ClientDevice } from "../../src/client/options";
import { PublishQueue } from "../../src/client/queue/publish-queue";
import { QOS1, QOS2, RETAIN } from "../../src/mqtt/constants";
import type { Packet } from "../../src/mqtt/packet";
import { CORRELATION_DATA } from "../../src/mqtt/properties";
import { PropertyWriter } from "../../src/mqtt/property-writer";
import { utf8 } from "../../src/mqtt/utf8";
import { WebSocket } from "../../src/websocket/client/socket";
import { clientDevice } from "./client-device";
import type { ResponsePlan } from "./command-plan";
import { Draw } from "./draw";
import { type ClientPlan, WEBSOCKET_PORT } from "./seed-plan";

export interface ReceivedMessage {
	readonly time: number;
	readonly topic: string;
	readonly payload: string;
	readonly qos: number;
	readonly retain: boolean;
	/** Correlation Data; absent: it has none. */
	readonly correlation?: string;
}

/** A message that the publisher wanted to send. */
export interface PublishedMessage {
	readonly topic: string;
	readonly payload: string;
	readonly qos: 0 | 1 | 2;
	readonly publishedAt: number;
	acknowledgedAt?: number;
	reasonCode?: number;
}

/** Start or end of a connection. `error` undefined: this end closed it. */
export interface ConnectionChange {
	readonly time: number;
	readonly open: boolean;
	readonly sessionPresent?: boolean;
	readonly error?: string;
}

const RECONNECT_MS = 1000;
/** s; longer than any outage of a seed */
const SESSION_EXPIRY = 3600;
const QUEUE = { messages: 256, bytes: 16_384, properties: 128, policy: "reject" } as const;
const DECODER = new TextDecoder();

/**
 * A client as it should be: a lasting session, keep alive, everything acknowledged, a pause before it
 * connects again.
 */
export class WellBehavedClient {
	readonly connections: ConnectionChange[] = [];
	readonly received: ReceivedMessage[] = [];
	readonly published: PublishedMessage[] = [];
	/** Topic and payload of those with RETAIN. */
	readonly retained = new Set<string>();
	/** When its first subscription was acknowledged; Infinity: never. */
	subscribedAt = Infinity;
	readonly client: Client;
	readonly #scheduler: Scheduler;
	readonly #filters: readonly string[];
	readonly #queue: PublishQueue;
	readonly #byHandle = new Map<number, PublishedMessage>();
	/** SUBSCRIBE was sent on this connection. */
	#subscribed = false;
	#retry: Scheduled | undefined;
	#stopped = false;

	/** @param filters to which it subscribes, with QoS 2 */
	constructor(
		scheduler: Scheduler,
		host: VirtualHost,
		clientId: string,
		address: string,
		plan: ClientPlan,
		filters: readonly string[],
	) {
		this.#scheduler = scheduler;
		this.#filters = filters;
		let message: (Omit<ReceivedMessage, "time" | "payload"> & { readonly payload: Uint8Array[] }) | undefined;
		const device = clientDevice(scheduler, host);
		this.client = new Client(
			{
				host: address,
				port: plan.webSocket ? WEBSOCKET_PORT : 1883,
				version: plan.version,
				keepAlive: plan.keepAlive,
				pipeline: "auto",
				clientId,
				...(plan.login === undefined ? {} : { username: plan.login[0], password: plan.login[1] }),
				cleanStart: false,
				sessionExpiry: SESSION_EXPIRY,
				connectTimeout: 5000,
				acknowledgeTimeout: 5000,
				pingTimeout: 5000,
				sendBuffer: 512,
				receiveBuffer: 1024,
				inFlight: plan.inFlight,
			},
			{
				onOpen: (sessionPresent) => this.#onOpen(sessionPresent),
				onWritable: () => {
					this.#subscribe();
					this.#queue.onWritable();
				},
				onAcknowledged: (packetId, reasonCode, tag) => this.#queue.onAcknowledged(packetId, reasonCode, tag),
				onReceived: (packetId) => this.#queue.onReceived(packetId),
				onSubscribed: () => {
					this.subscribedAt = Math.min(this.subscribedAt, scheduler.now);
				},
				onClosed: (error) => this.#onClosed(error),
				onMessage: (packet) => {
					message = {
						topic: DECODER.decode(packet.bytes.subarray(packet.topicStart, packet.topicEnd)),
						qos: (packet.flags >> 1) & 3,
						retain: (packet.flags & RETAIN) !== 0,
						payload: [],
						...correlationOf(packet),
					};
				},
				onPayload: (bytes, start, end, last) => {
					message!.payload.push(bytes.slice(start, end));
					if (!last) return;
					const { topic, payload, ...others } = message!;
					const text = Buffer.concat(payload).toString();
					this.received.push({ time: scheduler.now, topic, payload: text, ...others });
				},
			},
			plan.webSocket ? overWebSocket(device, clientId) : device,
		);
		this.#queue = new PublishQueue(QUEUE, this.client, {
			onPublished: (handle, reasonCode) => {
				const published = this.#byHandle.get(handle)!;
				published.acknowledgedAt = scheduler.now;
				published.reasonCode = reasonCode;
			},
		});
	}

	/** Whether CONNACK has come and the connection has not ended. */
	get isOpen(): boolean {
		return this.client.state === "open";
	}

	/** Messages not acknowledged. */
	get waiting(): number {
		return this.#queue.count;
	}

	start(): void {
		this.#open();
	}

	publish(topic: string, payload: string, qos: 0 | 1 | 2, retain: boolean, response?: ResponsePlan): void {
		const bytes = utf8(payload);
		const flags = (retain ? RETAIN : 0) | (qos === 1 ? QOS1 : qos === 2 ? QOS2 : 0);
		const message: PublishedMessage = { topic, payload, qos, publishedAt: this.#scheduler.now };
		const handle = this.#queue.publish(utf8(topic), bytes, bytes.length, flags, propertiesOf(response));
		if (handle < 0) return;
		this.#byHandle.set(handle, message);
		this.published.push(message);
		if (retain) this.retained.add(`${topic} ${payload}`);
	}

	/** Leaves for good. */
	stop(): void {
		this.#stopped = true;
		this.#scheduler.cancel(this.#retry);
		this.client.close();
	}

	#open(): void {
		this.client.open();
	}

	#onOpen(sessionPresent: boolean): void {
		this.connections.push({ time: this.#scheduler.now, open: true, sessionPresent });
		this.#subscribed = this.client.isSubscribed;
		this.#subscribe();
		this.#queue.onOpen(sessionPresent);
	}

	#subscribe(): void {
		if (this.#subscribed || this.#filters.length === 0 || !this.client.negotiated.isAgreed) return;
		const id = this.client.subscribe(this.#filters.map((filter) => subscription(filter, { qos: 2 })));
		this.#subscribed = id > 0;
	}

	#onClosed(error: ClientError | undefined): void {
		this.connections.push({
			time: this.#scheduler.now,
			open: false,
			...(error === undefined ? {} : { error: `${error.fault} ${error.reasonCode}: ${error.message}` }),
		});
		this.#queue.onClosed();
		if (!this.#stopped) this.#retry = this.#scheduler.after(RECONNECT_MS, () => this.#open());
	}
}

function propertiesOf(response: ResponsePlan | undefined): PropertyWriter | undefined {
	if (response === undefined) return undefined;
	const { topic, correlation } = response;
	const properties = new PropertyWriter(128).responseTopic(utf8(topic));
	return correlation === undefined ? properties : properties.correlationData(utf8(correlation));
}

function correlationOf({ properties }: Packet): Pick<ReceivedMessage, "correlation"> {
	if (!properties.find(CORRELATION_DATA)) return {};
	return { correlation: DECODER.decode(properties.bytes.subarray(properties.start, properties.end)) };
}

/** A device whose sockets are WebSockets. @param label of what its masks are drawn from */
function overWebSocket(device: ClientDevice, label: string): ClientDevice {
	const masks = new Draw(0, `masks of ${label}`);
	const random = (): number => masks.integer(0, 0xffff_ffff);
	return {
		...device,
		tcp: { io: WebSocket, TCP: device.tcp, timer: device.timer, random } as ClientDevice["tcp"],
	};
}
