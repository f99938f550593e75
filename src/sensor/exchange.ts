import type { ClientError, ClientHandler, RememberedLimits } from "../client/client";
import { BUSY, Client, NEVER } from "../client/client";
import type { Fault as ClientFault } from "../client/errors";
import { faultOf } from "../client/errors";
import type { Settings } from "../config/types";
import type { Device } from "../device";
import { QOS1, UNSPECIFIED_ERROR } from "../mqtt/constants";
import type { Clock } from "./clock";
import type { Fault } from "./events";
import { FAULT_CONFIGURATION, FAULT_PEER, FAULT_RESOURCE, FAULT_TRANSPORT } from "./events";
import { FLAG_LIMITS, FLAG_NO_PIPELINE, FLAG_NO_RETAIN, QOS_SHIFT, WORD_DROPPED, WORD_FLAGS, WORD_PACKET_SIZE, WORD_RECEIVE_MAXIMUM } from "./layout";
import type { Outbox } from "./outbox";
import type { Reports } from "./reports";
import type { Retained } from "./retained";

export interface ExchangeHandler {
	/** A report was acknowledged and has left the outbox. */
	onDelivered(): void;
	/** CONNACK said yes. */
	onOpened(): void;
	/** The connection is over and everything in the outbox at its end was acknowledged. */
	onDone(): void;
	/** The connection is over, and something waits that was to be sent; or it should have stayed. `reasonCode`: MQTT's, 0: none. */
	onFailed(fault: Fault, reasonCode: number, message: string): void;
}

type ExchangeDevice = Pick<Device, "tcp" | "timer" | "time" | "resolve" | "event" | "trace">;

/**
 * Empties the outbox over one connection: sends as many reports as the broker's limits and the send buffer allow, goes on with each
 * acknowledgement, and closes after the last; or, where `stays`, waits for more.
 */
export class Exchange implements ClientHandler {
	readonly #device: ExchangeDevice;
	readonly #words: Uint32Array;
	readonly #outbox: Outbox;
	readonly #reports: Reports;
	readonly #clock: Clock;
	readonly #handler: ExchangeHandler;
	readonly #client: Client;
	readonly #pipeline: boolean | "auto";
	readonly #stays: boolean;
	/** Packet identifiers under way, 0: free; each with its sequence number behind it. */
	readonly #underWay: Uint32Array;
	#inFlight = 0;
	/** Of the last QoS 0 report sent on this connection, which waits for the connection's end; 0: none. */
	#unconfirmed = 0;
	/** The record that the outbox found last could not be sent yet. */
	#held = false;
	/** The cursor is behind the newest report. */
	#finished = false;
	#opened = false;
	#openedAt = 0;
	#delivered = 0;
	/** A reason code of 0x80 or above in a PUBACK; 0: none. */
	#refusal = 0;
	/** Sequence number of the last report sent on this connection. */
	#lastSent = 0;
	#aborted = false;
	/** The broker closed on packets before CONNACK; whether they were the reason shows on a connection without them. */
	#suspicious = false;

	constructor(
		device: ExchangeDevice,
		settings: Settings,
		stays: boolean,
		retained: Retained,
		outbox: Outbox,
		reports: Reports,
		clock: Clock,
		handler: ExchangeHandler,
	) {
		const { broker } = settings;
		this.#device = device;
		this.#words = retained.words;
		this.#outbox = outbox;
		this.#reports = reports;
		this.#clock = clock;
		this.#handler = handler;
		this.#stays = stays;
		this.#pipeline = broker.pipeline;
		this.#underWay = new Uint32Array(2 * broker.inFlight);
		this.#client = new Client(broker, this, device);
	}

	/** Whether a connection is being made, is up, or being closed. */
	get busy(): boolean {
		return this.#client.state !== "closed";
	}

	/** Connects; reports leave as soon as they may. */
	open(): void {
		this.#outbox.rewind();
		this.#underWay.fill(0);
		this.#inFlight = this.#unconfirmed = this.#delivered = this.#refusal = this.#lastSent = 0;
		this.#held = this.#finished = this.#opened = false;
		this.#openedAt = this.#clock.now;
		const pipeline =
			this.#pipeline === true || (this.#pipeline === "auto" && !this.#suspicious && (this.#words[WORD_FLAGS] & FLAG_NO_PIPELINE) === 0);
		this.#device.event?.("open", pipeline ? 1 : 0, this.#outbox.waiting);
		this.#client.open({ pipeline, limits: this.limits() });
	}

	/** Sends what waits and is not under way. Call it when the outbox has grown. Allocates nothing. */
	pump(): void {
		const outbox = this.#outbox;
		this.#finished = false;
		while (this.#held || outbox.next()) {
			this.#held = !this.send();
			if (this.#held) return;
		}
		this.#finished = true;
		this.settle();
	}

	/** For the client. */
	onWritable(): void {
		this.pump();
	}

	/** Drops the connection; nothing is told any more. */
	abort(): void {
		if (!this.busy) return;
		this.#aborted = true;
		this.#client.abort();
	}

	/** Sends the record that the outbox found last. False: not now. */
	private send(): boolean {
		const outbox = this.#outbox;
		const { record } = outbox;
		const { sequence, sent } = record;
		const reports = this.#reports;
		if (2 * this.#inFlight === this.#underWay.length) return false;
		const words = this.#words;
		const dropped = words[WORD_DROPPED] + words[WORD_DROPPED + 1] + words[WORD_DROPPED + 2] + words[WORD_DROPPED + 3];
		const length = reports.write(record, this.#clock.offset, dropped);
		const flags = this.flags();
		let packetId = NEVER;
		try {
			packetId = this.#client.publish(reports.topic(record), reports.payload, length, flags);
		} catch (error) {
			this.#device.trace(`report ${sequence} cannot be sent: ${error}`);
			outbox.refuse(sequence);
			return true;
		}
		if (packetId === BUSY) return false;
		if (packetId === NEVER) {
			// Remembered limits may be out of date: only this connection's CONNACK is final.
			if (!this.#opened) return false;
			this.#device.trace(`report ${sequence} is longer than a packet may be`);
			outbox.refuse(sequence);
			return true;
		}
		outbox.markSent();
		this.#lastSent = sequence;
		this.#device.event?.("publish", sequence, sent ? 1 : 0, packetId === 0 ? 0 : 1);
		if (packetId > 0) this.track(packetId, sequence);
		else if (this.#stays && this.#opened) this.deliver(sequence, 0);
		else this.#unconfirmed = sequence;
		return true;
	}

	/** Of the record that the outbox found last. */
	private flags(): number {
		const flags = this.#reports.flags(this.#outbox.record);
		return this.#client.limits.maximumQoS === 0 ? flags & ~QOS1 : flags; // [MQTT-3.2.2-11]
	}

	private track(packetId: number, sequence: number): void {
		const underWay = this.#underWay;
		let at = 0;
		while (underWay[at] !== 0) at += 2;
		underWay[at] = packetId;
		underWay[at + 1] = sequence;
		this.#inFlight++;
	}

	/** For the client. */
	onOpen(sessionPresent: boolean): void {
		this.#opened = true;
		if (this.#suspicious) {
			this.#suspicious = false;
			this.#words[WORD_FLAGS] |= FLAG_NO_PIPELINE;
			this.#device.trace("the broker refuses packets before CONNACK: waiting for it from now on");
		}
		this.remember();
		this.#device.event?.("opened", sessionPresent ? 1 : 0, this.#clock.now - this.#openedAt);
		this.#handler.onOpened();
		if (this.#stays) this.confirm();
		this.pump();
	}

	/** For the client. */
	onAcknowledged(packetId: number, reasonCode: number): void {
		const underWay = this.#underWay;
		const { length } = underWay;
		for (let at = 0; at < length; at += 2) {
			if (underWay[at] !== packetId) continue;
			underWay[at] = 0;
			this.#inFlight--;
			// The broker answers, and does not take it: it waits for another try.
			if (reasonCode >= UNSPECIFIED_ERROR) this.#refusal = reasonCode;
			else this.deliver(underWay[at + 1], reasonCode);
			break;
		}
		if (this.#held) this.pump();
		else this.settle();
	}

	private deliver(sequence: number, reasonCode: number): void {
		const outbox = this.#outbox;
		const index = outbox.find(sequence);
		// Given up by the outbox while under way: it is counted there.
		if (index < 0) return;
		this.#delivered++;
		this.#device.event?.("acknowledged", sequence, outbox.waiting - 1, reasonCode);
		outbox.remove(index);
		this.#handler.onDelivered();
	}

	/** The broker has read what was sent with QoS 0: it leaves the outbox. */
	private confirm(): void {
		const last = this.#unconfirmed;
		if (last === 0) return;
		const outbox = this.#outbox;
		const { record } = outbox;
		this.#unconfirmed = 0;
		outbox.seek(0);
		while (outbox.next() && record.sequence <= last) {
			// CONNACK may have lowered the QoS since: what was sent with QoS 1 still waits for its own answer.
			if (record.sent && (this.flags() & QOS1) === 0 && !this.isUnderWay(record.sequence)) this.deliver(record.sequence, 0);
		}
		this.#held = false;
		outbox.seek(this.#lastSent);
	}

	private isUnderWay(sequence: number): boolean {
		const underWay = this.#underWay;
		const { length } = underWay;
		for (let at = 0; at < length; at += 2) if (underWay[at] !== 0 && underWay[at + 1] === sequence) return true;
		return false;
	}

	/** After everything was sent and acknowledged, closes. */
	private settle(): void {
		if (!this.#finished || this.#inFlight > 0) return;
		if (this.#stays) {
			// What was refused is tried again after a pause, on another connection.
			if (this.#refusal !== 0) this.#client.close();
			return;
		}
		// Only the broker's close tells that it has read a QoS 0 report: the sooner DISCONNECT leaves, the sooner it comes.
		if (this.#opened || this.#unconfirmed > 0) this.#client.close();
	}

	/** For the client. */
	onClosed(error: ClientError | undefined): void {
		if (this.#aborted) {
			this.#aborted = false;
			return;
		}
		const handler = this.#handler;
		if (error?.pipelineRefused && this.#pipeline === "auto" && !this.#suspicious && (this.#words[WORD_FLAGS] & FLAG_NO_PIPELINE) === 0) {
			this.#suspicious = true;
			this.open();
			return;
		}
		this.#suspicious = false;
		if (error === undefined && this.#opened) this.confirm();
		this.#device.event?.("closed", this.#delivered);
		const refusal = this.#refusal;
		if (refusal !== 0) handler.onFailed(faultNumber(faultOf(refusal)), refusal, "the broker does not take a report");
		else if (!this.#stays && this.#opened && this.#finished && this.#inFlight === 0 && this.#unconfirmed === 0) handler.onDone();
		else if (error === undefined) handler.onFailed(FAULT_TRANSPORT, 0, "the connection ended");
		else handler.onFailed(faultNumber(error.fault), error.reasonCode, error.message);
	}

	/** Keeps what CONNACK says for the next first flight. */
	private remember(): void {
		const words = this.#words;
		const { receiveMaximum, maximumPacketSize, maximumQoS, retainAvailable } = this.#client.limits;
		words[WORD_RECEIVE_MAXIMUM] = receiveMaximum;
		words[WORD_PACKET_SIZE] = maximumPacketSize;
		words[WORD_FLAGS] = (words[WORD_FLAGS] & FLAG_NO_PIPELINE) | FLAG_LIMITS | (retainAvailable ? 0 : FLAG_NO_RETAIN) | (maximumQoS << QOS_SHIFT);
	}

	private limits(): RememberedLimits {
		const words = this.#words;
		const flags = words[WORD_FLAGS];
		if ((flags & FLAG_LIMITS) === 0) return {};
		return {
			receiveMaximum: words[WORD_RECEIVE_MAXIMUM],
			maximumPacketSize: words[WORD_PACKET_SIZE],
			maximumQoS: (flags >> QOS_SHIFT) & 3,
			retainAvailable: (flags & FLAG_NO_RETAIN) === 0,
		};
	}
}

function faultNumber(fault: ClientFault): Fault {
	switch (fault) {
		case "configuration":
			return FAULT_CONFIGURATION;
		case "peer":
			return FAULT_PEER;
		case "resource":
			return FAULT_RESOURCE;
		case "transport":
			return FAULT_TRANSPORT;
	}
}
