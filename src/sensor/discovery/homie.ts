import { isBinary, unitOf } from "../../config/binary-value";
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

/** Parts of what describes the device. */
const HEAD_PARTS = 3;
/** Parts of a sensor. */
const PROPERTY_PARTS = 4;

/**
 * `$description` of the Homie convention: parts for the device and for each sensor, and the end. All sensors
 * are properties of one node.
 */
export class HomieDescription implements Announcement {
	readonly partCount: number;
	private readonly settings: Settings;
	private readonly discovery: DiscoverySettings;
	private readonly device: Pick<Device, "mac" | "chip">;
	private readonly version: number;

	/** @param version a whole number, higher when the description is another */
	constructor(
		settings: Settings,
		discovery: DiscoverySettings,
		device: Pick<Device, "mac" | "chip">,
		version: number,
	) {
		this.partCount = HEAD_PARTS + settings.sensors.length * PROPERTY_PARTS + 1;
		this.settings = settings;
		this.discovery = discovery;
		this.device = device;
		this.version = version;
	}

	get topic(): string {
		return `${homieBase(this.discovery, this.settings.id)}/$description`;
	}

	part(index: number): string {
		if (index < HEAD_PARTS) return this.head(index);
		const { sensors } = this.settings;
		const at = index - HEAD_PARTS;
		const sensor = Math.floor(at / PROPERTY_PARTS);
		if (sensor === sensors.length) return "}}}}";
		return property(sensors[sensor], at % PROPERTY_PARTS, sensor > 0);
	}

	private head(part: number): string {
		if (part === 0) return `{"homie":"5.0"${member("version", this.version)}`;
		if (part === 2) return `,"nodes":{"${HOMIE_NODE}":{"name":"Sensors","properties":{`;
		const { mac, chip } = this.device;
		return member("name", expand(this.discovery.name, { mac, chip, id: this.settings.id }));
	}
}

function property(sensor: SensorSettings, part: number, follows: boolean): string {
	const { name } = sensor;
	switch (part) {
		case 0:
			return `${follows ? "," : ""}${JSON.stringify(name)}:{"name":`;
		case 1:
			return JSON.stringify(displayName(name));
		case 2:
			return member("datatype", datatypeOf(sensor));
		default:
			return `${member("unit", unitOf(sensor))}}`;
	}
}

/** A whole number is declared: without decimals a value has as many digits as it needs. */
function datatypeOf(sensor: SensorSettings): string {
	if (isBinary(sensor)) return "boolean";
	return sensor.decimals === 0 ? "integer" : "float";
}
