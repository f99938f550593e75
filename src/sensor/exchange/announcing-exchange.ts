import type { ClientError } from "../../client/client";
import type { Settings } from "../../config/types";
import type { ReasonCode } from "../../mqtt/constants";
import type { NodeCommands } from "../commands/node-commands";
import { ANNOUNCEMENT_TAG, Announcer, type AnnouncerDevice } from "../discovery/announcer";
import type { Outbox } from "../outbox/outbox";
import type { Diagnostics } from "../report/diagnostics";
import type { ExchangeParts, ReportExchangeHandler } from "../report/exchange-parts";
import type { ReportEncoder } from "../report/report-encoder";
import type { RetainedState } from "../retained/retained-state";
import type { DerivedSettings } from "../settings/derived-settings";
import type { NodeClock } from "../time/node-clock";
import { ReportExchange } from "./report-exchange";

/**
 * An exchange of reports that also announces the node. The announcement follows the reports: neither does it
 * delay them, nor does its failure count as theirs.
 */
export class AnnouncingExchange extends ReportExchange {
	private readonly announcer: Announcer;

	constructor(
		network: ExchangeParts["device"],
		settings: Settings,
		staysConnected: boolean,
		retained: RetainedState,
		outbox: Outbox,
		encoder: ReportEncoder,
		clock: NodeClock,
		handler: ReportExchangeHandler,
		diagnostics: Diagnostics | undefined,
		commands: NodeCommands | undefined,
		derived: DerivedSettings,
		device: AnnouncerDevice,
		announcedEnd: number,
	) {
		super(
			network,
			settings,
			staysConnected,
			retained,
			outbox,
			encoder,
			clock,
			handler,
			diagnostics,
			commands,
		);
		const { discovery } = settings;
		if (discovery === undefined) throw new Error("nothing is to be announced");
		const hash = derived.announcementHash ?? 0;
		const { memory } = retained;
		this.announcer = new Announcer(
			this.parts.client,
			settings,
			discovery,
			device,
			memory,
			announcedEnd,
			hash,
			staysConnected,
		);
	}

	override connect(): void {
		this.announcer.begin();
		super.connect();
	}

	/** Until a payload is complete, only its pieces may be sent. */
	override pump(): void {
		if (!this.announcer.finishPayload()) return;
		super.pump();
		this.announce();
	}

	override onAcknowledged(packetId: number, reasonCode: ReasonCode, tag: number): void {
		if (tag === ANNOUNCEMENT_TAG) this.announcer.onAnswer(reasonCode);
		else super.onAcknowledged(packetId, reasonCode, tag);
		this.announce();
	}

	/** While there is something to announce, `announce` closes. */
	protected override closeWhenDone(): void {
		if (!this.announcer.isPending) super.closeWhenDone();
	}

	override onClosed(error: ClientError | undefined): void {
		this.announcer.onClosed(error === undefined && !this.aborted && this.parts.client.negotiated.isAgreed);
		super.onClosed(error);
	}

	/**
	 * Goes on with the announcement once the reports were delivered. Called after everything else has returned,
	 * as it needs the stack.
	 */
	private announce(): void {
		const { announcer } = this;
		if (!announcer.isPending || !this.sender.isIdle || !this.parts.client.negotiated.isAgreed) return;
		announcer.prepare();
		if (announcer.advance()) super.closeWhenDone();
		else announcer.finishPayload();
	}
}
