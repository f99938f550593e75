import { CONNACK, SERVER_KEEP_ALIVE } from "../src/mqtt/constants";
import { Decoder, type DecoderHandler } from "../src/mqtt/decoder";
import { Encoder } from "../src/mqtt/encoder";
import type { Packet } from "../src/mqtt/packet";
import { utf8 } from "../src/mqtt/utf8";
import type { Admission } from "./admission";
import type { Scheduled, Scheduler } from "./clock/scheduler";
import type { HostNetwork, HostSocket } from "./network/socket";

export interface ObserverHandler {
	/** @param payload text, or hexadecimal after `0x` when it is not UTF-8 */
	value(topic: string, payload: string, retained: boolean): void;
}

/** Packets both ways, bytes; longer payloads are left out. */
const SIZE = 4096;
/** Between tries, ms. */
const AGAIN = 1000;
/** Subscription options: QoS 0, RETAIN as published (§3.8.3.1). */
const RETAIN_AS_PUBLISHED = 8;
const STRICT = new TextDecoder("utf-8", { fatal: true });

/**
 * A desk client that sees every value a broker on the virtual network takes. It is a client like others: `$SYS` counts it, its subscription, and what it is sent.
 */
export class Observer implements DecoderHandler {
	readonly #scheduler: Scheduler;
	readonly #network: HostNetwork;
	readonly #address: string;
	readonly #port: number;
	readonly #admission: Admission;
	readonly #handler: ObserverHandler;
	readonly #encoder = new Encoder({ size: SIZE });
	readonly #decoder = new Decoder({ size: SIZE, from: "broker", handler: this });
	#socket: HostSocket | undefined;
	#ping: Scheduled | undefined;
	#topic = "";
	#retained = false;
	/** Of a payload that comes in pieces: told of nothing. */
	#whole = true;

	constructor(scheduler: Scheduler, network: HostNetwork, address: string, port: number, admission: Admission, handler: ObserverHandler) {
		this.#scheduler = scheduler;
		this.#network = network;
		this.#address = address;
		this.#port = port;
		this.#admission = admission;
		this.#handler = handler;
	}

	start(): void {
		const socket = this.#network.connect(this.#address, this.#port);
		this.#socket = socket;
		let up = false;
		socket.handler = {
			writable: () => {
				if (!up) this.#introduce();
				up = true;
			},
			readable: (bytes) => {
				const buffer = new Uint8Array(bytes);
				socket.read(buffer);
				this.#decoder.push(buffer, 0, bytes);
			},
			failed: () => this.#again(),
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
			this.#again();
			return;
		}
		const { properties } = packet;
		const seconds = properties.find(SERVER_KEEP_ALIVE) ? properties.number : 0;
		if (seconds > 0) this.#keepAlive(seconds * 750);
		this.#send(() => this.#encoder.subscribe(1, [{ filter: utf8("#"), options: RETAIN_AS_PUBLISHED }]));
	}

	onPublish(packet: Packet): void {
		this.#topic = Buffer.from(packet.bytes.subarray(packet.topicStart, packet.topicEnd)).toString();
		this.#retained = packet.retain;
		this.#whole = true;
	}

	onPayload(bytes: Uint8Array, start: number, end: number, last: boolean): void {
		if (last && this.#whole) this.#handler.value(this.#topic, readable(bytes.subarray(start, end)), this.#retained);
		this.#whole = last;
	}

	onError(): void {
		this.#again();
	}

	#introduce(): void {
		this.#decoder.reset();
		const { clientId, username, password } = this.#admission;
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

	#keepAlive(interval: number): void {
		this.#scheduler.cancel(this.#ping);
		this.#ping = this.#scheduler.after(interval, () => {
			this.#send(() => this.#encoder.pingreq());
			this.#keepAlive(interval);
		});
	}

	#send(stage: () => number): void {
		stage();
		try {
			this.#socket?.write(this.#encoder.seal());
		} catch {
			// The connection is over; failed() follows or has been told.
		}
		this.#encoder.reset();
	}

	#again(): void {
		this.#scheduler.cancel(this.#ping);
		this.#socket?.close();
		this.#socket = undefined;
		this.#ping = this.#scheduler.after(AGAIN, () => this.start());
	}
}

function readable(bytes: Uint8Array): string {
	try {
		return STRICT.decode(bytes);
	} catch {
		return `0x${Buffer.from(bytes).toString("hex")}`;
	}
}
