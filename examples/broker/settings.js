/* Preloaded: it runs when the application is built, and its result stays in flash. */
import { readTemplate } from "firefly/config/settings";
import config from "mc/config";

/** What is wrong in the configuration, each with its path: no console exists when this runs. */
export const problems = /** @type {string[]} */ ([]);
export const { listen } = readTemplate(config, (problem) => problems.push(problem));
Object.freeze(problems);
