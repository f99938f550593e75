import type { WiFiSettings } from "../src/config/settings";
import type { Device, TimerId, WiFi, WiFiLink } from "../src/device";

/** Wait, in ms, before the next attempt to join. */
const REJOIN_DELAY_MS = 5000;

/**
 * Joins the network for a role that stays connected, and rejoins without limit.
 * @param onReady called once, at the first address
 */
export class WiFiStation {
	#device: Device;
	#settings: WiFiSettings;
	#onReady: (() => void) | undefined;
	#connection: WiFi | undefined;
	#timer: TimerId | undefined;
	/** Called at each address but the first. No field, as most stations have none. */
	declare onJoined?: () => void;

	constructor(device: Device, settings: WiFiSettings, onReady: () => void) {
		this.#device = device;
		this.#settings = settings;
		this.#onReady = onReady;
		this.#join();
	}

	/** Writes access point and address, if the host knows them. */
	readLink(link: WiFiLink): void {
		this.#connection?.readLink?.(link);
	}

	#join(): void {
		const { wifi } = this.#device;
		if (!wifi) return;
		this.#timer = undefined;
		try {
			this.#connection = new wifi.io(this.#settings, (message, detail) => this.#onMessage(message, detail));
		} catch (error) {
			this.#device.trace(`firefly: Wi-Fi: ${error}`);
			this.#rejoin();
		}
	}

	#onMessage(message: string, detail: string | number = 0): void {
		if (message === "gotIP") {
			const onReady = this.#onReady;
			this.#onReady = undefined;
			if (onReady) onReady();
			else this.onJoined?.();
		} else if (message === "disconnect") {
			this.#device.trace(`firefly: Wi-Fi: ${message}, reason ${detail}`);
			this.#rejoin();
		}
	}

	#rejoin(): void {
		this.#connection?.close();
		this.#connection = undefined;
		this.#timer ??= this.#device.timer.set(() => this.#join(), REJOIN_DELAY_MS);
	}
}
