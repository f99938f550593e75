import type { SecureOptions } from "../network/secure-connection";
import type { HostListener, HostNetwork, HostSocket, SocketHandler } from "../network/socket";
import { Handles } from "./handles";
import type { Natives, Peripheral, PeripheralHost } from "./peripheral";
import { TLSSessions } from "./tls-sessions";

const READABLE = 1;
const WRITABLE = 2;
const FAILED = 3;

interface SocketEntry {
	readonly socket: HostSocket;
	/** Whether the device opened it, rather than accepted it. */
	readonly outbound: boolean;
	/** {@link Sockets.acknowledged} when it was opened. */
	readonly acknowledged: number;
	/** Handle of the TLS session that it has offered; empty: none. */
	readonly session: string;
}

/** TCP sockets and listeners by number. */
export class Sockets implements Peripheral {
	readonly natives: Natives;
	/** Reports acknowledged since power-on, as counted by the progress of the firmware. */
	acknowledged = 0;
	readonly #core: PeripheralHost;
	readonly #network: HostNetwork;
	readonly #isUp: () => boolean;
	readonly #entries = new Handles<SocketEntry>();
	readonly #listeners = new Handles<HostListener>();
	readonly #sessions = new TLSSessions();
	#dispatch: number | undefined;
	#dispatchListener: number | undefined;

	/** @param isUp whether the device has an address */
	constructor(core: PeripheralHost, network: HostNetwork, isUp: () => boolean) {
		this.#core = core;
		this.#network = network;
		this.#isUp = isUp;
		this.natives = {
			sim_tcp_start: (handle: number) => {
				this.#dispatch = handle;
			},
			sim_tcp_open: (address: string | undefined, port: number | undefined) => this.#connect(address, port),
			sim_tls_open: (
				address: string | undefined,
				port: number | undefined,
				serverName: string,
				ca?: string,
				fingerprint?: string,
				certificate?: string,
				key?: string,
				session = "",
			) =>
				this.#connectSecurely(
					address,
					port,
					{
						serverName,
						ca,
						fingerprint,
						certificate,
						key,
						session: this.#sessions.find(session),
					},
					session,
				),
			sim_tls_session: (id: number) => {
				const { socket, session } = this.#entries.get(id);
				return this.#sessions.keep(socket, session);
			},
			sim_tcp_take: (id: number) => this.#transfer(id),
			sim_tcp_read: (id: number, buffer: Uint8Array) => this.#entries.get(id).socket.read(buffer),
			sim_tcp_write: (id: number, buffer: Uint8Array) => this.#entries.get(id).socket.write(buffer),
			sim_tcp_remote: (id: number) => this.#entries.get(id).socket.remoteAddress,
			sim_tcp_close: (id: number) => this.#close(id),
			sim_listener_start: (handle: number) => {
				this.#dispatchListener = handle;
			},
			sim_listener_open: (port: number | undefined) => this.#listen(port),
			sim_listener_port: (id: number) => this.#listeners.get(id).port,
			sim_listener_read: (id: number) => this.#accept(id),
			sim_listener_close: (id: number) => this.#listeners.remove(id)?.close(),
		};
	}

	reset(): void {
		for (const entry of this.#entries.removeAll()) this.#emitExchange(entry);
		this.#listeners.removeAll();
		this.#dispatch = undefined;
		this.#dispatchListener = undefined;
		this.#network.reset();
	}

	#connect(address: string | undefined, port: number | undefined): number {
		const checkedPort = this.#checkConnect(port);
		return this.#add(this.#network.connect(String(address), checkedPort), true);
	}

	/** @param session handle of the session that is offered; empty: none */
	#connectSecurely(
		address: string | undefined,
		port: number | undefined,
		options: SecureOptions,
		session: string,
	): number {
		const checkedPort = this.#checkConnect(port);
		const network = this.#network;
		if (network.connectSecurely === undefined) throw new Error("the simulated network has no TLS");
		return this.#add(network.connectSecurely(String(address), checkedPort, options), true, session);
	}

	#checkConnect(port: number | undefined): number {
		if (port === undefined || !(port >= 0 && port <= 65535)) throw new RangeError("invalid port");
		if (!this.#isUp()) throw new Error("connect error");
		return Math.trunc(port);
	}

	/** Assigns a new number, so that no event of the previous owner reaches the new one. */
	#transfer(id: number): number {
		const entry = this.#entries.get(id);
		const newId = this.#entries.add(entry);
		try {
			entry.socket.handler = this.#handler(newId);
		} catch (error) {
			this.#entries.remove(newId);
			throw error;
		}
		this.#entries.remove(id);
		return newId;
	}

	#add(socket: HostSocket, outbound: boolean, session = ""): number {
		const id = this.#entries.add({ socket, outbound, acknowledged: this.acknowledged, session });
		if (outbound) socket.handler = this.#handler(id);
		return id;
	}

	#handler(id: number): SocketHandler {
		const core = this.#core;
		return {
			readable: (bytes) => core.call(this.#dispatch, id, READABLE, bytes),
			writable: (room) => core.call(this.#dispatch, id, WRITABLE, room),
			failed: (failure) => core.call(this.#dispatch, id, FAILED, 0, failure?.fault, failure?.message),
		};
	}

	#close(id: number): void {
		const entry = this.#entries.remove(id);
		if (entry === undefined) return;
		entry.socket.close();
		this.#emitExchange(entry);
	}

	#emitExchange({ socket, outbound, acknowledged }: SocketEntry): void {
		if (!outbound) return;
		const { sent, received, roundTrips } = socket.statistics;
		this.#core.emit({
			type: "exchange",
			sent,
			received,
			roundTrips,
			reports: this.acknowledged - acknowledged,
		});
	}

	#listen(port: number | undefined): number {
		if (port !== undefined && !(port >= 0 && port <= 65535)) throw new RangeError("invalid port");
		const listener = this.#network.listen(Math.trunc(port ?? 0), (count) =>
			this.#core.call(this.#dispatchListener, id, count),
		);
		const id = this.#listeners.add(listener);
		return id;
	}

	#accept(id: number): number {
		const socket = this.#listeners.get(id).accept();
		return socket ? this.#add(socket, false) : -1;
	}
}
