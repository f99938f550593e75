import { expand } from "../../config/template";
import type { DiscoverySettings, SensorSettings, Settings } from "../../config/types";
import type { Device } from "../../device";
import { VERSION } from "../../version";
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

/**
 * Discovery message for Home Assistant, in the device form and with abbreviated keys: one part for the
 * device, one for each sensor, one for each sensor that is removed, and the end.
 */
export class HomeAssistantAnnouncement implements Announcement {
	readonly topic: string;
	readonly partCount: number;
	private readonly settings: Settings;
	private readonly discovery: DiscoverySettings;
	private readonly device: Pick<Device, "mac" | "chip">;
	/** Names of sensors that were announced and are no more. */
	private readonly removed: readonly string[];

	constructor(
		settings: Settings,
		discovery: DiscoverySettings,
		device: Pick<Device, "mac" | "chip">,
		removed: readonly string[],
	) {
		this.topic = homeAssistantTopic(discovery, settings.id);
		this.partCount = settings.sensors.length + removed.length + 2;
		this.settings = settings;
		this.discovery = discovery;
		this.device = device;
		this.removed = removed;
	}

	part(index: number): string {
		const { sensors } = this.settings;
		if (index === 0) return this.head();
		if (index === this.partCount - 1) return "}}";
		const comma = index > 1 ? "," : "";
		if (index <= sensors.length) return comma + this.component(sensors[index - 1]);
		// A component with its platform alone is removed.
		return `${comma}${JSON.stringify(this.removed[index - 1 - sensors.length])}:{"p":"sensor"}`;
	}

	private head(): string {
		const { name, manufacturer, model, area } = this.discovery;
		const { id } = this.settings;
		const fill = (text: string): string => expand(text, { mac: this.device.mac, chip: this.device.chip, id });
		const device =
			member("name", fill(name)) +
			member("mf", fill(manufacturer)) +
			member("mdl", fill(model)) +
			member("sw", VERSION) +
			member("sa", area === undefined ? undefined : fill(area));
		const origin = `"name":"Firefly"${member("sw", VERSION)}`;
		return `{"dev":{"ids":[${JSON.stringify(id)}]${device}},"o":{${origin}},"cmps":{`;
	}

	private component(sensor: SensorSettings): string {
		const { id, topic, payload } = this.settings;
		const { name, declared, stateClass } = sensor;
		const deviceClass = sensor.deviceClass ?? declared?.deviceClass;
		const suited = stateClass ?? STATE_CLASSES[deviceClass ?? ""] ?? "measurement";
		const members =
			member("name", displayName(name)) +
			member("uniq_id", `${id}_${name}`) +
			member("stat_t", expand(topic, { id, sensor: name })) +
			member("val_tpl", valueTemplate(payload, name)) +
			member("unit_of_meas", sensor.unit ?? declared?.unit) +
			member("dev_cla", deviceClass) +
			member("stat_cla", suited === "none" ? undefined : suited) +
			member("sug_dsp_prc", sensor.decimals ?? declared?.decimals) +
			member("exp_aft", expireAfter(sensor)) +
			member("ic", sensor.icon) +
			member("qos", sensor.qos);
		return `${JSON.stringify(name)}:{"p":"sensor"${members}}`;
	}
}

/** A report need not hold every sensor: Home Assistant ignores an empty value of a numeric sensor. */
function valueTemplate(payload: Settings["payload"], name: string): string | undefined {
	if (payload === "value") return undefined;
	if (payload === "json") return `{{value_json['${name}']|default('')}}`;
	// Of an array, the newest report that holds the sensor.
	return `{% for r in value_json if '${name}' in r %}{% if loop.last %}{{r['${name}']}}{% endif %}{% endfor %}`;
}
