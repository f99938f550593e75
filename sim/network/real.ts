import net from "node:net";
import type { NetworkTap } from "../capture/tap";
import type { Pace } from "../clock/pace";
import type { Scheduler } from "../clock/scheduler";
import { lookUpName } from "./name-lookup";
import { LOOPBACKS, PortServer } from "./port-server";
import { RealSocket, type RealSocketOptions } from "./real-socket";
import type { SecureOptions } from "./secure-connection";
import { type HostListener, type HostNetwork, type HostSocket, isAddress } from "./socket";

export interface RealNetworkOptions {
	/**
	 * Addresses that listeners bind to, those after the first only if the machine has them; undefined: all.
	 * Default: the IPv4 loopback.
	 */
	readonly listenAddresses?: readonly string[] | undefined;
	/**
	 * The port that the first listener binds instead of the requested one; 0 lets the machine choose, then also
	 * for all others. Default: the requested port.
	 */
	readonly listenPort?: number;
	/** Receives what is sent and received, decrypted. */
	readonly tap?: NetworkTap | undefined;
	/** Folder that certificates of `broker.tls` are relative to. Default: the working directory. */
	readonly directory?: string;
	/**
	 * Called when a listener accepts connections.
	 * @param number of the listener, from 0 in the order of opening since the last reset
	 * @param addresses those in use; undefined: all
	 */
	listening?(port: number, number: number, addresses: readonly string[] | undefined): void;
	/** Called when a listener could not be opened, or failed. @param port the requested port */
	failed?(error: Error, port: number): void;
}

/** The network stack of a device on this machine's network. */
export class RealNetwork implements HostNetwork {
	/** This machine's network is assumed to be up; a board that is disconnected opens no sockets. */
	up = true;
	#openedListeners = 0;
	/** Ports that the machine has chosen, by number: a listener has its own again after a reset. */
	readonly #chosenPorts: number[] = [];
	readonly #scheduler: Scheduler;
	readonly #pace: Pace;
	readonly #options: RealNetworkOptions;
	readonly #socketOptions: RealSocketOptions;
	readonly #sockets = new Set<RealSocket>();
	readonly #listeners = new Set<RealListener>();
	/** Sockets whose device vanished; their peers have not detected it yet. */
	readonly #abandonedSockets = new Set<RealSocket>();

	constructor(scheduler: Scheduler, pace: Pace, options: RealNetworkOptions = {}) {
		this.#scheduler = scheduler;
		this.#pace = pace;
		this.#options = options;
		this.#socketOptions = { tap: options.tap, onDone: (socket) => this.#removeSocket(socket) };
	}

	connect(address: string, port: number): HostSocket {
		if (!isAddress(address)) throw new Error("invalid address");
		const socket = RealSocket.connect(this.#scheduler, this.#pace, address, port, this.#socketOptions);
		this.#sockets.add(socket);
		return socket;
	}

	/** @throws Error for a file that cannot be used */
	connectSecurely(address: string, port: number, options: SecureOptions): HostSocket {
		if (!isAddress(address)) throw new Error("invalid address");
		const socket = RealSocket.connectSecurely(
			this.#scheduler,
			this.#pace,
			address,
			port,
			{ options, directory: this.#options.directory ?? "" },
			this.#socketOptions,
		);
		this.#sockets.add(socket);
		return socket;
	}

	listen(port: number, readable: (count: number) => void): HostListener {
		const number = this.#openedListeners++;
		const { listenPort, listening } = this.#options;
		const options: RealNetworkOptions = {
			...this.#options,
			listening: (open, _number, addresses) => {
				if (listenPort !== undefined) this.#chosenPorts[number] = open;
				listening?.(open, number, addresses);
			},
		};
		const listener = new RealListener(
			this.#scheduler,
			this.#pace,
			options,
			port,
			listenPort === undefined ? port : this.#chosenPorts[number] || (number === 0 ? listenPort : 0),
			number,
			readable,
			(socket) => this.#track(socket),
		);
		this.#listeners.add(listener);
		return listener;
	}

	resolve(name: string, callback: (address: string | undefined) => void): void {
		if (isAddress(name)) {
			this.#scheduler.after(0, () => callback(name));
			return;
		}
		this.#pace.holdRealTime();
		lookUpName(name, 4, (address) =>
			this.#pace.runExternalEvent(() => {
				this.#pace.releaseRealTime();
				callback(address);
			}),
		);
	}

	reset(): void {
		for (const listener of this.#listeners) listener.close();
		this.#listeners.clear();
		this.#openedListeners = 0;
		for (const socket of this.#sockets) {
			socket.abandon();
			this.#abandonedSockets.add(socket);
		}
		this.#sockets.clear();
	}

	/** Frees all sockets and listeners of this machine. */
	dispose(): void {
		this.reset();
		for (const socket of this.#abandonedSockets) socket.destroy();
	}

	#track(socket: net.Socket): RealSocket {
		const accepted = RealSocket.fromAccepted(this.#scheduler, this.#pace, socket, this.#socketOptions);
		this.#sockets.add(accepted);
		return accepted;
	}

	#removeSocket(socket: RealSocket): void {
		this.#sockets.delete(socket);
		this.#abandonedSockets.delete(socket);
	}
}

class RealListener implements HostListener {
	readonly #server: PortServer;
	readonly #pace: Pace;
	readonly #pending: RealSocket[] = [];
	readonly #requestedPort: number;
	#listening = true;

	constructor(
		scheduler: Scheduler,
		pace: Pace,
		options: RealNetworkOptions,
		port: number,
		boundPort: number,
		number: number,
		readable: (count: number) => void,
		track: (socket: net.Socket) => RealSocket,
	) {
		this.#pace = pace;
		this.#requestedPort = port;
		pace.addListener();
		const serverOptions = { allowHalfOpen: true, pauseOnConnect: false };
		const server = net.createServer(serverOptions, (connection) =>
			pace.runExternalEvent(() => {
				this.#pending.push(track(connection));
				scheduler.after(0, () => {
					if (this.#listening && this.#pending.length > 0) readable(this.#pending.length);
				});
			}),
		);
		this.#server = new PortServer(server, serverOptions, {
			port: boundPort,
			addresses: "listenAddresses" in options ? options.listenAddresses : LOOPBACKS.slice(0, 1),
			listening: (open, addresses) => options.listening?.(open, number, addresses),
			failed: (error) => options.failed?.(error, port),
		});
	}

	/** The requested port until the listener is bound. */
	get port(): number {
		return this.#server.port ?? this.#requestedPort;
	}

	accept(): HostSocket | undefined {
		return this.#pending.shift();
	}

	close(): void {
		if (!this.#listening) return;
		this.#listening = false;
		this.#pace.removeListener();
		this.#server.close();
		for (const socket of this.#pending.splice(0)) socket.close();
	}
}
