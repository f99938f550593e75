import { applyEdits, modify } from "jsonc-parser";
import type { Project } from "./project";

/** What `npm init` writes for a project without tests. */
const NO_TEST = /^echo .*no test specified/i;

/** `scripts` of a project's package.json. */
export function scriptsOf({ firefly, board }: Project): Readonly<Record<string, string>> {
	const command = `node ${JSON.stringify(`${firefly}/cli/firefly.mjs`)}`.replace(/"([\w./@-]+)"/, "$1");
	return {
		start: `${command} sim`,
		check: `${command} check`,
		test: "node --test",
		flash: `${command} flash ${board}`,
		monitor: `${command} monitor`,
		firefly: command,
	};
}

/** A new package.json. */
export function packageText(project: Project): string {
	const json = { name: project.name, private: true, scripts: scriptsOf(project) };
	return `${JSON.stringify(json, undefined, 2)}\n`;
}

/**
 * An existing package.json with the scripts that it lacks.
 * @returns undefined if it lacks none, or is no JSON object
 */
export function completedPackage(text: string, project: Project): string | undefined {
	let json: unknown;
	try {
		json = JSON.parse(text);
	} catch {
		return undefined;
	}
	if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
	const { scripts = {} } = json as { readonly scripts?: Readonly<Record<string, unknown>> };
	let completed = text;
	for (const [name, command] of Object.entries(scriptsOf(project))) {
		const existing = scripts[name];
		if (existing !== undefined && !(name === "test" && NO_TEST.test(String(existing)))) continue;
		const tabs = /\n\t/.test(text);
		const formattingOptions = { insertSpaces: !tabs, tabSize: tabs ? 1 : 2, eol: "\n" };
		completed = applyEdits(completed, modify(completed, ["scripts", name], command, { formattingOptions }));
	}
	return completed === text ? undefined : completed;
}

/** What git leaves alone: secrets, and what is built. */
const IGNORED = ["node_modules/", ".firefly/", ".firefly-*.json", "firefly.local.json"];

/** A .gitignore with what must not be committed; undefined if it has all of it. */
export function completedIgnores(text: string): string | undefined {
	const lines = text.split(/\r?\n/).map((line) => line.trim().replace(/\/$/, ""));
	const missing = IGNORED.filter((name) => !lines.includes(name.replace(/\/$/, "")));
	if (missing.length === 0) return undefined;
	const start = text === "" || text.endsWith("\n") ? text : `${text}\n`;
	return `${start}${missing.join("\n")}\n`;
}
