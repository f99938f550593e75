import type { WiFiSettings } from "../src/config/settings";
import type { Device, TimerId } from "../src/device";

/** Wait, in ms, before the access point is tried again. */
const REJOIN_DELAY = 5000;

/**
 * Joins the network for a role that stays on it, and rejoins for ever.
 * @param ready called once, at the first address
 */
export class Network {
	#device: Device;
	#settings: WiFiSettings;
	#ready: (() => void) | undefined;
	#station: { close(): void } | undefined;
	#timer: TimerId | undefined;

	constructor(device: Device, settings: WiFiSettings, ready: () => void) {
		this.#device = device;
		this.#settings = settings;
		this.#ready = ready;
		this.#join();
	}

	#join(): void {
		const { wifi } = this.#device;
		if (!wifi) return;
		this.#timer = undefined;
		try {
			this.#station = new wifi.io(this.#settings, (message) => this.#notify(message));
		} catch (error) {
			this.#device.trace(`firefly: Wi-Fi: ${error}`);
			this.#rejoin();
		}
	}

	#notify(message: string): void {
		if (message === "gotIP") {
			const ready = this.#ready;
			this.#ready = undefined;
			ready?.();
		} else if (message === "disconnect") this.#rejoin();
	}

	#rejoin(): void {
		this.#station?.close();
		this.#station = undefined;
		this.#timer ??= this.#device.timer.set(() => this.#join(), REJOIN_DELAY);
	}
}
