import assert from "node:assert/strict";
import type { TimedEvent } from "../../sim/report/events";
import { type CommandPlan, IMAGE_ADDRESS, IMAGE_PORT, type ImagePlan, replyTopic } from "./command-plan";
import { commandTopic } from "./commander";
import { digestOf, imageOf } from "./image-server";
import { drawPlan } from "./plan-draw";
import { checkPlan } from "./run-seed";
import { type BoardPlan, type SeedPlan, sensorsOf } from "./seed-plan";
import type { WellBehavedClient } from "./well-behaved-client";
import type { SeedRun } from "./world";

const IMAGE: ImagePlan = { path: "/0.bin", size: 2000, answer: "good", badRequests: 0, isWrong: false };
/** Between two commands, ms: more than a node sleeps. */
const PAUSE_MS = 70_000;

/** Without faults: a node that is told everything once. */
export async function findCommandedRun(): Promise<SeedRun> {
	for (let seed = 1; ; seed++) {
		const plan = { ...drawPlan(seed), faults: [] };
		const node = plan.boards.find(isSuitable);
		if (plan.commands === undefined || node === undefined || plan.active < 4 * PAUSE_MS) continue;
		const { run, failures } = await checkPlan(withCommands(plan, node));
		assert.deepEqual(failures, []);
		return run;
	}
}

function isSuitable(board: BoardPlan): boolean {
	const { name, firefly } = board;
	const { mode } = (firefly.sleep ?? {}) as { readonly mode?: string };
	return (
		name === "n1" &&
		mode === "deep" &&
		firefly.update !== undefined &&
		sensorsOf(board).every(({ delta, grid, wake }) => !delta && !grid && !wake)
	);
}

function withCommands(plan: SeedPlan, { name: node }: BoardPlan): SeedPlan {
	const settings = { sensors: [{ name: "s0", every: "20s" }] };
	const messages = [
		{ command: "report-now" },
		{ command: "summary" },
		{ command: "set", settings },
		{
			command: "update",
			url: `http://${IMAGE_ADDRESS}:${IMAGE_PORT}${IMAGE.path}`,
			sha256: digestOf(imageOf(IMAGE)),
		},
	];
	const commands = messages.map(
		(message, index): CommandPlan => ({
			at: 40_000 + index * PAUSE_MS,
			node,
			command: message.command,
			payload: JSON.stringify({ ...message, id: index }),
			id: index,
			qos: 1,
			retain: false,
			expected: "ok",
			...(message.command === "set" ? { settings } : {}),
			...(message.command === "update" ? { image: IMAGE.path } : {}),
		}),
	);
	return { ...plan, commands: { ...plan.commands!, commands, images: [IMAGE] } };
}

/** Of each check of commands, a run that it must not let pass. @param run that of {@link findCommandedRun} */
export function commandViolations(run: () => SeedRun): Readonly<Record<string, () => SeedRun>> {
	return {
		"commands are answered": () => withAnswers(run(), (text) => (text.includes('"id":0') ? undefined : text)),
		"commands are executed once": () => {
			const { events } = run();
			const again = events.filter((event) => event.type === "command" && event.command === "set");
			return { ...run(), events: [...events, ...again] };
		},
		"answers fit their commands": () =>
			withAnswers(run(), (text) => text.replace('"id":0,"ok":true', '"id":0,"ok":false,"error":"no"')),
		"answers go to the response topics of their commands": () => {
			const { commander } = run();
			const received = commander!.received.map((each) => ({ ...each, topic: replyTopic("n1", "1") }));
			return {
				...run(),
				commander: Object.create(commander!, { received: { value: received } }) as WellBehavedClient,
			};
		},
		"report-now samples all sensors": () => {
			const { events } = run();
			const at = events.findIndex((event) => event.type === "command" && event.command === "report-now");
			const { time, node } = events[at]!;
			return {
				...run(),
				events: events.filter(
					(event, index) =>
						index < at || event.type !== "sample" || event.node !== node || event.time > time + 5000,
				),
			};
		},
		"summaries are right": () =>
			withAnswers(run(), (text) => text.replace(/"accepted":\d+/, '"accepted":1000')),
		"settings are stored as the answer says": () => ({ ...run(), settings: new Map() }),
		"settings are given up if no report is acknowledged with them": () => {
			const { events, recoveredAt } = run();
			const restored = { type: "command", command: "restored", accepted: false } as const;
			return { ...run(), events: [...events, { time: recoveredAt, node: "n1", ...restored }] };
		},
		"settings hold": () => {
			const { events } = run();
			return {
				...run(),
				events: events.flatMap((event) =>
					event.type === "sample" && event.node === "n1" ? [event, event, event] : [event],
				),
			};
		},
		"the image that runs is the one that was asked for and has reported": () => ({
			...run(),
			images: new Map([...run().images, ["n1", { isOnTrial: false }]]),
		}),
		"images are returned from if no report is acknowledged with them": () => {
			const { events } = run();
			const activated = events.find((event) => event.type === "update" && event.phase === "activated")!;
			const { time, node } = activated;
			const failed = { type: "failed", fault: "transport", reasonCode: 0 } as const;
			const inVain = Array.from({ length: 5 }, (_, i): readonly TimedEvent[] => [
				{ time: time + i, node, ...failed },
				{ time: time + i, node, type: "wake", reason: "deep-sleep" },
			]);
			return {
				...run(),
				events: events.flatMap((event) => [event, ...(event === activated ? inVain.flat() : [])]),
			};
		},
		"updates end, and the node says how": () =>
			withAnswers(run(), (text) => (text.includes('"running"') ? undefined : text)),
	};
}

/** The same run with other answers. @param change undefined: the answer did not come */
function withAnswers(run: SeedRun, change: (text: string) => string | undefined): SeedRun {
	const { commander } = run;
	assert.ok(commander !== undefined);
	assert.ok(commander.published.some(({ topic }) => topic === commandTopic("n1")));
	const received = commander.received.flatMap((message) => {
		const payload = change(message.payload);
		return payload === undefined ? [] : [{ ...message, payload }];
	});
	return {
		...run,
		commander: Object.create(commander, { received: { value: received } }) as WellBehavedClient,
	};
}
