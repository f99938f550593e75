import type { WiFiSettings } from "../src/config/settings";
import type { Device, TimerId } from "../src/device";

/** Wait, in ms, before the access point is tried again. */
const REJOIN_DELAY_MS = 5000;

/**
 * Joins the network for a role that stays on it, and rejoins for ever.
 * @param ready called once, at the first address
 */
export class WiFiStation {
	#device: Device;
	#settings: WiFiSettings;
	#onReady: (() => void) | undefined;
	#connection: { close(): void } | undefined;
	#timer: TimerId | undefined;

	constructor(device: Device, settings: WiFiSettings, onReady: () => void) {
		this.#device = device;
		this.#settings = settings;
		this.#onReady = onReady;
		this.#join();
	}

	#join(): void {
		const { wifi } = this.#device;
		if (!wifi) return;
		this.#timer = undefined;
		try {
			this.#connection = new wifi.io(this.#settings, (message) => this.#onMessage(message));
		} catch (error) {
			this.#device.trace(`firefly: Wi-Fi: ${error}`);
			this.#rejoin();
		}
	}

	#onMessage(message: string): void {
		if (message === "gotIP") {
			const ready = this.#onReady;
			this.#onReady = undefined;
			ready?.();
		} else if (message === "disconnect") this.#rejoin();
	}

	#rejoin(): void {
		this.#connection?.close();
		this.#connection = undefined;
		this.#timer ??= this.#device.timer.set(() => this.#join(), REJOIN_DELAY_MS);
	}
}
