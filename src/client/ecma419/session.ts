import { CONNACK, PINGRESP, PUBCOMP, PUBREC, PUBREL, SUBACK, UNSUBACK } from "../../mqtt/constants";
import type { Packet } from "../../mqtt/packet";
import { Client, type ClientDevice, type ClientError, type ClientHandler } from "../client";
import { connectOptions } from "./connect-options";
import { IncomingMessage } from "./incoming-message";
import type { ByteBuffer, ControlMessage, MQTTClientOptions, MQTTConnection, WriteOptions } from "./options";
import { PacketWriter } from "./packet-writer";
import { NameResolver } from "./resolver";

/** What a platform provides besides the options. */
export type Platform = Pick<ClientDevice, "timer" | "time" | "trace">;

/** The one connection of an `MQTTClient`: turns a client's callbacks into those of ECMA-419. */
export class Session implements ClientHandler {
	readonly #owner: MQTTConnection;
	readonly #options: MQTTClientOptions;
	readonly #resolver: NameResolver;
	readonly #client: Client;
	readonly #writer: PacketWriter;
	readonly #message = new IncomingMessage();
	/** `onReadable` is running. */
	#delivering = false;
	#ended = false;

	constructor(owner: MQTTConnection, options: MQTTClientOptions, platform: Platform) {
		const resolver = new NameResolver(options.dns);
		this.#owner = owner;
		this.#options = options;
		this.#resolver = resolver;
		this.#client = new Client(connectOptions(options), this, {
			...platform,
			tcp: options.socket,
			resolve: (host, callback) => resolver.resolve(host, callback),
		});
		this.#writer = new PacketWriter(this.#client);
		this.#client.open();
	}

	/** Nothing is called afterwards. */
	close(): void {
		if (this.#ended) return;
		this.#ended = true;
		this.#message.clear();
		this.#client.abort();
		this.#resolver.close();
	}

	/** @returns bytes that may be written */
	write(data: ByteBuffer | null | undefined, options: WriteOptions | null | undefined): number {
		this.#writer.write(data, options);
		if (this.#options.onWritable !== undefined) this.#client.notifyWritable();
		return this.#writer.room;
	}

	read(target?: number | ByteBuffer): ArrayBuffer | number | undefined {
		const message = this.#message;
		const result = message.read(target);
		if (result !== undefined && message.available === 0 && !this.#delivering) this.#client.resume();
		return result;
	}

	onOpen(sessionPresent: boolean): void {
		if (this.hasOnControl) this.control({ operation: CONNACK, sessionPresent });
	}

	onWritable(): void {
		if (this.#ended) return;
		const { room } = this.#writer;
		if (room > 0) this.#options.onWritable?.call(this.#owner, room);
		else this.#client.notifyWritable();
	}

	/** @param tag PUBACK or PUBCOMP, with which the message was published; 0: it was released */
	onAcknowledged(id: number, _reasonCode: number, tag: number): void {
		if (this.hasOnControl) this.control({ operation: tag === 0 ? PUBCOMP : tag, id });
	}

	onReceived(id: number): void {
		if (this.hasOnControl) this.control({ operation: PUBREC, id });
	}

	onReleased(id: number): void {
		if (this.hasOnControl) this.control({ operation: PUBREL, id });
	}

	onPingresp(): void {
		if (this.hasOnControl) this.control({ operation: PINGRESP });
	}

	onSubscribed(packet: Packet): void {
		if (!this.hasOnControl) return;
		const payload: number[] = [];
		while (packet.nextReason()) payload.push(packet.reasonCode);
		this.control({ operation: SUBACK, id: packet.packetId, payload });
	}

	onUnsubscribed(packet: Packet): void {
		if (this.hasOnControl) this.control({ operation: UNSUBACK, id: packet.packetId });
	}

	onMessage(packet: Packet): void {
		this.#message.begin(packet);
	}

	onPayload(bytes: Uint8Array, start: number, end: number, last: boolean): void {
		if (this.#ended) return;
		const message = this.#message;
		const options = message.receive(bytes, start, end, last);
		this.#delivering = true;
		try {
			this.#options.onReadable?.call(this.#owner, end - start, options);
		} finally {
			this.#delivering = false;
		}
		// A program without onReadable takes nothing: its messages are discarded.
		if (this.#options.onReadable === undefined) message.clear();
		else if (message.available > 0) this.#client.pause();
	}

	onClosed(error: ClientError | undefined): void {
		if (this.#ended) return;
		this.#ended = true;
		this.#message.clear();
		const { onClose, onError } = this.#options;
		const owner = this.#owner;
		try {
			if (error === undefined && onClose !== undefined) onClose.call(owner);
			else onError?.call(owner, error);
		} finally {
			this.#resolver.close();
		}
	}

	/** Without it nothing is allocated for a control packet. */
	private get hasOnControl(): boolean {
		return !this.#ended && this.#options.onControl !== undefined;
	}

	/** ECMA-419 §25 has two parameters, the SDK's class one. */
	private control(message: ControlMessage): void {
		const onControl = this.#options.onControl as
			| ((this: MQTTConnection, first: unknown, message?: ControlMessage) => void)
			| undefined;
		if (onControl === undefined) return;
		if (onControl.length >= 2) onControl.call(this.#owner, message.operation, message);
		else onControl.call(this.#owner, message);
	}
}
