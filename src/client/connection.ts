import { KEEP_ALIVE_TIMEOUT } from "../mqtt/constants";
import { Decoder, type DecoderHandler } from "../mqtt/decoder";
import { Encoder } from "../mqtt/encoder";
import type { ConnectFields } from "../mqtt/fields";
import type { Packet } from "../mqtt/packet";
import { connectFields, connectSize, RECEIVE_MAXIMUM_DEFAULT } from "./connect";
import {
	ACKNOWLEDGE_DEADLINE,
	BROKEN_DEADLINE,
	CLOSED_DEADLINE,
	CONNECT_DEADLINE,
	Deadlines,
	type DeadlinesHandler,
	KEEPALIVE_DEADLINE,
	LEAVE_DEADLINE,
	PINGRESP_DEADLINE,
} from "./deadlines";
import { ClientError, timeout, violation } from "./errors";
import { Inbound } from "./inbound";
import { KeepAlive } from "./keepalive";
import { Leaving, LINGER } from "./leaving";
import { Limits } from "./limits";
import type { ClientDevice, ClientHandler, ClientOptions, State } from "./options";
import { Outbound } from "./outbound";
import { Transport, type TransportHandler } from "./transport";

/** Bytes of the send buffer that only PINGREQ (2) and DISCONNECT (4) may use. */
export const RESERVE = 8;

/** What a client is made of, and every way in which its connection ends. Plain fields, for the subclass: the two are one object. */
export abstract class Connection implements DecoderHandler, TransportHandler, DeadlinesHandler {
	/** What the last CONNACK said; before the first, what `open()` was given. */
	readonly limits = new Limits();
	protected readonly options: ClientOptions;
	protected readonly handler: ClientHandler;
	protected readonly device: ClientDevice;
	protected readonly fields: ConnectFields;
	protected readonly encoder: Encoder;
	protected readonly decoder: Decoder;
	protected readonly transport: Transport;
	protected readonly deadlines: Deadlines;
	protected readonly keepAlive: KeepAlive;
	protected readonly outbound: Outbound;
	protected readonly inbound: Inbound;
	protected readonly leaving: Leaving;

	protected current: State = "closed";
	/** Host callbacks in work: what is staged meanwhile leaves at their end, in one write. */
	protected depth = 0;
	/** Ticks at the beginning of the host callback in work. */
	protected now = 0;
	protected pipeline = false;
	/** Something beside CONNECT was staged before CONNACK. */
	protected early = false;
	/** CONNACK said yes. */
	protected accepted = false;
	/** `close()` was called and DISCONNECT is not staged yet. */
	protected closeAsked = false;
	protected reserved = RESERVE;
	protected error: ClientError | undefined;

	/** @throws RangeError or MQTTError for an option that MQTT does not allow, such as U+0000 in a topic, and for a CONNECT longer than `sendBuffer` */
	constructor(options: ClientOptions, handler: ClientHandler, device: ClientDevice) {
		const { version, receiveBuffer, sendBuffer, maximumPacketSize } = options;
		const { time } = device;
		this.options = options;
		this.handler = handler;
		this.device = device;
		const fields = connectFields(options);
		const size = connectSize(fields, version);
		if (size > sendBuffer) throw new RangeError(`CONNECT takes ${size} bytes, sendBuffer is ${sendBuffer}`);
		this.fields = fields;
		const encoder = new Encoder({ size: sendBuffer + RESERVE, version });
		this.encoder = encoder;
		this.inbound = new Inbound(encoder, handler, options.receiveMaximum ?? RECEIVE_MAXIMUM_DEFAULT);
		this.decoder = new Decoder({
			size: receiveBuffer,
			from: "broker",
			version,
			handler: this,
			maximumPacketSize,
		});
		this.transport = new Transport(device, encoder, this);
		const deadlines = new Deadlines(device.timer, time, this);
		this.deadlines = deadlines;
		this.keepAlive = new KeepAlive(time, encoder, deadlines, options.pingTimeout);
		this.leaving = new Leaving(encoder, this.transport, deadlines);
		this.outbound = new Outbound(options, encoder, this.limits, deadlines, time, this);
	}

	/** For transport and deadlines. */
	abstract turn(what: number, which: number): void;
	// For the decoder
	abstract onPacket(packet: Packet): void;
	abstract onPublish(packet: Packet): void;
	abstract onPayload(bytes: Uint8Array, start: number, end: number, last: boolean): void;
	abstract onError(reasonCode: number, message: string): void;

	/** For what sends: writes what is staged, if the socket takes it. */
	flush(): void {
		if (this.transport.flush()) this.keepAlive.sent(this.now);
		if (this.transport.broken && !this.deadlines.running(BROKEN_DEADLINE)) this.deadlines.start(BROKEN_DEADLINE, LINGER);
	}

	protected onLost(): void {
		if (this.error !== undefined) this.finish(this.error);
		else if (!this.accepted) {
			const message = this.current === "connecting" ? "no TCP connection: refused or unreachable" : "the broker closed before CONNACK";
			this.finish(new ClientError("transport", message, { pipelineRefused: this.early }));
		} else if (this.current === "closing" && this.encoder.length === 0 && !this.transport.broken) this.finish(undefined);
		else this.finish(new ClientError("transport", "the connection was lost"));
	}

	protected onDeadline(which: number): void {
		const { connectTimeout, acknowledgeTimeout, pingTimeout } = this.options;
		switch (which) {
			case CONNECT_DEADLINE:
				this.finish(
					this.current === "connecting" ? timeout("transport", "no TCP connection", connectTimeout) : timeout("peer", "no CONNACK", connectTimeout),
				);
				break;
			case ACKNOWLEDGE_DEADLINE:
				if (this.outbound.overdue(this.now)) this.finish(timeout("peer", "no PUBACK", acknowledgeTimeout));
				break;
			case KEEPALIVE_DEADLINE:
				this.keepAlive.due(this.now);
				break;
			case PINGRESP_DEADLINE:
				this.finish(timeout("peer", "no PINGRESP", pingTimeout, KEEP_ALIVE_TIMEOUT));
				break;
			case LEAVE_DEADLINE:
				if (this.error !== undefined) this.finish(this.error);
				else if (!this.leaving.left) this.finish(timeout("transport", "DISCONNECT did not leave", acknowledgeTimeout));
				else if (this.outbound.pending) this.finish(timeout("peer", "not closed after DISCONNECT", acknowledgeTimeout));
				else this.finish(undefined);
				break;
			case BROKEN_DEADLINE:
				this.onLost();
				break;
			case CLOSED_DEADLINE:
				this.finish(this.error);
				break;
		}
	}

	protected violated(reasonCode: number, message: string): void {
		this.end(reasonCode, violation(reasonCode, message, this.encoder.version));
	}

	/** Ends for an error of which an MQTT 5.0 broker is told. [MQTT-4.13.2-1] [MQTT-3.1.1:4.8.0-1] MQTT 3.1.1 has only the normal DISCONNECT, which would suppress the will. */
	protected end(reasonCode: number, error: ClientError): void {
		if (this.current !== "open" || this.encoder.version === 4) {
			this.finish(error);
			return;
		}
		this.decoder.stop();
		this.error = error;
		this.disconnect(reasonCode, LINGER);
	}

	/** Stages DISCONNECT, the last packet. [MQTT-3.14.4-1] [MQTT-3.1.1:3.14.4-2] */
	protected disconnect(reasonCode: number, ms: number): void {
		this.current = "closing";
		this.inbound.mute();
		this.deadlines.stop(ACKNOWLEDGE_DEADLINE);
		this.keepAlive.stop();
		this.leaving.start(reasonCode, ms);
	}

	protected watchLeaving(): void {
		if (this.error === undefined && this.leaving.watch() && this.accepted) this.linger();
	}

	protected linger(): void {
		this.leaving.linger(this.outbound.pending ? this.options.acknowledgeTimeout : LINGER);
	}

	/** For the transport too: drops the connection and calls `onClosed` from the timer, as no callback runs inside a method. */
	closeSoon(error: ClientError | undefined): void {
		this.current = "closing";
		this.error = error;
		this.transport.close();
		this.decoder.stop();
		this.deadlines.stopAll();
		this.deadlines.start(CLOSED_DEADLINE, 0);
	}

	protected finish(error: ClientError | undefined): void {
		if (this.current === "closed") return;
		this.current = "closed";
		this.reserved = RESERVE;
		this.transport.close();
		this.decoder.stop();
		this.deadlines.end();
		this.handler.onClosed(error);
	}
}
