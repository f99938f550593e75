import assert from "node:assert/strict";
import { test } from "node:test";
import { FAULT_KINDS } from "../../sim/faults/fault-kinds";
import { formatFault, parseFault } from "../../sim/faults/fault-text";
import { brokerForgot, subscriberMayLose } from "./checks/queues";
import { HOSTILE_CLIENT_KINDS, ODD_CLIENT_KINDS } from "./odd-client-kinds";
import { drawPlan } from "./plan-draw";
import { replayCommand } from "./replay-command";
import { checkPlan } from "./run-seed";
import type { SeedPlan } from "./seed-plan";
import { shrinkFaults } from "./shrink";
import { runPlan, sitesOf } from "./world";

const SEEDS = 500;
/** Of these also on XS, which takes ten times as long. */
const SEEDS_ON_XS = 6;

test(`${SEEDS} seeds: whatever happens, everything that must hold does`, async (t) => {
	const failed: string[] = [];
	let strict = 0;
	for (let seed = 1; seed <= SEEDS; seed++) {
		const plan = drawPlan(seed);
		const { run, failures } = await checkPlan(plan);
		if (sitesOf(run).every((site) => !brokerForgot(run, site.board) && !subscriberMayLose(run, site)))
			strict++;
		if (failures.length > 0) failed.push(`${replayCommand(plan, plan.faults)}\n  ${failures.join("\n  ")}`);
	}
	assert.deepEqual(failed, []);
	t.diagnostic(`in ${strict} of them each acknowledged message must arrive`);
	assert.ok(strict > SEEDS / 2, `${strict}`);
});

test("a seed is the same run on XS and on Node, byte for byte, and again", async () => {
	const digests = new Set<string>();
	let commanded = 1;
	while (drawPlan(commanded).commands === undefined) commanded++;
	const seeds = new Set([...Array.from({ length: SEEDS_ON_XS }, (_, index) => index + 1), commanded]);
	for (const seed of seeds) {
		const plan = drawPlan(seed);
		const { run, failures } = await checkPlan(plan, "xs");
		assert.deepEqual(failures, [], replayCommand(plan, plan.faults, "xs"));
		assert.equal((await runPlan(plan, "node")).digest, run.digest);
		assert.equal((await runPlan(drawPlan(seed), "node")).digest, run.digest);
		digests.add(run.digest);
	}
	assert.equal(digests.size, seeds.size);
});

test("seeds draw every kind of fault and of neighbour, and every fault can be written in a command", () => {
	const faults = new Set<string>();
	const neighbours = new Set<string>();
	for (let seed = 1; seed <= SEEDS; seed++) {
		const plan = drawPlan(seed);
		for (const fault of plan.faults) {
			faults.add(fault.name);
			assert.deepEqual(parseFault(formatFault(fault)), fault);
		}
		for (const { kind } of plan.oddClients) neighbours.add(kind);
	}
	assert.deepEqual([...faults].sort(), Object.keys(FAULT_KINDS).sort());
	assert.deepEqual([...neighbours].sort(), [...ODD_CLIENT_KINDS, ...HOSTILE_CLIENT_KINDS].sort());
});

test("shrinking leaves the faults that the failure needs", async () => {
	const plan: SeedPlan = {
		...drawPlan(1),
		faults: ["dns:1s@1s", "wifi:1m@2m", "reset@3m", "broker:1m@4m/broker"].map(parseFault),
	};
	const check = async ({ faults }: SeedPlan): Promise<string[]> => {
		const names = faults.map(({ name }) => name);
		return [
			...(names.includes("wifi") && names.includes("broker") ? ["lost is 0: 3 lost"] : []),
			...(names.includes("dns") ? [] : ["another check: fails without dns"]),
		];
	};
	const faults = await shrinkFaults(plan, await check(plan), check);
	assert.equal(
		replayCommand(plan, faults),
		"npm run seeds -- 1 --from 1 --faults wifi:1m@2m,broker:1m@4m/broker",
	);
	assert.equal(replayCommand(plan, [], "xs"), 'npm run seeds -- 1 --from 1 --engine xs --faults ""');
});
