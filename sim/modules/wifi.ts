import type { WiFiOptions } from "../../src/device";
import type { Native } from "./native";

/** The SDK's older `wifi` module, as far as a station uses it. */

type Callback = (message: string, detail?: number | string) => void;

let stations: (WiFi | undefined)[] | undefined;

const MESSAGES: readonly string[] = Object.freeze(["start", "connect", "gotIP", "lostIP", "disconnect"]);
const DISCONNECT = 4;

function dispatch(message: number, detail: number): void {
	const all = stations!;
	for (let i = 0; i < all.length; i++) all[i]?.notify(message, detail);
}

export default class WiFi {
	static readonly gotIP = "gotIP";
	static readonly lostIP = "lostIP";
	static readonly connected = "connect";
	static readonly disconnected = "disconnect";
	static readonly Mode = Object.freeze({ off: -5, none: 0, station: 1, accessPoint: 2 });

	#callback: Callback | undefined;

	constructor(options: WiFiOptions | undefined, callback?: Callback) {
		this.#callback = callback;
		if (stations === undefined) {
			stations = [];
			(native("sim_wifi_start") as Native).call(undefined, dispatch);
		}
		const free = stations.indexOf(undefined);
		stations[free < 0 ? stations.length : free] = this;
		if (options) WiFi.connect(options);
	}

	close(): void {
		const all = stations!;
		const index = all.indexOf(this);
		if (index >= 0) all[index] = undefined;
	}

	/** For the simulator only. */
	notify(message: number, detail: number): void {
		const callback = this.#callback;
		if (callback === undefined) return;
		if (message === DISCONNECT) callback.call(this, MESSAGES[message]!, detail);
		else callback.call(this, MESSAGES[message]!);
	}

	/** Without options: disconnects from the access point. */
	static connect(options?: WiFiOptions): void {
		if (options === undefined) WiFi.disconnect();
		else
			(native("sim_wifi_connect") as Native).call(
				undefined,
				options.ssid,
				options.password,
				options.bssid,
				options.channel,
			);
	}

	static disconnect(): void {
		(native("sim_wifi_disconnect") as Native).call(undefined);
	}

	static get mode(): number {
		return (native("sim_wifi_mode") as Native).call(undefined) as number;
	}

	static set mode(mode: number) {
		(native("sim_wifi_mode") as Native).call(undefined, mode);
	}
}
