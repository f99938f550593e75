import type { TimedEvent } from "../../sim/report/events";
import type { BoardPlan } from "./seed-plan";
import type { SeedRun } from "./world";

/** A connection of a node from CONNACK on. */
export interface Exchange {
	/** CONNACK, ms since 1970. */
	readonly from: number;
	/** The wake ended, or the connection did; the end of the run. */
	readonly to: number;
	/** It ended with the sleep of the node. */
	readonly sleeps: boolean;
}

/** What ends a connection, or may. */
const ENDS: readonly TimedEvent["type"][] = ["failed", "limit", "boot", "off", "crash", "sleep", "connected"];

/** Connections of a node, each until something went wrong, the node slept, or it ended otherwise. */
export function exchangesOf({ events, recoveredAt }: SeedRun, { name }: BoardPlan): readonly Exchange[] {
	const exchanges: Exchange[] = [];
	let from: number | undefined;
	for (const { node, type, time } of events) {
		if (node !== name || !ENDS.includes(type)) continue;
		if (from !== undefined) exchanges.push({ from, to: time, sleeps: type === "sleep" });
		from = type === "connected" ? time : undefined;
	}
	if (from !== undefined) exchanges.push({ from, to: recoveredAt, sleeps: false });
	return exchanges;
}
