import type { EngineName } from "../../sim/engine/engine-factory";
import { staysConnected } from "./checks/always-on";
import { bridgeForwards, nothingCircles } from "./checks/bridge";
import { noCrash, poolsAreEmpty } from "./checks/broker";
import type { Check } from "./checks/check";
import { clocksAreRight } from "./checks/clocks";
import {
	answersAreRight,
	commandsAreAnswered,
	commandsAreExecutedOnce,
	reportNowSamples,
	summariesAreRight,
} from "./checks/commands";
import { connectionsStay, nobodyStarves } from "./checks/connections";
import { nodesAreAnnounced } from "./checks/discovery";
import { guestsAreServed } from "./checks/guests";
import { homieStatesAreTrue } from "./checks/homie";
import { lossesAreCounted } from "./checks/losses";
import { acknowledgedArrives, clientsAreServed, inOrder, neverTwice } from "./checks/messages";
import { pinsAreNoticed, pinWakesAreLimited } from "./checks/pins";
import {
	awakeLimitHolds,
	nodesAreServed,
	nothingLost,
	reportsArrive,
	samplesAreTaken,
} from "./checks/reports";
import { answersGoWhereAsked } from "./checks/responses";
import { settingsAreOnTrial, settingsAreStored, settingsHold } from "./checks/settings";
import { imagesAreOnTrial, imagesAreRight, updatesEnd } from "./checks/updates";
import { valuesAreNumbers } from "./checks/values";
import type { SeedPlan } from "./seed-plan";
import { runPlan, type SeedRun } from "./world";

export const CHECKS: readonly Check[] = [
	noCrash,
	nothingLost,
	awakeLimitHolds,
	neverTwice,
	inOrder,
	acknowledgedArrives,
	bridgeForwards,
	nothingCircles,
	connectionsStay,
	nobodyStarves,
	nodesAreServed,
	staysConnected,
	pinsAreNoticed,
	pinWakesAreLimited,
	samplesAreTaken,
	reportsArrive,
	clientsAreServed,
	clocksAreRight,
	valuesAreNumbers,
	nodesAreAnnounced,
	poolsAreEmpty,
	commandsAreAnswered,
	commandsAreExecutedOnce,
	answersAreRight,
	reportNowSamples,
	summariesAreRight,
	settingsAreStored,
	settingsAreOnTrial,
	settingsHold,
	imagesAreRight,
	updatesEnd,
	imagesAreOnTrial,
	guestsAreServed,
	answersGoWhereAsked,
	lossesAreCounted,
	homieStatesAreTrue,
];
/** What holds also where the broker has too little for its clients. */
const OF_TINY_POOLS: ReadonlySet<Check> = new Set([
	noCrash,
	nothingLost,
	awakeLimitHolds,
	samplesAreTaken,
	pinsAreNoticed,
	pinWakesAreLimited,
	clocksAreRight,
	valuesAreNumbers,
	poolsAreEmpty,
	lossesAreCounted,
]);

export interface SeedResult {
	readonly run: SeedRun;
	/** `check: what does not hold`. */
	readonly failures: readonly string[];
}

/** Runs a plan and checks the run. */
export async function checkPlan(plan: SeedPlan, engine: EngineName = "node"): Promise<SeedResult> {
	const run = await runPlan(plan, engine);
	const checks = plan.isTiny === true ? CHECKS.filter((check) => OF_TINY_POOLS.has(check)) : CHECKS;
	const failures = checks.flatMap((check) => check.run(run).map((failure) => `${check.name}: ${failure}`));
	return { run, failures };
}
