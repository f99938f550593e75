import { isIP } from "node:net";
import type { Scheduled } from "../clock/scheduler";
import type { HostNetwork } from "../network/socket";
import { TIME_SERVER_ADDRESS } from "../network/time-server";
import { Handles } from "./handles";
import type { Natives, Peripheral, PeripheralHost } from "./peripheral";
import type { Station } from "./station";

/** Name resolution and addresses: the network functions of a board other than sockets. */
export class NetModule implements Peripheral {
	readonly natives: Natives;
	#bootCount = 0;
	#dispatch: number | undefined;

	constructor(
		core: PeripheralHost,
		network: HostNetwork,
		station: Station,
		identity: {
			readonly mac: string;
			readonly address: string;
			readonly latency: number;
			readonly timeServer?: string;
		},
	) {
		const { timeServer, latency } = identity;
		this.natives = {
			sim_net_start: (handle: number) => {
				this.#dispatch = handle;
			},
			sim_net_resolve: (host: string, id: number) => {
				const boot = this.#bootCount;
				const startedAt = core.scheduler.now;
				const onAddress = (address: string | undefined): void => {
					if (boot !== this.#bootCount) return;
					if (!isIP(host))
						core.emit({ type: "radio", step: "dns", duration: core.scheduler.now - startedAt });
					core.call(this.#dispatch, id, address);
				};
				if (host === timeServer && !isIP(host))
					core.scheduler.after(2 * latency, () => onAddress(station.up ? TIME_SERVER_ADDRESS : undefined));
				else network.resolve(host, onAddress);
			},
			sim_net_get: (property: string) => {
				switch (property) {
					case "IP":
						return station.up ? identity.address : undefined;
					case "MAC":
						return colonSeparated(identity.mac);
					case "SSID":
						return station.ssid;
					case "BSSID":
						return station.accessPoint && colonSeparated(station.accessPoint.bssid);
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
		this.#bootCount++;
		this.#dispatch = undefined;
	}
}

function colonSeparated(hexadecimal: string): string {
	return hexadecimal.toUpperCase().replace(/(..)(?=.)/g, "$1:");
}

const SNTP_TIME = 1;
const SNTP_RETRY = 2;
const SNTP_ERROR = -1;
/** Interval between attempts, ms, and their number, as in the SDK's module. */
const RETRY_INTERVAL_MS = 5000;
const SNTP_MAX_TRIES = 5;

interface TimeQuery {
	scheduled: Scheduled | undefined;
	tries: number;
}

/**
 * Time servers as the SDK's `sntp` module sees them, which passes on whole seconds: any name returns the true
 * time while the board is on the network.
 */
export class TimeServers implements Peripheral {
	readonly natives: Natives;
	readonly #core: PeripheralHost;
	readonly #latency: number;
	readonly #isUp: () => boolean;
	readonly #queries = new Handles<TimeQuery>();
	#dispatch: number | undefined;

	/** @param latency one way, ms */
	constructor(core: PeripheralHost, latency: number, isUp: () => boolean) {
		this.#core = core;
		this.#latency = latency;
		this.#isUp = isUp;
		this.natives = {
			sim_sntp_start: (handle: number) => {
				this.#dispatch = handle;
			},
			sim_sntp_open: () => {
				const id = this.#queries.add({ scheduled: undefined, tries: SNTP_MAX_TRIES });
				this.#query(id);
				return id;
			},
			sim_sntp_close: (id: number) => {
				core.scheduler.cancel(this.#queries.remove(id)?.scheduled);
			},
		};
	}

	reset(): void {
		for (const { scheduled } of this.#queries.removeAll()) this.#core.scheduler.cancel(scheduled);
		this.#dispatch = undefined;
	}

	#query(id: number): void {
		const { scheduler } = this.#core;
		const query = this.#queries.find(id);
		if (!query) return;
		if (this.#isUp()) {
			const seconds = Math.floor((scheduler.now + this.#latency) / 1000);
			query.scheduled = scheduler.after(2 * this.#latency, () =>
				this.#core.call(this.#dispatch, id, SNTP_TIME, seconds),
			);
			return;
		}
		query.scheduled = scheduler.after(RETRY_INTERVAL_MS, () => {
			if (--query.tries > 0) {
				this.#core.call(this.#dispatch, id, SNTP_RETRY, undefined);
				this.#query(id);
				return;
			}
			query.tries = SNTP_MAX_TRIES;
			const host = this.#core.call(this.#dispatch, id, SNTP_ERROR, "no response from SNTP server");
			if (host !== undefined) this.#query(id);
		});
	}
}
