import TCP from "embedded:io/socket/tcp";
import type { ListenerOptions, TCP as Socket, Listener as SocketListener } from "../../src/device";
import type { Native } from "./native";

/** ECMA-419's TCP listener. */

let listeners: (Listener | undefined)[] | undefined;

/** In tail position, whose frames XS drops: on a chip no JavaScript is below a callback. */
function dispatch(id: number, count: number): unknown {
	const listener = listeners![id];
	return listener?.onReadable === undefined ? undefined : listener.onReadable(count);
}

export default class Listener implements SocketListener {
	/** For the simulator only. */
	readonly onReadable: ListenerOptions["onReadable"];
	#id: number;

	constructor(options: ListenerOptions) {
		if (listeners === undefined) {
			listeners = [];
			(native("sim_listener_start") as Native).call(undefined, dispatch);
		}
		this.onReadable = options.onReadable;
		this.#id = (native("sim_listener_open") as Native).call(undefined, options.port) as number;
		listeners[this.#id] = this;
	}

	get port(): number {
		return (native("sim_listener_port") as Native).call(undefined, this.#id) as number;
	}

	read(): Socket | undefined {
		const id = (native("sim_listener_read") as Native).call(undefined, this.#id) as number;
		return id < 0 ? undefined : new TCP(id as never);
	}

	close(): void {
		const id = this.#id;
		if (id < 0) return;
		this.#id = -1;
		listeners![id] = undefined;
		(native("sim_listener_close") as Native).call(undefined, id);
	}
}
