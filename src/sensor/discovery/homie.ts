import { HOMIE_NODE } from "../../config/discovery";
import { expand } from "../../config/template";
import type { DiscoverySettings, SensorSettings, Settings } from "../../config/types";
import type { Device } from "../../device";
import { type Announcement, displayName, member } from "./announcement";

/** Base topic of the node (Homie 5, "Devices"). */
export function homieBase({ domain }: DiscoverySettings, id: string): string {
	return `${domain}/5/${id}`;
}

/** Topic of a sensor's value. */
export function homieValueTopic(base: string, sensor: string): string {
	return `${base}/${HOMIE_NODE}/${sensor}`;
}

/**
 * `$description` of the Homie convention: one part for the device, one for each sensor, and the end. All
 * sensors are properties of one node.
 */
export class HomieDescription implements Announcement {
	readonly topic: string;
	readonly partCount: number;
	private readonly settings: Settings;
	private readonly discovery: DiscoverySettings;
	private readonly device: Pick<Device, "mac" | "chip">;
	private readonly version: number;

	/** @param version any whole number that is another when the description is */
	constructor(
		settings: Settings,
		discovery: DiscoverySettings,
		device: Pick<Device, "mac" | "chip">,
		version: number,
	) {
		this.topic = `${homieBase(discovery, settings.id)}/$description`;
		this.partCount = settings.sensors.length + 2;
		this.settings = settings;
		this.discovery = discovery;
		this.device = device;
		this.version = version;
	}

	part(index: number): string {
		const { sensors } = this.settings;
		if (index === 0) return this.head();
		if (index > sensors.length) return "}}}}";
		return (index > 1 ? "," : "") + property(sensors[index - 1]);
	}

	private head(): string {
		const { mac, chip } = this.device;
		const name = expand(this.discovery.name, { mac, chip, id: this.settings.id });
		const members = member("version", this.version) + member("name", name);
		return `{"homie":"5.0"${members},"nodes":{"${HOMIE_NODE}":{"name":"Sensors","properties":{`;
	}
}

function property({ name, decimals, unit, declared }: SensorSettings): string {
	// Without decimals a value has as many digits as it needs.
	const datatype = decimals === 0 ? "integer" : "float";
	const members = member("datatype", datatype) + member("unit", unit ?? declared?.unit);
	return `${JSON.stringify(name)}:{"name":${JSON.stringify(displayName(name))}${members}}`;
}
