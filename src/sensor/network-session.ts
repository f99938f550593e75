import type { WiFiSettings } from "../config/types";
import type { Device, WiFi } from "../device";

export interface NetworkSessionHandler {
	/** An IP address was assigned. */
	onNetworkUp(): void;
	/** The join failed, or the network was lost; call {@link NetworkSession.join} to retry. */
	onNetworkDown(): void;
}

/** Joins Wi-Fi, once per try; on a host that is always on a network, the session is up at once. */
export class NetworkSession {
	readonly #device: Pick<Device, "wifi">;
	readonly #settings: WiFiSettings | undefined;
	readonly #handler: NetworkSessionHandler;
	#wifi: WiFi | undefined;
	#up = false;
	/** Identifies the present join: callbacks of an older one are ignored. */
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

	/** @throws errors of the host's Wi-Fi */
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
