import type { ClientError, ClientHandler } from "../client/client";
import { BUSY, Client, type PublishResult, REJECTED } from "../client/client";
import { faultOf } from "../client/errors";
import type { Settings } from "../config/types";
import type { Device } from "../device";
import type { Fault } from "../fault";
import { DUP, QOS1, UNSPECIFIED_ERROR } from "../mqtt/constants";
import {
	cachedLimits,
	cacheLimits,
	clearPipelineRefusals,
	countPipelineRefusal,
	mayPipeline,
} from "./broker-limits";
import { WORD_DROPPED, WORD_FAILED_TRIES, WORD_PACKET_SIZE, WORD_REFUSED_TOPICS } from "./layout";
import type { NodeClock } from "./node-clock";
import type { Outbox } from "./outbox";
import type { ReportEncoder } from "./report-encoder";
import type { RetainedState } from "./retained-state";
import { anyRetryDue, clearBackoff, isPaused, pauseTopic, wasRefused } from "./topic-backoff";

export interface ReportExchangeHandler {
	/** A report was acknowledged; it is removed from the outbox. */
	onDelivered(): void;
	/** CONNACK accepted the connection. */
	onOpened(): void;
	/**
	 * The broker refused a report: its topic is paused for `pauseMs` (see topic-backoff.ts). `reasonCode`:
	 * MQTT's.
	 */
	onRefused(topic: number, fault: Fault, reasonCode: number, pauseMs: number): void;
	/**
	 * The connection has ended, and all reports in the outbox were acknowledged, except those on paused topics.
	 */
	onDone(): void;
	/**
	 * The connection has ended with reports pending, or it should have stayed open. `reasonCode`: MQTT's, 0:
	 * none.
	 */
	onFailed(fault: Fault, reasonCode: number, message: string): void;
}

type ReportExchangeDevice = Pick<Device, "tcp" | "timer" | "time" | "resolve" | "event" | "trace">;

// Results of sendPart()
const BLOCKED = 0;
const SENT = 1;
const SKIPPED = 2;
type PartResult = typeof BLOCKED | typeof SENT | typeof SKIPPED;

/**
 * Distance between the packet identifiers of a report's parts: prime, and far from those of its neighbours.
 */
const PART_STRIDE = 8191;

/**
 * Delivers the outbox over one connection: sends as many reports as the broker's limits and the send buffer
 * allow, continues with each acknowledgement, and closes after the last one; with `staysConnected` it waits
 * for more. Reports on a refused topic wait until its pause ends.
 *
 * Without Clean Start the outbox is the client's part of the session: the packet identifier of a report
 * derives from its sequence number, so that it is the same when sent again, and a report that was sent and
 * not answered waits for CONNACK, which decides whether it is sent again or as a new message.
 */
export class ReportExchange implements ClientHandler {
	readonly #device: ReportExchangeDevice;
	readonly #settings: Settings;
	readonly #retained: RetainedState;
	readonly #words: Uint32Array;
	readonly #outbox: Outbox;
	readonly #encoder: ReportEncoder;
	readonly #clock: NodeClock;
	readonly #handler: ReportExchangeHandler;
	readonly #client: Client;
	readonly #staysConnected: boolean;
	/** Packet identifiers in flight, 0: free; each followed by its sequence number. */
	readonly #inFlightPackets: Uint32Array;
	#inFlightCount = 0;
	/**
	 * Sequence number of the last QoS 0 report sent on this connection, which only the end of the connection
	 * confirms; 0: none.
	 */
	#unconfirmedSequence = 0;
	/** The record at the outbox's cursor could not be sent yet. */
	#sendBlocked = false;
	/** The cursor is after the newest report. */
	#cursorAtEnd = false;
	#opened = false;
	#connectStartedAt = 0;
	#deliveredCount = 0;
	/** Sequence number of the last report sent on this connection. */
	#lastSent = 0;
	/** Values of the record at the outbox's cursor that earlier packets hold: it is sent in parts. */
	#valuesSent = 0;
	/** Sequence number of that record. */
	#partlySent = 0;
	/** Reports before the cursor may be sent after all. */
	#rewindPending = false;
	/** An oversized report was traced on this connection. */
	#oversizedTraced = false;
	#aborted = false;
	/**
	 * The broker closed the connection after packets before CONNACK; a connection without them shows whether
	 * they were the cause.
	 */
	#pipelineSuspected = false;
	/** Packets may leave before CONNACK on this connection. */
	#pipelined = false;

	constructor(
		device: ReportExchangeDevice,
		settings: Settings,
		staysConnected: boolean,
		retained: RetainedState,
		outbox: Outbox,
		encoder: ReportEncoder,
		clock: NodeClock,
		handler: ReportExchangeHandler,
	) {
		const { broker } = settings;
		this.#device = device;
		this.#settings = settings;
		this.#retained = retained;
		this.#words = retained.words;
		this.#outbox = outbox;
		this.#encoder = encoder;
		this.#clock = clock;
		this.#handler = handler;
		this.#staysConnected = staysConnected;
		this.#inFlightPackets = new Uint32Array(2 * broker.inFlight);
		this.#client = new Client(broker, this, device);
	}

	/** Whether the connection is being opened, open or being closed. */
	get busy(): boolean {
		return this.#client.state !== "closed";
	}

	/** Connects; reports are sent as soon as the broker accepts them. */
	connect(): void {
		this.#outbox.rewind();
		this.#inFlightPackets.fill(0);
		this.#inFlightCount = this.#unconfirmedSequence = this.#deliveredCount = this.#lastSent = 0;
		this.#sendBlocked = this.#cursorAtEnd = this.#opened = false;
		this.#rewindPending = this.#oversizedTraced = false;
		this.#valuesSent = 0;
		this.#connectStartedAt = this.#clock.now;
		const pipeline = this.mayPipeline();
		this.#pipelined = pipeline;
		this.#device.event?.("open", pipeline, this.#outbox.waitingCount);
		this.#client.open({ pipeline, limits: cachedLimits(this.#words) });
	}

	/**
	 * Sends pending reports that are not in flight. Call it when the outbox has grown or a pause has ended.
	 * Allocates nothing.
	 */
	pump(): void {
		const outbox = this.#outbox;
		// With nothing in flight, the only pending reports before the cursor are those that were skipped.
		if (this.#cursorAtEnd && this.#inFlightCount === 0 && this.#unconfirmedSequence === 0)
			this.rewindForRetry();
		this.#cursorAtEnd = false;
		while (this.#sendBlocked || outbox.next()) {
			this.#sendBlocked = !this.mustSkip() && !this.sendReport();
			if (this.#sendBlocked) return;
			this.#valuesSent = 0;
		}
		this.#cursorAtEnd = true;
		this.closeWhenDone();
	}

	private rewindForRetry(): void {
		if (!this.#rewindPending && this.#words[WORD_REFUSED_TOPICS] === 0) return;
		if (this.#rewindPending || anyRetryDue(this.#retained, this.#clock.now)) this.#outbox.rewind();
		this.#rewindPending = false;
	}

	/** For the client. */
	onWritable(): void {
		this.pump();
	}

	/** Drops the connection; the handler is not called any more. */
	abort(): void {
		if (!this.busy) return;
		this.#aborted = true;
		this.#client.abort();
	}

	private mayPipeline(): boolean {
		const { pipeline, cleanStart } = this.#settings.broker;
		if (!cleanStart && this.#outbox.unanswered) return false;
		if (pipeline !== "auto") return pipeline;
		return !this.#pipelineSuspected && mayPipeline(this.#retained, this.#connectStartedAt);
	}

	/** Whether to skip the record at the cursor: it is too large, or its topic is paused. */
	private mustSkip(): boolean {
		if (this.#outbox.record.isOversized) return true;
		const retained = this.#retained;
		const topic = this.#encoder.topicIndex(this.#outbox.record);
		if (!wasRefused(retained, topic) || this.isResent()) return false;
		if ((this.publishFlags() & QOS1) !== 0) return isPaused(retained, topic, this.#clock.now);
		clearBackoff(retained, topic);
		return false;
	}

	/** Whether the record at the cursor is still in flight in the resumed session. [MQTT-4.4.0-1] */
	private isResent(): boolean {
		return this.#client.limits.sessionPresent && this.#outbox.record.isUnanswered;
	}

	/**
	 * Sends the record at the cursor, in the order of the sequence numbers [MQTT-4.6.0-1]; in parts if that
	 * makes its packets small enough for the broker. False: it cannot be sent now.
	 */
	private sendReport(): boolean {
		const { sequence } = this.#outbox.record;
		if (this.#partlySent !== sequence) this.#valuesSent = 0;
		do {
			const result = this.sendPart();
			if (result !== SENT) return result === SKIPPED;
			this.#partlySent = sequence;
			this.#valuesSent = this.#encoder.valuesWritten;
		} while (this.#valuesSent > 0);
		return true;
	}

	private sendPart(): PartResult {
		const outbox = this.#outbox;
		const { record } = outbox;
		const { sequence, wasSent } = record;
		const encoder = this.#encoder;
		const client = this.#client;
		if (2 * this.#inFlightCount === this.#inFlightPackets.length) return BLOCKED;
		let flags = this.publishFlags();
		const topic = encoder.topic(record);
		const limit = client.payloadLimit(topic.length, flags & QOS1);
		const length = encoder.writePayload(
			record,
			this.#clock.wallOffset,
			this.droppedCount(),
			limit,
			this.#valuesSent,
		);
		if (this.isResent() && (flags & QOS1) !== 0) flags |= DUP; // [MQTT-3.3.1-1]
		let packetId: PublishResult = REJECTED;
		try {
			// [MQTT-3.1.1:2.3.1-3]
			packetId = client.publish(topic, encoder.payload, length, flags, undefined, this.packetIdFor(sequence));
		} catch (error) {
			this.#device.trace(`report ${sequence} cannot be sent: ${error}`);
			outbox.dropUnsendable(sequence);
			return SKIPPED;
		}
		if (packetId === BUSY) return BLOCKED;
		if (packetId === REJECTED) {
			// Cached limits may be out of date: only the CONNACK of this connection is final.
			if (!this.#opened) return BLOCKED;
			this.markOversized(sequence, length - limit);
			return SKIPPED;
		}
		outbox.markSent();
		if (packetId > 0) this.track(packetId, sequence);
		if (encoder.valuesWritten > 0) return SENT;
		this.#lastSent = sequence;
		this.#device.event?.("publish", sequence, wasSent, packetId === 0 ? 0 : 1);
		if (packetId === 0) {
			if (this.#staysConnected && this.#opened) this.removeDelivered(sequence, 0);
			else this.#unconfirmedSequence = sequence;
		}
		return SENT;
	}

	/** Packet identifier of the next part; the first one's also identifies a report that is sent as a whole. */
	private packetIdFor(sequence: number): number {
		return 1 + ((sequence + this.#valuesSent * PART_STRIDE) % 65_535);
	}

	private droppedCount(): number {
		const words = this.#words;
		return words[WORD_DROPPED] + words[WORD_DROPPED + 1] + words[WORD_DROPPED + 2] + words[WORD_DROPPED + 3];
	}

	/** @param excess bytes by which the smallest packet with the record at the cursor is too large */
	private markOversized(sequence: number, excess: number): void {
		const { sendBuffer, host } = this.#settings.broker;
		const { maximumPacketSize } = this.#client.limits;
		const limit = maximumPacketSize < sendBuffer ? maximumPacketSize : sendBuffer;
		this.untrack(sequence);
		this.#outbox.markOversized();
		this.#device.event?.("oversized", sequence, limit + excess, limit);
		if (this.#oversizedTraced) return;
		this.#oversizedTraced = true;
		const { record } = this.#outbox;
		record.rewindValues();
		record.nextValue();
		const taker = maximumPacketSize < sendBuffer ? `the broker ${host} takes` : "sendBuffer holds";
		this.#device.trace(
			`report ${sequence} of ${this.#settings.sensors[record.sensor].name} needs a packet of ${limit + excess} bytes, ${taker} ${limit}: it waits for another limit, like all that are too large`,
		);
	}

	/** Flags for the record at the cursor. */
	private publishFlags(): number {
		const flags = this.#encoder.publishFlags(this.#outbox.record);
		return this.#client.limits.maximumQoS === 0 ? flags & ~QOS1 : flags; // [MQTT-3.2.2-11]
	}

	private track(packetId: number, sequence: number): void {
		const inFlightPackets = this.#inFlightPackets;
		let at = 0;
		while (inFlightPackets[at] !== 0) at += 2;
		inFlightPackets[at] = packetId;
		inFlightPackets[at + 1] = sequence;
		this.#inFlightCount++;
	}

	/** For the client. */
	onOpen(sessionPresent: boolean): void {
		this.#opened = true;
		if (this.#pipelineSuspected) {
			this.#pipelineSuspected = false;
			if (countPipelineRefusal(this.#retained, this.#clock.now))
				this.#device.trace("the broker refuses packets before CONNACK: waiting for it from now on");
		} else if (this.#pipelined) clearPipelineRefusals(this.#retained);
		const { limits } = this.#client;
		if (limits.maximumPacketSize !== this.#words[WORD_PACKET_SIZE] && this.#outbox.releaseOversized())
			this.#rewindPending = true;
		cacheLimits(this.#words, limits);
		this.#device.event?.("opened", sessionPresent, this.#clock.now - this.#connectStartedAt);
		this.#handler.onOpened();
		if (this.#staysConnected) this.confirmQoS0();
		this.pump();
	}

	/** For the client. */
	onAcknowledged(packetId: number, reasonCode: number): void {
		const inFlightPackets = this.#inFlightPackets;
		const { length } = inFlightPackets;
		for (let at = 0; at < length; at += 2) {
			if (inFlightPackets[at] !== packetId) continue;
			inFlightPackets[at] = 0;
			this.#inFlightCount--;
			this.onAnswer(inFlightPackets[at + 1], reasonCode);
			break;
		}
		if (this.#sendBlocked || this.#rewindPending) this.pump();
		else this.closeWhenDone();
	}

	private onAnswer(sequence: number, reasonCode: number): void {
		if (reasonCode >= UNSPECIFIED_ERROR) {
			// The broker has refused the report: it waits for another try, with all its parts.
			this.untrack(sequence);
			this.markRefused(sequence, reasonCode);
			return;
		}
		const unsentParts = this.#valuesSent > 0 && this.#partlySent === sequence;
		if (!unsentParts && !this.isInFlight(sequence)) this.removeDelivered(sequence, reasonCode);
	}

	/** Forgets parts of a report in flight: their answers do not count any more. */
	private untrack(sequence: number): void {
		const inFlightPackets = this.#inFlightPackets;
		const { length } = inFlightPackets;
		for (let at = 0; at < length; at += 2)
			if (inFlightPackets[at] !== 0 && inFlightPackets[at + 1] === sequence) {
				inFlightPackets[at] = 0;
				this.#inFlightCount--;
			}
	}

	private removeDelivered(sequence: number, reasonCode: number): void {
		const outbox = this.#outbox;
		const index = outbox.find(sequence);
		// The outbox dropped it while it was in flight, and has counted that.
		if (index < 0) return;
		if (this.#words[WORD_REFUSED_TOPICS] > 0) clearBackoff(this.#retained, this.topicIndexAt(index));
		this.#deliveredCount++;
		this.#device.event?.("acknowledged", sequence, outbox.waitingCount - 1, reasonCode);
		outbox.remove(index);
		this.#handler.onDelivered();
	}

	private markRefused(sequence: number, reasonCode: number): void {
		const index = this.#outbox.find(sequence);
		if (index < 0) return;
		this.#outbox.markRefused(index);
		const topic = this.topicIndexAt(index);
		const pauseMs = pauseTopic(this.#retained, topic, this.#clock.now, this.#settings.backoff, Math.random());
		if (pauseMs > 0) this.#handler.onRefused(topic, faultOf(reasonCode), reasonCode, pauseMs);
	}

	/**
	 * Call if the connection ended with reports in flight. Some brokers refuse a report by closing the
	 * connection; it is always the oldest, as they process reports in order. If this happens again, its topic
	 * is paused, and the next try skips it.
	 */
	private pauseOldestTopic(): void {
		// In a session, unanswered reports must be sent again at once.
		if (this.#encoder.grouped || this.#settings.sensors.length === 1 || !this.#settings.broker.cleanStart)
			return;
		const inFlightPackets = this.#inFlightPackets;
		const { length } = inFlightPackets;
		let oldest = 0;
		for (let at = 0; at < length; at += 2)
			if (inFlightPackets[at] !== 0 && (oldest === 0 || inFlightPackets[at + 1] < oldest))
				oldest = inFlightPackets[at + 1];
		const index = this.#outbox.find(oldest);
		if (index < 0) return;
		const topic = this.topicIndexAt(index);
		if (this.#words[WORD_FAILED_TRIES] === 0 && !wasRefused(this.#retained, topic)) return;
		pauseTopic(this.#retained, topic, this.#clock.now, this.#settings.backoff, Math.random());
	}

	/** Topic of a report at an index of the outbox. */
	private topicIndexAt(index: number): number {
		return this.#encoder.grouped ? 0 : this.#outbox.firstSensor(index);
	}

	/** The broker has read all QoS 0 reports sent so far: removes them from the outbox. */
	private confirmQoS0(): void {
		const last = this.#unconfirmedSequence;
		if (last === 0) return;
		const outbox = this.#outbox;
		const { record } = outbox;
		this.#unconfirmedSequence = 0;
		outbox.seek(0);
		while (outbox.next() && record.sequence <= last) {
			// CONNACK may have lowered the QoS since: a report sent with QoS 1 still waits for its own
			// acknowledgement.
			if (!record.wasSent || (this.publishFlags() & QOS1) !== 0 || this.isInFlight(record.sequence)) continue;
			// Reports on a paused topic were skipped: if one was sent, it was on an earlier connection.
			if (!wasRefused(this.#retained, this.#encoder.topicIndex(record)))
				this.removeDelivered(record.sequence, 0);
		}
		this.#sendBlocked = false;
		outbox.seek(this.#lastSent);
	}

	private isInFlight(sequence: number): boolean {
		const inFlightPackets = this.#inFlightPackets;
		const { length } = inFlightPackets;
		for (let at = 0; at < length; at += 2)
			if (inFlightPackets[at] !== 0 && inFlightPackets[at + 1] === sequence) return true;
		return false;
	}

	/** Closes the connection once everything was sent and acknowledged. */
	private closeWhenDone(): void {
		if (!this.#cursorAtEnd || this.#inFlightCount > 0) return;
		if (this.#staysConnected) return;
		// Only the broker's close confirms that it has read a QoS 0 report: an early DISCONNECT makes it close
		// early.
		if (this.#opened || this.#unconfirmedSequence > 0) this.#client.close();
	}

	/** For the client. */
	onClosed(error: ClientError | undefined): void {
		if (this.#aborted) {
			this.#aborted = false;
			return;
		}
		const handler = this.#handler;
		if (error?.pipelineRefused && this.#settings.broker.pipeline === "auto" && !this.#pipelineSuspected) {
			this.#pipelineSuspected = true;
			this.connect();
			return;
		}
		this.#pipelineSuspected = false;
		if (error === undefined && this.#opened) this.confirmQoS0();
		this.#device.event?.("closed", this.#deliveredCount);
		if (error !== undefined && this.#opened && this.#inFlightCount > 0) this.pauseOldestTopic();
		if (
			!this.#staysConnected &&
			this.#opened &&
			this.#cursorAtEnd &&
			this.#inFlightCount === 0 &&
			this.#unconfirmedSequence === 0
		)
			handler.onDone();
		else if (error === undefined) handler.onFailed("transport", 0, "the connection ended");
		else handler.onFailed(error.fault, error.reasonCode, error.message);
	}
}
