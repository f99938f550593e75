import type { Random } from "../clock/random";
import type { AccessPoint, Join } from "../wifi/access-point";
import type { Natives, Peripheral, PeripheralHost } from "./peripheral";

const WIFI_STARTED = 0;
const WIFI_CONNECTED = 1;
const WIFI_GOT_IP = 2;
const WIFI_LOST_IP = 3;
const WIFI_DISCONNECTED = 4;

const MODE_OFF = -5;
const MODE_STATION = 1;

/** The Wi-Fi station of a board. Without an access point the board is wired: always on the network. */
export class Station implements Peripheral {
	readonly natives: Natives;
	readonly #core: PeripheralHost;
	readonly #accessPoint: AccessPoint | undefined;
	readonly #random: Random;
	readonly #onUpChanged: (up: boolean) => void;
	#dispatch: number | undefined;
	#on = false;
	#up = false;
	#ssid: string | undefined;
	#join: Join | undefined;

	/** @param onUpChanged informs the network stack whether the board is on the network */
	constructor(
		core: PeripheralHost,
		accessPoint: AccessPoint | undefined,
		random: Random,
		onUpChanged: (up: boolean) => void,
	) {
		this.#core = core;
		this.#accessPoint = accessPoint;
		this.#random = random;
		this.#onUpChanged = onUpChanged;
		this.natives = {
			sim_wifi_start: (handle: number) => {
				this.#dispatch = handle;
			},
			sim_wifi_connect: (
				ssid: string | undefined,
				password: string | undefined,
				bssid: Uint8Array | undefined,
				channel: number | undefined,
			) => this.#connect(ssid, password, bssid, channel),
			sim_wifi_disconnect: () => this.#disconnect(),
			sim_wifi_mode: (mode?: number) => {
				if (mode === undefined) return this.#on ? MODE_STATION : MODE_OFF;
				if (mode === MODE_OFF) this.#disconnect();
				this.#on = mode !== MODE_OFF;
				return mode;
			},
		};
		onUpChanged(accessPoint === undefined);
	}

	/** On the network. */
	get up(): boolean {
		return this.#accessPoint === undefined || this.#up;
	}

	get ssid(): string | undefined {
		return this.#up ? this.#ssid : undefined;
	}

	/** The access point that the station is connected to. */
	get accessPoint(): AccessPoint | undefined {
		return this.#up ? this.#accessPoint : undefined;
	}

	reset(): void {
		this.#disconnect();
		this.#on = false;
		this.#dispatch = undefined;
	}

	#connect(
		ssid: string | undefined,
		password: string | undefined,
		bssid: Uint8Array | undefined,
		channel: number | undefined,
	): void {
		if (!ssid) throw new Error("ssid required");
		if (Buffer.byteLength(ssid) > 32) throw new Error("ssid too long - 32 bytes max");
		if (password && Buffer.byteLength(password) > 64) throw new Error("password too long - 64 bytes max");
		if (bssid && bssid.length !== 6) throw new Error("bssid must be 6 bytes");
		if (channel !== undefined && !(channel >= 1 && channel <= 13)) throw new Error("invalid channel");
		this.#disconnect();
		const accessPoint = this.#accessPoint;
		if (!accessPoint) {
			// Wired: a Wi-Fi join succeeds at once.
			this.#notifyLater(WIFI_STARTED, WIFI_CONNECTED, WIFI_GOT_IP);
			return;
		}
		this.#ssid = ssid;
		if (!this.#on) this.#notifyLater(WIFI_STARTED);
		this.#on = true;
		this.#join = accessPoint.join(
			this.#random,
			{ ssid, bssid: bssid && Buffer.from(bssid).toString("hex"), channel },
			{
				connected: () => this.#notify(WIFI_CONNECTED),
				addressed: () => {
					this.#setUp(true);
					this.#notify(WIFI_GOT_IP);
				},
				down: () => this.#setUp(false),
				disconnected: (reason) => {
					this.#join = undefined;
					this.#setUp(false);
					this.#notify(WIFI_DISCONNECTED, reason);
				},
				lostAddress: () => this.#notify(WIFI_LOST_IP),
			},
		);
	}

	#notifyLater(...messages: number[]): void {
		const dispatch = this.#dispatch;
		this.#core.scheduler.after(0, () => {
			for (const message of messages) if (this.#dispatch === dispatch) this.#notify(message);
		});
	}

	#disconnect(): void {
		this.#join?.cancel();
		this.#join = undefined;
		this.#setUp(false);
	}

	#setUp(up: boolean): void {
		if (this.#up === up) return;
		this.#up = up;
		if (this.#accessPoint) this.#onUpChanged(up);
	}

	#notify(message: number, detail = 0): void {
		this.#core.call(this.#dispatch, message, detail);
	}
}
