import type { WiFiSettings } from "../config/types";
import type { Device, WiFi } from "../device";

export interface NetworkSessionHandler {
	/** An address was given. */
	onNetworkUp(): void;
	/** The join failed, or the network was lost; raise it anew. */
	onNetworkDown(): void;
}

/** Raises Wi-Fi, once per try; on a host that is always on a network, it is up at once. */
export class NetworkSession {
	readonly #device: Pick<Device, "wifi">;
	readonly #settings: WiFiSettings | undefined;
	readonly #handler: NetworkSessionHandler;
	#wifi: WiFi | undefined;
	#up = false;
	/** Answers to an older join are recognised by it. */
	#joinGeneration = 0;

	constructor(
		device: Pick<Device, "wifi">,
		settings: WiFiSettings | undefined,
		handler: NetworkSessionHandler,
	) {
		this.#device = device;
		this.#settings = settings;
		this.#handler = handler;
		this.#up = device.wifi === undefined || settings === undefined;
	}

	get isUp(): boolean {
		return this.#up;
	}

	/** @throws what the host's Wi-Fi throws */
	join(): void {
		const { wifi } = this.#device;
		const settings = this.#settings;
		if (wifi === undefined || settings === undefined) {
			this.#handler.onNetworkUp();
			return;
		}
		this.leave();
		const generation = this.#joinGeneration;
		this.#wifi = new wifi.io(settings, (message) => {
			if (generation !== this.#joinGeneration) return;
			if (message === "gotIP") {
				if (this.#up) return;
				this.#up = true;
				this.#handler.onNetworkUp();
			} else if (message === "disconnect" || message === "lostIP") {
				this.leave();
				this.#handler.onNetworkDown();
			}
		});
	}

	leave(): void {
		if (this.#settings === undefined || this.#device.wifi === undefined) return;
		this.#joinGeneration++;
		this.#up = false;
		const wifi = this.#wifi;
		this.#wifi = undefined;
		wifi?.close();
	}
}
