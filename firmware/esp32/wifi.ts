import type { WiFi as Join, WiFiLink, WiFiOptions } from "../../src/device";

type Callback = (message: string, detail?: number) => void;

/** Channel of an access point without one. */
const CHANNEL = 6;

function join(
	this: void,
	ssid: string,
	password: string,
	link: WiFiLink | undefined,
	callback: Callback,
): void {
	native("xs_firefly_wifi_join").call(this, ssid, password, link, callback);
}

function serve(this: void, ssid: string, password: string, channel: number, callback: Callback): void {
	native("xs_firefly_wifi_serve").call(this, ssid, password, channel, callback);
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
	constructor(options: WiFiOptions, callback: Callback, link?: WiFiLink) {
		const { ssid, password } = options;
		if (options.mode === "accessPoint") serve(ssid, password ?? "", options.channel ?? CHANNEL, callback);
		else join(ssid, password ?? "", link, callback);
	}

	readLink(link: WiFiLink): void {
		readLink(link);
	}

	close(): void {
		stop();
	}
}
