import { formatNumber, formatSpan } from "../../sim/report/format";
import type { AwakePart, RunCounts } from "./run-counts";

/** What a node did in a time: counts of events, or what it has counted itself. Times in ms. */
export type Counts = Readonly<
	Pick<
		RunCounts,
		| "observed"
		| "wakes"
		| "samples"
		| "accepted"
		| "acknowledged"
		| "repeated"
		| "dropped"
		| "waiting"
		| "joins"
		| "fastJoins"
		| "failed"
		| "limits"
		| "awakeTime"
	>
> & { readonly awake: Readonly<Record<AwakePart, number>> };

interface Row {
	readonly label: string;
	readonly value: (counts: Counts) => string;
}

const ROWS: readonly Row[] = [
	{ label: "observed", value: (counts) => formatSpan(counts.observed) },
	{ label: "wakes", value: (counts) => formatNumber(counts.wakes) },
	{ label: "samples", value: (counts) => formatNumber(counts.samples) },
	{ label: "reports accepted", value: (counts) => formatNumber(counts.accepted) },
	{ label: "  acknowledged", value: (counts) => formatNumber(counts.acknowledged) },
	{ label: "  sent again", value: (counts) => formatNumber(counts.repeated) },
	{ label: "  dropped", value: (counts) => formatNumber(counts.dropped) },
	{ label: "  waiting", value: ({ waiting }) => (waiting === undefined ? "–" : formatNumber(waiting)) },
	{ label: "joins", value: (counts) => formatNumber(counts.joins) },
	{ label: "  with what was kept", value: (counts) => formatNumber(counts.fastJoins) },
	{ label: "failed tries", value: (counts) => formatNumber(counts.failed) },
	{ label: "awake", value: (counts) => formatSpan(counts.awakeTime) },
	{ label: "  a wake", value: (counts) => perWake(counts, counts.awakeTime) },
	{ label: "    joining", value: (counts) => perWake(counts, counts.awake.joining) },
	{ label: "    with the broker", value: (counts) => perWake(counts, counts.awake.broker) },
	{ label: "    all else", value: (counts) => perWake(counts, counts.awake.other) },
];

function perWake({ wakes }: Counts, ms: number): string {
	return wakes === 0 ? "–" : `${formatNumber(ms / wakes)} ms`;
}

/** What a board did, beside what the simulator does in the same time. */
export function comparisonLines(board: Counts, simulated: Counts): readonly string[] {
	const rows = [
		["", "board", "simulated"],
		...ROWS.map(({ label, value }) => [label, value(board), value(simulated)]),
	];
	const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
	return rows.map(([label = "", left = "", right = ""]) =>
		`${label.padEnd(widths[0]!)}  ${left.padStart(widths[1]!)}  ${right.padStart(widths[2]!)}`.trimEnd(),
	);
}

/** The same for machines, times in ms. */
export function countsJSON(counts: Counts): object {
	const { wakes, samples, accepted, acknowledged, repeated, dropped, waiting } = counts;
	const { joins, fastJoins, failed, limits, observed, awakeTime, awake } = counts;
	return {
		observed,
		...{ wakes, samples, accepted, acknowledged, repeated, dropped },
		...(waiting === undefined ? {} : { waiting }),
		...{ joins, fastJoins, failed, limits },
		awake: { total: awakeTime, ...awake },
	};
}
