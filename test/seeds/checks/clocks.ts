import { readingsAreAlike } from "../disturbance";
import { PIN_SENSOR } from "../seed-plan";
import type { SeedRun } from "../world";
import type { Check } from "./check";
import { receivedMessages } from "./received";
import { clock, sensorBoards } from "./reports";

/**
 * Error of a sleep oscillator, parts per million, and the time between two requests to the time server, s.
 */
const DRIFT_PPM = 100;

/** The time in a report is that of its sample, within what the node can know. */
export const clocksAreRight: Check = {
	name: "times in reports are right within the stated error",
	run(run) {
		const failures: string[] = [];
		for (const board of sensorBoards(run)) {
			// A stuck sensor repeats its reading, which then tells no time; nonsense tells none either.
			if (board.firefly.payload === "value" || readingsAreAlike(run.plan, board.name)) continue;
			const limit = statedError(run, board.name);
			const { times } = run.sensors.get(board.name)!;
			for (const { topic, payload } of receivedMessages(run)) {
				if (!topic.startsWith(`home/${board.name}`)) continue;
				const report = parse(payload);
				if (report === undefined) {
					failures.push(`${topic}: ${payload} is no report`);
					continue;
				}
				if (report.time === null || report.values.length === 0) continue;
				const reported = Date.parse(report.time);
				// A value of several sensors: the first was read first.
				const value = Math.min(...report.values);
				const error = reported - (times[value] ?? 0);
				if (!(Math.abs(error) <= limit))
					failures.push(
						`${topic}: ${payload} was sampled at ${clock(times[value] ?? 0)}, ${error} ms off; ${limit} ms are allowed`,
					);
			}
		}
		return failures.slice(0, 3);
	},
};

function parse(payload: string): { time: string | null; values: number[] } | undefined {
	try {
		const { time, ...rest } = JSON.parse(payload) as Record<string, unknown>;
		const values = Object.entries(rest)
			.filter(([name]) => /^s\d$/.test(name))
			.map(([, value]) => Number(value));
		if (values.length === 0 && !(PIN_SENSOR in rest)) return undefined;
		if (typeof time !== "string" && time !== null) return undefined;
		return { time, values };
	} catch {
		return undefined;
	}
}

/** ms */
function statedError({ plan, recoveredAt, events }: SeedRun, board: string): number {
	const seconds = (recoveredAt - (events[0]?.time ?? recoveredAt)) / 1000;
	let ppm = DRIFT_PPM;
	let steps = 0;
	let late = 0;
	for (const fault of plan.faults) {
		if (fault.board !== undefined && fault.board !== board && fault.board !== "broker") continue;
		if (fault.name === "drift") ppm += Math.abs(fault.amount ?? 0);
		if (fault.name === "clock") steps += Math.abs(fault.amount ?? 0);
		if (fault.name === "delay") late = Math.max(late, fault.amount ?? 0);
	}
	// A request and its answer, or half of both if they are equally late; a grid counts from it.
	return 50 + 4 * plan.latency + late + steps + (ppm * seconds) / 1000;
}
