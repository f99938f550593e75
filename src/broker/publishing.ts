import { NOT_AUTHORIZED, QOS_NOT_SUPPORTED, QUOTA_EXCEEDED, SUCCESS, TOPIC_ALIAS, TOPIC_ALIAS_INVALID } from "../mqtt/constants";
import type { Packet } from "../mqtt/packet";
import type { Connection } from "./connection";
import type { Core } from "./core";
import { Message } from "./message";
import type { Router } from "./router";
import type { Sender } from "./sender";

/** PUBLISH from a client, and PUBACK for it (§3.3, §3.4). */
export class Publishing {
	readonly #core: Core;
	readonly #sender: Sender;
	readonly #router: Router;
	readonly #message: Message;

	constructor(core: Core, sender: Sender, router: Router) {
		this.#core = core;
		this.#sender = sender;
		this.#router = router;
		this.#message = new Message(core.memory.bytes);
	}

	/** Takes a PUBLISH that ends at `end`. */
	publish(connection: Connection, packet: Packet, end: number): void {
		const core = this.#core;
		core.counters.received++;
		const qos = packet.qos;
		if (qos > 1) {
			core.close(connection, QOS_NOT_SUPPORTED); // [MQTT-3.2.2-11]
			return;
		}
		const properties = packet.properties;
		if (properties.has(TOPIC_ALIAS)) {
			core.close(connection, TOPIC_ALIAS_INVALID); // no topic alias maximum was told [MQTT-3.3.2-9]
			return;
		}
		const message = this.#message;
		message.bytes = packet.bytes;
		message.topicStart = packet.topicStart;
		message.topicEnd = packet.topicEnd;
		message.propertiesStart = properties.from;
		message.propertiesEnd = properties.to;
		message.payloadStart = packet.payloadStart;
		message.payloadEnd = end;
		message.qos = qos;
		message.retain = packet.retain;
		message.arrived = core.clock.now;
		const code = this.#route(connection, message);
		if (qos !== 0) this.#acknowledge(connection, packet.packetId, code);
	}

	#route(connection: Connection, message: Message): number {
		const core = this.#core;
		if (!core.authority.publish(connection.session, message.bytes, message.topicStart, message.topicEnd)) {
			core.counters.denied++;
			return NOT_AUTHORIZED;
		}
		const code = this.#router.publish(message, connection.session);
		if (code === QUOTA_EXCEEDED) core.counters.quota++;
		return code;
	}

	#acknowledge(connection: Connection, packetId: number, code: number): void {
		let told = code;
		if (connection.version === 4) {
			// An error has no word in MQTT 3.1.1. What is not allowed is acknowledged and goes nowhere [MQTT-3.1.1:3.3.5-2]; what finds no room may be sent again.
			if (code === QUOTA_EXCEEDED) {
				this.#core.close(connection, QUOTA_EXCEEDED);
				return;
			}
			told = SUCCESS;
		}
		this.#sender.to(connection).puback(packetId, told); // [MQTT-4.3.2-4] [MQTT-3.3.4-1] [MQTT-3.1.1:4.3.2-2]
		this.#sender.flush(connection);
	}
}
