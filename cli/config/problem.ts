import { printable } from "../../sim/report/printable";

/** Steps from the root of a document to a value: keys and indices. */
export type Path = readonly (string | number)[];

/** A problem and its position. */
export interface Problem {
	/** Path as given by the user. */
	readonly file: string;
	/** From 1; 0 if the problem has no line. */
	readonly line: number;
	/** From 1, in UTF-16 code units. */
	readonly column: number;
	/** `config.firefly.sensors[0].every`; empty for the whole file. */
	readonly path: string;
	readonly message: string;
}

/** Formats a path in JavaScript's notation. */
export function formatPath(path: Path): string {
	let text = "";
	for (const step of path) {
		if (typeof step === "number") text += `[${step}]`;
		else if (/^[A-Za-z_$][\w$-]*$/.test(step)) text += text === "" ? step : `.${step}`;
		else text += `[${JSON.stringify(step)}]`;
	}
	return text;
}

/** `manifest.json:12:18 config.firefly.topic: …` */
export function formatProblem(problem: Problem): string {
	const place = problem.line === 0 ? problem.file : `${problem.file}:${problem.line}:${problem.column}`;
	return printable(
		problem.path === "" ? `${place}: ${problem.message}` : `${place} ${problem.path}: ${problem.message}`,
	);
}

/** By file in the order given, then by line and column. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
	const files = [...new Set(problems.map((problem) => problem.file))];
	return [...problems].sort(
		(a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
	);
}
