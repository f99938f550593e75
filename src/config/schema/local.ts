import type { TSchema } from "typebox";
import * as Type from "typebox";
import type { Fields } from "../fields/field";
import { fireflyFields } from "../fields/firefly";
import { objectSchema, strict } from "./field-schema";

/** Sections with a row that the command line can override, reduced to these rows. */
function overridable(rows: Fields): Record<string, TSchema> {
	const sections: Record<string, TSchema> = {};
	for (const [key, row] of Object.entries(rows)) {
		if (row.kind !== "section") continue;
		const own = Object.entries(row.fields).filter(([, field]) => "override" in field);
		if (own.length > 0)
			sections[key] = Type.Optional(objectSchema(Object.fromEntries(own), { description: row.text }));
	}
	return sections;
}

/**
 * `firefly.local.json`, beside the manifest and never under version control: secrets, and settings of this
 * developer's network.
 */
export const LocalConfig = Type.Object(
	{ $schema: Type.Optional(Type.String()), ...overridable(fireflyFields) },
	strict,
);
