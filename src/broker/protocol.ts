import {
	CONNECT,
	DISCONNECT,
	PACKET_IDENTIFIER_NOT_FOUND,
	PINGREQ,
	PROTOCOL_ERROR,
	PUBACK,
	PUBCOMP,
	PUBLISH,
	PUBREC,
	PUBREL,
	QOS1,
	QOS2,
	SESSION_EXPIRY_INTERVAL,
	SUBSCRIBE,
	SUCCESS,
	UNSUBSCRIBE,
} from "../mqtt/constants";
import { decodeBody } from "../mqtt/decode/body";
import { checkFirstByte } from "../mqtt/decode/fixed-header";
import { decodePublish } from "../mqtt/decode/publish";
import { Packet } from "../mqtt/packet";
import { varintSize } from "../mqtt/varint";
import { PENDING } from "./authority";
import { type Connection, OPENING } from "./connection";
import type { Core } from "./core";
import type { Handshake } from "./handshake";
import type { Publishing } from "./publishing";
import type { Sender } from "./sender";
import type { Subscribing } from "./subscribing";

/** Reads each packet where it lies, and gives it to the part that answers it. */
export class Protocol {
	readonly #core: Core;
	readonly #sender: Sender;
	readonly #handshake: Handshake;
	readonly #publishing: Publishing;
	readonly #subscribing: Subscribing;
	readonly #packet = new Packet();
	/** The verdict on a CONNECT that is still to be answered; PENDING where there is none. */
	#verdict = PENDING;

	constructor(core: Core, sender: Sender, handshake: Handshake, publishing: Publishing, subscribing: Subscribing) {
		this.#core = core;
		this.#sender = sender;
		this.#handshake = handshake;
		this.#publishing = publishing;
		this.#subscribing = subscribing;
	}

	/**
	 * Reads one whole packet: its first byte, and the rest after the fixed header in [start, end) of the memory. What it asks for is done by obey(): one after the
	 * other, which spares the stack.
	 * @returns false when there is nothing to do
	 */
	read(connection: Connection, first: number, start: number, end: number): boolean {
		const core = this.#core;
		const packet = this.#packet;
		const { bytes } = core.memory;
		const type = first >> 4;
		connection.heard = core.clock.now;
		core.counters.bytesIn += 1 + varintSize(end - start) + end - start;
		packet.bytes = bytes;
		packet.version = connection.version;
		packet.type = type;
		packet.flags = first & 15;
		let fault = checkFirstByte(packet, first, true, connection.version);
		if (fault === 0) fault = type === PUBLISH ? decodePublish(packet, bytes, start, end, true) : decodeBody(packet, bytes, start, end, true);
		if (fault === 0) return true;
		this.refuse(connection, packet, fault);
		if (type === CONNECT) bytes.fill(0, start, end); // it may hold a password
		return false;
	}

	/** Does what the packet asks for that was read. @returns whether its connection can be sent more */
	obey(connection: Connection, start: number, end: number): boolean {
		// These are calls in tail position, which take nothing of the stack on XS
		const packet = this.#packet;
		switch (packet.type) {
			case PUBLISH:
				return this.#publishing.publish(connection, packet, end);
			case SUBSCRIBE:
				return this.#subscribing.subscribe(connection, packet);
			case CONNECT:
				return this.connect(connection, packet, start, end);
			default:
				return this.answerTo(connection, packet);
		}
	}

	/** The verdict on a CONNECT that had to wait for it. */
	judged(connection: Connection, reasonCode: number): void {
		const { memory } = this.#core;
		const packet = this.#packet;
		const end = this.#handshake.held.restore(memory);
		packet.bytes = memory.bytes;
		packet.version = connection.version;
		packet.type = CONNECT;
		packet.flags = 0;
		decodeBody(packet, memory.bytes, memory.body, end, true);
		this.#verdict = reasonCode;
	}

	/** A CONNECT was judged: clear() and answer() are to be called. */
	get connecting(): boolean {
		return this.#verdict !== PENDING;
	}

	/** Ends what is in the way of the CONNECT. @returns whether there was anything */
	clear(): boolean {
		return this.#handshake.clear(this.#packet, this.#verdict);
	}

	/** Answers the CONNECT. @returns whether its connection can be sent more */
	answer(connection: Connection): boolean {
		const verdict = this.#verdict;
		this.#verdict = PENDING;
		this.#handshake.answer(connection, this.#packet, verdict);
		return connection.session !== 0;
	}

	/** Nobody waits for the verdict any more. */
	unheeded(): void {
		this.#handshake.held.forget();
	}

	private connect(connection: Connection, packet: Packet, start: number, end: number): boolean {
		if (connection.state === OPENING) {
			connection.version = packet.version;
			this.#verdict = this.#handshake.connect(connection, packet, start, end);
		} else this.#core.close(connection, PROTOCOL_ERROR); // [MQTT-3.1.0-2]
		return false;
	}

	private answerTo(connection: Connection, packet: Packet): boolean {
		const { queues } = this.#core;
		switch (packet.type) {
			case PUBACK:
				return queues.finish(connection.session, packet.packetId, QOS1, false); // [MQTT-4.3.2-3] [MQTT-4.4.0-2] [MQTT-4.8.2-6]
			case PUBREC:
				return this.received(connection, packet);
			case PUBREL:
				this.#publishing.release(connection, packet.packetId);
				return false;
			case PUBCOMP:
				return queues.finish(connection.session, packet.packetId, QOS2, true); // [MQTT-4.3.3-5]
			case UNSUBSCRIBE:
				this.#subscribing.unsubscribe(connection, packet);
				return false;
			case PINGREQ:
				this.#sender.to(connection).pingresp(); // [MQTT-3.12.4-1]
				this.#sender.flush(connection);
				return false;
			case DISCONNECT:
				this.leave(connection, packet);
				return false;
			default:
				this.#core.close(connection, PROTOCOL_ERROR);
				return false;
		}
	}

	/** PUBREC: PUBREL is owed, or the message is over. */
	private received(connection: Connection, packet: Packet): boolean {
		const { queues } = this.#core;
		const { packetId } = packet;
		if (packet.reasonCode >= 0x80) return queues.finish(connection.session, packetId, QOS2, false); // [MQTT-4.3.3-3] [MQTT-4.4.0-2] [MQTT-4.8.2-6]
		const known = queues.release(connection.session, packetId);
		this.#sender.acknowledge(connection, PUBREL, packetId, known || connection.version === 4 ? SUCCESS : PACKET_IDENTIFIER_NOT_FOUND); // [MQTT-4.3.3-4]
		return false;
	}

	/** DISCONNECT: the will is published only where a reason is given, and the client may change how long its session lasts. */
	private leave(connection: Connection, packet: Packet): void {
		const core = this.#core;
		const { sessions } = core;
		const { session } = connection;
		const told = packet.properties;
		if (connection.version === 5 && told.find(SESSION_EXPIRY_INTERVAL)) {
			if (sessions.expiry(session) === 0 && told.number !== 0) {
				core.close(connection, PROTOCOL_ERROR); // §3.14.2.2.2
				return;
			}
			sessions.setExpiry(session, Math.min(told.number, core.settings.sessionExpiryLimit));
		}
		if (packet.reasonCode === SUCCESS) sessions.dropWill(session); // [MQTT-3.14.4-3] [MQTT-3.1.2-8] [MQTT-3.1.2-10]
		core.close(connection, SUCCESS); // [MQTT-3.14.4-1]
	}

	/** Ends a connection for what cannot be understood. */
	private refuse(connection: Connection, packet: Packet, reasonCode: number): void {
		this.#core.counters.faults++;
		if (connection.state === OPENING) {
			connection.version = packet.version;
			this.#handshake.refuse(connection, reasonCode); // [MQTT-3.1.2-2] [MQTT-3.1.4-2] [MQTT-3.1.4-1]
		} else this.#core.close(connection, packet.type === CONNECT ? PROTOCOL_ERROR : reasonCode); // [MQTT-3.1.0-2] [MQTT-4.13.1-1] [MQTT-4.13.2-1] [MQTT-3.1.1:4.8.0-1]
	}
}
