import { type Command, InvalidArgumentError } from "commander";
import type { Fault } from "../sim/faults/fault";
import { FAULT_KINDS } from "../sim/faults/fault-kinds";
import { FaultTextError, parseFault } from "../sim/faults/fault-text";
import { didYouMean, nearest, suggestDuration } from "./config/suggest";

/** One fault of `--fault`, which may be given again. */
export function faultOption(text: string, faults: readonly Fault[] | undefined): readonly Fault[] {
	try {
		return [...(faults ?? []), parseFault(text)];
	} catch (error) {
		if (!(error instanceof FaultTextError)) throw error;
		throw new InvalidArgumentError(sentence(`${error.message}${suggestionFor(error)}`));
	}
}

/** What there is, for `--help`. */
export function faultHelp(): string {
	const width = Math.max(...Object.values(FAULT_KINDS).map(({ example }) => example.length));
	const rows = Object.values(FAULT_KINDS).map(({ example, text }) => `  ${example.padEnd(width)}  ${text}`);
	return `
Faults, as NAME[=AMOUNT][:DURATION]@TIME[/BOARD]; TIME is from the start:
${rows.join("\n")}
A fault that names no board concerns all nodes, or the broker, as it makes sense.
power, reset and brown-out take an amount, the number of the firmware's calls after which
they cut it short in the middle of its work: reset=37@2h.`;
}

/** Ends the command as wrong usage: a fault does not fit this run. @returns never */
export function failFaultTarget(
	command: Command,
	fault: string,
	message: string,
	known: readonly string[],
): never {
	const board = fault.split("/")[1];
	const suggestion = board === undefined ? undefined : nearest(board, known);
	return command.error(
		`error: option '--fault <spec>' argument '${fault}' is invalid. ${sentence(`${message}${didYouMean(suggestion)}`)}`,
	);
}

function sentence(text: string): string {
	return text.endsWith("?") ? text : `${text}.`;
}

function suggestionFor({ wrong }: FaultTextError): string {
	if (wrong === undefined) return "";
	return didYouMean(wrong.known.length > 0 ? nearest(wrong.word, wrong.known) : suggestDuration(wrong.word));
}
