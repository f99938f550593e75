import { faultOf } from "../../client/errors";
import { QOS1, type ReasonCode, UNSPECIFIED_ERROR } from "../../mqtt/constants";
import { WORD_FAILED_TRIES, WORD_REFUSED_TOPICS } from "../retained/layout";
import { clearBackoff, pauseTopic, wasRefused } from "../retained/topic-backoff";
import type { ExchangeParts } from "./exchange-parts";

/** What the broker's answers do to the outbox: a report is removed, or its topic is paused. */
export class ReportAnswers {
	/** Reports delivered on this connection. */
	deliveredCount = 0;
	protected readonly parts: ExchangeParts;

	constructor(parts: ExchangeParts) {
		this.parts = parts;
	}

	/**
	 * The broker has answered a packet of a report.
	 * @param unsentParts whether other packets of it are still to be sent
	 */
	onAnswer(sequence: number, reasonCode: ReasonCode, unsentParts: boolean): void {
		const inFlight = this.parts.client.inFlight;
		if (reasonCode >= UNSPECIFIED_ERROR) {
			// The broker has refused the report: it waits for another try, with all its parts.
			inFlight.removeTag(sequence);
			this.markRefused(sequence, reasonCode);
		} else if (!unsentParts && !inFlight.hasTag(sequence)) this.removeDelivered(sequence, reasonCode);
	}

	/** PUBREC arrived for a report: from now on only PUBREL is sent for it, after a reset as well. */
	onReceived(sequence: number): void {
		const { outbox } = this.parts;
		const index = outbox.find(sequence);
		if (index >= 0) outbox.markReceived(index);
	}

	/** Removes a report that the broker has taken. */
	removeDelivered(sequence: number, reasonCode: ReasonCode): void {
		const parts = this.parts;
		const outbox = parts.outbox;
		const index = outbox.find(sequence);
		// The outbox dropped it while it was in flight, and has counted that.
		if (index < 0) return;
		const retained = parts.retained;
		if (retained.words[WORD_REFUSED_TOPICS] > 0) clearBackoff(retained, this.topicIndexAt(index));
		this.deliveredCount++;
		parts.device.event?.("acknowledged", sequence, outbox.waitingCount - 1, reasonCode);
		outbox.remove(index);
		parts.onDelivered();
	}

	private markRefused(sequence: number, reasonCode: ReasonCode): void {
		const { outbox, retained, clock, settings } = this.parts;
		const index = outbox.find(sequence);
		if (index < 0) return;
		outbox.markRefused(index);
		const topic = this.topicIndexAt(index);
		const pauseMs = pauseTopic(retained, topic, clock.now, settings.backoff, Math.random());
		if (pauseMs > 0) this.parts.onRefused(topic, faultOf(reasonCode), reasonCode, pauseMs);
	}

	/**
	 * Call if the connection ended with reports in flight. Some brokers refuse a report by closing the
	 * connection; it is always the oldest, as they process reports in order. If this happens again, its topic
	 * is paused, and the next try skips it.
	 */
	pauseOldestTopic(): void {
		const { outbox, retained, clock, settings, encoder, client } = this.parts;
		// In a session, unanswered reports must be sent again at once.
		if (encoder.grouped || settings.sensors.length === 1 || !settings.broker.cleanStart) return;
		const index = outbox.find(client.inFlight.smallestTag);
		if (index < 0) return;
		const topic = this.topicIndexAt(index);
		if (retained.words[WORD_FAILED_TRIES] === 0 && !wasRefused(retained, topic)) return;
		pauseTopic(retained, topic, clock.now, settings.backoff, Math.random());
	}

	/** The broker has read all QoS 0 reports up to a sequence number: removes them, and moves the cursor. */
	confirmQoS0(last: number): void {
		const { outbox, retained, encoder, client } = this.parts;
		const { record } = outbox;
		const { inFlight, negotiated } = client;
		outbox.seek(0);
		while (outbox.next() && record.sequence <= last) {
			// CONNACK may have lowered the QoS since: a report sent with QoS 1 or 2 still waits for its own
			// acknowledgement.
			if (!record.wasSent || encoder.publishFlags(record, negotiated.maximumQoS) >= QOS1) continue;
			if (inFlight.hasTag(record.sequence)) continue;
			// Reports on a paused topic were skipped: if one was sent, it was on an earlier connection.
			if (!wasRefused(retained, encoder.topicIndex(record))) this.removeDelivered(record.sequence, 0);
		}
	}

	/** Topic of a report at an index of the outbox. */
	private topicIndexAt(index: number): number {
		return this.parts.encoder.grouped ? 0 : this.parts.outbox.firstSensor(index);
	}
}
