import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { LocalConfig } from "../../src/config/schema/local";
import {
	type Validator as Predicate,
	passphraseProblem,
	secretProblem,
	ssidProblem,
	textProblem,
	urlProblem,
} from "../../src/config/validators";
import { readDocument } from "./file";
import { JSONDocument } from "./json";
import type { Problem } from "./problem";
import { schemaProblems, valueAt } from "./schema-problems";

/**
 * Top-level strings of `mc/config`, as mcconfig's command line adds them; they take precedence over
 * `config.firefly`.
 */
export type Overrides = Readonly<Partial<Record<OverrideKey, string>>>;

export type OverrideKey =
	| "wifi_ssid"
	| "wifi_password"
	| "broker_url"
	| "broker_username"
	| "broker_password";

interface OverrideSource {
	readonly key: OverrideKey;
	readonly path: readonly [string, string];
	readonly variable: string;
	readonly problem: Predicate;
}

const overrideSources: readonly OverrideSource[] = [
	{ key: "wifi_ssid", path: ["wifi", "ssid"], variable: "FIREFLY_WIFI_SSID", problem: ssidProblem },
	{
		key: "wifi_password",
		path: ["wifi", "password"],
		variable: "FIREFLY_WIFI_PASSWORD",
		problem: passphraseProblem,
	},
	{ key: "broker_url", path: ["broker", "url"], variable: "FIREFLY_BROKER_URL", problem: urlProblem },
	{
		key: "broker_username",
		path: ["broker", "username"],
		variable: "FIREFLY_BROKER_USERNAME",
		problem: textProblem,
	},
	{
		key: "broker_password",
		path: ["broker", "password"],
		variable: "FIREFLY_BROKER_PASSWORD",
		problem: secretProblem,
	},
];

export const localFile = "firefly.local.json";

/** Reads `firefly.local.json` beside the manifest, then the environment, which takes precedence. */
export function readOverrides(
	manifest: string,
	environment: NodeJS.ProcessEnv,
): { overrides: Overrides; problems: readonly Problem[] } {
	const overrides: Partial<Record<OverrideKey, string>> = {};
	const problems: Problem[] = [];
	const path = join(dirname(manifest), localFile);
	if (existsSync(path)) {
		const document = readDocument(path, relative(process.cwd(), path));
		if (!(document instanceof JSONDocument)) problems.push(document);
		else {
			problems.push(...document.problems);
			if (document.value !== undefined) problems.push(...schemaProblems(document, LocalConfig));
			for (const source of overrideSources) {
				const value = valueAt(document.value, source.path);
				if (typeof value === "string") overrides[source.key] = value;
			}
		}
	}
	for (const { key, variable, problem } of overrideSources) {
		const value = environment[variable];
		if (value === undefined || value === "") continue;
		const wrong = problem(value);
		const shown = variable.endsWith("PASSWORD") ? "the password" : JSON.stringify(value);
		if (wrong !== undefined)
			problems.push({
				file: "environment",
				line: 0,
				column: 0,
				path: variable,
				message: `${shown} ${wrong}`,
			});
		overrides[key] = value;
	}
	return { overrides, problems };
}

/** Advice on where to keep a secret instead of the manifest. */
export function secretAdvice(key: OverrideKey): string {
	const source = overrideSources.find((candidate) => candidate.key === key);
	return `is a secret, which a manifest does not keep; move it to ${source?.path.join(".")} in ${localFile}, or to ${source?.variable}`;
}
