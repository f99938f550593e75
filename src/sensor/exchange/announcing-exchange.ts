import type { ClientError } from "../../client/client";
import type { ReasonCode } from "../../mqtt/constants";
import { ANNOUNCEMENT_TAG, Announcer, type AnnouncingNode } from "../discovery/announcer";
import { ReportExchange } from "./report-exchange";

/**
 * An exchange of reports that also announces the node. The announcement follows the reports: neither does it
 * delay them, nor does its failure count as theirs.
 */
export class AnnouncingExchange extends ReportExchange {
	private readonly announcer: Announcer;

	constructor(node: AnnouncingNode & ConstructorParameters<typeof ReportExchange>[0]) {
		super(node);
		this.announcer = new Announcer(node);
	}

	override connect(): void {
		this.announcer.begin();
		super.connect();
	}

	override pump(): void {
		if (!this.announcer.finishPayload()) return;
		super.pump();
		this.requestTurn();
	}

	override onWritable(): void {
		// Until a payload is complete, only its pieces may be sent.
		if (!this.announcer.finishPayload()) return;
		super.pump();
		this.announce();
	}

	override onAcknowledged(packetId: number, reasonCode: ReasonCode, tag: number): void {
		if (tag === ANNOUNCEMENT_TAG) this.announcer.onAnswer(reasonCode);
		else super.onAcknowledged(packetId, reasonCode, tag);
		this.requestTurn();
	}

	/** While there is something to announce, `announce` closes. */
	protected override closeWhenDone(): void {
		if (!this.announcer.isPending) super.closeWhenDone();
	}

	override onClosed(error: ClientError | undefined): void {
		this.announcer.onClosed(error === undefined && !this.aborted && this.parts.client.negotiated.isAgreed);
		super.onClosed(error);
	}

	/** The announcement follows once the reports were delivered. */
	private get isDue(): boolean {
		return this.announcer.isPending && this.sender.isIdle && this.parts.client.negotiated.isAgreed;
	}

	/** Goes on with the announcement in `onWritable`, as it needs the stack. */
	private requestTurn(): void {
		if (this.isDue) this.parts.client.notifyWritable();
		else if (!this.announcer.isPending) super.closeWhenDone();
	}

	private announce(): void {
		if (!this.isDue) return;
		const { announcer } = this;
		announcer.prepare();
		if (announcer.advance()) super.closeWhenDone();
		else announcer.finishPayload();
	}
}
