import { dirname, resolve } from "node:path";
import { didYouMean, nearest } from "./suggest";

/** Variables that mcconfig has, or manifests of the SDK define: they lead into the SDK or to its output. */
const SDK_VARIABLES = [
	"BLEMODULEPATH",
	"BUILD",
	"BUILD_SIMULATOR",
	"COMMODETTO",
	"FULLPLATFORM",
	"IO",
	"MODDABLE",
	"MODULES",
	"NAME",
	"NODEREDMCU",
	"PIU",
	"PLATFORM",
	"SUBPLATFORM",
	"SUBPLATFORMDIRECTORY",
	"SUBPLATFORMMANIFEST",
	"USERHOME",
];

/** The result of replacing variables: a path, or why there is none. */
type Expanded = { readonly path: string } | { readonly undefinedVariable: string } | { readonly sdk: true };

/** Variables of `build`, as mcconfig keeps them: each holds for all that is read after it. */
export class BuildVariables {
	readonly #values = new Map<string, string>();
	readonly #environment: NodeJS.ProcessEnv;

	/** @param environment has those that no manifest defines */
	constructor(environment: NodeJS.ProcessEnv) {
		this.#environment = environment;
	}

	/** Adds those of a manifest's `build`. A value that begins with `./` is relative to the manifest. */
	define(build: Readonly<Record<string, unknown>>, manifest: string): void {
		for (const [name, value] of Object.entries(build)) {
			if (typeof value !== "string") continue;
			const expanded = this.expand(value);
			const text = "path" in expanded ? expanded.path : value;
			this.#values.set(name, text.startsWith("./") ? resolve(dirname(manifest), text) : text);
		}
	}

	/** Replaces each `$(NAME)`. */
	expand(text: string): Expanded {
		let path = text;
		for (const [written, name] of text.matchAll(/\$\(([^)]+)\)/g)) {
			const own = this.#values.get(name);
			// Also where the environment has it: a check says the same with and without the SDK.
			if (own === undefined && SDK_VARIABLES.includes(name)) return { sdk: true };
			const value = own ?? this.#environment[name];
			if (value === undefined) return { undefinedVariable: name };
			// What a variable of the SDK is part of, is of the SDK too.
			if (value.includes("$(")) return { sdk: true };
			path = path.replace(written, () => value);
		}
		return { path };
	}

	/** `; did you mean $(FIREFLY)?`, or nothing. */
	advice(name: string): string {
		const known = [...this.#values.keys(), ...SDK_VARIABLES];
		return didYouMean(nearest(name, known)).replace(/"(\w+)"/, "$($1)");
	}
}
