import {
	LINK_ADDRESS,
	LINK_BSSID,
	LINK_CHANNEL,
	LINK_DNS,
	LINK_GATEWAY,
	LINK_LEASE,
	LINK_MASK,
	LINK_SIZE,
} from "../../src/device";
import type { Random } from "../clock/random";
import type { AccessPoint, Join } from "../wifi/access-point";
import type { Lease } from "../wifi/dhcp-server";
import type { Natives, Peripheral, PeripheralHost } from "./peripheral";

const CONNECT = "connect";
const GOT_IP = "gotIP";
const DISCONNECT = "disconnect";
type Message = typeof CONNECT | typeof GOT_IP | typeof DISCONNECT;

/** Signal strength, dBm. */
const RSSI = -60;
const MASK = [255, 255, 255, 0];
/** Time from the start of an own access point until stations may join, ms. */
const ACCESS_POINT_START_MS = 50;

/** The Wi-Fi of a board. Without an access point the board is wired: always on the network. */
export class Station implements Peripheral {
	readonly natives: Natives;
	readonly #core: PeripheralHost;
	readonly #accessPoint: AccessPoint | undefined;
	readonly #random: Random;
	readonly #identity: { readonly mac: string; readonly address: string };
	readonly #onUpChanged: (up: boolean) => void;
	readonly #link = new Uint8Array(LINK_SIZE);
	/** Identifies the present join: notifications of an older one are dropped. */
	#generation = 0;
	#callback: number | undefined;
	#up = false;
	#ssid: string | undefined;
	#join: Join | undefined;

	/** @param onUpChanged informs the network stack whether the board is on the network */
	constructor(
		core: PeripheralHost,
		accessPoint: AccessPoint | undefined,
		random: Random,
		identity: { readonly mac: string; readonly address: string },
		onUpChanged: (up: boolean) => void,
	) {
		this.#core = core;
		this.#accessPoint = accessPoint;
		this.#random = random;
		this.#identity = identity;
		this.#onUpChanged = onUpChanged;
		this.natives = {
			xs_firefly_wifi_join: (
				ssid: string,
				password: string,
				link: Uint8Array | undefined,
				callback: number,
			) => this.#start(ssid, password, link, callback),
			xs_firefly_wifi_serve: (ssid: string, password: string, _channel: number, callback: number) =>
				this.#serve(ssid, password, callback),
			xs_firefly_wifi_stop: () => this.#stop(),
			xs_firefly_wifi_link: (link: Uint8Array) => link.set(this.#link),
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
		this.#stop();
	}

	#start(ssid: string, password: string, link: Uint8Array | undefined, callback: number): void {
		this.#begin(ssid, password, callback);
		if (link !== undefined) this.#link.set(link.subarray(0, LINK_SIZE));
		const accessPoint = this.#accessPoint;
		if (!accessPoint) {
			// Wired: a Wi-Fi join succeeds at once.
			this.#notifyLater(0, CONNECT);
			this.#notifyLater(0, GOT_IP);
			return;
		}
		const known = this.#link[LINK_CHANNEL] !== 0;
		const { mac, address } = this.#identity;
		this.#join = accessPoint.join(
			this.#random,
			{
				ssid,
				mac,
				bssid: known ? Buffer.from(this.#link.subarray(LINK_BSSID, LINK_CHANNEL)).toString("hex") : undefined,
				channel: known ? this.#link[LINK_CHANNEL] : undefined,
				address: this.#fixedAddress(),
				preferredAddress: address,
			},
			{
				step: (step, duration) => this.#core.emit({ type: "radio", step, duration }),
				connected: () => {
					this.#link.set(Buffer.from(accessPoint.bssid, "hex"), LINK_BSSID);
					this.#link[LINK_CHANNEL] = accessPoint.channel;
					this.#notify(CONNECT);
				},
				addressed: (lease, usable) => {
					if (lease) this.#writeLease(lease);
					this.#setUp(usable);
					this.#notify(GOT_IP, RSSI);
				},
				down: () => this.#setUp(false),
				disconnected: (reason) => {
					this.#join = undefined;
					this.#setUp(false);
					this.#notify(DISCONNECT, reason);
				},
			},
		);
	}

	/** Becomes an access point. */
	#serve(ssid: string, password: string, callback: number): void {
		this.#begin(ssid, password, callback);
		const generation = this.#generation;
		this.#core.scheduler.after(ACCESS_POINT_START_MS, () => {
			if (generation !== this.#generation) return;
			this.#setUp(true);
			this.#notify(GOT_IP);
		});
	}

	#begin(ssid: string, password: string, callback: number): void {
		if (Buffer.byteLength(ssid) > 32 || Buffer.byteLength(password) > 64)
			throw new RangeError("Wi-Fi: text too long");
		this.#stop();
		this.#callback = callback;
		this.#ssid = ssid;
		this.#link.fill(0);
	}

	#fixedAddress(): string | undefined {
		const address = this.#link.subarray(LINK_ADDRESS, LINK_ADDRESS + 4);
		return address.some((byte) => byte !== 0) ? address.join(".") : undefined;
	}

	#writeLease({ address, seconds }: Lease): void {
		const bytes = address.split(".").map(Number);
		const gateway = [...bytes.slice(0, 3), 1];
		this.#link.set(bytes, LINK_ADDRESS);
		this.#link.set(MASK, LINK_MASK);
		this.#link.set(gateway, LINK_GATEWAY);
		this.#link.set(gateway, LINK_DNS);
		new DataView(this.#link.buffer).setUint32(LINK_LEASE, seconds, true);
	}

	#notifyLater(delay: number, message: Message): void {
		const generation = this.#generation;
		this.#core.scheduler.after(delay, () => {
			if (generation === this.#generation) this.#notify(message);
		});
	}

	#stop(): void {
		this.#generation++;
		if (this.#callback !== undefined) this.#core.forget(this.#callback);
		this.#callback = undefined;
		this.#join?.cancel();
		this.#join = undefined;
		this.#setUp(false);
	}

	#setUp(up: boolean): void {
		if (this.#up === up) return;
		this.#up = up;
		if (this.#accessPoint) this.#onUpChanged(up);
	}

	#notify(message: Message, detail = 0): void {
		this.#core.call(this.#callback, message, detail);
	}
}
