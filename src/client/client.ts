import {
	AUTH,
	CONNACK,
	DISCONNECT,
	IMPLEMENTATION_SPECIFIC_ERROR,
	KEEP_ALIVE_TIMEOUT,
	PINGRESP,
	PROTOCOL_ERROR,
	PUBACK,
	PUBREL,
	SUCCESS,
	UNSPECIFIED_ERROR,
} from "../mqtt/constants";
import { Decoder, type DecoderHandler } from "../mqtt/decoder";
import { Encoder } from "../mqtt/encoder";
import type { ConnectFields } from "../mqtt/fields";
import type { Packet } from "../mqtt/packet";
import type { PropertyWriter } from "../mqtt/property-writer";
import { connectFields, RECEIVE_MAXIMUM_DEFAULT } from "./connect";
import {
	ACKNOWLEDGE_DEADLINE,
	BROKEN_DEADLINE,
	CLOSED_DEADLINE,
	CONNECT_DEADLINE,
	DEADLINE,
	Deadlines,
	type DeadlinesHandler,
	KEEPALIVE_DEADLINE,
	LEAVE_DEADLINE,
	PINGRESP_DEADLINE,
} from "./deadlines";
import { ClientError, refusal, timeout, violation } from "./errors";
import { Inbound } from "./inbound";
import { KeepAlive } from "./keepalive";
import { Leaving, LINGER } from "./leaving";
import { Limits } from "./limits";
import type { ClientDevice, ClientHandler, ClientOptions, OpenOptions, State } from "./options";
import { BUSY, Outbound, WANTS_CONNACK } from "./outbound";
import { CONNECTED, LOST, Transport, type TransportHandler } from "./transport";

export { ClientError, type Fault } from "./errors";
export type { Limits, RememberedLimits } from "./limits";
export type { ClientDevice, ClientHandler, ClientOptions, OpenOptions, State, UserProperty, WillOptions } from "./options";
export { BUSY, NEVER } from "./outbound";

/** Bytes of the send buffer that only PINGREQ (2) and DISCONNECT (4) may use. */
const RESERVE = 8;
/** A packet of 4 bytes may end in the first byte read and every 4 more, and is answered with at most 5: n bytes read need 5 + 5 / 4 n to answer. */
const ANSWER = 5;

/**
 * One MQTT session over one TCP connection at a time. All buffers are allocated by the constructor and serve every later `open()`;
 * after that only `open()` and errors allocate.
 */
export class Client implements DecoderHandler, TransportHandler, DeadlinesHandler {
	/** What the last CONNACK said; before the first, what `open()` was given. */
	readonly limits = new Limits();
	#options: ClientOptions;
	#handler: ClientHandler;
	#device: ClientDevice;
	#fields: ConnectFields;
	#encoder: Encoder;
	#decoder: Decoder;
	#transport: Transport;
	#deadlines: Deadlines;
	#keepAlive: KeepAlive;
	#outbound: Outbound;
	#inbound: Inbound;
	#leaving: Leaving;

	#state: State = "closed";
	/** Host callbacks in work: what is staged meanwhile leaves at their end, in one write. */
	#depth = 0;
	/** Ticks at the beginning of the host callback in work. */
	#now = 0;
	#pipeline = false;
	/** Something beside CONNECT was staged before CONNACK. */
	#early = false;
	/** CONNACK said yes. */
	#accepted = false;
	/** `close()` was called and DISCONNECT is not staged yet. */
	#closeAsked = false;
	#reserved = RESERVE;
	#error: ClientError | undefined;

	/** @throws RangeError or MQTTError for an option that MQTT does not allow, such as U+0000 in a topic */
	constructor(options: ClientOptions, handler: ClientHandler, device: ClientDevice) {
		const { version, receiveBuffer, sendBuffer, maximumPacketSize } = options;
		const { time } = device;
		this.#options = options;
		this.#handler = handler;
		this.#device = device;
		this.#fields = connectFields(options);
		const encoder = new Encoder({ size: sendBuffer + RESERVE, version });
		this.#encoder = encoder;
		this.#inbound = new Inbound(encoder, handler, options.receiveMaximum ?? RECEIVE_MAXIMUM_DEFAULT);
		this.#decoder = new Decoder({
			size: receiveBuffer,
			from: "broker",
			version,
			handler: this,
			maximumPacketSize,
		});
		this.#transport = new Transport(device, encoder, this);
		const deadlines = new Deadlines(device.timer, time, this);
		this.#deadlines = deadlines;
		this.#keepAlive = new KeepAlive(time, encoder, deadlines, options.pingTimeout);
		this.#leaving = new Leaving(encoder, this.#transport, deadlines);
		this.#outbound = new Outbound(options, encoder, this.limits, deadlines, time, this);
	}

	get state(): State {
		return this.#state;
	}

	/** QoS 1 messages that wait for PUBACK. */
	get inFlight(): number {
		return this.#outbound.count;
	}

	/** Resolves the name, connects, sends CONNECT. @throws Error if `state` is not "closed" */
	open(options?: OpenOptions): void {
		if (this.#state !== "closed") throw new Error(`open() while ${this.#state}`);
		const { pipeline, connectTimeout, host, port, authenticationMethod } = this.#options;
		this.#state = "connecting";
		this.#pipeline = authenticationMethod === undefined && (options?.pipeline ?? pipeline !== false); // [MQTT-3.1.2-30]
		this.limits.begin(options?.limits);
		this.#early = this.#accepted = this.#closeAsked = false;
		this.#error = undefined;
		this.#outbound.begin();
		this.#leaving.begin();
		this.#deadlines.start(CONNECT_DEADLINE, connectTimeout);
		this.#transport.open(host, port);
	}

	/**
	 * Sends a message. Inside a callback all that is published leaves in one flight at the callback's end.
	 * @param flags RETAIN | QOS1; no DUP, as each message is sent once [MQTT-4.3.2-2]. RETAIN is dropped where the broker retains nothing; QoS 2 is not supported yet
	 * @param properties MQTT 5.0 only
	 * @returns for QoS 0: 0 when it was taken. For QoS 1: the packet identifier, 1 … 65535. {@link BUSY}: not now, as the buffer is full, the
	 *   receive maximum used up, or CONNACK awaited: try again at `onWritable`. {@link NEVER}: the packet is larger than `sendBuffer`, or this
	 *   connection's CONNACK allows no such size or QoS (one that is only remembered to be too large is BUSY until CONNACK).
	 * @throws MQTTError for a topic name or flags that MQTT does not allow
	 */
	publish(topic: Uint8Array, payload: Uint8Array, payloadLength: number, flags: number, properties?: PropertyWriter): number {
		if (!this.mayPublish()) {
			this.#outbound.wants |= WANTS_CONNACK;
			return BUSY;
		}
		const outside = this.#depth === 0;
		if (outside) this.#now = this.#device.time.ticks;
		const packetId = this.#outbound.publish(topic, payload, payloadLength, flags, properties, this.#reserved, this.#now);
		if (packetId >= 0) {
			if (!this.#accepted) this.#early = true;
			if (outside) this.flush();
		}
		return packetId;
	}

	/**
	 * Sends DISCONNECT behind what is staged and closes TCP once it has left and the broker has closed, or a moment later.
	 * When pipelining it leaves before CONNACK, which is still read; else it waits for CONNACK. Acknowledgements that arrive are still told.
	 */
	close(): void {
		if (this.#state === "connecting") this.closeSoon(undefined);
		else if (this.#state === "handshake" || this.#state === "open") {
			this.#state = "closing";
			this.#closeAsked = true;
			if (this.#depth > 0) return;
			this.#now = this.#device.time.ticks;
			this.endFlight();
			this.watchLeaving();
		}
	}

	/** Drops TCP at once, without DISCONNECT: the broker publishes the will. `onClosed(undefined)` follows. */
	abort(): void {
		if (this.#state !== "closed") this.closeSoon(undefined);
	}

	private mayPublish(): boolean {
		return this.#state === "open" || (this.#state === "handshake" && this.#pipeline);
	}

	// What is told by the parts comes to methods: an object with a prototype costs nothing for each, a closure nine slots.

	/** For transport and deadlines. Every callback of the host but the resolver's answer comes through here: an exception out of one would end the app. */
	turn(what: number, which: number): void {
		this.#depth++;
		try {
			this.#now = this.#device.time.ticks;
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
			if (this.#transport.readable > 0) this.read();
			this.settle();
		} catch (cause) {
			this.threw(cause);
		}
		this.#depth--;
	}

	/** [MQTT-3.1.1:4.8.0-2] */
	private threw(cause: unknown): void {
		try {
			if (this.#state === "closed") throw cause;
			this.finish(new ClientError("configuration", "a handler threw an exception", { cause }));
		} catch (lost) {
			this.#device.trace?.(`exception in onClosed: ${lost}\n`);
		}
	}

	/** TCP is up. */
	private begin(): void {
		this.#state = "handshake";
		this.#decoder.reset();
		try {
			this.#encoder.connect(this.#fields); // [MQTT-3.1.0-1]
		} catch (cause) {
			this.finish(new ClientError("configuration", "CONNECT is not possible with these options", { cause }));
			return;
		}
		// Packets may follow before CONNACK (§3.1.4).
		this.#outbound.wants = WANTS_CONNACK;
		if (!this.#pipeline) return;
		this.#outbound.wants = 0;
		this.#handler.onWritable();
	}

	/** Writes what is staged, asks for more to send, goes on with a close. */
	private settle(): void {
		this.endFlight();
		const outbound = this.#outbound;
		if (outbound.wants !== 0 && this.mayPublish() && outbound.ready()) {
			outbound.wants = 0;
			this.#handler.onWritable();
			this.endFlight();
		}
		if (this.#state === "closing") this.watchLeaving();
	}

	/** Writes what is staged, after `close()` with DISCONNECT behind it. */
	private endFlight(): void {
		if (this.#closeAsked && (this.#accepted || this.#pipeline)) {
			this.#closeAsked = false;
			if (!this.#accepted) this.#early = true;
			this.disconnect(SUCCESS, this.#options.acknowledgeTimeout);
		}
		this.flush();
	}

	private read(): void {
		const transport = this.#transport;
		const encoder = this.#encoder;
		while (transport.readable > 0) {
			// Without room for the answers nothing is read, which holds the broker back.
			if (encoder.room <= RESERVE + ANSWER) this.flush();
			const count = transport.read(((encoder.room - RESERVE - ANSWER) * 4) / 5);
			if (count === 0) return;
			this.#keepAlive.received(this.#now);
			this.#reserved = RESERVE + ANSWER + count + (count >> 2);
			this.#decoder.push(transport.view, 0, count);
			this.#reserved = RESERVE;
		}
	}

	/** For what sends: writes what is staged, if the socket takes it. */
	flush(): void {
		if (this.#transport.flush()) this.#keepAlive.sent(this.#now);
		if (this.#transport.broken && !this.#deadlines.running(BROKEN_DEADLINE)) this.#deadlines.start(BROKEN_DEADLINE, LINGER);
	}

	/** For the decoder. */
	onPacket(packet: Packet): void {
		const { type } = packet;
		if (type === CONNACK && !this.#accepted) {
			this.onConnack(packet);
			return;
		}
		// [MQTT-3.2.0-1]
		if (!this.#accepted && type !== AUTH) {
			this.violated(PROTOCOL_ERROR, "a packet before CONNACK");
			return;
		}
		switch (type) {
			case PUBACK:
				if (this.#outbound.acknowledge(packet.packetId)) this.#handler.onAcknowledged(packet.packetId, packet.reasonCode);
				break;
			case PUBREL:
				this.#inbound.release(packet);
				break;
			case PINGRESP:
				if (this.#state !== "closing" && !this.#keepAlive.answered(this.#now)) this.violated(PROTOCOL_ERROR, "PINGRESP without PINGREQ");
				break;
			case DISCONNECT:
				if (this.#state === "closing" && packet.reasonCode < UNSPECIFIED_ERROR) break;
				this.finish(refusal("the broker disconnected", packet)); // [MQTT-4.13.2-1]
				break;
			case AUTH:
				// [MQTT-4.12.0-6]
				if (this.#options.authenticationMethod === undefined) this.violated(PROTOCOL_ERROR, "AUTH without an authentication method");
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
		if (sessionPresent && this.#fields.cleanStart) {
			this.violated(PROTOCOL_ERROR, "a session after Clean Start");
			return;
		}
		const { limits } = this;
		limits.take(packet);
		this.#accepted = true;
		this.#inbound.begin(sessionPresent);
		this.#deadlines.stop(CONNECT_DEADLINE);
		if (this.#state === "handshake") {
			this.#state = "open";
			this.#outbound.accept(this.#now);
			// [MQTT-3.2.2-21] [MQTT-3.1.2-21]
			this.#keepAlive.begin(limits.serverKeepAlive >= 0 ? limits.serverKeepAlive : this.#fields.keepAlive, this.#now);
		} else if (this.#leaving.left) this.linger();
		this.#handler.onOpen(sessionPresent);
	}

	/** For the decoder. */
	onPublish(packet: Packet): void {
		const reasonCode = this.#accepted ? this.#inbound.publish(packet) : PROTOCOL_ERROR;
		if (reasonCode !== 0) this.violated(reasonCode, "PUBLISH before CONNACK, with a topic alias, or beyond the receive maximum");
	}

	/** For the decoder. */
	onPayload(bytes: Uint8Array, start: number, end: number, last: boolean): void {
		this.#inbound.payload(bytes, start, end, last);
	}

	/** For the decoder. */
	onError(reasonCode: number, message: string): void {
		this.violated(reasonCode, message);
	}

	private onLost(): void {
		if (this.#error !== undefined) this.finish(this.#error);
		else if (!this.#accepted) {
			const message = this.#state === "connecting" ? "no TCP connection: refused or unreachable" : "the broker closed before CONNACK";
			this.finish(new ClientError("transport", message, { pipelineRefused: this.#early }));
		} else if (this.#state === "closing" && this.#encoder.length === 0 && !this.#transport.broken) this.finish(undefined);
		else this.finish(new ClientError("transport", "the connection was lost"));
	}

	private onDeadline(which: number): void {
		const { connectTimeout, acknowledgeTimeout, pingTimeout } = this.#options;
		switch (which) {
			case CONNECT_DEADLINE:
				this.finish(
					this.#state === "connecting" ? timeout("transport", "no TCP connection", connectTimeout) : timeout("peer", "no CONNACK", connectTimeout),
				);
				break;
			case ACKNOWLEDGE_DEADLINE:
				if (this.#outbound.overdue(this.#now)) this.finish(timeout("peer", "no PUBACK", acknowledgeTimeout));
				break;
			case KEEPALIVE_DEADLINE:
				this.#keepAlive.due(this.#now);
				break;
			case PINGRESP_DEADLINE:
				this.finish(timeout("peer", "no PINGRESP", pingTimeout, KEEP_ALIVE_TIMEOUT));
				break;
			case LEAVE_DEADLINE:
				if (this.#error !== undefined) this.finish(this.#error);
				else if (!this.#leaving.left) this.finish(timeout("transport", "DISCONNECT did not leave", acknowledgeTimeout));
				else if (this.#outbound.pending) this.finish(timeout("peer", "not closed after DISCONNECT", acknowledgeTimeout));
				else this.finish(undefined);
				break;
			case BROKEN_DEADLINE:
				this.onLost();
				break;
			case CLOSED_DEADLINE:
				this.finish(this.#error);
				break;
		}
	}

	private violated(reasonCode: number, message: string): void {
		this.end(reasonCode, violation(reasonCode, message, this.#encoder.version));
	}

	/** Ends for an error of which an MQTT 5.0 broker is told. [MQTT-4.13.2-1] [MQTT-3.1.1:4.8.0-1] MQTT 3.1.1 has only the normal DISCONNECT, which would suppress the will. */
	private end(reasonCode: number, error: ClientError): void {
		if (this.#state !== "open" || this.#encoder.version === 4) {
			this.finish(error);
			return;
		}
		this.#decoder.stop();
		this.#error = error;
		this.disconnect(reasonCode, LINGER);
	}

	/** Stages DISCONNECT, the last packet. [MQTT-3.14.4-1] [MQTT-3.1.1:3.14.4-2] */
	private disconnect(reasonCode: number, ms: number): void {
		this.#state = "closing";
		this.#inbound.mute();
		this.#deadlines.stop(ACKNOWLEDGE_DEADLINE);
		this.#keepAlive.stop();
		this.#leaving.start(reasonCode, ms);
	}

	private watchLeaving(): void {
		if (this.#error === undefined && this.#leaving.watch() && this.#accepted) this.linger();
	}

	private linger(): void {
		this.#leaving.linger(this.#outbound.pending ? this.#options.acknowledgeTimeout : LINGER);
	}

	/** For the transport too: drops the connection and calls `onClosed` from the timer, as no callback runs inside a method. */
	closeSoon(error: ClientError | undefined): void {
		this.#state = "closing";
		this.#error = error;
		this.#transport.close();
		this.#decoder.stop();
		this.#deadlines.stopAll();
		this.#deadlines.start(CLOSED_DEADLINE, 0);
	}

	private finish(error: ClientError | undefined): void {
		if (this.#state === "closed") return;
		this.#state = "closed";
		this.#reserved = RESERVE;
		this.#transport.close();
		this.#decoder.stop();
		this.#deadlines.end();
		this.#handler.onClosed(error);
	}
}
