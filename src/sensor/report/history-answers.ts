import { type ReasonCode, UNSPECIFIED_ERROR } from "../../mqtt/constants";
import type { ExchangeParts } from "./exchange-parts";
import { ReportAnswers } from "./report-answers";
import type { SharedMessages } from "./shared-messages";

/** An answer to a message that reports share holds for all of them. */
export class HistoryAnswers extends ReportAnswers {
	private readonly shared: SharedMessages;

	constructor(parts: ExchangeParts, shared: SharedMessages) {
		super(parts);
		this.shared = shared;
	}

	override onAnswer(sequence: number, reasonCode: ReasonCode, unsentParts: boolean): void {
		const { shared } = this;
		super.onAnswer(sequence, reasonCode, unsentParts);
		if (!shared.findAnswered(sequence)) return;
		if (reasonCode >= UNSPECIFIED_ERROR) shared.release();
		else
			for (let next = shared.nextDelivered(); next > 0; next = shared.nextDelivered())
				this.removeDelivered(next, reasonCode);
	}
}
