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
import { type Connection, OPENING, UNFILLED } from "./connection";
import type { Core } from "./core";
import type { Handshake } from "./handshake";
import type { Publishing } from "./publishing";
import type { Router } from "./router";
import type { Sender } from "./sender";
import type { Subscribing } from "./subscribing";

/** Reads each packet where it lies, and gives it to the part that answers it. */
export class Protocol {
	readonly #core: Core;
	readonly #sender: Sender;
	readonly #router: Router;
	readonly #handshake: Handshake;
	readonly #publishing: Publishing;
	readonly #subscribing: Subscribing;
	readonly #packet = new Packet();
	/** Whether the packet lets its connection be sent more. It is sent after the packet has been read, which spares the stack. */
	#more = false;

	constructor(core: Core, sender: Sender, router: Router, handshake: Handshake, publishing: Publishing, subscribing: Subscribing) {
		this.#core = core;
		this.#sender = sender;
		this.#router = router;
		this.#handshake = handshake;
		this.#publishing = publishing;
		this.#subscribing = subscribing;
	}

	/** Takes one whole packet: its first byte, and the rest after the fixed header in [start, end) of the memory. */
	packet(connection: Connection, first: number, start: number, end: number): void {
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
		if (type === PUBLISH) {
			if (fault === 0) fault = decodePublish(packet, bytes, start, end, true);
			if (fault === 0) {
				this.#publishing.publish(connection, packet, end);
				return;
			}
		} else if (fault === 0) fault = decodeBody(packet, bytes, start, end, true);
		if (fault !== 0) {
			this.#refuse(connection, packet, fault);
			return;
		}
		this.#more = false;
		if (type === CONNECT) this.#connect(connection, packet, start, end);
		else this.#answer(connection, packet);
		if (this.#more) this.#router.pump(connection);
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
		this.#handshake.answer(connection, packet, reasonCode);
		if (connection.session !== 0) this.#router.pump(connection);
	}

	#connect(connection: Connection, packet: Packet, start: number, end: number): void {
		if (connection.state !== OPENING) {
			this.#core.close(connection, PROTOCOL_ERROR); // [MQTT-3.1.0-2]
			return;
		}
		connection.version = packet.version;
		this.#handshake.connect(connection, packet, start, end);
		this.#more = connection.session !== 0;
	}

	#answer(connection: Connection, packet: Packet): void {
		switch (packet.type) {
			case PUBACK:
				this.#more = this.#core.queues.finish(connection.session, packet.packetId, QOS1, false); // [MQTT-4.3.2-3] [MQTT-4.4.0-2] [MQTT-4.8.2-6]
				return;
			case PUBREC:
				this.#received(connection, packet);
				return;
			case PUBREL:
				this.#publishing.release(connection, packet.packetId);
				return;
			case PUBCOMP:
				this.#more = this.#core.queues.finish(connection.session, packet.packetId, QOS2, true); // [MQTT-4.3.3-5]
				return;
			case SUBSCRIBE:
				this.#subscribing.subscribe(connection, packet);
				this.#more = (connection.traits & UNFILLED) !== 0;
				return;
			case UNSUBSCRIBE:
				this.#subscribing.unsubscribe(connection, packet);
				return;
			case PINGREQ:
				this.#sender.to(connection).pingresp(); // [MQTT-3.12.4-1]
				this.#sender.flush(connection);
				return;
			case DISCONNECT:
				this.#leave(connection, packet);
				return;
			default:
				this.#core.close(connection, PROTOCOL_ERROR);
		}
	}

	/** PUBREC: PUBREL is owed, or the message is over. */
	#received(connection: Connection, packet: Packet): void {
		const { queues } = this.#core;
		const { packetId } = packet;
		if (packet.reasonCode >= 0x80) {
			this.#more = queues.finish(connection.session, packetId, QOS2, false); // [MQTT-4.3.3-3] [MQTT-4.4.0-2] [MQTT-4.8.2-6]
			return;
		}
		const known = queues.release(connection.session, packetId);
		this.#sender.acknowledge(connection, PUBREL, packetId, known || connection.version === 4 ? SUCCESS : PACKET_IDENTIFIER_NOT_FOUND); // [MQTT-4.3.3-4]
	}

	/** DISCONNECT: the will is published only where a reason is given, and the client may change how long its session lasts. */
	#leave(connection: Connection, packet: Packet): void {
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
	#refuse(connection: Connection, packet: Packet, reasonCode: number): void {
		this.#core.counters.faults++;
		if (connection.state === OPENING) {
			connection.version = packet.version;
			this.#handshake.refuse(connection, reasonCode); // [MQTT-3.1.2-2] [MQTT-3.1.4-2] [MQTT-3.1.4-1]
		} else this.#core.close(connection, packet.type === CONNECT ? PROTOCOL_ERROR : reasonCode); // [MQTT-3.1.0-2] [MQTT-4.13.1-1] [MQTT-4.13.2-1] [MQTT-3.1.1:4.8.0-1]
	}
}
