import { InvalidArgumentError } from "commander";
import { parseDuration } from "../src/config/duration";
import { urlProblem } from "../src/config/problems";
import { meantDuration } from "./config/suggest";

/** A span of simulated time, in ms. */
export function durationOption(text: string): number {
	const duration = parseDuration(text);
	if (duration !== undefined && duration > 0) return duration;
	const meant = meantDuration(text);
	throw new InvalidArgumentError(meant === undefined ? "A duration such as 250ms, 60s, 15m, 24h or 30d is needed." : `Did you mean ${meant}?`);
}

/** How many times as fast as the clock on the wall. */
export function speedOption(text: string): number | "max" {
	if (text === "max") return "max";
	const speed = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
	if (speed > 0 && speed <= 1_000_000) return speed;
	throw new InvalidArgumentError('A factor such as 1 or 60 is needed, or "max".');
}

/** Seed of every random number: 32 bits. */
export function seedOption(text: string): number {
	const seed = /^\d+$/.test(text) ? Number(text) : Number.NaN;
	if (seed <= 0xffff_ffff) return seed;
	throw new InvalidArgumentError("A whole number from 0 to 4294967295 is needed.");
}

/** Where a broker listens. */
export function brokerOption(text: string): string {
	const problem = urlProblem(text);
	if (problem === undefined) return text;
	throw new InvalidArgumentError(`It ${problem}; mqtt://host:port is needed.`);
}
