import { QOS1, QOS2 } from "../../mqtt/constants";
import type { ExchangeParts } from "./exchange-parts";
import type { ReportAnswers } from "./report-answers";
import { type PartResult, ReportSender, SENT } from "./report-sender";
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

	protected override sendPart(): PartResult {
		this.shared.begin();
		const result = super.sendPart();
		if (result === SENT) this.shared.markJoined();
		return result;
	}

	protected override writePayload(limit: number, start: number): number {
		const { encoder } = this.parts;
		const isFirst = this.valuesSent === 0;
		const end = super.writePayload(limit - 1, start + 1);
		const bytes = encoder.message;
		bytes[start] = OPENING_BRACKET;
		bytes[end] = CLOSING_BRACKET;
		const flags = this.publishFlags();
		if (!isFirst || encoder.valuesWritten > 0 || (flags & (QOS1 | QOS2)) !== QOS1) return end + 1;
		return this.shared.extend(end + 1, limit, flags, this.isResent());
	}
}
