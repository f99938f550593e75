import type { Validator } from "../../src/config/validators";
import { didYouMean, nearest } from "../config/suggest";
import type { Terminal } from "./terminal";

/** One of several words, with what each means. */
export interface Choice {
	readonly choices: Readonly<Record<string, string>>;
	readonly fallback: string;
	/** Other spellings of a choice. */
	readonly find?: (text: string) => string | undefined;
	/** The choice that a wrong word probably means; absent: the nearest one. */
	readonly suggest?: (text: string) => string | undefined;
}

/** The problem of a word that is none of the choices, as the rest of a sentence; undefined if it is one. */
export function choiceProblem(text: string, choice: Choice): string | undefined {
	return problemAmong(text, choice, Object.keys(choice.choices).join(", "));
}

/** @param named what the choices are called */
function problemAmong(text: string, { choices, find, suggest }: Choice, named: string): string | undefined {
	if (Object.hasOwn(choices, text) || find?.(text) !== undefined) return undefined;
	const meant = suggest === undefined ? nearest(text, Object.keys(choices)) : suggest(text);
	return `is none of ${named}${didYouMean(meant)}`;
}

/** Asks until the answer is one of the choices. */
export async function askChoice(terminal: Terminal, question: string, choice: Choice): Promise<string> {
	const { choices, fallback, find } = choice;
	const width = Math.max(...Object.keys(choices).map((name) => name.length));
	for (const [name, meaning] of Object.entries(choices))
		terminal.say(`  ${name.padEnd(width)}  ${meaning}`.trimEnd());
	for (;;) {
		const answer = (await terminal.ask(`${question} [${fallback}]: `)) || fallback;
		const problem = problemAmong(answer, choice, "these");
		if (problem === undefined) return find?.(answer) ?? answer;
		terminal.say(`${JSON.stringify(answer)} ${problem}`);
	}
}

/** Asks until the answer is valid. @param fallback what an empty answer means; undefined: there is none */
export async function askText(
	terminal: Terminal,
	question: string,
	fallback: string | undefined,
	check: Validator,
): Promise<string | undefined> {
	for (;;) {
		const answer = await terminal.ask(`${question}${fallback === undefined ? "" : ` [${fallback}]`}: `);
		if (answer === "") return fallback;
		const problem = check(answer);
		if (problem === undefined) return answer;
		terminal.say(`${JSON.stringify(answer)} ${problem}`);
	}
}

/** Asks for a secret, which no message repeats, until it is valid. @returns undefined: none */
export async function askSecret(
	terminal: Terminal,
	question: string,
	check: Validator,
): Promise<string | undefined> {
	for (;;) {
		const answer = await terminal.ask(`${question}: `, true);
		if (answer === "") return undefined;
		const problem = check(answer);
		if (problem === undefined) return answer;
		terminal.say(`it ${problem}`);
	}
}
