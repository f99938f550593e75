import type { DriverDeclaration } from "../../sim/manifest/driver-declaration";

export type Role = "sensor" | "broker" | "both";

/** Name that a new broker announces by Multicast DNS, without ".local". */
export const MDNS_NAME = "firefly";

/** URL of such a broker. */
export const ANNOUNCED_BROKER = `mqtt://${MDNS_NAME}.local`;

/** How the device announces itself. */
export type Discovery = "homeassistant" | "homie" | "none";

export const roles: readonly Role[] = ["sensor", "broker", "both"];

/** A user name and a password for a broker. */
export interface Credentials {
	readonly user: string;
	readonly password: string | undefined;
}

/** What a new project is made of. */
export interface Project {
	/** Of its folder; the device's id begins with it. */
	readonly name: string;
	/** Where Firefly is, relative to the folder, with slashes. */
	readonly firefly: string;
	readonly role: Role;
	/** Absent in the role `broker`. */
	readonly driver: { readonly name: string; readonly declaration: DriverDeclaration } | undefined;
	readonly board: string;
	readonly wifi: { readonly ssid: string; readonly password: string | undefined } | undefined;
	/** To which sensors report. */
	readonly broker: string;
	readonly discovery: Discovery;
	/** With which the node logs in, or whom the broker lets in. */
	readonly credentials: Credentials | undefined;
}

/** Longest part of an id that is a name: `{mac}` follows it. */
const MAX_ID_NAME = 24;

/** A folder's name as part of an id, of topics and of a package's name. */
export function projectName(folder: string): string {
	const name = folder
		.toLowerCase()
		.normalize("NFKD")
		.replace(/[^a-z0-9]+/g, "-")
		.slice(0, MAX_ID_NAME)
		.replace(/^-+|-+$/g, "");
	return name === "" ? "firefly" : name;
}

/** Whether the device measures, and reports to a broker. */
export function hasSensors({ role }: Pick<Project, "role">): boolean {
	return role !== "broker";
}

/** Whether the device is a broker. */
export function hasBroker({ role }: Pick<Project, "role">): boolean {
	return role !== "sensor";
}
