import {
	AUTH,
	CONNACK,
	DISCONNECT,
	IMPLEMENTATION_SPECIFIC_ERROR,
	PINGRESP,
	PROTOCOL_ERROR,
	PUBACK,
	PUBREL,
	SUCCESS,
	UNSPECIFIED_ERROR,
} from "../mqtt/constants";
import type { Packet } from "../mqtt/packet";
import type { PropertyWriter } from "../mqtt/property-writer";
import { Connection, RESERVE } from "./connection";
import { CONNECT_DEADLINE, DEADLINE } from "./deadlines";
import { ClientError, refusal } from "./errors";
import type { OpenOptions, State } from "./options";
import { BUSY, WANTS_CONNACK } from "./outbound";
import { CONNECTED, LOST } from "./transport";

export { ClientError, type Fault } from "./errors";
export type { Limits, RememberedLimits } from "./limits";
export type { ClientDevice, ClientHandler, ClientOptions, OpenOptions, State, UserProperty, WillOptions } from "./options";
export { BUSY, NEVER } from "./outbound";

/** A packet of 4 bytes may end in the first byte read and every 4 more, and is answered with at most 5: n bytes read need 5 + 5 / 4 n to answer. */
const ANSWER = 5;

/**
 * One MQTT session over one TCP connection at a time. All buffers are allocated by the constructor and serve every later `open()`;
 * after that only `open()` and errors allocate.
 */
export class Client extends Connection {
	get state(): State {
		return this.current;
	}

	/** QoS 1 messages that wait for PUBACK. */
	get inFlight(): number {
		return this.outbound.count;
	}

	/** Resolves the name, connects, sends CONNECT. @throws Error if `state` is not "closed" */
	open(options?: OpenOptions): void {
		if (this.current !== "closed") throw new Error(`open() while ${this.current}`);
		const { pipeline, connectTimeout, host, port, authenticationMethod } = this.options;
		this.current = "connecting";
		this.pipeline = authenticationMethod === undefined && (options?.pipeline ?? pipeline !== false); // [MQTT-3.1.2-30]
		this.limits.begin(options?.limits);
		this.early = this.accepted = this.closeAsked = false;
		this.error = undefined;
		this.outbound.begin();
		this.leaving.begin();
		this.deadlines.start(CONNECT_DEADLINE, connectTimeout);
		this.transport.open(host, port);
	}

	/**
	 * Sends a message. Inside a callback all that is published leaves in one flight at the callback's end.
	 * @param flags RETAIN | QOS1. RETAIN is dropped where the broker retains nothing; QoS 2 is not supported yet. DUP only together with `packetId`, for what was sent
	 *   and not answered on an earlier connection of a session that the broker continues: `onOpen` tells [MQTT-4.3.2-2] [MQTT-4.4.0-1]
	 * @param properties MQTT 5.0 only
	 * @param packetId for QoS 1: the packet identifier, of whoever can name the same again for the same message; by default one that is not in use
	 * @returns for QoS 0: 0 when it was taken. For QoS 1: the packet identifier, 1 … 65535. {@link BUSY}: not now, as the buffer is full, the
	 *   receive maximum used up, `packetId` in use, or CONNACK awaited: try again at `onWritable`. {@link NEVER}: the packet is larger than `sendBuffer`, or this
	 *   connection's CONNACK allows no such size or QoS (one that is only remembered to be too large is BUSY until CONNACK).
	 * @throws MQTTError for a topic name or flags that MQTT does not allow
	 */
	publish(topic: Uint8Array, payload: Uint8Array, payloadLength: number, flags: number, properties?: PropertyWriter, packetId = 0): number {
		if (!this.mayPublish()) {
			this.outbound.wants |= WANTS_CONNACK;
			return BUSY;
		}
		const outside = this.depth === 0;
		if (outside) this.now = this.device.time.ticks;
		const result = this.outbound.publish(topic, payload, payloadLength, flags, properties, packetId, this.reserved, this.now);
		if (result >= 0) {
			if (!this.accepted) this.early = true;
			if (outside) this.flush();
		}
		return result;
	}

	/**
	 * Sends DISCONNECT behind what is staged and closes TCP once it has left and the broker has closed, or a moment later.
	 * When pipelining it leaves before CONNACK, which is still read; else it waits for CONNACK. Acknowledgements that arrive are still told.
	 */
	close(): void {
		if (this.current === "connecting") this.closeSoon(undefined);
		else if (this.current === "handshake" || this.current === "open") {
			this.current = "closing";
			this.closeAsked = true;
			if (this.depth > 0) return;
			this.now = this.device.time.ticks;
			this.endFlight();
			this.watchLeaving();
		}
	}

	/** Drops TCP at once, without DISCONNECT: the broker publishes the will. `onClosed(undefined)` follows. */
	abort(): void {
		if (this.current !== "closed") this.closeSoon(undefined);
	}

	private mayPublish(): boolean {
		return this.current === "open" || (this.current === "handshake" && this.pipeline);
	}

	// What is told by the parts comes to methods: an object with a prototype costs nothing for each, a closure nine slots.

	/** For transport and deadlines. Every callback of the host but the resolver's answer comes through here: an exception out of one would end the app. */
	turn(what: number, which: number): void {
		this.depth++;
		try {
			this.now = this.device.time.ticks;
			switch (what) {
				case CONNECTED:
					this.begin();
					break;
				case LOST:
					this.onLost();
					break;
				case DEADLINE:
					this.onDeadline(which);
					break;
			}
			if (this.transport.readable > 0) this.read();
			this.settle();
		} catch (cause) {
			this.threw(cause);
		}
		this.depth--;
	}

	/** [MQTT-3.1.1:4.8.0-2] */
	private threw(cause: unknown): void {
		try {
			if (this.current === "closed") throw cause;
			this.finish(new ClientError("configuration", "a handler threw an exception", { cause }));
		} catch (lost) {
			this.device.trace?.(`exception in onClosed: ${lost}\n`);
		}
	}

	/** TCP is up. */
	private begin(): void {
		this.current = "handshake";
		this.decoder.reset();
		this.encoder.connect(this.fields); // [MQTT-3.1.0-1]
		// Packets may follow before CONNACK (§3.1.4).
		this.outbound.wants = WANTS_CONNACK;
		if (!this.pipeline) return;
		this.outbound.wants = 0;
		this.handler.onWritable();
	}

	/** Writes what is staged, asks for more to send, goes on with a close. */
	private settle(): void {
		this.endFlight();
		const outbound = this.outbound;
		if (outbound.wants !== 0 && this.mayPublish() && outbound.ready()) {
			outbound.wants = 0;
			this.handler.onWritable();
			this.endFlight();
		}
		if (this.current === "closing") this.watchLeaving();
	}

	/** Writes what is staged, after `close()` with DISCONNECT behind it. */
	private endFlight(): void {
		if (this.closeAsked && (this.accepted || this.pipeline)) {
			this.closeAsked = false;
			if (!this.accepted) this.early = true;
			this.disconnect(SUCCESS, this.options.acknowledgeTimeout);
		}
		this.flush();
	}

	private read(): void {
		const transport = this.transport;
		const encoder = this.encoder;
		while (transport.readable > 0) {
			// Without room for the answers nothing is read, which holds the broker back.
			if (encoder.room <= RESERVE + ANSWER) this.flush();
			const count = transport.read(((encoder.room - RESERVE - ANSWER) * 4) / 5);
			if (count === 0) return;
			this.keepAlive.received(this.now);
			this.reserved = RESERVE + ANSWER + count + (count >> 2);
			this.decoder.push(transport.view, 0, count);
			this.reserved = RESERVE;
		}
	}

	/** For the decoder. */
	onPacket(packet: Packet): void {
		const { type } = packet;
		if (type === CONNACK && !this.accepted) {
			this.onConnack(packet);
			return;
		}
		// [MQTT-3.2.0-1]
		if (!this.accepted && type !== AUTH) {
			this.violated(PROTOCOL_ERROR, "a packet before CONNACK");
			return;
		}
		switch (type) {
			case PUBACK:
				if (this.outbound.acknowledge(packet.packetId)) this.handler.onAcknowledged(packet.packetId, packet.reasonCode);
				break;
			case PUBREL:
				this.inbound.release(packet);
				break;
			case PINGRESP:
				if (this.current !== "closing" && !this.keepAlive.answered(this.now)) this.violated(PROTOCOL_ERROR, "PINGRESP without PINGREQ");
				break;
			case DISCONNECT:
				if (this.current === "closing" && packet.reasonCode < UNSPECIFIED_ERROR) break;
				this.finish(refusal("the broker disconnected", packet)); // [MQTT-4.13.2-1]
				break;
			case AUTH:
				// [MQTT-4.12.0-6]
				if (this.options.authenticationMethod === undefined) this.violated(PROTOCOL_ERROR, "AUTH without an authentication method");
				else
					this.end(IMPLEMENTATION_SPECIFIC_ERROR, new ClientError("configuration", "the authentication method needs AUTH, which is not supported"));
				break;
			default:
				this.violated(PROTOCOL_ERROR, "unexpected packet");
		}
	}

	private onConnack(packet: Packet): void {
		const { reasonCode, sessionPresent } = packet;
		if (reasonCode !== SUCCESS) {
			this.finish(refusal("the broker refused the connection", packet)); // [MQTT-4.13.2-1]
			return;
		}
		// [MQTT-3.2.2-2] [MQTT-3.2.2-4] [MQTT-3.1.1:3.2.2-1]
		if (sessionPresent && this.fields.cleanStart) {
			this.violated(PROTOCOL_ERROR, "a session after Clean Start");
			return;
		}
		const { limits } = this;
		limits.take(packet);
		this.accepted = true;
		this.inbound.begin(sessionPresent);
		this.deadlines.stop(CONNECT_DEADLINE);
		if (this.current === "handshake") {
			this.current = "open";
			this.outbound.accept(this.now);
			// [MQTT-3.2.2-21] [MQTT-3.1.2-21]
			this.keepAlive.begin(limits.serverKeepAlive >= 0 ? limits.serverKeepAlive : this.fields.keepAlive, this.now);
		} else if (this.leaving.left) this.linger();
		this.handler.onOpen(sessionPresent);
	}

	/** For the decoder. */
	onPublish(packet: Packet): void {
		const reasonCode = this.accepted ? this.inbound.publish(packet) : PROTOCOL_ERROR; // [MQTT-3.2.0-1]
		if (reasonCode !== 0) this.violated(reasonCode, "PUBLISH before CONNACK, with a topic alias, or beyond the receive maximum");
	}

	/** For the decoder. */
	onPayload(bytes: Uint8Array, start: number, end: number, last: boolean): void {
		this.inbound.payload(bytes, start, end, last);
	}

	/** For the decoder. */
	onError(reasonCode: number, message: string): void {
		this.violated(reasonCode, message);
	}
}
