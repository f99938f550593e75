import type { Range } from "../limits";
import type { Validator } from "../validators";

/**
 * A row of the table of configuration fields: everything there is to know about one key of
 * `config.firefly`. The settings' types, the reader on the device, the JSON Schema, `firefly check` and
 * docs/configuration.md are derived from it.
 */
export type Field =
	| NumberField
	| ChoiceField
	| ChoicesField
	| TextField
	| SwitchableTextField
	| TextsField
	| TableField
	| PointsField
	| ListField
	| ObjectField
	| SectionField
	| IgnoredField;

/** Rows of one object of the configuration, by key. */
export type Fields = { readonly [key: string]: Field };

interface Described {
	/** What it is, in a sentence or two; shown by editors. */
	readonly text: string;
	/** What happens at its limit, and what else a user should know: for docs/configuration.md. */
	readonly detail?: readonly string[];
	/** Name for people; by default that of the key, in words. */
	readonly title?: string;
	/** By default its default. */
	readonly examples?: readonly unknown[];
	/** The command `set` may change it while the node runs. */
	readonly settable?: true;
}

/**
 * `count`: a whole number. `decimal`: any number. `duration`: text with a unit, ms in the settings.
 * `seconds`: the same in whole seconds, which MQTT counts in, s in the settings. `minimum`, `maximum` and
 * `default` are in the unit of the settings.
 */
interface NumberField extends Described, Range {
	readonly kind: "count" | "decimal" | "duration" | "seconds";
	/** Absent: the setting is absent unless it is configured. */
	readonly default?: number;
	/** What a `count` or `decimal` counts. */
	readonly unit?: string;
	/** Key of an earlier row of the same object: the default grows and shrinks with its value. */
	readonly scalesWith?: string;
}

interface ChoiceField extends Described {
	readonly kind: "choice";
	readonly choices: readonly (string | number | boolean)[];
	readonly default?: string | number | boolean;
}

/** One or several of them: a word, or a list of words. */
interface ChoicesField extends Described {
	readonly kind: "choices";
	readonly choices: readonly string[];
}

/** A text that `check` accepts. */
interface TextField extends Described {
	readonly kind: "text";
	readonly check: Validator;
	readonly default?: string;
	/** There is no default, and nothing works without. */
	readonly required?: true;
	/** Must not be in the manifest, and not in messages. */
	readonly secret?: true;
	/** Regular expression of an approximation of `check`, for editors. */
	readonly pattern?: string;
	/**
	 * Key of the string in `mc/config` that takes precedence; mcconfig's command line and, in capitals after
	 * `FIREFLY_`, the environment set it. The key may be in firefly.local.json too.
	 */
	readonly override?: string;
}

/** A text, or `false` for none. */
interface SwitchableTextField extends Described {
	readonly kind: "switchableText";
	readonly check: Validator;
	/** Absent: the setting is absent unless it is configured. */
	readonly default?: string;
}

/** A list of texts. */
interface TextsField extends Described {
	readonly kind: "texts";
	readonly check: Validator;
	/** What one of them is. */
	readonly item: string;
	/** Of entries. */
	readonly maximum: number;
}

/** An object with texts under keys of the user's choice. Read by a function of its own. */
interface TableField extends Described {
	readonly kind: "table";
	readonly check: Validator;
	readonly item: string;
	readonly pattern: string;
	/** Of entries. */
	readonly maximum: number;
}

/** A table of points `[[x, y], …]`, x ascending; x and y in turns in the settings. */
interface PointsField extends Described {
	readonly kind: "points";
	/** Of points. */
	readonly maximum: number;
	/** Absent: the setting is absent unless it is configured. */
	readonly default?: readonly (readonly [number, number])[];
}

/** A list of objects. Read by a function of its own. */
interface ListField extends Described {
	readonly kind: "list";
	readonly fields: Fields;
	/** What one of them is. */
	readonly item: string;
	/** Of entries. */
	readonly maximum: number;
}

/** An object whose content Firefly does not know. */
interface ObjectField extends Described {
	readonly kind: "object";
}

interface SectionField extends Described {
	readonly kind: "section";
	readonly fields: Fields;
	/** The setting is absent unless it is configured. */
	readonly optional?: true;
	/** Key of the `choices` row that a value stands for which is no object. */
	readonly shorthand?: string;
}

/** Accepted, whatever its value, without effect. */
interface IgnoredField extends Described {
	readonly kind: "ignored";
}

/** Type of the setting of a row; `never` for rows that a function of their own reads, or nobody. */
type Value<Row> = Row extends { kind: "choice"; choices: readonly (infer Choice)[] }
	? Choice
	: Row extends { kind: "choices"; choices: readonly (infer Choice)[] }
		? readonly Choice[]
		: Row extends { kind: "count" | "decimal" | "duration" | "seconds" }
			? number
			: Row extends { kind: "text" }
				? string
				: Row extends { kind: "switchableText" }
					? string | false
					: Row extends { kind: "texts" }
						? readonly string[]
						: Row extends { kind: "points" }
							? readonly number[]
							: Row extends { kind: "object" }
								? object
								: Row extends { kind: "section"; fields: infer Rows }
									? Values<Rows>
									: never;

/** Rows whose setting is always present. */
type Present =
	| { readonly default: unknown }
	| { readonly required: true }
	| { readonly kind: "texts" | "choices" }
	| { readonly kind: "section"; readonly optional?: never };

/** Type of the settings of a group of rows. */
export type Values<Rows> = {
	readonly [Key in keyof Rows as Value<Rows[Key]> extends never
		? never
		: Rows[Key] extends Present
			? Key
			: never]: Value<Rows[Key]>;
} & {
	readonly [Key in keyof Rows as Value<Rows[Key]> extends never
		? never
		: Rows[Key] extends Present
			? never
			: Key]?: Value<Rows[Key]>;
};
