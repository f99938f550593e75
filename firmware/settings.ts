import config from "mc/config";
import { freeze } from "../src/config/freeze";
import { readTemplate, type Settings } from "../src/config/settings";
import { type Plan, planOf } from "../src/sensor/plan";

/*
 * What follows from the configuration alone. This module is preloaded: it runs when the firmware is linked, and its results lie in
 * flash. There is no console then, so what is wrong is kept for the first line of every run.
 */

const found: string[] = [];

/** For any device: `{mac}` and `{chip}` are to be filled in. */
export const template: Settings = readTemplate(config, (problem) => found.push(problem));

export const plan: Plan = planOf(template);

/** What is wrong with the configuration, with its path. */
export const problems: readonly string[] = freeze(found);
