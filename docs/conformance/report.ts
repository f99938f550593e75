import { type Citation, citations, sidesOf } from "./citations";
import { pending } from "./pending";
import { citationName, type Side, type Statement } from "./statement";
import { statements311 } from "./statements-3.1.1";
import { statements5 } from "./statements-5.0";

/** exempt: does not apply. gap: applies, but no code or no test cites it. */
export type Status = "covered" | "pending" | "exempt" | "gap";

/** Status of one statement for one conformance target. */
export interface Duty {
	readonly side: Side;
	readonly status: Status;
	/** Why it is exempt or pending. */
	readonly reason: string;
	/** Source files and test files that cite it. */
	readonly code: readonly string[];
	readonly tests: readonly string[];
}

export interface Entry {
	readonly statement: Statement;
	readonly duties: readonly Duty[];
}

export interface ConformanceReport {
	readonly entries: readonly Entry[];
	/** Citations of statements that do not exist, as "file:line name". */
	readonly unknown: readonly string[];
	/** Applicable, not covered and not in the pending list, as "name (side): what is missing". */
	readonly gaps: readonly string[];
	/** In the pending list, but covered, exempt or unknown. */
	readonly resolvedPending: readonly string[];
}

export const statements: readonly Statement[] = [...statements5, ...statements311];

/** Reads the citations under `root` and compares them with the statements. */
export function createConformanceReport(root: string): ConformanceReport {
	return evaluateCitations(statements, citations(root, ["src", "test"]), pending);
}

export function evaluateCitations(
	all: readonly Statement[],
	cited: readonly Citation[],
	list: readonly Pending[],
): ConformanceReport {
	const known = new Set(all.map(citationName));
	const unknown = cited.filter((citation) => !known.has(citation.name) && sidesOf(citation.file).length > 0);
	const pendingReasons = new Map<string, string>(
		list.flatMap(({ side, names, reason }) => names.map((each) => [`${each} (${side})`, reason] as const)),
	);
	const stillPending = new Set<string>();
	const gaps: string[] = [];
	const entries = all.map((statement): Entry => {
		const names = statement.shared
			? [citationName(statement), `MQTT-${statement.id}`]
			: [citationName(statement)];
		const own = cited.filter((citation) => names.includes(citation.name));
		const duties = statement.binds.map((side): Duty => {
			const places = [
				...new Set(own.filter(({ file }) => sidesOf(file).includes(side)).map(({ file }) => file)),
			].sort();
			const code = places.filter((file) => file.startsWith("src/"));
			const tests = places.filter((file) => file.startsWith("test/"));
			const key = `${citationName(statement)} (${side})`;
			const exempt = statement.exempt[side];
			if (exempt !== undefined) return { side, status: "exempt", reason: exempt, code, tests };
			if (code.length > 0 && tests.length > 0) return { side, status: "covered", reason: "", code, tests };
			const reason = pendingReasons.get(key);
			if (reason !== undefined) {
				stillPending.add(key);
				return { side, status: "pending", reason, code, tests };
			}
			gaps.push(
				`${key}: ${[code.length === 0 ? "no code" : "", tests.length === 0 ? "no test" : ""].filter(Boolean).join(" and ")} cites it`,
			);
			return { side, status: "gap", reason: "", code, tests };
		});
		return { statement, duties };
	});
	return {
		entries,
		unknown: unknown.map(({ file, line, name }) => `${file}:${line} ${name}`),
		gaps,
		resolvedPending: [...pendingReasons.keys()].filter((key) => !stillPending.has(key)),
	};
}

/** Statements that one side does not implement or test yet. */
export interface Pending {
	readonly side: Side;
	readonly reason: string;
	/** As cited, without brackets. */
	readonly names: readonly string[];
}
