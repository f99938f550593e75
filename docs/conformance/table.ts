import type { ConformanceReport, Duty, Entry, Status } from "./report";
import { citationName, type Specification } from "./statement";

const HEAD = `# Conformance to MQTT 3.1.1 and 5.0

Every numbered normative statement of both specifications (their appendix B), whom it binds, where this project keeps it and which tests show it.
This file is generated from the citations in \`src/\` and \`test/\` by \`node --import tsx docs/conformance/generate.ts\`; a test fails where it is out of date, where a
statement that applies has no code or no test that cites it, and where a citation names a statement that does not exist.

- The wording is in the specifications; *subject* only tells which statement it is.
- A line of code or a test cites \`[MQTT-3.1.2-1]\` in the numbering of 5.0 and \`[MQTT-3.1.1:3.1.2-1]\` in that of 3.1.1. Where both have the same statement under the
  same number (marked =), the first form means both.
- *Server* is \`src/broker\`, *client* \`src/client\`; \`src/mqtt\`, \`src/session\` and their tests count for both.
- **covered**: kept and shown. **pending**: applies, and is not kept or not shown yet, for the reason given. **exempt**: does not apply, for the reason given.
`;

/** Renders docs/conformance.md. */
export function render(report: ConformanceReport): string {
	return [
		HEAD,
		summary(report.entries),
		section(report.entries, "5.0"),
		section(report.entries, "3.1.1"),
	].join("\n");
}

const STATUSES: readonly Status[] = ["covered", "pending", "gap", "exempt"];

function summary(entries: readonly Entry[]): string {
	const lines = [
		"| | statements | apply | covered | pending | gaps | exempt |",
		"| --- | --: | --: | --: | --: | --: | --: |",
	];
	for (const specification of ["5.0", "3.1.1"] as const) {
		const own = entries.filter(({ statement }) => statement.specification === specification);
		const [covered, waiting, gaps, exempt] = STATUSES.map(
			(status) => own.filter((entry) => overall(entry.duties) === status).length,
		);
		lines.push(
			`| MQTT ${specification} | ${own.length} | ${own.length - exempt} | ${covered} | ${waiting} | ${gaps} | ${exempt} |`,
		);
	}
	return `${lines.join("\n")}\n`;
}

/** Status of a statement: its worst duty; exempt only if all sides are. */
export function overall(duties: readonly Duty[]): Status {
	for (const status of ["gap", "pending", "covered"] as const)
		if (duties.some((duty) => duty.status === status)) return status;
	return "exempt";
}

function section(entries: readonly Entry[], specification: Specification): string {
	const lines = [
		`## MQTT ${specification}`,
		"",
		"| statement | subject | side | status | kept in | shown in |",
		"| --- | --- | --- | --- | --- | --- |",
	];
	for (const { statement, duties } of entries) {
		if (statement.specification !== specification) continue;
		const title = `${citationName(statement)}${statement.shared ? " =" : ""} | ${statement.subject}`;
		for (const [sides, duty] of merged(duties))
			lines.push(
				`| ${title} | ${sides} | ${statusText(duty)} | ${files(duty.code)} | ${files(duty.tests)} |`,
			);
	}
	return `${lines.join("\n")}\n`;
}

/** Merges the rows of both sides if they are equal. */
function merged(duties: readonly Duty[]): [string, Duty][] {
	const [first, second] = duties;
	const text = ({ status, reason, code, tests }: Duty) => JSON.stringify([status, reason, code, tests]);
	if (duties.length === 2 && text(first) === text(second)) return [["both", first]];
	return duties.map((duty) => [duty.side, duty]);
}

function statusText({ status, reason }: Duty): string {
	return reason === "" ? status : `${status}: ${reason}`;
}

function files(names: readonly string[]): string {
	return names.map((each) => `\`${each}\``).join(" ");
}
