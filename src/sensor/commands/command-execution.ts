import type { BatteryGuard } from "../measure/battery-guard";
import type { ExchangeParts } from "../report/exchange-parts";
import {
	DROP_COUNTERS,
	WORD_ACKNOWLEDGED,
	WORD_DROPPED,
	WORD_FAILED_READINGS,
	WORD_WAKES,
} from "../retained/layout";
import { clearCounts } from "../retained/run-counts";
import { ANSWER_PAYLOAD_LIMIT, addAnswer, hasRoomForAnswer, SUMMARY_PAYLOAD_LIMIT } from "./answer-area";
import { type CommandText, readCommand, writeAnswer } from "./command-text";
import type { IncomingCommand } from "./incoming-command";
import type { NodeCommands } from "./node-commands";
import { writeSummary } from "./summary-text";

// What is to follow a command
export const NOTHING_MORE = 0;
/** All sensors are sampled and reported. */
export const SAMPLE_ALL = 1;
/** The outbox was emptied: what was about to be sent is gone. */
export const OUTBOX_CLEARED = 2;
/** The node starts anew once its answer has arrived. */
export const RESTART = 3;
/** An image is to be fetched. */
export const FETCH_IMAGE = 4;
/** There is no room for an answer: nothing more is taken on this connection. */
export const MESSAGES_LEFT = 5;
export type CommandResult =
	| typeof NOTHING_MORE
	| typeof SAMPLE_ALL
	| typeof OUTBOX_CLEARED
	| typeof RESTART
	| typeof FETCH_IMAGE
	| typeof MESSAGES_LEFT;

/** The parts of a node whose battery may be watched. */
export interface CommandParts extends ExchangeParts {
	readonly battery?: BatteryGuard;
}

/**
 * Executes a command once, and stores its answer. A reset between the execution and the commit makes the
 * broker repeat the message, and the node execute it again: so every command may be repeated without harm.
 */
export class CommandExecution {
	private readonly commands: NodeCommands;
	private readonly parts: CommandParts;
	/** What follows the last command. */
	private result: CommandResult = NOTHING_MORE;

	constructor(commands: NodeCommands, parts: CommandParts) {
		this.commands = commands;
		this.parts = parts;
	}

	/**
	 * Executes the command of a message; without room for an answer, it and all later ones are left to the next
	 * connection.
	 */
	execute(message: IncomingCommand): CommandResult {
		const { memory } = this.commands;
		const { responseTopic, correlation } = message;
		const text = message.isTooLarge ? undefined : readCommand(message.bytes, message.start, message.end);
		const correlationLength = correlation === undefined ? 0 : correlation.length;
		const limit = text?.name === "summary" ? SUMMARY_PAYLOAD_LIMIT : ANSWER_PAYLOAD_LIMIT;
		if (!hasRoomForAnswer(memory, responseTopic.length, correlationLength, limit)) {
			this.parts.client.leaveMessages();
			return MESSAGES_LEFT;
		}
		this.result = NOTHING_MORE;
		const identity = message.identity(text?.id);
		if (text === undefined || !text.isAnswer) this.executeOnce(message, text, identity);
		if (message.qos === 2) memory.addReceived(message.packetId);
		memory.commit();
		return this.result;
	}

	private executeOnce(message: IncomingCommand, text: CommandText | undefined, identity: number): void {
		const { memory } = this.commands;
		const { packetId } = message;
		// Repeated before its acknowledgement arrived: the answer is still owed. [MQTT-4.3.2-5] says that a
		// message without DUP is new, and one with it may be.
		if (message.isDuplicate && message.qos === 1 && memory.wasExecuted(identity, packetId)) return;
		const isDuplicate = text?.id !== undefined && memory.wasExecuted(identity, 0);
		if (!isDuplicate && message.isRetained && memory.wasExecuted(identity, 0)) return;
		const problem = isDuplicate ? undefined : this.run(message, text);
		const answer =
			text?.name === "summary" && problem === undefined && !isDuplicate
				? writeSummary(text.id, this.parts)
				: writeAnswer(text?.name, text?.id, problem, more(text, problem, isDuplicate));
		const remembered = message.qos === 1 ? packetId : 0;
		addAnswer(memory, identity, remembered, message.responseTopic, message.correlation, answer);
		if (!isDuplicate) memory.remember(identity, remembered);
		if (isDuplicate) return;
		const { device } = this.parts;
		const name = text?.name ?? "unknown";
		device.event?.("command", name, problem === undefined);
		// A host that takes events shows what was executed itself
		if (problem !== undefined) device.trace(`command ${name} refused: ${problem}`);
		else if (device.event === undefined) device.trace(`command ${name} executed`);
	}

	/** @returns why it is refused; undefined: it was executed */
	private run(message: IncomingCommand, text: CommandText | undefined): string | undefined {
		if (text === undefined)
			return `the command is longer than ${this.parts.settings.broker.receiveBuffer} bytes`;
		if (message.problem !== undefined) return message.problem;
		switch (text.name) {
			case "report-now":
				this.result = SAMPLE_ALL;
				return undefined;
			case "identify":
			case "summary":
				return undefined;
			case "clear":
				return this.clear(text.members.what);
			case "set":
				return this.set(text.members.settings);
			case "update":
				return this.update(text, message.isRetained);
			default:
				return text.problem;
		}
	}

	private clear(what: unknown): string | undefined {
		const { outbox, retained } = this.parts;
		if (what === undefined || what === "outbox") {
			outbox.clear();
			this.result = OUTBOX_CLEARED;
		} else if (what === "counters") {
			const { words } = retained;
			words.fill(0, WORD_DROPPED, WORD_DROPPED + DROP_COUNTERS);
			words[WORD_ACKNOWLEDGED] = words[WORD_FAILED_READINGS] = words[WORD_WAKES] = 0;
			clearCounts(retained, this.parts.clock.now);
			retained.commit();
		} else return 'what is neither "outbox" nor "counters"';
		return undefined;
	}

	private set(settings: unknown): string | undefined {
		const problem = this.commands.set(settings);
		if (problem === undefined && this.parts.staysConnected) this.result = RESTART;
		return problem;
	}

	private update({ id, members }: CommandText, isRetained: boolean): string | undefined {
		if (this.parts.battery?.isLow) return "the battery is low";
		const update = this.commands.takeUpdate();
		if (typeof update === "string") return update;
		const problem = update.accept(members.url, members.sha256, id, isRetained);
		if (problem === undefined && update.isDue) this.result = FETCH_IMAGE;
		return problem;
	}
}

/** Members of an answer besides those that each has. */
function more(text: CommandText | undefined, problem: string | undefined, isDuplicate: boolean): string {
	if (isDuplicate) return ',"duplicate":true';
	return text?.name === "update" && problem === undefined ? ',"state":"accepted"' : "";
}
