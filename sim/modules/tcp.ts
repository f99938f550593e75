import type { TCP as Socket, TCPOptions } from "../../src/device";
import type { ClientFault } from "../../src/fault";
import type { Native } from "./native";

/** ECMA-419's TCP socket as the SDK has it on lwIP, "buffer" format. */

const READABLE = 1;
const WRITABLE = 2;

let sockets: (TCP | undefined)[] | undefined;

/**
 * Calls are in tail position, whose frames XS drops: on a chip no JavaScript is below a callback.
 * @param kind 1 readable, 2 writable, 3 error @param message of an error whose reason is known
 */
function dispatch(id: number, kind: number, bytes: number, fault?: ClientFault, message?: string): unknown {
	const socket = sockets![id];
	if (socket === undefined) return undefined;
	if (kind === READABLE) return socket.onReadable === undefined ? undefined : socket.onReadable(bytes);
	if (kind === WRITABLE) return socket.onWritable === undefined ? undefined : socket.onWritable(bytes);
	if (socket.onError === undefined) return undefined;
	return fault === undefined || message === undefined ? socket.onError() : socket.onError({ fault, message });
}

export default class TCP implements Socket {
	/** For the simulator only. */
	readonly onReadable: TCPOptions["onReadable"];
	readonly onWritable: TCPOptions["onWritable"];
	readonly onError: TCPOptions["onError"];
	declare readonly target: unknown;
	#id: number;

	/** @param options a number: the number of a socket that a listener accepted */
	constructor(options: TCPOptions | number) {
		if (sockets === undefined) {
			sockets = [];
			(native("sim_tcp_start") as Native).call(undefined, dispatch);
		}
		if (typeof options === "number") {
			this.#id = options;
			return;
		}
		const { from } = options;
		this.onReadable = options.onReadable;
		this.onWritable = options.onWritable;
		this.onError = options.onError;
		if (options.target !== undefined) this.target = options.target;
		if (from === undefined) this.#id = this.open(options);
		else {
			const previous = from as TCP;
			this.#id = (native("sim_tcp_take") as Native).call(undefined, previous.#id) as number;
			previous.#id = -1;
		}
		// Accepted sockets without an owner have numbers too; a gap would make the array sparse, see docs/xs.md.
		while (sockets.length < this.#id) sockets.push(undefined);
		sockets[this.#id] = this;
	}

	/** For the simulator only. @returns the number of a socket that connects */
	protected open({ address, port }: TCPOptions): number {
		return (native("sim_tcp_open") as Native).call(undefined, address, port) as number;
	}

	get remoteAddress(): string | undefined {
		return (native("sim_tcp_remote") as Native).call(undefined, this.#id) as string | undefined;
	}

	read(buffer: Uint8Array): number | undefined {
		return (native("sim_tcp_read") as Native).call(undefined, this.#id, buffer) as number | undefined;
	}

	write(buffer: Uint8Array): number | undefined {
		return (native("sim_tcp_write") as Native).call(undefined, this.#id, buffer) as number | undefined;
	}

	close(): void {
		const id = this.#id;
		if (id < 0) return;
		this.#id = -1;
		sockets![id] = undefined;
		(native("sim_tcp_close") as Native).call(undefined, id);
	}
}
