import type { HostNetwork, HostSocket } from "../../sim/network/socket";
import type { Device, Listener, ListenerOptions, TCP, TCPOptions } from "../../src/device";

/** A socket of the simulator's network in the shape of ECMA-419, all of whose rules are the network's. */
export class NetworkTCP implements TCP {
	#socket: HostSocket | undefined;

	/** @param options absent: accepted by a listener, and not taken over yet */
	constructor(socket: HostSocket, options?: TCPOptions) {
		this.#socket = socket;
		if (options === undefined) return;
		socket.handler = {
			readable: (bytes) => options.onReadable?.(bytes),
			writable: (room) => options.onWritable?.(room),
			failed: () => options.onError?.(),
		};
	}

	get remoteAddress(): string | undefined {
		return this.socket.remoteAddress;
	}

	read(buffer: Uint8Array): number | undefined {
		return this.socket.read(buffer);
	}

	write(buffer: Uint8Array): number | undefined {
		return this.socket.write(buffer);
	}

	close(): void {
		this.#socket?.close();
		this.#socket = undefined;
	}

	/** Reads what has arrived, so that close() sends FIN. */
	discard(): void {
		for (const byte = new Uint8Array(1); this.#socket?.read(byte) !== undefined; );
	}

	/** Another object has taken the socket over. */
	release(): void {
		this.#socket = undefined;
	}

	get socket(): HostSocket {
		if (this.#socket === undefined) throw new Error("invalid host data");
		return this.#socket;
	}
}

/** The class of a device's sockets on a network, and that of its listeners. */
export function networkSockets(network: HostNetwork): {
	readonly tcp: { readonly io: new (options: TCPOptions) => NetworkTCP };
	readonly listener: NonNullable<Device["listener"]>;
} {
	class DeviceTCP extends NetworkTCP {
		constructor(options: TCPOptions) {
			const { address, port } = options;
			const from = options.from as NetworkTCP | undefined;
			super(from?.socket ?? network.connect(address ?? "", port ?? 0), options);
			from?.release();
		}
	}
	class DeviceListener implements Listener {
		readonly #listener;

		constructor({ port, onReadable }: ListenerOptions) {
			this.#listener = network.listen(port, (count) => onReadable?.(count));
		}

		get port(): number {
			return this.#listener.port;
		}

		read(): TCP | undefined {
			const socket = this.#listener.accept();
			return socket && new NetworkTCP(socket);
		}

		close(): void {
			this.#listener.close();
		}
	}
	return { tcp: { io: DeviceTCP }, listener: { io: DeviceListener } };
}
