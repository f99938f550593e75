import type { Native } from "./native";

/** ECMA-419's UDP socket. */

interface UDPOptions {
	readonly port?: number;
	readonly onReadable?: (count: number) => void;
}

type Datagram = ArrayBuffer & { address: string; port: number };

let sockets: (UDP | undefined)[] | undefined;

/** In tail position, whose frames XS drops: on a chip no JavaScript is below a callback. */
function dispatch(id: number, count: number): unknown {
	const socket = sockets![id];
	return socket?.onReadable === undefined ? undefined : socket.onReadable(count);
}

export default class UDP {
	/** For the simulator only. */
	readonly onReadable: UDPOptions["onReadable"];
	#id: number;

	constructor(options: UDPOptions) {
		if (sockets === undefined) {
			sockets = [];
			(native("sim_udp_start") as Native).call(undefined, dispatch);
		}
		this.onReadable = options.onReadable;
		this.#id = (native("sim_udp_open") as Native).call(undefined, options.port ?? 0) as number;
		sockets[this.#id] = this;
	}

	read(): Datagram | undefined {
		const id = this.#id;
		const size = (native("sim_udp_size") as Native).call(undefined, id) as number;
		if (size < 0) return undefined;
		const datagram = new ArrayBuffer(size) as Datagram;
		datagram.address = (native("sim_udp_address") as Native).call(undefined, id) as string;
		datagram.port = (native("sim_udp_port") as Native).call(undefined, id) as number;
		(native("sim_udp_read") as Native).call(undefined, id, new Uint8Array(datagram));
		return datagram;
	}

	write(bytes: Uint8Array, address: string, port: number): void {
		(native("sim_udp_write") as Native).call(undefined, this.#id, bytes, address, port);
	}

	/** Joins a multicast group. */
	add(group: string): void {
		(native("sim_udp_add") as Native).call(undefined, this.#id, group);
	}

	close(): void {
		const id = this.#id;
		if (id < 0) return;
		this.#id = -1;
		sockets![id] = undefined;
		(native("sim_udp_close") as Native).call(undefined, id);
	}
}
