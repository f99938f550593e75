import config from "mc/config";
import { deepFreeze } from "../src/config/deep-freeze";
import { readTemplate, type Settings } from "../src/config/settings";

/*
 * Values derived from the configuration alone. This module is preloaded: it runs when the firmware is linked,
 * and its results lie in flash. No console exists then, so that problems are stored and traced at the start
 * of every run.
 */

const foundProblems: string[] = [];

/** Settings for any device: `{mac}` and `{chip}` are not filled in yet. */
export const template: Settings = readTemplate(config, (problem) => foundProblems.push(problem));

/** Problems of the configuration, each with its path. */
export const problems: readonly string[] = deepFreeze(foundProblems);
