import config from "mc/config";
import { deepFreeze } from "../src/config/deep-freeze";
import { readTemplate, type Settings } from "../src/config/settings";
import { type DerivedSettings, deriveSettings } from "../src/sensor/derived-settings";

/*
 * What follows from the configuration alone. This module is preloaded: it runs when the firmware is linked,
 * and its results lie in flash. There is no console then, so what is wrong is kept for the first line of
 * every run.
 */

const foundProblems: string[] = [];

/** For any device: `{mac}` and `{chip}` are to be filled in. */
export const template: Settings = readTemplate(config, (problem) => foundProblems.push(problem));

export const derivedSettings: DerivedSettings = deriveSettings(template);

/** What is wrong with the configuration, with its path. */
export const problems: readonly string[] = deepFreeze(foundProblems);
