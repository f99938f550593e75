import * as packets from "../../mqtt/constants";
import type { ByteBuffer, MQTTClientOptions, MQTTConnection, WriteOptions } from "./options";
import { type Platform, Session } from "./session";

/**
 * The MQTT client class of ECMA-419 (§25, `embedded:network/mqtt/client`) on fixed buffers: one connection
 * with MQTT 3.1.1, from construction to `close()` or `onError`.
 */
export class MQTTClient implements MQTTConnection {
	target: unknown;
	readonly #session: Session;

	/** @throws RangeError or MQTTError for an option that MQTT does not allow */
	constructor(options: MQTTClientOptions, platform: Platform) {
		if (options.format !== undefined) this.format = options.format;
		if (options.target !== undefined) this.target = options.target;
		this.#session = new Session(this, options, platform);
	}

	get format(): "buffer" {
		return "buffer";
	}

	/** @throws RangeError for any other format */
	set format(format: "buffer") {
		if (format !== "buffer") throw new RangeError(`format ${format}`);
	}

	/** Ends the connection without DISCONNECT: the broker publishes the will. No callback follows. */
	close(): void {
		this.#session.close();
	}

	/**
	 * Reads from the current message, inside `onReadable` or later. Until all is read nothing else is received,
	 * and the message is not acknowledged.
	 * @param target number of bytes (by default all that are ready), or where they go
	 * @returns the bytes, or their number in `target`; undefined if none are ready
	 * @throws RangeError for a number below 0; nothing was read
	 */
	read(target?: number): ArrayBuffer | undefined;
	read(target: ByteBuffer): number | undefined;
	read(target?: number | ByteBuffer): ArrayBuffer | number | undefined {
		return this.#session.read(target);
	}

	/**
	 * Sends a message, the next part of its payload (without options), or a control packet.
	 * @returns the number of bytes that may be written next; 0: after `onWritable`
	 * @throws Error or MQTTError for what MQTT does not allow, and for what does not fit; nothing was sent
	 */
	write(data: ByteBuffer | null | undefined, options?: WriteOptions | null): number {
		return this.#session.write(data, options);
	}

	static readonly CONNECT = packets.CONNECT;
	static readonly CONNACK = packets.CONNACK;
	static readonly PUBLISH = packets.PUBLISH;
	static readonly PUBACK = packets.PUBACK;
	static readonly PUBREC = packets.PUBREC;
	static readonly PUBREL = packets.PUBREL;
	static readonly PUBCOMP = packets.PUBCOMP;
	static readonly SUBSCRIBE = packets.SUBSCRIBE;
	static readonly SUBACK = packets.SUBACK;
	static readonly UNSUBSCRIBE = packets.UNSUBSCRIBE;
	static readonly UNSUBACK = packets.UNSUBACK;
	static readonly PINGREQ = packets.PINGREQ;
	static readonly PINGRESP = packets.PINGRESP;
	static readonly DISCONNECT = packets.DISCONNECT;
}
