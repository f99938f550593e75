import { Disturbance } from "../disturbance";
import type { WellBehavedClient } from "../well-behaved-client";
import { sitesOf } from "../world";
import type { Check } from "./check";
import { clock } from "./reports";

/** Longest round trip of a QoS 1 message beyond that of a quiet network, ms: some turns of others. */
const TURNS_MS = 200;

/** A well-behaved client is not closed, evicted or refused for the sake of others. */
export const connectionsStay: Check = {
	name: "well-behaved clients stay connected",
	run(run) {
		const failures: string[] = [];
		for (const { board, subscriber, publisher } of sitesOf(run)) {
			const disturbance = new Disturbance(run, [board]);
			for (const [name, client] of Object.entries({ publisher, subscriber }))
				for (const { time, open, error, sessionPresent } of client.connections) {
					if (time > run.recoveredAt || disturbance.touches(time)) continue;
					if (!open) failures.push(`the ${name} of ${board} lost its connection at ${clock(time)}: ${error}`);
					else if (sessionPresent !== true && time > client.connections[0]!.time)
						failures.push(`the ${name} of ${board} lost its session at ${clock(time)}`);
				}
		}
		return failures.slice(0, 3);
	},
};

/** A well-behaved client is not starved: its messages are acknowledged as fast as on a quiet network. */
export const nobodyStarves: Check = {
	name: "well-behaved clients are not starved",
	run(run) {
		const failures: string[] = [];
		// QoS 2 takes two round trips; those before it in the queue may take as long again.
		const limit = 8 * 2 * run.plan.latency + TURNS_MS;
		for (const { board, publisher } of sitesOf(run)) {
			const disturbance = new Disturbance(run, [board]);
			for (const { topic, qos, publishedAt, acknowledgedAt } of publisher.published) {
				if (qos === 0 || disturbance.touches(publishedAt, acknowledgedAt ?? run.recoveredAt)) continue;
				if (!isConnected(publisher, publishedAt)) continue;
				if (acknowledgedAt === undefined || acknowledgedAt - publishedAt > limit)
					failures.push(
						`${topic} of ${clock(publishedAt)} was acknowledged after ${(acknowledgedAt ?? Infinity) - publishedAt} ms`,
					);
			}
		}
		return failures.slice(0, 3);
	},
};

function isConnected(publisher: WellBehavedClient, time: number): boolean {
	let open = false;
	for (const change of publisher.connections) if (change.time <= time) ({ open } = change);
	return open;
}
