import { BUSY, REJECTED } from "../../client/client";
import { DUP, NO_LOCAL, QOS1, UNSPECIFIED_ERROR } from "../../mqtt/constants";
import type { Packet } from "../../mqtt/packet";
import type { Subscription } from "../../mqtt/packet-fields";
import type { PropertyReader } from "../../mqtt/property-reader";
import { PropertyWriter } from "../../mqtt/property-writer";
import { WORD_SEQUENCE } from "../retained/layout";
import { fillTopic, type TopicTemplate } from "../settings/topic";
import { completeAnswer, isAnswerDone, owedAnswers, readAnswer, type StoredAnswer } from "./answer-area";
import { CommandExecution, type CommandParts, type CommandResult, NOTHING_MORE } from "./command-execution";
import { IncomingCommand } from "./incoming-command";
import type { NodeCommands } from "./node-commands";
import { queuedMessages } from "./session-hints";

/** Tags of answers, by their index in the area: above the sequence numbers of all reports. */
export const FIRST_ANSWER_TAG = 0xffff_ff00;
/** Answers have packet identifiers from 65,535 down, so many of them. */
const ANSWER_IDS = 256;
/**
 * Distance between the packet identifiers of the next report and of SUBSCRIBE: far from all reports that may
 * wait, and from their parts (report-sender.ts).
 */
const SUBSCRIBE_DISTANCE = 4096;
/**
 * Connections in a row that end with an answer sent and none acknowledged, after which these are given up:
 * some brokers close the connection at a topic that they refuse.
 */
export const ANSWER_TRIES = 5;
/** Connections without another SUBSCRIBE after the broker has refused one. */
export const SUBSCRIBE_PAUSE = 60;

/** Subscription options: QoS 2, retained messages only if the subscription is new (§3.8.3.1). */
const QOS2_NEW_ONLY = 2 | (1 << 4);

// What keeps the connection open, as bits
/** Messages may still come. */
const LISTENING = 1;
/** SUBSCRIBE is to be sent. */
const SUBSCRIBE_DUE = 2;
const SUBACK_AWAITED = 4;
const STAYS = LISTENING | SUBSCRIBE_DUE | SUBACK_AWAITED;
// Beside them
/** The client takes nothing before the next {@link CommandExchange.onWritable}. */
const BLOCKED = 8;
/** The session may be one that an earlier CONNECT began, whose CONNACK did not arrive. */
const SESSION_UNCERTAIN = 16;
/** The outcome of an update is known to the broker, which storage does not say yet. */
const OUTCOME_TOLD = 32;

/**
 * Commands on one connection: subscribes if the session lacks the subscription, listens for what the broker
 * has queued, executes one command after the other from an empty stack, and sends the answers. A message is
 * acknowledged when its command was executed and its answer is in retained memory.
 */
export class CommandExchange {
	private readonly commands: NodeCommands;
	private readonly parts: CommandParts;
	/** The message that is being read or waits for its execution. */
	declare private message: IncomingCommand | undefined;
	/** Messages that the broker has announced and that have not arrived; −1: it announces none. */
	private expected = 0;
	private flags = 0;
	/** Node time until which messages are awaited. */
	private listensUntil = 0;
	/** A bit for each answer that was sent on this connection. */
	private sentAnswers = 0;

	constructor(commands: NodeCommands, parts: CommandParts) {
		this.commands = commands;
		this.parts = parts;
	}

	/** Whether the connection is not needed any more. */
	get isDone(): boolean {
		const { memory, update } = this.commands;
		if (update?.isConfirmDue || this.commands.isOutcomeDue) return false;
		return (
			(this.flags & (STAYS | OUTCOME_TOLD)) === 0 && this.message === undefined && owedAnswers(memory) === 0
		);
	}

	/** Call before a connection. */
	reset(): void {
		const { memory } = this.commands;
		const { client } = this.parts;
		if (this.message !== undefined) this.message = undefined;
		this.expected = this.flags = this.sentAnswers = 0;
		client.clearIncomingIds();
		for (let i = 0; i < memory.receivedCount; i++) client.incomingIds.add(memory.receivedId(i));
		if (memory.isConnackAwaited) {
			// Nor is it a try for the answers, where the broker was not there.
			this.flags |= SESSION_UNCERTAIN;
			return;
		}
		memory.isConnackAwaited = true;
		const unanswered = memory.answersSent & ~memory.answersDone;
		if (unanswered === 0) return;
		if (memory.answerTries < ANSWER_TRIES) memory.answerTries++;
		else {
			this.parts.device.trace("the broker acknowledges no answer: they are given up");
			for (let i = memory.answerCount - 1; i >= 0; i--)
				if (((unanswered >> i) & 1) !== 0) this.complete(i, readAnswer(memory, i));
			memory.answerTries = 0;
		}
		memory.commit();
	}

	/** CONNACK has arrived. */
	onOpen(sessionPresent: boolean, properties: PropertyReader): void {
		const { memory } = this.commands;
		memory.isConnackAwaited = false;
		if (!sessionPresent) {
			// [MQTT-3.2.2-5]
			memory.clearReceived();
			if (memory.answersSent !== 0) memory.answersSent = 0;
		}
		if (memory.subscribed !== 0 && (!sessionPresent || (this.flags & SESSION_UNCERTAIN) !== 0))
			memory.subscribed = 0;
		if (memory.subscribed !== this.subscriptionHash) {
			if (memory.subscribePause === 0) this.flags |= SUBSCRIBE_DUE;
			else memory.subscribePause--;
		}
		memory.commit();
		if (!sessionPresent || this.parts.staysConnected) return;
		const queued = queuedMessages(properties);
		// What was received before is repeated, and not delivered again
		this.expected = queued > 0 ? Math.max(queued - memory.receivedCount, 0) : queued;
		if (this.expected !== 0 || memory.receivedCount > 0) this.listen();
		this.schedule();
	}

	/** The client may take SUBSCRIBE or answers. */
	onWritable(): void {
		this.flags &= ~BLOCKED;
		if (this.parts.client.negotiated.isAgreed && this.hasWork) this.parts.startCommandTimer(1);
	}

	/** A message arrives: its header. */
	onMessage(packet: Packet): void {
		if (this.expected > 0) this.expected--;
		// Empty: a retained command was cleared
		if (packet.payloadLength > 0 && this.isOnTopic(packet)) this.message = new IncomingCommand(packet);
	}

	/** Its payload. The command is executed in {@link step}. */
	onPayload(bytes: Uint8Array, start: number, end: number, last: boolean): void {
		const { message } = this;
		message?.addPayload(bytes, start, end, last);
		if (!last) return;
		if (message !== undefined) this.parts.client.pause();
		else this.listenOn();
		this.schedule();
	}

	/** PUBREL: the broker will not repeat a QoS 2 message. */
	onReleased(packetId: number): void {
		const { memory } = this.commands;
		memory.removeReceived(packetId);
		memory.commit();
		this.listenOn();
		this.schedule();
	}

	onSubscribed(packet: Packet): void {
		this.flags &= ~SUBACK_AWAITED;
		const { memory } = this.commands;
		if (packet.nextReason() && packet.reasonCode < UNSPECIFIED_ERROR)
			memory.subscribed = this.subscriptionHash;
		else this.pauseSubscribing();
		memory.commit();
	}

	/** The broker has taken or refused an answer. @param tag with which it was sent */
	onAnswered(tag: number, reasonCode: number): void {
		const { memory } = this.commands;
		const index = tag - FIRST_ANSWER_TAG;
		const answer = readAnswer(memory, index);
		// It has acknowledged what was sent after the acknowledgement of the command.
		if (answer !== undefined) memory.forgetPacketId(answer.identity, answer.packetId);
		this.complete(index, answer);
		memory.answerTries = 0;
		memory.commit();
		if (reasonCode >= UNSPECIFIED_ERROR) this.parts.device.trace("the broker does not take an answer");
		if (this.hasWork) this.schedule();
	}

	/** An answer has reached the broker, or cannot. The caller commits. */
	private complete(index: number, answer: StoredAnswer | undefined): void {
		const { memory, update } = this.commands;
		if (answer !== undefined && update?.isOutcome(answer.identity)) this.flags |= OUTCOME_TOLD;
		completeAnswer(memory, index);
		if (memory.answerCount === 0) this.sentAnswers = 0;
	}

	/** The timer has passed: executes the command that waits, sends what is to be sent, or ends listening. */
	step(): CommandResult {
		const { message, parts } = this;
		const { update } = this.commands;
		let result: CommandResult = NOTHING_MORE;
		if (update?.isConfirmDue) update.confirm();
		if ((this.flags & OUTCOME_TOLD) !== 0) update?.onOutcomeTold();
		this.flags &= ~OUTCOME_TOLD;
		if (this.commands.isOutcomeDue) this.commands.addOutcomes();
		if (message?.isComplete) {
			this.message = undefined;
			result = new CommandExecution(this.commands, parts).execute(message);
			parts.client.resume();
			this.listenOn();
		} else if (this.listensUntil <= parts.clock.now) this.flags &= ~LISTENING;
		// Not in sendAnswers(), whose frame would be below the deepest call of a wake
		if ((this.flags & SUBSCRIBE_DUE) === 0 || this.subscribe()) this.sendAnswers();
		this.schedule();
		return result;
	}

	/**
	 * Requests the next {@link step}, which is made from an empty stack: at once if there is something to do,
	 * else at the end of listening.
	 */
	schedule(): void {
		const { parts } = this;
		if (this.hasWork) parts.startCommandTimer(1);
		else if ((this.flags & LISTENING) === 0) parts.startCommandTimer(0);
		else parts.startCommandTimer(Math.max(this.listensUntil - parts.clock.now, 1));
	}

	private get hasWork(): boolean {
		if (this.message?.isComplete || this.commands.update?.isConfirmDue) return true;
		if ((this.flags & OUTCOME_TOLD) !== 0 || this.commands.isOutcomeDue) return true;
		if ((this.flags & BLOCKED) !== 0) return false;
		return (this.flags & SUBSCRIBE_DUE) !== 0 || this.nextAnswer() >= 0;
	}

	/** The next answer to send on this connection; −1: none. */
	private nextAnswer(): number {
		const { memory } = this.commands;
		const { answerCount } = memory;
		for (let i = 0; i < answerCount; i++)
			if (((this.sentAnswers >> i) & 1) === 0 && !isAnswerDone(memory, i)) return i;
		return -1;
	}

	/** Sends answers, as far as the connection takes them. */
	private sendAnswers(): void {
		const { client } = this.parts;
		// An acknowledged answer is to mean that the command's acknowledgement, before it, has arrived too
		if (client.owesAcknowledgement) return;
		for (let i = this.nextAnswer(); i >= 0; i = this.nextAnswer()) if (!this.sendAnswer(i)) return;
	}

	/** Waits for messages: for those announced, or a while for any. */
	private listen(): void {
		const { clock, settings } = this.parts;
		const { broker, sleep } = settings;
		const ms = this.expected > 0 ? broker.acknowledgeTimeout : sleep.commandWindow;
		if (ms === 0) return;
		this.flags |= LISTENING;
		this.listensUntil = clock.now + ms;
	}

	/** A message has come: others may follow. */
	private listenOn(): void {
		if ((this.flags & LISTENING) === 0) return;
		if (this.expected !== 0 || this.commands.memory.receivedCount > 0) this.listen();
		else this.flags &= ~LISTENING;
	}

	/** @returns false: not now */
	private subscribe(): boolean {
		const { client } = this.parts;
		const result = client.subscribe([this.subscription], undefined, this.subscribeId);
		if (result === BUSY) {
			this.flags |= BLOCKED;
			return false;
		}
		this.flags &= ~SUBSCRIBE_DUE;
		if (result === REJECTED) this.pauseSubscribing();
		else this.flags |= SUBACK_AWAITED;
		this.commands.memory.commit();
		return true;
	}

	private get subscription(): Subscription {
		const options = this.parts.settings.broker.version === 5 ? QOS2_NEW_ONLY | NO_LOCAL : 2;
		return { filter: this.topic(this.commands.derived.commandTopic), options };
	}

	/** Not that of a report which is in flight in the session, and was not sent again yet. [MQTT-2.2.1-3] */
	private get subscribeId(): number {
		return 1 + ((this.parts.retained.words[WORD_SEQUENCE] + SUBSCRIBE_DISTANCE) % 65_535);
	}

	private pauseSubscribing(): void {
		this.commands.memory.subscribePause = SUBSCRIBE_PAUSE;
		this.parts.device.trace("the broker refuses the subscription to commands");
	}

	/** @returns false: not now */
	private sendAnswer(index: number): boolean {
		const { device } = this.parts;
		const { memory } = this.commands;
		const answer = readAnswer(memory, index);
		let result = answer === undefined ? REJECTED : BUSY;
		try {
			if (answer !== undefined) result = this.publish(answer, index);
		} catch (error) {
			result = REJECTED;
			device.trace(`an answer cannot be sent: ${error}`);
		}
		if (result === BUSY) {
			this.flags |= BLOCKED;
			return false;
		}
		if (result === REJECTED)
			device.trace("an answer is given up: it is damaged, too large, or its topic is wrong");
		if (result > 0) {
			this.sentAnswers |= 1 << index;
			memory.answersSent |= 1 << index;
		} else this.complete(index, answer);
		memory.commit();
		return true;
	}

	private publish(answer: StoredAnswer, index: number): number {
		const { client } = this.parts;
		const { memory, derived } = this.commands;
		const { topic, payload, correlation } = answer;
		const { negotiated } = client;
		let flags = negotiated.maximumQoS > 0 ? QOS1 : 0;
		const wasSent = ((memory.answersSent >> index) & 1) !== 0;
		if (wasSent && flags !== 0 && negotiated.sessionPresent) flags |= DUP; // [MQTT-3.3.1-1] [MQTT-4.4.0-1]
		let properties: PropertyWriter | undefined;
		if (correlation !== undefined && negotiated.version === 5)
			properties = new PropertyWriter(3 + correlation.length).correlationData(correlation);
		return client.publish(
			topic.length > 0 ? topic : this.topic(derived.answerTopic),
			payload,
			payload.length,
			flags,
			properties,
			65_535 - ((memory.answerSequence + index) % ANSWER_IDS),
			FIRST_ANSWER_TAG + index,
		);
	}

	/** The hash of the subscription that the session needs. */
	private get subscriptionHash(): number {
		const { commandsHash = 0, brokerHash } = this.commands.derived;
		return (commandsHash ^ brokerHash) >>> 0 || 1;
	}

	private isOnTopic({ bytes, topicStart, topicEnd }: Packet): boolean {
		const topic = this.topic(this.commands.derived.commandTopic);
		if (topicEnd - topicStart !== topic.length) return false;
		for (let i = 0; i < topic.length; i++) if (bytes[topicStart + i] !== topic[i]) return false;
		return true;
	}

	private topic(template: TopicTemplate = []): Uint8Array {
		return fillTopic(template, this.commands.device);
	}
}
