/*
 * What Home Assistant's MQTT integration and the Homie convention 5 accept, as facts from
 * homeassistant/components/mqtt (discovery, schemas, sensor, abbreviations) and from convention.md. Written
 * for tests, apart from the code under test.
 */

/** Long keys of the abbreviations that a sensor may use. */
const LONG_KEYS: Readonly<Record<string, string>> = {
	dev: "device",
	o: "origin",
	cmps: "components",
	p: "platform",
	ids: "identifiers",
	mf: "manufacturer",
	mdl: "model",
	sw: "sw_version",
	sa: "suggested_area",
	uniq_id: "unique_id",
	stat_t: "state_topic",
	val_tpl: "value_template",
	unit_of_meas: "unit_of_measurement",
	dev_cla: "device_class",
	stat_cla: "state_class",
	sug_dsp_prc: "suggested_display_precision",
	exp_aft: "expire_after",
	ic: "icon",
	pl_on: "payload_on",
	pl_off: "payload_off",
};

interface Component {
	readonly platform: string;
	readonly unique_id?: string;
	readonly name?: string;
	readonly state_topic?: string;
	readonly value_template?: string;
	readonly unit_of_measurement?: string;
	readonly device_class?: string;
	readonly state_class?: string;
	readonly suggested_display_precision?: number;
	readonly expire_after?: number;
	readonly icon?: string;
	readonly qos?: number;
	readonly payload_on?: string;
	readonly payload_off?: string;
}

export interface DeviceConfig {
	readonly device: Readonly<Record<string, unknown>> & { readonly identifiers?: readonly string[] };
	readonly origin: { readonly name: string };
	readonly components: Readonly<Record<string, Component>>;
}

const COMMON_KEYS = [
	"platform",
	"unique_id",
	"name",
	"state_topic",
	"value_template",
	"device_class",
	"expire_after",
	"icon",
	"qos",
];
const PLATFORM_KEYS: Readonly<Record<string, ReadonlySet<string>>> = {
	sensor: new Set([...COMMON_KEYS, "unit_of_measurement", "state_class", "suggested_display_precision"]),
	binary_sensor: new Set([...COMMON_KEYS, "payload_on", "payload_off", "off_delay"]),
};
/** BinarySensorDeviceClass, which has none of the numbers' classes but those of the same name. */
const BINARY_CLASSES = /^(door|window|opening|motion|moisture|occupancy|battery|gas|power|problem|smoke)$/;
/** Device classes of numbers that tests use, all of which the other platform lacks. */
const NUMBER_CLASSES = /^(temperature|temperature_delta|energy|humidity|moisture|battery|illuminance|ph)$/;
const DEVICE_KEYS = new Set(["identifiers", "name", "manufacturer", "model", "sw_version", "suggested_area"]);
const ROOT_KEYS = new Set(["device", "origin", "components"]);
const TOPIC = /^(?<prefix>.+)\/device\/(?:[a-zA-Z0-9_-]+\/)?[a-zA-Z0-9_-]+\/config$/;

function lengthen(value: object): Record<string, unknown> {
	return Object.fromEntries(Object.entries(value).map(([key, inner]) => [LONG_KEYS[key] ?? key, inner]));
}

/** The configuration in a discovery message of the device form. @throws if Home Assistant would refuse it */
export function readDeviceConfig(topic: string, payload: string): DeviceConfig {
	if (!TOPIC.test(topic)) throw new Error(`${topic} is no discovery topic`);
	const root = lengthen(JSON.parse(payload));
	const device = lengthen(root.device as object);
	const origin = lengthen(root.origin as object);
	onlyKeys(root, ROOT_KEYS);
	onlyKeys(device, DEVICE_KEYS);
	const { identifiers } = device;
	if (!Array.isArray(identifiers) || identifiers.length === 0) throw new Error("a device needs identifiers");
	if (typeof origin.name !== "string") throw new Error("an origin needs a name");
	const components = Object.fromEntries(
		Object.entries(root.components as object).map(([id, value]) => [id, readComponent(id, lengthen(value))]),
	);
	return { device, origin, components } as unknown as DeviceConfig;
}

function readComponent(id: string, component: Record<string, unknown>): Component {
	const keys = PLATFORM_KEYS[String(component.platform)];
	if (/\s/.test(id)) throw new Error(`"${id}" is no component`);
	if (keys === undefined) throw new Error(`${id}: no platform`);
	onlyKeys(component, keys);
	if (Object.keys(component).length === 1) return component as unknown as Component;
	const classes = component.platform === "sensor" ? NUMBER_CLASSES : BINARY_CLASSES;
	if (component.device_class !== undefined && !classes.test(String(component.device_class)))
		throw new Error(`${id}: ${component.device_class} is no device class of a ${component.platform}`);
	// STATE_CLASS_UNITS
	if (component.state_class === "measurement_angle" && component.unit_of_measurement !== "°")
		throw new Error(`${id}: ${component.unit_of_measurement} is no unit of an angle`);
	for (const key of ["payload_on", "payload_off"])
		if (component[key] !== undefined && typeof component[key] !== "string")
			throw new Error(`${id}: ${key} is no text`);
	for (const key of ["unique_id", "state_topic"])
		if (typeof component[key] !== "string" || component[key] === "") throw new Error(`${id}: no ${key}`);
	if (/[#+]/.test(component.state_topic as string)) throw new Error(`${id}: a wildcard in state_topic`);
	for (const key of ["expire_after", "suggested_display_precision"])
		if (component[key] !== undefined && !(Number.isInteger(component[key]) && Number(component[key]) >= 0))
			throw new Error(`${id}: ${key} is no positive integer`);
	if (component.icon !== undefined && !/^[^:]+:.+$/.test(component.icon as string))
		throw new Error(`${id}: an icon has a prefix`);
	if (component.qos !== undefined && ![0, 1, 2].includes(component.qos as number))
		throw new Error(`${id}: qos`);
	return component as unknown as Component;
}

function onlyKeys(value: object, keys: ReadonlySet<string>): void {
	for (const key of Object.keys(value)) if (!keys.has(key)) throw new Error(`the key ${key} has no meaning`);
}

/**
 * Home Assistant's entities of one device, by the messages of its discovery topic: platform and component
 * tell them apart. A message changes those that it names, and takes back one that has its platform alone; it
 * does not take back what it leaves out.
 */
export class DeviceEntities {
	readonly entities = new Set<string>();

	/** @throws if Home Assistant would refuse it */
	receive(topic: string, payload: string): void {
		if (payload === "") {
			this.entities.clear();
			return;
		}
		const { components } = readDeviceConfig(topic, payload);
		for (const [id, component] of Object.entries(components)) {
			const entity = `${component.platform} ${id}`;
			if (Object.keys(component).length === 1) this.entities.delete(entity);
			else this.entities.add(entity);
		}
	}
}

/** An MQTT sensor of Home Assistant: whether it is available, by what its topic gets. */
export class SensorEntity {
	readonly #component: Component;
	#receivedAt = -Infinity;
	/** A number, or "on" or "off". */
	value: string | undefined;

	constructor(component: Component) {
		this.#component = component;
	}

	/** @param time ms */
	receive(time: number, payload: string): void {
		this.#receivedAt = time;
		const { value_template, platform, payload_on = "ON", payload_off = "OFF" } = this.#component;
		const value = render(value_template, payload);
		// Both platforms ignore an empty state; one that is neither is not shown, either.
		if (value === "") return;
		if (platform === "sensor") this.value = value;
		else if (value === payload_on || value === payload_off) this.value = value === payload_on ? "on" : "off";
	}

	/** `expire_after` counts from the last message. */
	isAvailable(time: number): boolean {
		const { expire_after } = this.#component;
		return expire_after === undefined || time - this.#receivedAt < expire_after * 1000;
	}
}

/** Renders the two forms of template that are used, as Jinja does. */
function render(template: string | undefined, payload: string): string {
	if (template === undefined) return payload;
	const ofArray =
		/^\{% for r in value_json if '([\w.-]+)' in r %\}\{% if loop\.last %\}\{\{r\['\1'\]\}\}\{% endif %\}\{% endfor %\}$/;
	const name = ofArray.exec(template)?.[1];
	if (name !== undefined) {
		const reports = JSON.parse(payload) as Readonly<Record<string, unknown>>[];
		const last = reports.findLast((report) => name in report);
		return last === undefined ? "" : String(last[name]);
	}
	const key = /^\{\{value_json\['([A-Za-z0-9._-]+)'\]\|default\(''\)\}\}$/.exec(template)?.[1];
	if (key === undefined) throw new Error(`unknown template ${template}`);
	const value = (JSON.parse(payload) as Readonly<Record<string, unknown>>)[key];
	return value === undefined ? "" : String(value);
}

interface HomieProperty {
	readonly name?: string;
	readonly datatype: string;
	readonly unit?: string;
}

export interface HomieDescriptionDocument {
	readonly homie: string;
	readonly version: number;
	readonly name?: string;
	readonly nodes: Readonly<Record<string, { readonly properties: Readonly<Record<string, HomieProperty>> }>>;
}

/** Payloads of the datatypes that are used. */
const FORMS: Readonly<Record<string, RegExp>> = {
	integer: /^-?\d+$/,
	float: /^-?\d+(\.\d+)?([eE]-?\d+)?$/,
	boolean: /^(true|false)$/,
};
const HOMIE_ID = /^[a-z0-9-]+$/;

/** A device of the Homie convention, by what its topics get. @throws where the convention is not kept */
export class HomieDevice {
	state: string | undefined;
	readonly states: string[] = [];
	description: HomieDescriptionDocument | undefined;
	readonly values = new Map<string, string>();
	readonly #base: string;

	constructor(base: string) {
		for (const level of base.split("/"))
			if (!HOMIE_ID.test(level)) throw new Error(`${base} is no base topic`);
		this.#base = base;
	}

	receive(topic: string, payload: string, retain: boolean): void {
		if (!topic.startsWith(`${this.#base}/`)) throw new Error(`${topic} is not of this device`);
		if (!retain) throw new Error(`${topic} is not retained`);
		const path = topic.slice(this.#base.length + 1);
		if (path === "$state") {
			if (!["init", "ready", "disconnected", "sleeping", "lost", ""].includes(payload))
				throw new Error(`${payload} is no state`);
			this.state = payload;
			this.states.push(payload);
		} else if (path === "$description") this.#describe(payload);
		else if (payload === "") this.values.delete(path);
		else this.values.set(path, payload);
	}

	/** Throws unless the values are those of the description. */
	checkValues(): void {
		const nodes = this.description?.nodes ?? {};
		for (const [path, value] of this.values) {
			const [node, property, ...more] = path.split("/");
			const described = nodes[node!]?.properties[property!];
			if (described === undefined || more.length > 0) throw new Error(`${path} is not described`);
			if (!FORMS[described.datatype]!.test(value))
				throw new Error(`${path}: ${value} is no ${described.datatype}`);
		}
	}

	#describe(payload: string): void {
		// Without a state there is no device.
		if (!["init", "disconnected", "lost", ""].includes(this.state ?? ""))
			throw new Error(`the description must not change in the state ${this.state}`);
		this.description = undefined;
		if (payload === "") return;
		const document = JSON.parse(payload) as HomieDescriptionDocument;
		if (!/^5\.\d+$/.test(document.homie)) throw new Error("homie is not 5.x");
		if (!Number.isSafeInteger(document.version)) throw new Error("version is no integer");
		for (const [id, { properties }] of Object.entries(document.nodes)) {
			if (!HOMIE_ID.test(id)) throw new Error(`${id} is no node`);
			for (const [name, { datatype }] of Object.entries(properties))
				if (!HOMIE_ID.test(name) || !(datatype in FORMS)) throw new Error(`${name} is no property`);
		}
		this.description = document;
	}
}
