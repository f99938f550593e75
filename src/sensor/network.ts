import type { WiFiSettings } from "../config/types";
import type { Device, WiFi } from "../device";

/** Raises Wi-Fi, once per try; on a host that is always on a network, it is up at once. */
export class Network {
	readonly #device: Pick<Device, "wifi">;
	readonly #settings: WiFiSettings | undefined;
	readonly #onUp: () => void;
	readonly #onDown: () => void;
	#wifi: WiFi | undefined;
	#up = false;
	/** Answers to an older join are recognised by it. */
	#generation = 0;

	/**
	 * @param onUp an address was given
	 * @param onDown the join failed, or the network was lost; raise it anew
	 */
	constructor(device: Pick<Device, "wifi">, settings: WiFiSettings | undefined, onUp: () => void, onDown: () => void) {
		this.#device = device;
		this.#settings = settings;
		this.#onUp = onUp;
		this.#onDown = onDown;
		this.#up = device.wifi === undefined || settings === undefined;
	}

	get up(): boolean {
		return this.#up;
	}

	/** @throws what the host's Wi-Fi throws */
	join(): void {
		const { wifi } = this.#device;
		const settings = this.#settings;
		if (wifi === undefined || settings === undefined) {
			this.#onUp();
			return;
		}
		this.leave();
		const generation = this.#generation;
		this.#wifi = new wifi.io(settings, (message) => {
			if (generation !== this.#generation) return;
			if (message === "gotIP") {
				if (this.#up) return;
				this.#up = true;
				this.#onUp();
			} else if (message === "disconnect" || message === "lostIP") {
				this.leave();
				this.#onDown();
			}
		});
	}

	leave(): void {
		if (this.#settings === undefined || this.#device.wifi === undefined) return;
		this.#generation++;
		this.#up = false;
		const wifi = this.#wifi;
		this.#wifi = undefined;
		wifi?.close();
	}
}
