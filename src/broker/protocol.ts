import {
	CONNECT,
	DISCONNECT,
	DISCONNECT_WITH_WILL_MESSAGE,
	PACKET_IDENTIFIER_NOT_FOUND,
	PINGREQ,
	PROTOCOL_ERROR,
	PUBACK,
	PUBCOMP,
	PUBLISH,
	PUBREL,
	SUBSCRIBE,
	SUCCESS,
	UNSUBSCRIBE,
} from "../mqtt/constants";
import { decodeBody } from "../mqtt/decode/body";
import { checkFirstByte } from "../mqtt/decode/fixed-header";
import { decodePublish } from "../mqtt/decode/publish";
import { Packet } from "../mqtt/packet";
import { type Connection, OPENING } from "./connection";
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
		this.#answer(connection, packet);
		if (this.#more) this.#router.pump(connection);
	}

	#answer(connection: Connection, packet: Packet): void {
		switch (packet.type) {
			case CONNECT:
				if (connection.state !== OPENING) {
					this.#core.close(connection, PROTOCOL_ERROR); // [MQTT-3.1.0-2]
					return;
				}
				connection.version = packet.version;
				this.#handshake.connect(connection, packet);
				return;
			case PUBACK:
				this.#more = this.#core.queues.acknowledge(connection.session, packet.packetId);
				return;
			case PUBREL:
				this.#sender.to(connection).pubcomp(packet.packetId, connection.version === 5 ? PACKET_IDENTIFIER_NOT_FOUND : SUCCESS);
				this.#sender.flush(connection);
				return;
			case SUBSCRIBE:
				this.#subscribing.subscribe(connection, packet);
				this.#more = connection.unfilled;
				return;
			case UNSUBSCRIBE:
				this.#subscribing.unsubscribe(connection, packet);
				return;
			case PINGREQ:
				this.#sender.to(connection).pingresp(); // [MQTT-3.12.4-1]
				this.#sender.flush(connection);
				return;
			case DISCONNECT:
				if (packet.reasonCode !== DISCONNECT_WITH_WILL_MESSAGE) this.#core.sessions.dropWill(connection.session); // [MQTT-3.14.4-3] [MQTT-3.1.2-10]
				this.#core.close(connection, SUCCESS); // [MQTT-3.14.4-1]
				return;
			case PUBCOMP:
				return;
			default:
				this.#core.close(connection, PROTOCOL_ERROR);
		}
	}

	/** Ends a connection for what cannot be understood. */
	#refuse(connection: Connection, packet: Packet, reasonCode: number): void {
		this.#core.counters.faults++;
		if (connection.state === OPENING) {
			connection.version = packet.version;
			this.#handshake.refuse(connection, reasonCode); // [MQTT-3.1.2-2] [MQTT-3.1.4-2]
		} else this.#core.close(connection, reasonCode); // [MQTT-4.13.1-1] [MQTT-3.1.1:4.8.0-1]
	}
}
