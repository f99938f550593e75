/** Characters of a unit. */
const MAX_UNIT = 16;

/** Part of a parsed message: anything that a client may have sent. */
type Part = { readonly [key: string]: unknown };

/** Unit of a number, or what is sent for on and for off. */
export type Unit = string | readonly [on: string, off: string];

/** Units of one topic's values, by member of its JSON object; "": of the whole value. */
export type TopicUnits = ReadonlyMap<string, Unit>;

/**
 * Units of values, as devices announce them by retained messages: discovery of Home Assistant, for a device
 * or one component, with whole or abbreviated keys, and the Homie conventions.
 */
export class Units {
	/** By the topic of the message that tells them. */
	readonly #told = new Map<string, readonly Told[]>();

	/** Units of a topic's values. */
	of(topic: string): TopicUnits {
		const told = [...this.#told.values()].flat().filter(([described]) => described === topic);
		return new Map(told.map(([, key, unit]) => [key, unit]));
	}

	/**
	 * Reads a message, which may take the place of one before it; any text may be one.
	 * @returns number of values whose units it tells; undefined: it describes none
	 */
	read(topic: string, text: string): number | undefined {
		const told = describedBy(topic, text);
		if (told === undefined) this.#told.delete(topic);
		else this.#told.set(topic, told);
		return told?.length;
	}
}

/** Topic, member of its JSON object or "", and unit. */
type Told = readonly [topic: string, key: string, unit: Unit];

function describedBy(topic: string, text: string): readonly Told[] | undefined {
	const end = topic.slice(topic.lastIndexOf("/") + 1);
	if (end === "$unit") return [[topic.slice(0, -6), "", text.slice(0, MAX_UNIT)]];
	if (end !== "config" && end !== "$description") return undefined;
	const message = parsed(text);
	if (message === undefined) return undefined;
	return end === "config" ? homeAssistant(message) : homie(topic.slice(0, -13), message);
}

function homeAssistant(message: Part): readonly Told[] | undefined {
	const components = message.cmps ?? message.components;
	const parts = components === undefined ? [message] : partsOf(components).map(([, part]) => part);
	const told: Told[] = [];
	let stateful = false;
	for (const part of parts) {
		const state = part.stat_t ?? part.state_topic ?? message.stat_t ?? message.state_topic;
		if (typeof state !== "string") continue;
		stateful = true;
		const unit = unitOf(part);
		const template = part.val_tpl ?? part.value_template;
		const key = keyOf(template);
		if (unit === undefined || key === undefined) continue;
		const base = String(part["~"] ?? message["~"] ?? "");
		told.push([state.replace(/^~|~$/, base), key, unit]);
	}
	return stateful ? told : undefined;
}

function unitOf(part: Part): Unit | undefined {
	const unit = part.unit_of_meas ?? part.unit_of_measurement;
	if (typeof unit === "string") return unit.slice(0, MAX_UNIT);
	const on = part.pl_on ?? part.payload_on;
	const off = part.pl_off ?? part.payload_off;
	return typeof on === "string" && typeof off === "string" ? [on, off] : undefined;
}

/** The member that a template takes of the value; "": all of it; undefined: something else. */
function keyOf(template: unknown = "{{value}}"): string | undefined {
	const match = /^{{ *value(?:_json(?:\.(\w+)|\[["']([^"']+)["']\]))? *[|}]/.exec(String(template));
	return match === null ? undefined : (match[1] ?? match[2] ?? "");
}

function homie(base: string, message: Part): readonly Told[] {
	const told: Told[] = [];
	for (const [node, { properties }] of partsOf(message.nodes))
		for (const [property, { unit }] of partsOf(properties))
			if (typeof unit === "string") told.push([`${base}/${node}/${property}`, "", unit.slice(0, MAX_UNIT)]);
	return told;
}

function partsOf(value: unknown): readonly (readonly [string, Part])[] {
	return Object.entries((value ?? {}) as Part).filter(
		(entry): entry is [string, Part] => typeof entry[1] === "object" && entry[1] !== null,
	);
}

/** An object in JSON. */
export function parsed(text: string): Part | undefined {
	try {
		const value: unknown = JSON.parse(text);
		return typeof value === "object" && value !== null ? (value as Part) : undefined;
	} catch {
		return undefined;
	}
}
