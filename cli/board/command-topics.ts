import { expand, type Placeholders, unknownPlaceholder } from "../../src/config/template";
import { Failure } from "../failure";

/** Where one node takes commands, and where it answers. */
export interface CommandTopics {
	readonly id: string;
	readonly topic: string;
	readonly answer: string;
}

/** The same for every node with a manifest: the placeholders of a device stand in them. */
type CommandTemplate = CommandTopics;

/** Placeholders of a device, and what may stand for them in an id. */
const PARTS: readonly (readonly [placeholder: string, pattern: string])[] = [
	["{mac}", "(?<mac>[0-9a-f]{12})"],
	["{chip}", "(?<chip>[0-9a-z-]+)"],
];

/**
 * The topics of one node.
 * @param id of the node; undefined: the manifest's, if that is the same on all boards
 * @throws Failure if they depend on what the id does not tell
 */
export function commandTopics(template: CommandTemplate, id: string | undefined): CommandTopics {
	const known = id ?? template.id;
	if (id === undefined && unknownPlaceholder(template.id, []) !== undefined)
		throw new Failure(`each board has another id, ${template.id}: --id says which one is meant`);
	const match = new RegExp(`^${patternOf(template.id)}$`).exec(known);
	if (match === null)
		throw new Failure(`--id ${known} is no id of this manifest, whose boards are ${template.id}`);
	const device: Placeholders = match.groups ?? {};
	const [topic = "", answer = ""] = [template.topic, template.answer].map((text) => {
		const expanded = expand(text, device);
		if (unknownPlaceholder(expanded, []) !== undefined)
			throw new Failure(`the topic ${text} of commands has a placeholder that the id ${template.id} lacks`);
		return expanded;
	});
	return { id: known, topic, answer };
}

function patternOf(template: string): string {
	let pattern = template.replaceAll(/[.*+?^$()|[\]\\]/g, "\\$&");
	const named = new Set<string>();
	for (const [placeholder, part] of PARTS)
		pattern = pattern.replaceAll(placeholder, () => {
			if (named.has(placeholder)) return `\\k<${placeholder.slice(1, -1)}>`;
			named.add(placeholder);
			return part;
		});
	return pattern;
}
