import { InvalidArgumentError } from "commander";
import { MAX_NODES } from "../sim/most-nodes";
import { parseDuration } from "../src/config/duration";
import { limits } from "../src/config/limits";
import { urlProblem, userProblem } from "../src/config/validators";
import { nodeAddressProblem } from "./config/node-address";
import { suggestDuration } from "./config/suggest";

/** A span of simulated time, in ms. */
export function durationOption(text: string): number {
	const duration = parseDuration(text);
	if (duration !== undefined && duration > 0) return duration;
	const suggestion = suggestDuration(text);
	throw new InvalidArgumentError(
		suggestion === undefined
			? "A duration such as 250ms, 60s, 15m, 24h or 30d is needed."
			: `Did you mean ${suggestion}?`,
	);
}

/** Ratio of simulated to wall-clock time. */
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

/** Number of simulated nodes. */
export function nodesOption(text: string): number {
	const nodes = /^\d+$/.test(text) ? Number(text) : Number.NaN;
	if (nodes >= 1 && nodes <= MAX_NODES) return nodes;
	throw new InvalidArgumentError(`A whole number from 1 to ${MAX_NODES} is needed.`);
}

/** Name of a user of the broker. */
export function userOption(text: string): string {
	const problem = userProblem(text);
	if (problem === undefined) return text;
	throw new InvalidArgumentError(`It ${problem}.`);
}

/** Iterations of a password hash. */
export function iterationsOption(text: string): number {
	const { minimum, maximum } = limits.iterations;
	const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
	if (count >= minimum && count <= maximum) return count;
	throw new InvalidArgumentError(`A whole number from ${minimum} to ${maximum} is needed.`);
}

/** A TCP port; 0 lets the machine choose. */
export function portOption(text: string): number {
	const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
	if (port <= 65_535) return port;
	throw new InvalidArgumentError("A port from 0 to 65535 is needed.");
}

/** URL of a broker. */
export function brokerOption(text: string): string {
	const problem = urlProblem(text);
	if (problem === undefined) return text;
	throw new InvalidArgumentError(`It ${problem}; mqtt://host:port is needed, or mqtts, ws or wss.`);
}

/** Speed of a serial port, bits a second. */
export function baudOption(text: string): number {
	const speed = /^\d+$/.test(text) ? Number(text) : Number.NaN;
	if (speed >= 300 && speed <= 4_000_000) return speed;
	throw new InvalidArgumentError("A speed from 300 to 4000000 bits a second is needed, such as 115200.");
}

/** URL of a broker that a node reports to. */
export function nodeBrokerOption(text: string): string {
	const problem = nodeAddressProblem(brokerOption(text));
	if (problem === undefined) return text;
	throw new InvalidArgumentError(`It ${problem}.`);
}
