import type { Scheduled } from "../clock/scheduler";
import type { HostNetwork } from "../network/socket";
import { type Core, lowestFree, type Natives, type Peripheral } from "./core";
import type { Station } from "./station";

/** What a board knows of the network that is no socket: look-ups, addresses. */
export class Names implements Peripheral {
	readonly natives: Natives;
	#boot = 0;
	#dispatch: number | undefined;

	constructor(core: Core, network: HostNetwork, station: Station, identity: { readonly mac: string; readonly address: string }) {
		this.natives = {
			sim_net_start: (handle: number) => {
				this.#dispatch = handle;
			},
			sim_net_resolve: (host: string, id: number) => {
				const boot = this.#boot;
				network.resolve(host, (address) => {
					if (boot === this.#boot) core.call(this.#dispatch, id, address);
				});
			},
			sim_net_get: (property: string) => {
				switch (property) {
					case "IP":
						return station.up ? identity.address : undefined;
					case "MAC":
						return colons(identity.mac);
					case "SSID":
						return station.ssid;
					case "BSSID":
						return station.accessPoint && colons(station.accessPoint.bssid);
					case "RSSI":
						return station.accessPoint && -60;
					case "CHANNEL":
						return station.accessPoint?.channel;
				}
				return undefined;
			},
		};
	}

	reset(): void {
		this.#boot++;
		this.#dispatch = undefined;
	}
}

function colons(hexadecimal: string): string {
	return hexadecimal.toUpperCase().replace(/(..)(?=.)/g, "$1:");
}

const TIME = 1;
const RETRY = 2;
const ERROR = -1;
/** ms between tries, and how many there are, in the SDK's module. */
const PAUSE = 5000;
const TRIES = 5;

interface Query {
	scheduled: Scheduled | undefined;
	tries: number;
}

/** Time servers: any name answers with the true time, whole seconds, while the board is on the network. */
export class TimeServers implements Peripheral {
	readonly natives: Natives;
	readonly #core: Core;
	readonly #latency: number;
	readonly #isUp: () => boolean;
	readonly #queries: (Query | undefined)[] = [];
	#dispatch: number | undefined;

	/** @param latency one way, ms */
	constructor(core: Core, latency: number, isUp: () => boolean) {
		this.#core = core;
		this.#latency = latency;
		this.#isUp = isUp;
		this.natives = {
			sim_sntp_start: (handle: number) => {
				this.#dispatch = handle;
			},
			sim_sntp_open: () => {
				const id = lowestFree(this.#queries);
				this.#queries[id] = { scheduled: undefined, tries: TRIES };
				this.#ask(id);
				return id;
			},
			sim_sntp_close: (id: number) => {
				core.scheduler.cancel(this.#queries[id]?.scheduled);
				this.#queries[id] = undefined;
			},
		};
	}

	reset(): void {
		for (const query of this.#queries) this.#core.scheduler.cancel(query?.scheduled);
		this.#queries.length = 0;
		this.#dispatch = undefined;
	}

	#ask(id: number): void {
		const { scheduler } = this.#core;
		const query = this.#queries[id];
		if (!query) return;
		if (this.#isUp()) {
			const seconds = Math.floor((scheduler.now + this.#latency) / 1000);
			query.scheduled = scheduler.after(2 * this.#latency, () => this.#core.call(this.#dispatch, id, TIME, seconds));
			return;
		}
		query.scheduled = scheduler.after(PAUSE, () => {
			if (--query.tries > 0) {
				this.#core.call(this.#dispatch, id, RETRY, undefined);
				this.#ask(id);
				return;
			}
			query.tries = TRIES;
			const host = this.#core.call(this.#dispatch, id, ERROR, "no response from SNTP server");
			if (host !== undefined) this.#ask(id);
		});
	}
}
