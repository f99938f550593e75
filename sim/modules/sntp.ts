import type { Native } from "./native";

/** The SDK's `sntp` module: whole seconds, five tries five seconds apart. */

type Callback = (message: number, value?: number | string) => string | undefined;

let clients: (SNTP | undefined)[] | undefined;

function dispatch(id: number, message: number, value: number | string | undefined): string | undefined {
	return clients![id]?.notify(message, value);
}

export default class SNTP {
	static readonly time = 1;
	static readonly retry = 2;
	static readonly error = -1;

	#id: number;
	#callback: Callback;

	constructor(options: { host: string }, callback: Callback) {
		if (clients === undefined) {
			clients = [];
			(native("sim_sntp_start") as Native).call(undefined, dispatch);
		}
		this.#callback = callback;
		this.#id = (native("sim_sntp_open") as Native).call(undefined, options.host) as number;
		clients[this.#id] = this;
	}

	close(): void {
		const id = this.#id;
		if (id < 0) return;
		this.#id = -1;
		clients![id] = undefined;
		(native("sim_sntp_close") as Native).call(undefined, id);
	}

	/** For the simulator only. */
	notify(message: number, value: number | string | undefined): string | undefined {
		if (message === SNTP.time) this.close();
		const host = this.#callback(message, value);
		if (message === SNTP.error && host === undefined) this.close();
		return host;
	}
}
