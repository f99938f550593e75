import type fc from "fast-check";
import type { ManifestView } from "../../cli/config/json";
import type { Path, Problem } from "../../cli/config/problem";
import { ruleProblems } from "../../cli/config/rules";
import { arbitraryFor, type SchemaNode } from "./schema-arbitrary";

type JSONObject = Record<string, unknown>;

/**
 * Rules whose violation the device traces as well. The others concern what only a desk knows, such as secrets
 * in a manifest, the memory of a chip, or what is missing for a role.
 */
const TRACED_RULES =
	/is also the name|Home Assistant|Homie|less than minimum|more than maximum|lacks \{sensor\}|either "allow" or "deny"|is the name of a user|is the port of|all values the same|samples|is no sensor|less than empty|more than low|default is in V|lacks "url", the other|lacks "topics"|with the prefix|makes a loop|makes retryMaximum/;

/** Rounds in which the rules find nothing new any more. */
const ROUNDS = 20;

/** Generates configurations that schema and rules accept: what a rule refuses is left out. */
export function acceptedConfig(root: SchemaNode): fc.Arbitrary<JSONObject> {
	return arbitraryFor(root).map((drawn) => {
		const firefly = structuredClone(drawn) as JSONObject;
		align(firefly);
		for (let round = 0; round < ROUNDS; round++) {
			const refused = refusedPaths(firefly);
			if (refused.length === 0) return firefly;
			// The last first, as indices of a list move
			for (const path of refused.reverse()) leaveOut(firefly, root, path);
		}
		throw new Error(`the rules refuse whatever is left out: ${JSON.stringify(firefly)}`);
	});
}

/** Makes values fit each other that hardly ever do by chance, so that these are not left out each time. */
function align(firefly: JSONObject): void {
	const sensors = objects(firefly.sensors);
	const names = sensors.map(({ name }) => name);
	const [battery] = objects([firefly.battery]);
	if (battery !== undefined && names.length > 0) battery.sensor = names[0];
	for (const bridge of objects([firefly.bridge])) {
		bridge.url = "mqtt://b";
		if (objects(bridge.topics).length === 0) bridge.topics = [{ filter: "t" }];
	}
	for (const rule of objects(Object(firefly.listen).acl)) if (rule.allow !== undefined) delete rule.deny;
	for (const sensor of sensors) if (sensor.spacing !== undefined) sensor.spacing = "50ms";
}

function objects(list: unknown): JSONObject[] {
	return Array.isArray(list) ? list.filter((entry) => typeof entry === "object" && entry !== null) : [];
}

/** Paths below `config.firefly` that rules refuse, in the order of the document. */
function refusedPaths(firefly: JSONObject): Path[] {
	const refused: Path[] = [];
	const problem = (path: Path, message: string): Problem => {
		if (TRACED_RULES.test(message)) refused.push(path.slice(2));
		return { file: "", line: 0, column: 0, path: "", message };
	};
	const view: ManifestView = {
		value: { config: { firefly } },
		at: problem,
		atKey: problem,
		isWritten: () => true,
	};
	ruleProblems(view, {}, true);
	return refused;
}

/** Leaves out a value; if it must be there, what it belongs to. */
function leaveOut(firefly: JSONObject, root: SchemaNode, path: Path): void {
	let holder: unknown = firefly;
	let node: SchemaNode | undefined = root;
	let optional: { readonly holder: object; readonly key: string | number } | undefined;
	for (const key of path) {
		if (typeof holder !== "object" || holder === null) break;
		if (!node?.required?.includes(String(key))) optional = { holder, key };
		holder = Reflect.get(holder, key);
		const object: SchemaNode | undefined = node?.allOf?.find((entry) => entry.else.properties)?.else ?? node;
		node = typeof key === "number" ? node?.items : object?.properties?.[key];
	}
	if (optional === undefined) return;
	if (Array.isArray(optional.holder)) optional.holder.splice(Number(optional.key), 1);
	else Reflect.deleteProperty(optional.holder, optional.key);
}
