import type { WiFiSettings } from "../config/types";
import type { Device, WiFi } from "../device";

export interface NetworkHandler {
	/** An address was given. */
	onUp(): void;
	/** The join failed, or the network was lost; raise it anew. */
	onDown(): void;
}

/** Raises Wi-Fi, once per try; on a host that is always on a network, it is up at once. */
export class Network {
	readonly #device: Pick<Device, "wifi">;
	readonly #settings: WiFiSettings | undefined;
	readonly #handler: NetworkHandler;
	#wifi: WiFi | undefined;
	#up = false;
	/** Answers to an older join are recognised by it. */
	#generation = 0;

	constructor(device: Pick<Device, "wifi">, settings: WiFiSettings | undefined, handler: NetworkHandler) {
		this.#device = device;
		this.#settings = settings;
		this.#handler = handler;
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
			this.#handler.onUp();
			return;
		}
		this.leave();
		const generation = this.#generation;
		this.#wifi = new wifi.io(settings, (message) => {
			if (generation !== this.#generation) return;
			if (message === "gotIP") {
				if (this.#up) return;
				this.#up = true;
				this.#handler.onUp();
			} else if (message === "disconnect" || message === "lostIP") {
				this.leave();
				this.#handler.onDown();
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
