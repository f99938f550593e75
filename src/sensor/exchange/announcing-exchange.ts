import type { ClientError } from "../../client/client";
import type { ReasonCode } from "../../mqtt/constants";
import {
	ANNOUNCEMENT_TAG,
	ANNOUNCES,
	Announcer,
	type AnnouncingNode,
	beginTurn,
	endTurn,
} from "../discovery/announcer";
import { ReportExchange } from "./report-exchange";

/**
 * An exchange of reports that also announces the node. The announcement follows the reports: neither does it
 * delay them, nor does its failure count as theirs.
 */
export class AnnouncingExchange extends ReportExchange {
	declare protected readonly parts: ReportExchange["parts"] & AnnouncingNode;
	/** See `beginTurn`. */
	private turn = 0;
	/** Made when the reports of a connection are delivered, and gone with it, or when all is announced. */
	private announcer: Announcer | undefined = undefined;

	override connect(): void {
		this.turn = beginTurn(this.parts);
		super.connect();
	}

	override pump(): void {
		if (this.announcer?.finishPayload() === false) return;
		super.pump();
	}

	override onWritable(): void {
		// Until a payload is complete, only its pieces may be sent.
		if (this.announcer?.finishPayload() === false) return;
		this.sendReports();
		if (this.isDue) this.announce();
		else if (!this.isPending) super.closeWhenDone();
	}

	override onAcknowledged(packetId: number, reasonCode: ReasonCode, tag: number): unknown {
		// In tail position, whose frame XS drops first
		if (tag !== ANNOUNCEMENT_TAG) return super.onAcknowledged(packetId, reasonCode, tag);
		this.announcer?.onAnswer(reasonCode);
		this.settleTurn();
		return this.closeWhenDone();
	}

	/** While there is something to announce, `announce` closes, in `onWritable`: it needs the stack. */
	protected override closeWhenDone(): void {
		if (this.isDue) this.parts.client.notifyWritable();
		else if (!this.isPending) super.closeWhenDone();
	}

	override onClosed(error: ClientError | undefined): void {
		this.announcer?.onClosed();
		this.settleTurn();
		this.announcer = undefined;
		endTurn(
			this.parts,
			this.turn,
			error === undefined && !this.aborted && this.parts.client.negotiated.isAgreed,
		);
		super.onClosed(error);
	}

	private get isPending(): boolean {
		return (this.turn & ANNOUNCES) !== 0;
	}

	/** The next message may be sent: the reports were delivered, and so was the message before. */
	private get isDue(): boolean {
		return (
			this.isPending &&
			this.announcer?.inFlight !== true &&
			this.sender.isIdle &&
			this.parts.client.negotiated.isAgreed
		);
	}

	private announce(): void {
		this.announcer ??= this.makeAnnouncer();
		const { announcer } = this;
		announcer.prepare();
		const isOver = announcer.advance();
		this.settleTurn();
		if (isOver) super.closeWhenDone();
		else announcer.finishPayload();
	}

	/** A node that sleeps has nothing to report any more, unless a command asks. */
	private makeAnnouncer(): Announcer {
		const { encoder, staysConnected } = this.parts;
		if (!staysConnected) encoder.release();
		return new Announcer(this.parts, this.turn);
	}

	/** Takes over what the announcer has found, which is over once it has nothing left to send. */
	private settleTurn(): void {
		const { announcer } = this;
		if (announcer === undefined) return;
		this.turn = announcer.turn;
		if (!this.isPending) this.announcer = undefined;
	}
}
