import { KEEP_ALIVE_TIMEOUT } from "../mqtt/constants";
import { Decoder, type DecoderHandler } from "../mqtt/decoder";
import { Encoder } from "../mqtt/encoder";
import type { Packet } from "../mqtt/packet";
import type { ConnectFields } from "../mqtt/packet-fields";
import { connectFields, connectSize, DEFAULT_RECEIVE_MAXIMUM } from "./connect-fields";
import {
	ACKNOWLEDGE_DEADLINE,
	CLOSED_DEADLINE,
	CONNECT_DEADLINE,
	type DEADLINE_PASSED,
	type Deadline,
	Deadlines,
	type DeadlinesHandler,
	DISCONNECT_DEADLINE,
	KEEP_ALIVE_DEADLINE,
	PINGRESP_DEADLINE,
	WRITE_FAILED_DEADLINE,
} from "./deadlines";
import { ClientError, timeoutError, violationError } from "./errors";
import { BROKER_CLOSE_WAIT_MS, GracefulClose, LINGER_MS } from "./graceful-close";
import { Inbound } from "./inbound";
import { KeepAlive } from "./keep-alive";
import { BrokerLimits } from "./limits";
import type { ClientDevice, ClientHandler, ClientOptions, ClientState } from "./options";
import { Outbound } from "./outbound";
import { peerProtocol } from "./peer-protocol";
import { Transport, type TransportEvent, type TransportHandler } from "./transport";

/** Bytes of the send buffer that only PINGREQ (2) and DISCONNECT (4) may use. */
export const SEND_RESERVE = 8;

/**
 * The parts of a client, and every way in which its connection ends. The fields are not private (#), as the
 * subclass `Client` uses them.
 */
export abstract class ClientConnection implements DecoderHandler, TransportHandler, DeadlinesHandler {
	/** Limits from the last CONNACK; before the first one, those passed to `open()`. */
	readonly limits = new BrokerLimits();
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
	protected readonly gracefulClose: GracefulClose;

	protected currentState: ClientState = "closed";
	/** Nesting depth of host callbacks. Packets staged inside a callback leave at its end, in one write. */
	protected callbackDepth = 0;
	/** Ticks at the start of the current host callback. */
	protected now = 0;
	protected pipeline = false;
	/** A packet other than CONNECT was staged before CONNACK. */
	protected sentBeforeConnack = false;
	/** CONNACK accepted the connection. */
	protected connackAccepted = false;
	/** `close()` was called and DISCONNECT is not staged yet. */
	protected closeRequested = false;
	protected reservedBytes = SEND_RESERVE;
	protected closeError: ClientError | undefined;
	/**
	 * The first bytes that the peer sent, at most FIRST_BYTES, as a big-endian number, and how many they are.
	 */
	protected firstBytes = 0;
	protected firstBytesLength = 0;

	/**
	 * @throws RangeError or MQTTError for an option that MQTT does not allow, such as U+0000 in a topic, and
	 *   for a CONNECT longer than `sendBuffer`
	 */
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
		const encoder = new Encoder({ size: sendBuffer + SEND_RESERVE, version });
		this.encoder = encoder;
		this.inbound = new Inbound(encoder, handler, options.receiveMaximum ?? DEFAULT_RECEIVE_MAXIMUM);
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
		this.gracefulClose = new GracefulClose(encoder, this.transport, deadlines);
		this.outbound = new Outbound(options, encoder, this.limits, deadlines, time, this);
	}

	/** Called by transport and deadlines. */
	abstract onEvent(event: TransportEvent | typeof DEADLINE_PASSED, deadline: Deadline): void;
	// Called by the decoder
	abstract onPacket(packet: Packet): void;
	abstract onPublish(packet: Packet): void;
	abstract onPayload(bytes: Uint8Array, start: number, end: number, last: boolean): void;
	abstract onError(reasonCode: number, message: string): void;

	/** Writes the staged packets if the socket has room for them. Also called by `Outbound`. */
	flush(): void {
		if (this.transport.flush()) this.keepAlive.noteSent(this.now);
		if (this.transport.writeFailed && !this.deadlines.running(WRITE_FAILED_DEADLINE))
			this.deadlines.start(WRITE_FAILED_DEADLINE, LINGER_MS);
	}

	protected onTransportLost(): void {
		if (this.closeError !== undefined) this.finishClose(this.closeError);
		else if (!this.connackAccepted) {
			const message =
				this.currentState === "connecting"
					? "no TCP connection: refused or unreachable"
					: "the broker closed before CONNACK";
			this.finishClose(
				this.foreignPeerError(0) ??
					new ClientError("transport", message, { pipelineRefused: this.sentBeforeConnack }),
			);
		} else if (
			this.currentState === "closing" &&
			!this.closeRequested &&
			this.encoder.length === 0 &&
			!this.transport.writeFailed
		)
			this.finishClose(undefined);
		else this.finishClose(new ClientError("transport", "the connection was lost"));
	}

	protected onDeadlinePassed(deadline: Deadline): void {
		const { connectTimeout, acknowledgeTimeout, pingTimeout } = this.options;
		switch (deadline) {
			case CONNECT_DEADLINE:
				this.finishClose(
					this.currentState === "connecting"
						? timeoutError("transport", "no TCP connection", connectTimeout)
						: (this.foreignPeerError(0) ?? timeoutError("peer", "no CONNACK", connectTimeout)),
				);
				break;
			case ACKNOWLEDGE_DEADLINE:
				if (this.outbound.acknowledgeOverdue(this.now))
					this.finishClose(timeoutError("peer", "no PUBACK", acknowledgeTimeout));
				break;
			case KEEP_ALIVE_DEADLINE:
				this.keepAlive.onDeadline(this.now);
				break;
			case PINGRESP_DEADLINE:
				this.finishClose(timeoutError("peer", "no PINGRESP", pingTimeout, KEEP_ALIVE_TIMEOUT));
				break;
			case DISCONNECT_DEADLINE:
				if (this.closeError !== undefined) this.finishClose(this.closeError);
				else if (!this.gracefulClose.disconnectSent)
					this.finishClose(timeoutError("transport", "DISCONNECT did not leave", acknowledgeTimeout));
				else if (this.outbound.inFlightCount > 0)
					this.finishClose(timeoutError("peer", "no PUBACK after DISCONNECT", acknowledgeTimeout));
				else this.finishClose(undefined);
				break;
			case WRITE_FAILED_DEADLINE:
				this.onTransportLost();
				break;
			case CLOSED_DEADLINE:
				this.finishClose(this.closeError);
				break;
		}
	}

	protected failProtocol(reasonCode: number, message: string): void {
		this.failConnection(
			reasonCode,
			this.foreignPeerError(reasonCode) ?? violationError(reasonCode, message, this.encoder.version),
		);
	}

	/** Error for a peer whose first bytes show that it is no MQTT broker. */
	private foreignPeerError(reasonCode: number): ClientError | undefined {
		if (this.connackAccepted) return undefined;
		const protocol = peerProtocol(this.firstBytes, this.firstBytesLength);
		if (protocol === undefined) return undefined;
		const { host, port } = this.options;
		return new ClientError("configuration", `${host}:${port} is no MQTT broker: it speaks ${protocol}`, {
			reasonCode,
		});
	}

	/**
	 * Ends the connection because of an error, which DISCONNECT reports to an MQTT 5.0 broker. [MQTT-4.13.2-1]
	 * [MQTT-3.1.1:4.8.0-1] MQTT 3.1.1 has only the normal DISCONNECT, which would suppress the will.
	 */
	protected failConnection(reasonCode: number, error: ClientError): void {
		if (this.currentState !== "open" || this.encoder.version === 4) {
			this.finishClose(error);
			return;
		}
		this.decoder.stop();
		this.closeError = error;
		this.stageDisconnect(reasonCode, LINGER_MS);
	}

	/** Stages DISCONNECT, the last packet. [MQTT-3.14.4-1] [MQTT-3.1.1:3.14.4-2] */
	protected stageDisconnect(reasonCode: number, timeoutMs: number): void {
		this.currentState = "closing";
		this.inbound.stopDelivery();
		this.deadlines.stop(ACKNOWLEDGE_DEADLINE);
		this.keepAlive.stop();
		this.gracefulClose.stageDisconnect(reasonCode, timeoutMs);
	}

	protected watchGracefulClose(): void {
		if (this.closeError === undefined && this.gracefulClose.pollDisconnectSent() && this.connackAccepted)
			this.awaitBrokerClose();
	}

	protected awaitBrokerClose(): void {
		this.gracefulClose.awaitBrokerClose(
			this.outbound.inFlightCount > 0 ? this.options.acknowledgeTimeout : BROKER_CLOSE_WAIT_MS,
		);
	}

	/**
	 * Drops the connection and calls `onClosed` from the timer, as no handler callback runs inside a method of
	 * the client. Also called by the transport.
	 */
	scheduleClose(error: ClientError | undefined): void {
		this.currentState = "closing";
		this.closeError = error;
		this.transport.close();
		this.decoder.stop();
		this.deadlines.stopAll();
		this.deadlines.start(CLOSED_DEADLINE, 0);
	}

	protected finishClose(error: ClientError | undefined): void {
		if (this.currentState === "closed") return;
		this.currentState = "closed";
		this.reservedBytes = SEND_RESERVE;
		this.transport.close();
		this.decoder.stop();
		this.deadlines.dispose();
		this.handler.onClosed(error);
	}
}
