import type { WiFi as Join, WiFiLink, WiFiOptions } from "../../src/device";

type Callback = (message: string, detail?: number) => void;

function join(
	this: void,
	ssid: string,
	password: string,
	link: WiFiLink | undefined,
	callback: Callback,
): void {
	native("xs_firefly_wifi_join").call(this, ssid, password, link, callback);
}

function serve(
	this: void,
	ssid: string,
	password: string,
	channel: number,
	stations: number,
	callback: Callback,
): void {
	native("xs_firefly_wifi_serve").call(this, ssid, password, channel, stations, callback);
}

function stop(this: void): void {
	native("xs_firefly_wifi_stop").call(this);
}

function readLink(this: void, link: WiFiLink): void {
	native("xs_firefly_wifi_link").call(this, link);
}

/** The radio of the chip: one join, or one access point, at a time. It calls back natively. */
export class WiFi implements Join {
	/** @throws {RangeError} if a text is too long @throws {Error} if the driver does not start */
	constructor({ ssid, password, accessPoint }: WiFiOptions, callback: Callback, link?: WiFiLink) {
		if (accessPoint === undefined) join(ssid, password ?? "", link, callback);
		else serve(ssid, password ?? "", accessPoint.channel, accessPoint.stations, callback);
	}

	readLink(link: WiFiLink): void {
		readLink(link);
	}

	close(): void {
		stop();
	}
}
