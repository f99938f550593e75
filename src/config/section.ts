import { parseDuration } from "./duration";
import type { Range } from "./limits";
import { pointsProblem } from "./points";
import { durationProblem, secondsProblem, type Validator } from "./validators";

/** Formats a value for a message. JSON.stringify would fail on values in read-only memory. */
function formatValue(value: unknown): string {
	if (typeof value === "string") return `"${value}"`;
	if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
	return String(value);
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** One object of the configuration: returns its values after validation, and traces invalid ones. */
export class Section {
	readonly path: string;
	readonly #values: { readonly [key: string]: unknown };
	readonly #trace: (message: string) => void;
	readonly #sections: { [key: string]: Section | undefined } = {};

	constructor(value: unknown, path: string, trace: (message: string) => void) {
		this.path = path;
		this.#trace = trace;
		this.#values = isObject(value) ? value : {};
		if (value !== undefined && !isObject(value)) trace(`${path}: ${formatValue(value)} is not an object`);
	}

	value(key: string): unknown {
		return this.#values[key];
	}

	/** The object under a key: the same each time, so that its problem is traced once. */
	section(key: string): Section {
		const known = this.#sections[key];
		if (known !== undefined) return known;
		const section = new Section(this.#values[key], `${this.path}.${key}`, this.#trace);
		this.#sections[key] = section;
		return section;
	}

	/** The list's entries, at most `maximum` of them. */
	list(key: string, maximum: number): readonly Section[] {
		const value = this.#values[key];
		const sections: Section[] = [];
		if (value === undefined) return sections;
		if (!Array.isArray(value)) return this.refuse(key, "is not a list", sections);
		if (value.length > maximum)
			this.#trace(`${this.path}.${key}: more than ${maximum} entries; the others are left out`);
		for (let i = 0; i < value.length && i < maximum; i++)
			sections.push(new Section(value[i], `${this.path}.${key}[${i}]`, this.#trace));
		return sections;
	}

	/** The list's strings, at most `maximum` of them; invalid ones are left out. */
	strings(key: string, maximum: number, validate: Validator): readonly string[] {
		const value = this.#values[key];
		const texts: string[] = [];
		if (value === undefined) return texts;
		if (!Array.isArray(value)) return this.refuse(key, "is not a list", texts);
		if (value.length > maximum)
			this.#trace(`${this.path}.${key}: more than ${maximum} entries; the others are left out`);
		for (let i = 0; i < value.length && i < maximum; i++) {
			const text: unknown = value[i];
			const problem = typeof text === "string" ? validate(text) : "is not a string";
			if (problem === undefined) texts.push(text as string);
			else this.#trace(`${this.path}.${key}[${i}]: ${formatValue(text)} ${problem}`);
		}
		return texts;
	}

	/** A table of points: x and y in turns. */
	points(
		key: string,
		fallback: readonly (readonly [number, number])[] | undefined,
		most: number,
	): readonly number[] | undefined {
		let table: unknown = this.#values[key];
		const problem = table === undefined ? undefined : pointsProblem(table, most);
		if (problem !== undefined) this.refuse(key, problem, undefined);
		if (table === undefined || problem !== undefined) table = fallback;
		return (table as typeof fallback)?.flat();
	}

	object(key: string): object | undefined {
		const value = this.#values[key];
		return value === undefined || isObject(value) ? value : this.refuse(key, "is not an object", undefined);
	}

	/** @param secret the value must not appear in messages */
	string<Fallback extends string | undefined>(
		key: string,
		fallback: Fallback,
		validate: Validator,
		secret = false,
	): string | Fallback {
		const value = this.#values[key];
		if (value === undefined) return fallback;
		if (typeof value !== "string") return this.refuse(key, "is not a string", fallback, secret);
		const problem = validate(value);
		return problem === undefined ? value : this.refuse(key, problem, fallback, secret);
	}

	number<Fallback extends number | undefined>(
		key: string,
		fallback: Fallback,
		range: Range,
	): number | Fallback {
		const value = this.#values[key];
		if (value === undefined) return fallback;
		if (typeof value !== "number") return this.refuse(key, "is not a number", fallback);
		return value >= range.minimum && value <= range.maximum
			? value
			: this.refuse(key, `is not between ${range.minimum} and ${range.maximum}`, fallback);
	}

	integer<Fallback extends number | undefined>(
		key: string,
		fallback: Fallback,
		range: Range,
	): number | Fallback {
		const value = this.number(key, fallback, range);
		return value === undefined || value === Math.floor(value)
			? value
			: this.refuse(key, "is not a whole number", fallback);
	}

	/** A duration in milliseconds. */
	duration<Fallback extends number | undefined>(
		key: string,
		fallback: Fallback,
		rangeMs: Range,
	): number | Fallback {
		const text = this.string(key, undefined, (value) => durationProblem(value, rangeMs));
		return (text === undefined ? undefined : parseDuration(text)) ?? fallback;
	}

	/** A duration in seconds. */
	seconds<Fallback extends number | undefined>(
		key: string,
		fallback: Fallback,
		rangeSeconds: Range,
	): number | Fallback {
		const text = this.string(key, undefined, (value) => secondsProblem(value, rangeSeconds));
		const milliseconds = text === undefined ? undefined : parseDuration(text);
		return milliseconds === undefined ? fallback : milliseconds / 1000;
	}

	choice<const Choice extends string | number | boolean, Fallback extends Choice | undefined>(
		key: string,
		fallback: Fallback,
		choices: readonly Choice[],
	): Choice | Fallback {
		const value = this.#values[key];
		if (value === undefined) return fallback;
		for (let i = 0; i < choices.length; i++) if (choices[i] === value) return choices[i];
		return this.refuse(key, `is not one of ${choices.join(", ")}`, fallback);
	}

	/** Traces the problem of a value and returns the fallback. */
	refuse<Fallback>(key: string, problem: string, fallback: Fallback, secret = false): Fallback {
		const value = this.#values[key];
		const shown = key.endsWith("password")
			? "the password"
			: secret
				? "the secret"
				: value === undefined
					? "it"
					: formatValue(value);
		this.#trace(`${this.path}.${key}: ${shown} ${problem}`);
		return fallback;
	}
}
