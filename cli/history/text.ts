import { batteryCapacityMAh } from "../../sim/report/currents";
import { clip, count, formatNumber, formatSpan } from "../../sim/report/format";
import { formatDuration } from "../../src/config/duration";
import { formatDays } from "../meaning/text";
import type { Deadband, Savings, SensorSavings } from "./savings";

const HEADINGS = ["delta", "heartbeat", "reports", "saved", "mAh a day", "battery", "largest error"];
/** Digits of values that mean something in a table. */
const DIGITS = 4;
/** Longer names of series are cut, in characters. */
const NAME_LENGTH = 40;

/** What deadbands would have saved, as text for people. @param configuredIn the manifest; undefined: none */
export function savingsText(nodes: readonly Savings[], configuredIn: string | undefined): string {
	const lines: string[] = [];
	for (const savings of nodes) {
		const period = periodOf(savings);
		if (lines[0] !== period) lines.push(...(lines.length > 0 ? [""] : []), period);
		for (const sensor of savings.sensors) lines.push("", ...sensorLines(sensor, configuredIn !== undefined));
	}
	const whose = configuredIn === undefined ? "each sensor alone on its node" : "all sensors of the node";
	lines.push("", `charge and battery: ${whose}, the chip alone, ${formatNumber(batteryCapacityMAh)} mAh`);
	if (configuredIn !== undefined) lines.push(`* as in ${configuredIn}`);
	return `${lines.join("\n")}\n`;
}

function periodOf({ from, to, cut }: Savings): string {
	return `${dateOf(from)} to ${dateOf(to)} UTC, ${formatSpan(to - from)}${cut ? ": the last part of the recording" : ""}`;
}

function sensorLines(sensor: SensorSavings, marked: boolean): readonly string[] {
	const { name, series, unit = "", every, readings, minimum, maximum, gaps, deadbands } = sensor;
	const source = name === series ? "" : ` from ${clip(series, NAME_LENGTH)}`;
	const range = readings === 0 ? "" : `, ${shortNumber(minimum)} … ${shortNumber(maximum)} ${unit}`.trimEnd();
	const missing = gaps.count === 0 ? "" : `, ${count(gaps.count, "gap")}, ${formatSpan(gaps.length)} in all`;
	const rows = deadbands.map((deadband) => cells(deadband, unit, marked));
	const table = [["", ...HEADINGS], ...rows];
	const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
	return [
		`${name}${source}: ${count(readings, "reading")}${range}${missing}; sampled every ${formatDuration(every)}`,
		...table.map((row) => row.map((cell, column) => cell.padStart(widths[column])).join("  ")),
	];
}

function cells(deadband: Deadband, unit: string, marked: boolean): readonly string[] {
	const { delta, heartbeat, configured, reports, saved, charge, days, largestError } = deadband;
	return [
		marked && configured ? "*" : " ",
		delta === undefined ? "none" : `${delta}`,
		delta === undefined ? "–" : heartbeat === undefined ? "none" : formatDuration(heartbeat),
		formatNumber(reports),
		delta === undefined ? "–" : `${formatNumber(saved * 100)} %`,
		charge.toFixed(1),
		formatDays(days),
		`${shortNumber(largestError)} ${unit}`.trimEnd(),
	];
}

function shortNumber(value: number): string {
	return String(Number(value.toPrecision(DIGITS)));
}

function dateOf(time: number): string {
	return new Date(time).toISOString().slice(0, 16).replace("T", " ");
}
