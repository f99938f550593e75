import { parseDuration } from "../../../src/config/duration";
import { variantsOf } from "../command-plan";
import { announces } from "../discovery-draw";
import { Disturbance } from "../disturbance";
import { isHomie } from "../homie-draw";
import { sensorsOf } from "../seed-plan";
import { type SeedRun, START_TIME, sitesOf } from "../world";
import type { Check } from "./check";
import { brokerForgot, subscriberMayLose } from "./queues";
import { clock, sensorBoards } from "./reports";

/** Exchanges within which a node that nothing disturbs has announced itself. */
const EXCHANGES = 3;
/** Of an exchange, ms. */
const EXCHANGE_MS = 25_000;

/** A node with `discovery` announces itself, and the announcement arrives whole. */
export const nodesAreAnnounced: Check = {
	name: "nodes are announced",
	run(run) {
		const failures: string[] = [];
		const [site] = sitesOf(run);
		for (const board of sensorBoards(run)) {
			if (!announces(run.plan, board) || isHomie(board)) continue;
			const { name } = board;
			const topic = `homeassistant/device/${name}/config`;
			const received = run.subscriber.received.filter((each) => each.topic === topic && each.payload !== "");
			for (const { payload } of received)
				if (!isAnnouncement(payload, name, sensorsOf(board).length)) failures.push(`${topic}: ${payload}`);
			const told = announcedAt(run, name);
			const mayBeLost = brokerForgot(run, "broker") || subscriberMayLose(run, site!);
			if (told !== undefined && !mayBeLost && received.length === 0)
				failures.push(`${name} was announced at ${clock(told)}, and nobody has received it`);
			const latest = lastTime(run, name);
			if (latest !== undefined && !((told ?? Infinity) <= latest))
				failures.push(`${name} is not announced at ${clock(latest)}`);
		}
		return failures.slice(0, 3);
	},
};

/** When a node has said that it was announced. */
function announcedAt({ events }: SeedRun, name: string): number | undefined {
	return events.find(
		(event) => event.node === name && event.type === "trace" && event.message === "announced: homeassistant",
	)?.time;
}

/** When a node must have announced itself; undefined: something has disturbed it. */
function lastTime(run: SeedRun, name: string): number | undefined {
	const first = run.events.find(({ node, type }) => node === name && type === "connected");
	if (first === undefined) return undefined;
	const board = run.plan.boards.find((each) => each.name === name)!;
	const longest = Math.max(
		...variantsOf(run.plan, board).flatMap((variant) =>
			sensorsOf(variant).map(({ every, heartbeat }) =>
				Math.max(parseDuration(String(every))!, parseDuration(String(heartbeat)) ?? 0),
			),
		),
	);
	// With a deadband but without heartbeat, nothing need be reported.
	if (sensorsOf(board).some(({ delta, heartbeat }) => delta !== undefined && heartbeat === undefined))
		return undefined;
	const latest = first.time + EXCHANGES * (longest + EXCHANGE_MS);
	const disturbance = new Disturbance(run, [name, "broker"]);
	return latest > run.recoveredAt || disturbance.touches(START_TIME, latest) ? undefined : latest;
}

function isAnnouncement(payload: string, id: string, sensors: number): boolean {
	try {
		const { dev, cmps } = JSON.parse(payload) as { dev: { ids: string[] }; cmps: object };
		return dev.ids.includes(id) && Object.keys(cmps).length >= sensors;
	} catch {
		return false;
	}
}
