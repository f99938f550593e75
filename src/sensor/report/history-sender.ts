import { QOS1, QOS2 } from "../../mqtt/constants";
import type { ExchangeParts } from "./exchange-parts";
import type { ReportAnswers } from "./report-answers";
import { ReportSender } from "./report-sender";
import type { SharedMessages } from "./shared-messages";

const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;

/**
 * Sends reports as arrays (`payload: "history"`): with QoS 1, what has waited on a topic shares a message.
 * With QoS 2 a message holds one report, as what is known of its delivery is the state of one report; and
 * with QoS 0, as nothing is acknowledged that all of them could wait for.
 */
export class HistorySender extends ReportSender {
	private readonly shared: SharedMessages;

	constructor(parts: ExchangeParts, answers: ReportAnswers, shared: SharedMessages) {
		super(parts, answers);
		this.shared = shared;
	}

	override reset(): void {
		super.reset();
		this.shared.reset();
	}

	override confirmQoS0(): void {
		// CONNACK has lowered the QoS of what was sent: reports in flight would pass for some with QoS 0.
		if (this.parts.client.negotiated.maximumQoS === 0 && !this.shared.isEmpty) return;
		super.confirmQoS0();
	}

	protected override mustSkip(): boolean {
		const { record } = this.parts.outbox;
		return this.shared.holds(record.bytes, record.sequence) || super.mustSkip();
	}

	protected override markSent(): void {
		super.markSent();
		this.shared.markJoined();
	}

	/** Does not call the method that it replaces: nowhere is the stack of a wake deeper. */
	protected override writePayload(limit: number, start: number): number {
		const { outbox, encoder, clock } = this.parts;
		const { valuesSent, dropped } = this;
		this.shared.begin();
		const room = limit - 1;
		const end = encoder.writePayload(outbox.record, clock.wallOffset, dropped, room, valuesSent, start + 1);
		// In tail position, whose frame XS drops first
		return this.closeArray(start, end, limit);
	}

	/**
	 * @param start of the array @param end of its first element @param limit where it must end
	 * @returns where it ends, with the reports that share it
	 */
	private closeArray(start: number, end: number, limit: number): number {
		const { encoder } = this.parts;
		const bytes = encoder.message;
		bytes[start] = OPENING_BRACKET;
		bytes[end] = CLOSING_BRACKET;
		const flags = this.publishFlags();
		if (this.valuesSent > 0 || encoder.valuesWritten > 0 || (flags & (QOS1 | QOS2)) !== QOS1) return end + 1;
		if (this.wasLost()) return end + 1;
		return this.shared.extend(end + 1, limit, flags, this.isResent());
	}

	/**
	 * Whether the record at the cursor was sent over MQTT 3.1.1, which knows no Maximum Packet Size: a broker
	 * can only close the connection on a packet that it does not take. What was lost once goes alone.
	 */
	private wasLost(): boolean {
		const { client, outbox } = this.parts;
		return client.negotiated.version === 4 && outbox.record.wasSent && !this.isResent();
	}
}
