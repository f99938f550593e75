import type { HostDatagrams, HostNetwork } from "../network/socket";
import { answerTimeRequest, SNTP_PORT, type TimeService } from "../network/time-server";
import { Handles } from "./handles";
import type { Natives, Peripheral, PeripheralHost } from "./peripheral";

interface Datagram {
	readonly bytes: Uint8Array;
	readonly address: string;
	readonly port: number;
}

interface OpenSocket {
	readonly received: Datagram[];
	/** Absent: its only peers are time servers. */
	readonly port: HostDatagrams | undefined;
}

/** Time that a time server takes for an answer, ms. */
const SERVER_DELAY_MS = 1;

/**
 * UDP sockets by number. Peers are time servers, one at each address, and, of a socket with a port of its
 * own, other hosts of the network; a datagram is lost while the board has no network, whichever way it goes.
 */
export class Datagrams implements Peripheral {
	readonly natives: Natives;
	readonly #core: PeripheralHost;
	readonly #latency: number;
	readonly #isUp: () => boolean;
	readonly #timeService: TimeService | undefined;
	readonly #sockets = new Handles<OpenSocket>();
	#dispatch: number | undefined;

	/** @param latency one way, ms @param timeService absent: the time servers answer always */
	constructor(
		core: PeripheralHost,
		network: HostNetwork,
		latency: number,
		isUp: () => boolean,
		timeService?: TimeService,
	) {
		this.#core = core;
		this.#timeService = timeService;
		this.#latency = latency;
		this.#isUp = isUp;
		this.natives = {
			sim_udp_start: (handle: number) => {
				this.#dispatch = handle;
			},
			sim_udp_open: (port: number) => this.#open(network, port),
			sim_udp_add: (id: number, group: string) => this.#sockets.get(id).port?.join(group),
			sim_udp_size: (id: number) => this.#sockets.find(id)?.received[0]?.bytes.length ?? -1,
			sim_udp_address: (id: number) => this.#sockets.find(id)?.received[0]?.address,
			sim_udp_port: (id: number) => this.#sockets.find(id)?.received[0]?.port,
			sim_udp_read: (id: number, buffer: Uint8Array) => {
				const datagram = this.#sockets.find(id)?.received.shift();
				if (datagram) buffer.set(datagram.bytes);
			},
			sim_udp_write: (id: number, buffer: Uint8Array, address: string, port: number) => {
				const socket = this.#sockets.get(id);
				if (!this.#isUp()) throw new Error("UDP send failed");
				if (port === SNTP_PORT) this.#askTimeServer(id, socket, buffer.slice(), address);
				else socket.port?.send(buffer, address, port);
			},
			sim_udp_close: (id: number) => {
				this.#sockets.remove(id)?.port?.close();
			},
		};
	}

	reset(): void {
		for (const { port } of this.#sockets.removeAll()) port?.close();
		this.#dispatch = undefined;
	}

	#open(network: HostNetwork, number: number): number {
		const received: Datagram[] = [];
		const port =
			number === 0
				? undefined
				: network.openDatagrams?.(number, (bytes, address, from) => {
						received.push({ bytes, address, port: from });
						this.#core.call(this.#dispatch, id, received.length);
					});
		const id = this.#sockets.add({ received, port });
		return id;
	}

	#askTimeServer(id: number, socket: OpenSocket, request: Uint8Array, address: string): void {
		if (this.#timeService?.answers === false) return;
		const { scheduler } = this.#core;
		const receivedAt = scheduler.now + this.#latency;
		scheduler.after(2 * this.#latency + SERVER_DELAY_MS, () => {
			const bytes = answerTimeRequest(request, receivedAt, receivedAt + SERVER_DELAY_MS);
			// The socket may be closed, and its number in use again.
			if (!bytes || !this.#isUp() || this.#sockets.find(id) !== socket) return;
			socket.received.push({ bytes, address, port: SNTP_PORT });
			this.#core.call(this.#dispatch, id, socket.received.length);
		});
	}
}
