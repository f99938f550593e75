import Timer from "timer";
import type { TimerId, Timer as TimerShape, WiFiOptions } from "../../src/device";
import { panelControls } from "./panel";

const SDKTimer = Timer as unknown as TimerShape;

/** Time, in ms, to join the access point; the SDK's own stand-in takes three seconds. */
const JOIN_MS = 50;
/** Time, in ms, after which a missing access point is reported, as on the chip. */
const GIVE_UP_MS = 2500;

type WiFiCallback = (message: string) => void;

let station: PanelWiFi | undefined;

/** The switch of the panel has changed. */
export function updateWiFi(): void {
	station?.update();
}

/** Wi-Fi that the panel switches on and off; what it stands for is this computer's network. */
export class PanelWiFi {
	#callback: WiFiCallback | undefined;
	#timer: TimerId | undefined;
	#joined = false;

	constructor(_: WiFiOptions, callback: WiFiCallback) {
		this.#callback = callback;
		station = this;
		const { wifi } = panelControls();
		this.#timer = SDKTimer.set(
			() => {
				this.#timer = undefined;
				if (wifi) this.#join();
				else this.#callback?.("disconnect");
			},
			wifi ? JOIN_MS : GIVE_UP_MS,
		);
	}

	update(): void {
		if (panelControls().wifi === this.#joined) return;
		if (this.#joined) {
			this.#joined = false;
			this.#callback?.("disconnect");
		}
	}

	close(): void {
		if (this.#timer !== undefined) SDKTimer.clear(this.#timer);
		this.#timer = undefined;
		this.#callback = undefined;
		if (station === this) station = undefined;
	}

	#join(): void {
		this.#joined = true;
		this.#callback?.("connect");
		this.#callback?.("gotIP");
	}
}
