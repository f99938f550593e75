import type { JSONObject } from "../../../sim/manifest/manifest-reader";
import { Disturbance } from "../disturbance";
import { isHomie } from "../homie-draw";
import { type BoardPlan, sensorsOf } from "../seed-plan";
import { type SeedRun, sitesOf } from "../world";
import type { Check } from "./check";
import { brokerForgot, subscriberMayLose } from "./queues";
import { clock } from "./reports";

const STATES = ["init", "ready", "sleeping", "lost"];
/** From the end of an exchange until the subscriber knows of it, ms. */
const TELLING_MS = 30_000;

/** A node of the Homie convention describes itself, and its state is true. */
export const homieStatesAreTrue: Check = {
	name: "states of the Homie convention are true",
	run(run) {
		const failures: string[] = [];
		for (const board of run.plan.boards.filter(isHomie)) {
			const base = `homie/5/${board.name}`;
			let state: string | undefined;
			for (const { topic, payload, time, retain } of run.subscriber.received) {
				if (time > run.recoveredAt) break;
				if (topic === `${base}/$state`) {
					if (!STATES.includes(payload)) failures.push(`${topic}: ${payload} at ${clock(time)}`);
					state = payload;
				}
				if (topic !== `${base}/$description`) continue;
				if (!describes(payload, board)) failures.push(`${topic}: ${payload}`);
				// One that was interrupted goes on behind the will
				if (!retain && !mayMiss(run) && state !== "init" && state !== "lost")
					failures.push(`${base} is described at ${clock(time)} in the state ${state}`);
			}
			const { mode } = board.firefly.sleep as JSONObject;
			const expected = mode === "deep" ? "sleeping" : "ready";
			if (mustBeSettled(run, board) && state !== expected)
				failures.push(`${base} ends in the state ${state}, and not ${expected}`);
		}
		return failures.slice(0, 3);
	},
};

/** Whether the subscriber may not have received all states. */
function mayMiss(run: SeedRun): boolean {
	const [site] = sitesOf(run);
	return brokerForgot(run, "broker") || subscriberMayLose(run, site!);
}

/** Whether a node has reported since the last disturbance, and long before the end. */
function mustBeSettled(run: SeedRun, { name }: BoardPlan): boolean {
	const disturbance = new Disturbance(run, [name, "broker"]);
	const last = run.events.find(
		({ node, type, time }) =>
			node === name && type === "acknowledged" && !disturbance.touches(time, run.recoveredAt),
	);
	return last !== undefined && last.time < run.recoveredAt - TELLING_MS && !mayMiss(run);
}

function describes(payload: string, board: BoardPlan): boolean {
	try {
		const { homie, nodes } = JSON.parse(payload) as {
			homie: string;
			nodes: { sensors: { properties: object } };
		};
		const names = Object.keys(nodes.sensors.properties);
		return homie === "5.0" && sensorsOf(board).every(({ name }) => names.includes(String(name)));
	} catch {
		return false;
	}
}
