import { Client, type ClientError, type ClientHandler } from "../../client/client";
import type { ReasonCode } from "../../mqtt/constants";
import type { Packet } from "../../mqtt/packet";
import type { PropertyReader } from "../../mqtt/property-reader";
import { CommandExchange, FIRST_ANSWER_TAG } from "../commands/command-exchange";
import {
	type CommandParts,
	FETCH_IMAGE,
	MESSAGES_LEFT,
	OUTBOX_CLEARED,
	RESTART,
	SAMPLE_ALL,
} from "../commands/command-execution";
import type { NodeCommands } from "../commands/node-commands";
import type { ExchangeParts } from "../report/exchange-parts";
import { HistoryAnswers } from "../report/history-answers";
import { HistorySender } from "../report/history-sender";
import { ReportAnswers } from "../report/report-answers";
import { ReportSender } from "../report/report-sender";
import { SharedMessages } from "../report/shared-messages";
import {
	cachedLimits,
	cacheLimits,
	clearPipelineRefusals,
	countPipelineRefusal,
	mayHaveForeignSession,
	mayPipeline,
	ownSession,
} from "../retained/broker-limits";
import { WORD_PACKET_SIZE } from "../retained/layout";

/** The parts of a node that may take commands. */
interface CommandedParts extends CommandParts {
	/** Absent if it takes none. */
	readonly commands?: NodeCommands;
}

/** What the console says where a node that stays connected ends its connection by itself. */
export const RECONNECTING = "a command waits for room for its answer: connecting anew";

/**
 * Delivers the outbox over one connection: sends as many reports as the broker's limits and the send buffer
 * allow, continues with each acknowledgement, and closes after the last one; with `staysConnected` it waits
 * for more. Reports on a refused topic wait until its pause ends.
 *
 * Without Clean Start, a report that was sent and not answered waits for CONNACK, which decides whether it is
 * sent again or as a new message.
 */
export class ReportExchange implements ClientHandler {
	protected readonly parts: ExchangeParts;
	private readonly answers: ReportAnswers;
	protected readonly sender: ReportSender;
	private connectStartedAt = 0;
	protected aborted = false;
	/**
	 * The broker closed the connection after packets before CONNACK; a connection without them shows whether
	 * they were the cause.
	 */
	private pipelineSuspected = false;
	/** Packets may leave before CONNACK on this connection. */
	private pipelined = false;
	/** Only on a node that takes commands. */
	declare private readonly commands?: CommandExchange;
	/** The broker has a session that is not this node's: the next connection discards it. */
	declare private discards?: boolean;
	/** This connection is to end for that, or for messages that it left, and another one follows. */
	declare private reconnects?: boolean;
	/** The node starts anew once all answers have arrived. */
	declare private restartPending?: boolean;

	/** @param parts they get their client here @throws as `Client` does */
	constructor(parts: CommandedParts) {
		const { settings, commands } = parts;
		parts.client = new Client(settings.broker, this, parts.network);
		this.parts = parts;
		if (settings.payload === "history") {
			const shared = new SharedMessages(parts);
			this.answers = new HistoryAnswers(parts, shared);
			this.sender = new HistorySender(parts, this.answers, shared);
		} else {
			this.answers = new ReportAnswers(parts);
			this.sender = new ReportSender(parts, this.answers);
		}
		if (commands !== undefined) this.commands = new CommandExchange(commands, parts);
	}

	/** Whether the connection is being opened, open or being closed. */
	get busy(): boolean {
		return !this.parts.client.isClosed;
	}

	/** CONNACK has accepted the last connection. */
	get isAccepted(): boolean {
		return this.parts.client.negotiated.isAgreed;
	}

	/** Nothing is left but the end of the connection, which the node has asked for. */
	get isDelivered(): boolean {
		const { client } = this.parts;
		return (
			client.state === "closing" && this.isAccepted && this.hasDelivered && this.commands?.isDone !== false
		);
	}

	/** No report waits to be sent, or for an answer. */
	private get hasDelivered(): boolean {
		return this.sender.isIdle && this.sender.unconfirmedSequence === 0;
	}

	/** Connects; reports are sent as soon as the broker accepts them. */
	connect(): void {
		const { device, retained, outbox, clock, client } = this.parts;
		this.sender.reset();
		this.commands?.reset();
		this.parts.diagnostics?.reset();
		this.answers.deliveredCount = 0;
		this.connectStartedAt = clock.now;
		const pipeline = this.mayPipeline();
		this.pipelined = pipeline;
		device.event?.("open", pipeline, outbox.waitingCount);
		client.open({
			pipeline,
			limits: cachedLimits(retained.words),
			...(this.discards ? { cleanStart: true } : {}),
		});
	}

	/**
	 * Sends pending reports that are not in flight. Call it when the outbox has grown or a pause has ended.
	 * Allocates nothing.
	 */
	pump(): void {
		this.sender.send();
		this.commands?.onWritable();
		this.closeWhenDone();
	}

	/** As {@link pump}, without an end of the connection. */
	protected sendReports(): void {
		this.sender.send();
		this.commands?.onWritable();
	}

	/**
	 * Executes the command that waits, or ends listening for commands.
	 * @returns whether all sensors are to be sampled and reported: then call {@link pump}
	 */
	runCommandStep(): boolean {
		const result = this.commands?.step();
		if (result === SAMPLE_ALL) return true;
		if (result === OUTBOX_CLEARED) this.sender.reset();
		if (result === RESTART) this.endRun();
		if (result === FETCH_IMAGE) this.parts.onImageDue();
		// Only another connection brings them; that of a node which sleeps ends by itself.
		if (result === MESSAGES_LEFT && this.parts.staysConnected) {
			this.reconnects = true;
			this.parts.device.trace(RECONNECTING);
		}
		this.pump();
		return false;
	}

	/** The connection ends once everything is delivered, and the node starts anew. */
	endRun(): void {
		this.restartPending = true;
	}

	/** For the client. */
	onWritable(): void {
		this.pump();
	}

	/** Drops the connection; the handler is not called any more. */
	abort(): void {
		if (!this.busy) return;
		this.aborted = true;
		this.parts.client.abort();
	}

	private mayPipeline(): boolean {
		const { settings, outbox, retained } = this.parts;
		const { pipeline, cleanStart } = settings.broker;
		if (!cleanStart && outbox.unanswered) return false;
		if (mayHaveForeignSession(retained, settings)) return false;
		if (pipeline !== "auto") return pipeline;
		return !this.pipelineSuspected && mayPipeline(retained, this.connectStartedAt);
	}

	/** For the client. */
	onOpen(sessionPresent: boolean, properties: PropertyReader): void {
		const { device, settings, retained, outbox, clock, client } = this.parts;
		this.parts.onOpened();
		if (mayHaveForeignSession(retained, settings)) {
			// In MQTT 3.1.1 a session that begins clean ends with its connection (§3.1.2.4).
			this.reconnects = sessionPresent || (this.discards === true && settings.broker.version === 4);
			this.discards = sessionPresent;
			if (!sessionPresent) {
				ownSession(retained);
				outbox.recordSession();
			}
			if (this.reconnects) {
				client.close();
				return;
			}
		}
		if (this.pipelineSuspected) {
			this.pipelineSuspected = false;
			if (countPipelineRefusal(retained, clock.now))
				device.trace("the broker refuses packets before CONNACK: waiting for it from now on");
		} else if (this.pipelined) clearPipelineRefusals(retained);
		const negotiated = client.negotiated;
		if (negotiated.maximumPacketSize !== retained.words[WORD_PACKET_SIZE] && outbox.releaseOversized())
			this.sender.rewindPending = true;
		cacheLimits(retained.words, negotiated);
		device.event?.("opened", sessionPresent, clock.now - this.connectStartedAt);
		this.commands?.onOpen(sessionPresent, properties);
		if (this.parts.staysConnected) this.sender.confirmQoS0();
		// Goes on in onWritable(), at the end of the turn, where the stack has what the decoder takes here.
		client.awaitWritable();
	}

	/** For the client. @param sequence tag of the packet */
	onReceived(_packetId: number, sequence: number): void {
		this.answers.onReceived(sequence);
	}

	/** For the client. @param sequence tag of the packet; 0: its report was refused or is too large */
	onAcknowledged(_packetId: number, reasonCode: ReasonCode, sequence: number): void {
		const sender = this.sender;
		if (sequence >= FIRST_ANSWER_TAG) this.commands?.onAnswered(sequence, reasonCode);
		else if (sequence > 0) this.answers.onAnswer(sequence, reasonCode, sender.hasUnsentParts(sequence));
		if (sender.sendBlocked || sender.rewindPending) this.pump();
		else this.closeWhenDone();
	}

	/** For the client. */
	onMessage(packet: Packet): void {
		this.commands?.onMessage(packet);
	}

	/** For the client. */
	onPayload(bytes: Uint8Array, start: number, end: number, last: boolean): void {
		this.commands?.onPayload(bytes, start, end, last);
		if (last) this.closeWhenDone();
	}

	/** For the client. */
	onReleased(packetId: number): void {
		this.commands?.onReleased(packetId);
		this.closeWhenDone();
	}

	/** For the client. */
	onSubscribed(packet: Packet): void {
		this.commands?.onSubscribed(packet);
		this.closeWhenDone();
	}

	/** Closes the connection once everything was sent, acknowledged and executed. */
	protected closeWhenDone(): void {
		const parts = this.parts;
		if ((parts.staysConnected && !this.restartPending && !this.reconnects) || !this.sender.isIdle) return;
		const client = parts.client;
		const commands = this.commands;
		if (commands !== undefined && !(client.negotiated.isAgreed && commands.isDone)) return;
		// Only the broker's close confirms that it has read a QoS 0 report: an early DISCONNECT makes it close
		// early.
		if (client.negotiated.isAgreed || this.sender.unconfirmedSequence > 0) client.close();
	}

	/** For the client. */
	onClosed(error: ClientError | undefined): void {
		if (this.aborted) {
			this.aborted = false;
			return;
		}
		const { device, settings, client, staysConnected } = this.parts;
		if (this.reconnects) {
			this.reconnects = false;
			if (error === undefined) {
				this.connect();
				return;
			}
		}
		if (error?.pipelineRefused && settings.broker.pipeline === "auto" && !this.pipelineSuspected) {
			this.pipelineSuspected = true;
			this.connect();
			return;
		}
		this.pipelineSuspected = false;
		const opened = client.negotiated.isAgreed;
		if (error === undefined && opened) {
			this.sender.confirmQoS0();
			this.parts.diagnostics?.confirm(this.parts.clock.now);
		}
		device.event?.("closed", this.answers.deliveredCount);
		if (this.restartPending) {
			this.parts.onRestart();
			return;
		}
		if (error !== undefined && opened) {
			// What the broker's answers have shown, which the wake after sleep would not know
			cacheLimits(this.parts.retained.words, client.negotiated);
			if (client.inFlight.count > 0) this.answers.pauseOldestTopic();
		}
		if (!staysConnected && opened && this.hasDelivered) this.parts.onDone();
		else if (error === undefined) this.parts.onFailed("transport", 0, "the connection ended");
		else this.parts.onFailed(error.fault, error.reasonCode, error.message);
	}
}
