import type { Counts } from "./comparison";

const COUNTS = [
	"observed",
	"wakes",
	"samples",
	"accepted",
	"acknowledged",
	"repeated",
	"dropped",
	"waiting",
] as const;
const MORE_COUNTS = ["joins", "fastJoins", "failed", "limits", "joining", "broker", "other"] as const;
type Member = (typeof COUNTS)[number] | (typeof MORE_COUNTS)[number];

/** What a board has answered to a command. */
export interface CommandAnswer {
	readonly id: unknown;
	/** Why it was refused; undefined: it was not. */
	readonly problem: string | undefined;
	/** Undefined: the answer has none. */
	readonly counts: Counts | undefined;
}

/** Reads an answer, which anybody may have sent; undefined: it is none. */
export function readAnswer(payload: string): CommandAnswer | undefined {
	let answer: { readonly [key: string]: unknown };
	try {
		answer = Object(JSON.parse(payload));
	} catch {
		return undefined;
	}
	const { ok, id, error, summary } = answer;
	if (typeof ok !== "boolean") return undefined;
	return { id, problem: ok ? undefined : String(error), counts: countsOf(Object(summary)) };
}

function countsOf(summary: { readonly [key: string]: unknown }): Counts | undefined {
	const numbers = {} as Record<Member, number>;
	for (const name of [...COUNTS, ...MORE_COUNTS]) {
		const value = summary[name];
		if (typeof value !== "number" || !Number.isFinite(value) || value < 0) return undefined;
		numbers[name] = value;
	}
	const { joining, broker, other, ...counts } = numbers;
	return { ...counts, awake: { joining, broker, other }, awakeTime: joining + broker + other };
}
