import { formatDuration, parseDuration } from "../../src/config/duration";
import type { Fault } from "./fault";
import { type AmountKind, FAULT_KINDS } from "./fault-kinds";

/** A text that describes no fault. */
export class FaultTextError extends Error {
	override readonly name = "FaultTextError";
	/** The word that is wrong, and words that may be meant; absent where none could help. */
	readonly wrong?: { readonly word: string; readonly known: readonly string[] } | undefined;

	constructor(message: string, wrong?: FaultTextError["wrong"]) {
		super(message);
		this.wrong = wrong;
	}
}

const SPECIFICATION = /^([a-z-]*)(?:=([^:@/]*))?(?::([^@/]*))?(?:@([^/]*))?(?:\/(.*))?$/i;

/**
 * Parses `NAME[=AMOUNT][:DURATION]@TIME[/BOARD]`, such as `wifi:10m@2h`, `loss=20%:1h@30m` or
 * `reset@90s/broker`.
 * @throws FaultTextError
 */
export function parseFault(text: string): Fault {
	const match = SPECIFICATION.exec(text);
	const names = Object.keys(FAULT_KINDS);
	if (!match) throw new FaultTextError(`${JSON.stringify(text)} is no fault such as wifi:10m@2h`);
	const [, name = "", amountText, durationText, atText, board] = match;
	const kind = Object.hasOwn(FAULT_KINDS, name) ? FAULT_KINDS[name] : undefined;
	if (!kind)
		throw new FaultTextError(`there is no fault ${JSON.stringify(name)}; there are ${names.join(", ")}`, {
			word: name,
			known: names,
		});
	const { example } = kind;
	if (atText === undefined) throw new FaultTextError(`${name} needs its time after the start: ${example}`);
	const at = durationOf(atText, name, example, "time after the start");
	if (kind.lasts && durationText === undefined)
		throw new FaultTextError(`${name} needs a duration: ${example}`);
	if (!kind.lasts && durationText !== undefined)
		throw new FaultTextError(`${name} is over at once, and has no duration: ${example}`);
	if (kind.amount === undefined && amountText !== undefined)
		throw new FaultTextError(`${name} has no amount: ${example}`);
	if (kind.amount !== undefined && kind.defaultAmount === undefined && amountText === undefined)
		throw new FaultTextError(`${name} needs an amount: ${example}`);
	if (board === "") throw new FaultTextError(`a board's name is missing behind "/"`);
	return {
		name,
		...(kind.amount === undefined || amountText === undefined
			? {}
			: { amount: amountOf(amountText, kind.amount, name, example) }),
		...(durationText === undefined ? {} : { duration: durationOf(durationText, name, example, "duration") }),
		at,
		...(board === undefined ? {} : { board }),
	};
}

/** The shortest text that {@link parseFault} reads as this fault. */
export function formatFault({ name, amount, duration, at, board }: Fault): string {
	const kind = FAULT_KINDS[name]!;
	const amountText =
		amount === undefined || kind.amount === undefined ? "" : `=${formatAmount(amount, kind.amount)}`;
	const durationText = duration === undefined ? "" : `:${formatDuration(duration)}`;
	return `${name}${amountText}${durationText}@${formatDuration(at)}${board === undefined ? "" : `/${board}`}`;
}

function durationOf(text: string, name: string, example: string, what: string): number {
	const duration = parseDuration(text);
	if (duration !== undefined) return duration;
	throw new FaultTextError(
		`${name}: ${JSON.stringify(text)} is no ${what} such as 90s, 10m or 2h: ${example}`,
		{ word: text, known: [] },
	);
}

function amountOf(text: string, kind: AmountKind, name: string, example: string): number {
	const amount = readAmount(text, kind);
	if (amount !== undefined) return amount;
	throw new FaultTextError(`${name}: ${JSON.stringify(text)} is no ${AMOUNT_TEXTS[kind]}: ${example}`);
}

const AMOUNT_TEXTS: Readonly<Record<AmountKind, string>> = {
	share: "percentage from 0% to 100%",
	duration: "duration such as 500ms or 2s",
	step: "step such as +5m or -2s",
	ppm: "number of parts per million such as 300ppm or -50ppm",
	calls: "whole number of calls",
};

function readAmount(text: string, kind: AmountKind): number | undefined {
	switch (kind) {
		case "share": {
			const percent = /^\d+(\.\d+)?%$/.test(text) ? Number(text.slice(0, -1)) : Number.NaN;
			return percent <= 100 ? percent / 100 : undefined;
		}
		case "duration":
			return parseDuration(text);
		case "step": {
			const step = parseDuration(text.replace(/^[+-]/, ""));
			return step !== undefined && text.startsWith("-") ? -step : step;
		}
		case "ppm":
			return /^[+-]?\d+ppm$/.test(text) ? Number(text.slice(0, -3)) : undefined;
		case "calls":
			return /^\d{1,9}$/.test(text) ? Number(text) : undefined;
	}
}

function formatAmount(amount: number, kind: AmountKind): string {
	switch (kind) {
		case "share":
			return `${Number((amount * 100).toFixed(6))}%`;
		case "duration":
			return formatDuration(amount);
		case "step":
			return `${amount < 0 ? "-" : "+"}${formatDuration(Math.abs(amount))}`;
		case "ppm":
			return `${amount}ppm`;
		case "calls":
			return String(amount);
	}
}
