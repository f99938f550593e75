import type { ClientError, ClientHandler } from "../client/client";
import { BUSY, Client, NEVER } from "../client/client";
import type { Fault as ClientFault } from "../client/errors";
import { faultOf } from "../client/errors";
import type { Settings } from "../config/types";
import type { Device } from "../device";
import { DUP, QOS1, UNSPECIFIED_ERROR } from "../mqtt/constants";
import type { Clock } from "./clock";
import type { Fault } from "./events";
import { FAULT_CONFIGURATION, FAULT_PEER, FAULT_RESOURCE, FAULT_TRANSPORT } from "./events";
import { WORD_ATTEMPTS, WORD_DROPPED, WORD_REFUSED } from "./layout";
import type { Outbox } from "./outbox";
import { anyReleased, forgive, isPaused, pause, wasRefused } from "./refusals";
import { recallLimits, recallPipeline, rememberLimits, rememberRefusal } from "./remembered";
import type { Reports } from "./reports";
import type { Retained } from "./retained";

export interface ExchangeHandler {
	/** A report was acknowledged and has left the outbox. */
	onDelivered(): void;
	/** CONNACK said yes. */
	onOpened(): void;
	/** The broker does not take reports on a topic (see refusals.ts), which pauses for so many ms. `reasonCode`: MQTT's. */
	onRefused(topic: number, fault: Fault, reasonCode: number, pause: number): void;
	/** The connection is over and everything in the outbox at its end was acknowledged, apart from topics that are paused. */
	onDone(): void;
	/** The connection is over, and something waits that was to be sent; or it should have stayed. `reasonCode`: MQTT's, 0: none. */
	onFailed(fault: Fault, reasonCode: number, message: string): void;
}

type ExchangeDevice = Pick<Device, "tcp" | "timer" | "time" | "resolve" | "event" | "trace">;

/**
 * Empties the outbox over one connection: sends as many reports as the broker's limits and the send buffer allow, goes on with each
 * acknowledgement, and closes after the last; or, where `stays`, waits for more. Reports on a topic that the broker refuses wait for its pause to end.
 *
 * Without Clean Start the outbox is the client's part of the session: a report has its packet identifier from its sequence number, so that it has the same one
 * again, and what was sent and not answered waits for CONNACK, which says whether to send it again or as something new.
 */
export class Exchange implements ClientHandler {
	readonly #device: ExchangeDevice;
	readonly #settings: Settings;
	readonly #retained: Retained;
	readonly #words: Uint32Array;
	readonly #outbox: Outbox;
	readonly #reports: Reports;
	readonly #clock: Clock;
	readonly #handler: ExchangeHandler;
	readonly #client: Client;
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
		this.#settings = settings;
		this.#retained = retained;
		this.#words = retained.words;
		this.#outbox = outbox;
		this.#reports = reports;
		this.#clock = clock;
		this.#handler = handler;
		this.#stays = stays;
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
		this.#inFlight = this.#unconfirmed = this.#delivered = this.#lastSent = 0;
		this.#held = this.#finished = this.#opened = false;
		this.#openedAt = this.#clock.now;
		const pipeline = this.mayPipeline();
		this.#device.event?.("open", pipeline ? 1 : 0, this.#outbox.waiting);
		this.#client.open({ pipeline, limits: recallLimits(this.#words) });
	}

	/** Sends what waits and is not under way. Call it when the outbox has grown or a pause has ended. Allocates nothing. */
	pump(): void {
		const outbox = this.#outbox;
		// With nothing under way, what waits behind the cursor is what was passed over.
		if (this.#words[WORD_REFUSED] > 0 && this.#finished && this.#inFlight === 0 && this.#unconfirmed === 0) this.resume();
		this.#finished = false;
		while (this.#held || outbox.next()) {
			this.#held = !this.isHeldBack() && !this.send();
			if (this.#held) return;
		}
		this.#finished = true;
		this.settle();
	}

	private resume(): void {
		if (anyReleased(this.#retained, this.#clock.now)) this.#outbox.rewind();
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

	private mayPipeline(): boolean {
		const { pipeline, cleanStart } = this.#settings.broker;
		if (!cleanStart && this.#outbox.unanswered) return false;
		if (pipeline !== "auto") return pipeline;
		return !this.#suspicious && recallPipeline(this.#retained, this.#openedAt);
	}

	/** Whether to pass over the record that the outbox found last, as its topic is paused. */
	private isHeldBack(): boolean {
		const retained = this.#retained;
		const topic = this.#reports.topicIndex(this.#outbox.record);
		if (!wasRefused(retained, topic) || this.isResent()) return false;
		if ((this.flags() & QOS1) !== 0) return isPaused(retained, topic, this.#clock.now);
		forgive(retained, topic);
		return false;
	}

	/** Whether the session that goes on has the record that the outbox found last under way. [MQTT-4.4.0-1] */
	private isResent(): boolean {
		return this.#client.limits.sessionPresent && this.#outbox.record.unanswered;
	}

	/** Sends the record that the outbox found last, in the order of the sequence numbers. [MQTT-4.6.0-1] False: not now. */
	private send(): boolean {
		const outbox = this.#outbox;
		const { record } = outbox;
		const { sequence, sent } = record;
		const reports = this.#reports;
		if (2 * this.#inFlight === this.#underWay.length) return false;
		const words = this.#words;
		const dropped = words[WORD_DROPPED] + words[WORD_DROPPED + 1] + words[WORD_DROPPED + 2] + words[WORD_DROPPED + 3];
		const length = reports.write(record, this.#clock.offset, dropped);
		let flags = this.flags();
		if (this.isResent() && (flags & QOS1) !== 0) flags |= DUP; // [MQTT-3.3.1-1]
		let packetId = NEVER;
		try {
			packetId = this.#client.publish(reports.topic(record), reports.payload, length, flags, undefined, 1 + (sequence % 65_535)); // [MQTT-3.1.1:2.3.1-3]
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
			rememberRefusal(this.#retained, this.#clock.now);
			this.#device.trace("the broker refuses packets before CONNACK: waiting for it from now on");
		}
		rememberLimits(this.#words, this.#client.limits);
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
			if (reasonCode >= UNSPECIFIED_ERROR) this.refused(underWay[at + 1], reasonCode);
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
		if (this.#words[WORD_REFUSED] > 0) forgive(this.#retained, this.topicAt(index));
		this.#delivered++;
		this.#device.event?.("acknowledged", sequence, outbox.waiting - 1, reasonCode);
		outbox.remove(index);
		this.#handler.onDelivered();
	}

	private refused(sequence: number, reasonCode: number): void {
		const index = this.#outbox.find(sequence);
		if (index < 0) return;
		this.#outbox.markReturned(index);
		const topic = this.topicAt(index);
		const ms = pause(this.#retained, topic, this.#clock.now, this.#settings.backoff, Math.random());
		if (ms > 0) this.#handler.onRefused(topic, faultNumber(faultOf(reasonCode)), reasonCode, ms);
	}

	/**
	 * The connection ended with reports under way. Some brokers refuse a report so, always the oldest, as they take them in order: when it happens again, its topic
	 * pauses, and the next try goes without it.
	 */
	private suspect(): void {
		// In a session they have to be sent again at once.
		if (this.#reports.grouped || this.#settings.sensors.length === 1 || !this.#settings.broker.cleanStart) return;
		const underWay = this.#underWay;
		const { length } = underWay;
		let oldest = 0;
		for (let at = 0; at < length; at += 2) if (underWay[at] !== 0 && (oldest === 0 || underWay[at + 1] < oldest)) oldest = underWay[at + 1];
		const index = this.#outbox.find(oldest);
		if (index < 0) return;
		const topic = this.topicAt(index);
		if (this.#words[WORD_ATTEMPTS] === 0 && !wasRefused(this.#retained, topic)) return;
		pause(this.#retained, topic, this.#clock.now, this.#settings.backoff, Math.random());
	}

	/** Of a report at an index of the outbox. */
	private topicAt(index: number): number {
		return this.#reports.grouped ? 0 : this.#outbox.sensor(index);
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
			if (!record.sent || (this.flags() & QOS1) !== 0 || this.isUnderWay(record.sequence)) continue;
			// A topic that pauses was passed over: what was sent on it was sent on an earlier connection.
			if (!wasRefused(this.#retained, this.#reports.topicIndex(record))) this.deliver(record.sequence, 0);
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
		if (this.#stays) return;
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
		if (error?.pipelineRefused && this.#settings.broker.pipeline === "auto" && !this.#suspicious) {
			this.#suspicious = true;
			this.open();
			return;
		}
		this.#suspicious = false;
		if (error === undefined && this.#opened) this.confirm();
		this.#device.event?.("closed", this.#delivered);
		if (error !== undefined && this.#opened && this.#inFlight > 0) this.suspect();
		if (!this.#stays && this.#opened && this.#finished && this.#inFlight === 0 && this.#unconfirmed === 0) handler.onDone();
		else if (error === undefined) handler.onFailed(FAULT_TRANSPORT, 0, "the connection ended");
		else handler.onFailed(faultNumber(error.fault), error.reasonCode, error.message);
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
