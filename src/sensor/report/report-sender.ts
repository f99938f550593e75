import { BUSY, type PublishResult, REJECTED } from "../../client/client";
import { DUP, QOS1, QOS2 } from "../../mqtt/constants";
import { droppedReports, WORD_REFUSED_TOPICS } from "../retained/layout";
import { anyRetryDue, clearBackoff, isPaused, wasRefused } from "../retained/topic-backoff";
import type { ExchangeParts } from "./exchange-parts";
import type { ReportAnswers } from "./report-answers";

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
 * Sends the reports of the outbox, from its cursor on, as far as the broker and the send buffer take them.
 * Each packet has its report's sequence number as tag.
 *
 * Without Clean Start the outbox is the client's part of the session: the packet identifier of a report
 * derives from its sequence number, so that it is the same when sent again.
 */
export class ReportSender {
	/** Reports before the cursor may be sent after all. */
	rewindPending = false;
	/** The record at the outbox's cursor could not be sent yet. */
	sendBlocked = false;
	/** The cursor is after the newest report, and no diagnostics are to be sent. */
	cursorAtEnd = false;
	/**
	 * Sequence number of the last QoS 0 report sent on this connection, which only the end of the connection
	 * confirms; 0: none.
	 */
	unconfirmedSequence = 0;
	protected readonly parts: ExchangeParts;
	private readonly answers: ReportAnswers;
	/** Sequence number of the last report sent on this connection. */
	private lastSent = 0;
	/** Values of the record at the outbox's cursor that earlier packets hold: it is sent in parts. */
	protected valuesSent = 0;
	/** Sequence number of that record. */
	private partlySent = 0;
	/** An oversized report was traced on this connection. */
	private oversizedTraced = false;

	constructor(parts: ExchangeParts, answers: ReportAnswers) {
		this.parts = parts;
		this.answers = answers;
	}

	/** Call before a connection. */
	reset(): void {
		this.parts.outbox.rewind();
		this.unconfirmedSequence = this.lastSent = this.valuesSent = 0;
		this.sendBlocked = this.cursorAtEnd = this.rewindPending = this.oversizedTraced = false;
	}

	/** Everything was sent, and confirmed as far as it can be on an open connection. */
	get isIdle(): boolean {
		return this.cursorAtEnd && this.parts.client.inFlight.count === 0;
	}

	/** Whether packets of a report are still to be sent. */
	hasUnsentParts(sequence: number): boolean {
		return this.valuesSent > 0 && this.partlySent === sequence;
	}

	/** Sends pending reports that are not in flight; `cursorAtEnd` says whether all were sent or skipped. */
	send(): void {
		const outbox = this.parts.outbox;
		// With nothing in flight, the only pending reports before the cursor are those that were skipped.
		if (this.maySkip && this.isIdle && this.unconfirmedSequence === 0) this.rewindForRetry();
		this.cursorAtEnd = false;
		// What was sampled since may have taken its place.
		if (this.sendBlocked && outbox.record.sequence !== outbox.cursorSequence && !outbox.reload())
			this.sendBlocked = false;
		while (this.sendBlocked || outbox.next()) {
			this.sendBlocked = !this.mustSkip() && !this.sendReport();
			if (this.sendBlocked) return;
			this.valuesSent = 0;
		}
		this.cursorAtEnd = this.parts.diagnostics === undefined || this.parts.diagnostics.send(this.parts);
	}

	/** The broker has read all QoS 0 reports sent so far. */
	confirmQoS0(): void {
		const last = this.unconfirmedSequence;
		if (last === 0) return;
		this.unconfirmedSequence = 0;
		this.answers.confirmQoS0(last);
		this.sendBlocked = false;
		this.parts.outbox.seek(this.lastSent);
	}

	/** Whether reports before the cursor may have been skipped. */
	private get maySkip(): boolean {
		return this.rewindPending || this.parts.retained.words[WORD_REFUSED_TOPICS] > 0;
	}

	private rewindForRetry(): void {
		const { retained, clock, outbox } = this.parts;
		if (this.rewindPending || anyRetryDue(retained, clock.now)) outbox.rewind();
		this.rewindPending = false;
	}

	/** Whether to skip the record at the cursor: it is too large, or its topic is paused. */
	protected mustSkip(): boolean {
		const parts = this.parts;
		const record = parts.outbox.record;
		if (record.isOversized) return true;
		if (parts.retained.words[WORD_REFUSED_TOPICS] === 0) return false;
		const retained = parts.retained;
		const topic = parts.encoder.topicIndex(record);
		if (!wasRefused(retained, topic) || this.isResent()) return false;
		if (this.publishFlags() >= QOS1) return isPaused(retained, topic, parts.clock.now);
		clearBackoff(retained, topic);
		return false;
	}

	/** Whether the record at the cursor is still in flight in the resumed session. [MQTT-4.4.0-1] */
	protected isResent(): boolean {
		return this.parts.client.negotiated.sessionPresent && this.parts.outbox.record.isUnanswered;
	}

	/**
	 * Sends the record at the cursor, in the order of the sequence numbers [MQTT-4.6.0-1]; in parts if that
	 * makes its packets small enough for the broker. False: it cannot be sent now.
	 */
	private sendReport(): boolean {
		const record = this.parts.outbox.record;
		const sequence = record.sequence;
		if (record.isReceived) return this.release(sequence);
		if (this.partlySent !== sequence) this.valuesSent = 0;
		do {
			const result = this.sendPart();
			if (result !== SENT) return result === SKIPPED;
			this.partlySent = sequence;
			this.valuesSent = this.parts.encoder.valuesWritten;
		} while (this.valuesSent > 0);
		return true;
	}

	/**
	 * Goes on with a QoS 2 report that the broker has: with PUBREL in the session that both have kept
	 * [MQTT-4.3.3-6] [MQTT-4.4.0-1]; without one nothing is left to do, as with PUBREC the broker has taken
	 * over the message. False: not now.
	 */
	private release(sequence: number): boolean {
		const { client } = this.parts;
		if (!client.negotiated.isAgreed) return client.awaitWritable() !== BUSY;
		if (!client.negotiated.sessionPresent) this.answers.removeDelivered(sequence, 0);
		else if (client.release(this.packetIdFor(sequence), sequence) === BUSY) return false;
		else this.lastSent = sequence;
		return true;
	}

	private sendPart(): PartResult {
		const parts = this.parts;
		const encoder = parts.encoder;
		const client = parts.client;
		const record = parts.outbox.record;
		const sequence = record.sequence;
		const wasSent = parts.device.event !== undefined && record.wasSent;
		let flags = this.publishFlags();
		const qos = ((flags & (QOS1 | QOS2)) >> 1) as 0 | 1 | 2;
		let packetId: PublishResult = REJECTED;
		let topicEnd = 0;
		let end = 0;
		try {
			topicEnd = encoder.writeTopic(record);
			// With QoS 2 a report is one message: what is known of its delivery is one state.
			end = encoder.json
				? this.writePayload(qos === 2 ? Infinity : topicEnd + client.payloadLimit(topicEnd, qos), topicEnd)
				: encoder.writeBareValue(record, topicEnd);
			if (this.isResent() && qos > 0) flags |= DUP; // [MQTT-3.3.1-1]
			packetId = client.publishRange(
				encoder.message,
				0,
				topicEnd,
				end,
				flags,
				this.packetIdFor(sequence), // [MQTT-3.1.1:2.3.1-3]
				sequence,
			);
		} catch (error) {
			parts.device.trace(`report ${sequence} cannot be sent: ${error}`);
			parts.outbox.dropUnsendable(sequence);
			return SKIPPED;
		}
		if (packetId === BUSY) return BLOCKED;
		if (packetId === REJECTED) {
			// Cached limits may be out of date: only the CONNACK of this connection is final.
			if (!client.negotiated.isAgreed) return BLOCKED;
			this.markOversized(sequence, end - topicEnd - client.payloadLimit(topicEnd, qos));
			return SKIPPED;
		}
		this.markSent();
		if (encoder.valuesWritten > 0) return SENT;
		this.lastSent = sequence;
		parts.device.event?.("publish", sequence, wasSent, qos);
		if (packetId === 0) {
			if (parts.staysConnected && client.negotiated.isAgreed) this.answers.removeDelivered(sequence, 0);
			else this.unconfirmedSequence = sequence;
		}
		return SENT;
	}

	/** The record at the cursor, or a part of it, was staged. */
	protected markSent(): void {
		this.parts.outbox.markSent();
	}

	/** Packet identifier of the next part; the first one's also identifies a report that is sent as a whole. */
	private packetIdFor(sequence: number): number {
		return 1 + ((sequence + this.valuesSent * PART_STRIDE) % 65_535);
	}

	/**
	 * Writes the payload of the record at the cursor, or of its next part.
	 * @param limit where it must end @param start where it begins
	 * @returns where it ends
	 */
	protected writePayload(limit: number, start: number): number {
		const parts = this.parts;
		const encoder = parts.encoder;
		const record = parts.outbox.record;
		const { valuesSent, dropped } = this;
		return encoder.writePayload(record, parts.clock.wallOffset, dropped, limit, valuesSent, start);
	}

	/** Reports dropped since power-on. */
	protected get dropped(): number {
		return droppedReports(this.parts.retained.words);
	}

	/** @param excess bytes by which the smallest packet with the record at the cursor is too large */
	private markOversized(sequence: number, excess: number): void {
		const { outbox, client, device, settings } = this.parts;
		const { sendBuffer, host } = settings.broker;
		const { maximumPacketSize } = client.negotiated;
		const limit = maximumPacketSize < sendBuffer ? maximumPacketSize : sendBuffer;
		client.inFlight.removeTag(sequence);
		outbox.markOversized();
		device.event?.("oversized", sequence, limit + excess, limit);
		if (this.oversizedTraced) return;
		this.oversizedTraced = true;
		const record = outbox.record;
		record.rewindValues();
		record.nextValue();
		const taker = maximumPacketSize < sendBuffer ? `the broker ${host} takes` : "sendBuffer holds";
		device.trace(
			`report ${sequence} of ${settings.sensors[record.sensor].name} needs a packet of ${limit + excess} bytes, ${taker} ${limit}: it waits for another limit, like all that are too large`,
		);
	}

	/** Flags for the record at the cursor. */
	protected publishFlags(): number {
		return this.parts.encoder.publishFlags(this.parts.outbox.record, this.parts.client.negotiated.maximumQoS);
	}
}
