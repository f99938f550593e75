import { CONNACK } from "../src/mqtt/constants";
import { Decoder, type DecoderHandler } from "../src/mqtt/decoder";
import { Encoder } from "../src/mqtt/encoder";
import type { Packet } from "../src/mqtt/packet";
import { SERVER_KEEP_ALIVE } from "../src/mqtt/properties";
import { utf8 } from "../src/mqtt/utf8";
import type { Scheduled, Scheduler } from "./clock/scheduler";
import type { HostNetwork, HostSocket } from "./network/socket";
import type { ObserverCredentials } from "./observer-credentials";

export interface ObserverHandler {
	/** @param payload text, or hexadecimal after `0x` when it is not UTF-8 */
	value(topic: string, payload: string, retained: boolean): void;
}

/** Largest packet in either direction, bytes; longer payloads are skipped. */
const MAX_PACKET_SIZE = 4096;
/** Pause between connection attempts, ms. */
const RECONNECT_DELAY_MS = 1000;
/** Subscription options: QoS 0, RETAIN as published (§3.8.3.1). */
const RETAIN_AS_PUBLISHED = 8;
const UTF8_DECODER = new TextDecoder("utf-8", { fatal: true });

/**
 * A client of the simulator that receives every value published to a broker on the virtual network. It is an
 * ordinary client: `$SYS` counts it, its subscription, and the messages sent to it.
 */
export class Observer implements DecoderHandler {
	readonly #scheduler: Scheduler;
	readonly #network: HostNetwork;
	readonly #address: string;
	readonly #port: number;
	readonly #credentials: ObserverCredentials;
	readonly #handler: ObserverHandler;
	readonly #encoder = new Encoder({ size: MAX_PACKET_SIZE });
	readonly #decoder = new Decoder({ size: MAX_PACKET_SIZE, from: "broker", handler: this });
	#socket: HostSocket | undefined;
	#ping: Scheduled | undefined;
	#topic = "";
	#retained = false;
	/** Whether the payload arrived in one chunk; longer payloads are not reported. */
	#singleChunk = true;

	constructor(
		scheduler: Scheduler,
		network: HostNetwork,
		address: string,
		port: number,
		credentials: ObserverCredentials,
		handler: ObserverHandler,
	) {
		this.#scheduler = scheduler;
		this.#network = network;
		this.#address = address;
		this.#port = port;
		this.#credentials = credentials;
		this.#handler = handler;
	}

	start(): void {
		const socket = this.#network.connect(this.#address, this.#port);
		this.#socket = socket;
		let connected = false;
		socket.handler = {
			writable: () => {
				if (!connected) this.#sendConnect();
				connected = true;
			},
			readable: (bytes) => {
				const buffer = new Uint8Array(bytes);
				socket.read(buffer);
				this.#decoder.push(buffer, 0, bytes);
			},
			failed: () => this.#reconnect(),
		};
	}

	stop(): void {
		this.#scheduler.cancel(this.#ping);
		this.#socket?.abandon();
		this.#socket = undefined;
	}

	onPacket(packet: Packet): void {
		if (packet.type !== CONNACK) return;
		if (packet.reasonCode !== 0) {
			this.#reconnect();
			return;
		}
		const { properties } = packet;
		const seconds = properties.find(SERVER_KEEP_ALIVE) ? properties.number : 0;
		if (seconds > 0) this.#schedulePing(seconds * 750);
		this.#send(() => this.#encoder.subscribe(1, [{ filter: utf8("#"), options: RETAIN_AS_PUBLISHED }]));
	}

	onPublish(packet: Packet): void {
		this.#topic = Buffer.from(packet.bytes.subarray(packet.topicStart, packet.topicEnd)).toString();
		this.#retained = packet.retain;
		this.#singleChunk = true;
	}

	onPayload(bytes: Uint8Array, start: number, end: number, last: boolean): void {
		if (last && this.#singleChunk)
			this.#handler.value(this.#topic, payloadText(bytes.subarray(start, end)), this.#retained);
		this.#singleChunk = last;
	}

	onError(): void {
		this.#reconnect();
	}

	#sendConnect(): void {
		this.#decoder.reset();
		const { clientId, username, password } = this.#credentials;
		this.#send(() =>
			this.#encoder.connect({
				clientId: utf8(clientId),
				keepAlive: 0,
				cleanStart: true,
				...(username === undefined ? {} : { username: utf8(username) }),
				...(password === undefined ? {} : { password: utf8(password) }),
			}),
		);
	}

	#schedulePing(intervalMs: number): void {
		this.#scheduler.cancel(this.#ping);
		this.#ping = this.#scheduler.after(intervalMs, () => {
			this.#send(() => this.#encoder.pingreq());
			this.#schedulePing(intervalMs);
		});
	}

	#send(writePacket: () => number): void {
		writePacket();
		try {
			this.#socket?.write(this.#encoder.seal());
		} catch {
			// The connection is over; failed() follows or has been called.
		}
		this.#encoder.reset();
	}

	#reconnect(): void {
		this.#scheduler.cancel(this.#ping);
		this.#socket?.close();
		this.#socket = undefined;
		this.#ping = this.#scheduler.after(RECONNECT_DELAY_MS, () => this.start());
	}
}

function payloadText(bytes: Uint8Array): string {
	try {
		return UTF8_DECODER.decode(bytes);
	} catch {
		return `0x${Buffer.from(bytes).toString("hex")}`;
	}
}
