import { type Phase, phases, radioSteps } from "./energy";
import type { RadioStep } from "./events";
import { count, formatNumber, formatSpan } from "./format";
import type { Summary } from "./summary";

const phaseNames: Readonly<Record<Phase, string>> = {
	boot: "boot",
	join: "Wi-Fi join",
	exchange: "exchange",
	awake: "CPU awake",
	light: "light sleep",
	sleep: "deep sleep",
};

const stepNames: Readonly<Record<RadioStep, string>> = {
	start: "radio start",
	scan: "scan",
	probe: "search on one channel",
	association: "association",
	dhcp: "DHCP",
	dns: "DNS",
};

/** The lines of a summary in text form. */
export function summaryLines(summary: Summary): string[] {
	const { nodes, duration, awake, exchange } = summary;
	const lines = [
		"",
		`${count(nodes, "node")}, ${formatSpan(duration)} simulated: ${count(summary.wakes, "wake")}, ${count(summary.samples, "sample")} (${formatNumber(summary.filtered)} held back), ${count(summary.accepted, "report")}`,
		`reports      ${formatNumber(summary.published)} published, ${formatNumber(summary.acknowledged)} acknowledged, ${formatNumber(summary.waiting)} waiting, ${formatNumber(summary.dropped)} dropped, ${formatNumber(summary.lost)} lost${lostText(summary)}; ${formatNumber(summary.repeated)} sent again`,
	];
	const failures = Object.entries(summary.failed).map(
		([fault, number]) => `${fault} ${formatNumber(number)}`,
	);
	if (summary.limits > 0) failures.push(`ended by awakeLimit ${formatNumber(summary.limits)}`);
	if (summary.crashes > 0) failures.push(`crashes ${formatNumber(summary.crashes)}`);
	const readings = Object.entries(summary.failedReadings ?? {}).map(
		([sensor, number]) => `${sensor} ${formatNumber(number)}`,
	);
	if (readings.length > 0) failures.push(`failed readings of ${readings.join(", ")}`);
	if (failures.length > 0) lines.push(`failures     ${failures.join(", ")}`);
	if (awake !== undefined)
		lines.push(
			`awake        p50 ${formatSpan(awake.p50)}, p95 ${formatSpan(awake.p95)}, longest ${formatSpan(awake.maximum)}`,
		);
	if (exchange !== undefined)
		lines.push(
			`network      ${formatNumber(exchange.bytesPerReport)} bytes a report; ${formatNumber(exchange.roundTripsPerExchange, 2)} round trips and ${formatNumber(exchange.reportsPerExchange, 2)} reports an exchange`,
		);
	return [...lines, ...joinLines(summary), ...energyLines(summary)];
}

/** What would have kept reports that were lost with the power. */
function lostText({ lostWithPower }: Summary): string {
	if (lostWithPower === undefined) return "";
	return ` (${formatNumber(lostWithPower)} with the power, which outbox.storage "flash" would have kept)`;
}

function joinLines({ joins }: Summary): string[] {
	if (joins === undefined) return [];
	const steps = radioSteps.flatMap((step) => {
		const { time, charge } = joins.steps[step];
		return time > 0 ? [`${stepNames[step]} ${formatSpan(time)} and ${formatNumber(charge, 1)} mC`] : [];
	});
	const counted = `${formatNumber(joins.count)}, ${formatNumber(joins.fast)} of them fast`;
	return [`joins        ${[counted, ...steps].join("; ")}`];
}

function energyLines(summary: Summary): string[] {
	const { average, battery } = summary.energy;
	if (battery === undefined) return [];
	let total = 0;
	for (const phase of phases) total += summary.energy.phases[phase].charge;
	const { light } = summary.energy.phases;
	const shares = phases.flatMap((phase) => {
		const { charge } = summary.energy.phases[phase];
		if (phase === "light" && charge === 0) return [];
		return [`${phaseNames[phase]} ${formatNumber(charge, 1)} mC (${formatNumber((100 * charge) / total)} %)`];
	});
	const guide = light.charge === 0 ? "" : ", and of the ESP-IDF guide for light sleep";
	return [
		`energy       ${shares.join(", ")}`,
		`battery      ${formatNumber(average, 3)} mA on average: ${formatDays(battery.days)} on ${formatNumber(battery.capacity)} mAh (ESP32 chip alone, currents of the ESP32-WROOM-32 datasheet${guide})`,
	];
}

function formatDays(days: number): string {
	return days < 730 ? count(Math.round(days), "day") : `${formatNumber(days / 365.25, 1)} years`;
}
