import { deviceClassOf, isBinary, unitOf } from "../../config/binary-value";
import { expand } from "../../config/template";
import type { DiscoverySettings, SensorSettings, Settings } from "../../config/types";
import type { Device } from "../../device";
import { VERSION } from "../../version";
import { nameOf, wasBinary } from "./announced-names";
import { type Announcement, displayName, member } from "./announcement";
import { expireAfter } from "./expiry";

/** Device classes whose state class is another than "measurement" (Home Assistant, sensor/const.py). */
const STATE_CLASSES: { readonly [deviceClass: string]: string | undefined } = Object.freeze({
	energy: "total_increasing",
	gas: "total_increasing",
	reactive_energy: "total_increasing",
	volume: "total_increasing",
	water: "total_increasing",
	wind_direction: "measurement_angle",
});

/** Discovery topic of the node, in the device form. */
export function homeAssistantTopic({ prefix }: DiscoverySettings, id: string): string {
	return `${prefix}/device/${id}/config`;
}

/** Parts of what describes the device. */
const HEAD_PARTS = 7;
/** Parts of a sensor: its members. */
const SENSOR_PARTS = 13;

/**
 * Discovery message for Home Assistant, in the device form and with abbreviated keys: parts for the device
 * and for each sensor, one for each sensor that is removed, and the end.
 */
export class HomeAssistantAnnouncement implements Announcement {
	readonly partCount: number;
	private readonly settings: Settings;
	private readonly discovery: DiscoverySettings;
	private readonly device: Pick<Device, "mac" | "chip">;
	/**
	 * What was announced of sensors that are no more, or of another kind now: the latter are left out, as a
	 * component is one or the other.
	 */
	private readonly removed: readonly string[];

	constructor(
		settings: Settings,
		discovery: DiscoverySettings,
		device: Pick<Device, "mac" | "chip">,
		removed: readonly string[],
	) {
		this.partCount = HEAD_PARTS + settings.sensors.length * SENSOR_PARTS + removed.length + 1;
		this.settings = settings;
		this.discovery = discovery;
		this.device = device;
		this.removed = removed;
	}

	get topic(): string {
		return homeAssistantTopic(this.discovery, this.settings.id);
	}

	part(index: number): string {
		if (index < HEAD_PARTS) return this.head(index);
		if (index === this.partCount - 1) return "}}";
		const { sensors } = this.settings;
		const at = index - HEAD_PARTS;
		const sensor = Math.floor(at / SENSOR_PARTS);
		if (sensor < sensors.length) return this.component(sensors[sensor], at % SENSOR_PARTS, sensor > 0);
		const removed = at - sensors.length * SENSOR_PARTS;
		const name = this.removed[removed];
		// Removed in the place of the present one
		if (sensors.some((each) => each.name === nameOf(name))) return "";
		return `${sensors.length + removed > 0 ? "," : ""}${removal(name)}`;
	}

	private head(part: number): string {
		switch (part) {
			case 0:
				return `{"dev":{"ids":[${JSON.stringify(this.settings.id)}]`;
			case 1:
				return this.filled("name", this.discovery.name);
			case 2:
				return this.filled("mf", this.discovery.manufacturer);
			case 3:
				return this.filled("mdl", this.discovery.model);
			case 4:
				return member("sw", VERSION);
			case 5:
				return this.discovery.area === undefined ? "" : this.filled("sa", this.discovery.area);
			default:
				return `},"o":{"name":"Firefly"${member("sw", VERSION)}},"cmps":{`;
		}
	}

	private filled(name: string, text: string): string {
		return member(name, expand(text, { mac: this.device.mac, chip: this.device.chip, id: this.settings.id }));
	}

	/** What a report holds of a value that is on or off: Homie wants words, see `booleanWords`. */
	private payloads(): string {
		return this.discovery.formats.includes("homie")
			? ',"pl_on":"true","pl_off":"false"'
			: ',"pl_on":"1","pl_off":"0"';
	}

	private component(sensor: SensorSettings, part: number, follows: boolean): string {
		const { id } = this.settings;
		const { name, declared } = sensor;
		if (this.removed.length > 0) {
			const removed = this.removed.find((each) => nameOf(each) === name);
			if (removed !== undefined) return part > 0 ? "" : `${follows ? "," : ""}${removal(removed)}`;
		}
		const binary = isBinary(sensor);
		switch (part) {
			case 0:
				return `${follows ? "," : ""}${JSON.stringify(name)}:{"p":"${platform(binary)}"`;
			case 1:
				return member("name", displayName(name));
			case 2:
				return member("uniq_id", `${id}_${name}`);
			case 3:
				return ',"stat_t":';
			case 4:
				return JSON.stringify(expand(this.settings.topic, { id, sensor: name }));
			case 5:
				return member("val_tpl", valueTemplate(this.settings.payload, name));
			case 6:
				return binary ? this.payloads() : member("unit_of_meas", unitOf(sensor));
			case 7:
				return member("dev_cla", deviceClassOf(sensor));
			case 8:
				return binary ? "" : member("stat_cla", stateClassOf(sensor));
			case 9:
				return binary ? "" : member("sug_dsp_prc", sensor.decimals ?? declared?.decimals);
			case 10:
				return member("exp_aft", expireAfter(sensor));
			case 11:
				return member("ic", sensor.icon);
			default:
				return `${member("qos", sensor.qos)}}`;
		}
	}
}

/** Home Assistant's platform of a component. */
function platform(binary: boolean): string {
	return binary ? "binary_sensor" : "sensor";
}

/** A component with its platform alone is removed. */
function removal(announced: string): string {
	return `${JSON.stringify(nameOf(announced))}:{"p":"${platform(wasBinary(announced))}"}`;
}

function stateClassOf(sensor: SensorSettings): string | undefined {
	const suited = sensor.stateClass ?? STATE_CLASSES[deviceClassOf(sensor) ?? ""] ?? "measurement";
	return suited === "none" ? undefined : suited;
}

/** A report need not hold every sensor: Home Assistant ignores an empty value, of either platform. */
function valueTemplate(payload: Settings["payload"], name: string): string | undefined {
	if (payload === "value") return undefined;
	if (payload === "json") return `{{value_json['${name}']|default('')}}`;
	// Of an array, the newest report that holds the sensor.
	return `{% for r in value_json if '${name}' in r %}{% if loop.last %}{{r['${name}']}}{% endif %}{% endfor %}`;
}
