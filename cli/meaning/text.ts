import { formatNumber, wrapLines } from "../../sim/report/format";
import type { Meaning } from "./meaning";

/** Pools that are named. */
const NAMED_POOLS = 4;
const INDENT = " ".repeat(13);

/** What a configuration means, as lines for people. @param columns of the terminal; undefined: none */
export function meaningText(
	{ day, battery, flashYears, memory, packets }: Meaning,
	columns?: number,
): string {
	const lines: string[] = [];
	if (day !== undefined) {
		const held =
			day.reports < day.reportsAtMost
				? `, about ${formatNumber(day.reports)} with the simulator's curves`
				: "";
		const samples = day.samples > day.values ? ` with ${formatNumber(day.samples)} samples` : "";
		lines.push(
			`a day        ${formatNumber(day.wakes)} wakes${samples}, ${formatNumber(day.reportsAtMost)} reports at most${held}`,
		);
	}
	lines.push(
		`battery      ${formatNumber(battery.charge, 1)} mAh a day: ${formatDays(battery.days)} on ${formatNumber(battery.capacity)} mAh (chip alone, as the simulator estimates it)`,
		...battery.instead.map((other) => `${INDENT}${other.with}: ${formatDays(other.days)}`),
	);
	if (flashYears !== undefined)
		lines.push(`flash        lasts ${formatDays(flashYears * 365.25)} with this outbox in it`);
	const pools = memory.pools
		.slice(0, NAMED_POOLS)
		.map(({ key, bytes }) => `${key} ${formatNumber(bytes)}`)
		.join(", ");
	lines.push(
		`memory       ${formatNumber(memory.needed)} of ${formatNumber(memory.available)} bytes at the worst${pools === "" ? "" : `; the largest pools: ${pools}`}`,
	);
	const sizes = [
		...(packets.report === undefined ? [] : [`reports up to ${formatNumber(packets.report)} bytes`]),
		...(packets.connect === undefined ? [] : [`CONNECT up to ${formatNumber(packets.connect)}`]),
		...(packets.announcement === undefined
			? []
			: [`discovery up to ${formatNumber(packets.announcement)}, which the broker has to take`]),
		...(packets.accepted === undefined ? [] : [`accepted up to ${formatNumber(packets.accepted)}`]),
	];
	if (sizes.length > 0) lines.push(`packets      ${sizes.join(", ")}`);
	return `${wrapLines(lines, columns).join("\n")}\n`;
}

/** Days, or years of them. */
export function formatDays(days: number): string {
	if (days < 10) return `${formatNumber(days, 1)} days`;
	return days < 730 ? `${formatNumber(days)} days` : `${formatNumber(days / 365.25, 1)} years`;
}
