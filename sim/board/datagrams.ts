import { answerTimeRequest, SNTP_PORT, type TimeService } from "../network/time-server";
import { Handles } from "./handles";
import type { Natives, Peripheral, PeripheralHost } from "./peripheral";

interface Datagram {
	readonly bytes: Uint8Array;
	readonly address: string;
	readonly port: number;
}

/** Time that a time server takes for an answer, ms. */
const SERVER_DELAY_MS = 1;

/**
 * UDP sockets by number. The only peers are time servers, one at each address; a datagram is lost while the
 * board has no network, whichever way it goes.
 */
export class Datagrams implements Peripheral {
	readonly natives: Natives;
	readonly #core: PeripheralHost;
	readonly #latency: number;
	readonly #isUp: () => boolean;
	readonly #timeService: TimeService | undefined;
	/** Received datagrams of each open socket. */
	readonly #sockets = new Handles<Datagram[]>();
	#dispatch: number | undefined;

	/** @param latency one way, ms @param timeService absent: the time servers answer always */
	constructor(core: PeripheralHost, latency: number, isUp: () => boolean, timeService?: TimeService) {
		this.#core = core;
		this.#timeService = timeService;
		this.#latency = latency;
		this.#isUp = isUp;
		this.natives = {
			sim_udp_start: (handle: number) => {
				this.#dispatch = handle;
			},
			sim_udp_open: () => this.#sockets.add([]),
			sim_udp_size: (id: number) => this.#sockets.find(id)?.[0]?.bytes.length ?? -1,
			sim_udp_address: (id: number) => this.#sockets.find(id)?.[0]?.address,
			sim_udp_port: (id: number) => this.#sockets.find(id)?.[0]?.port,
			sim_udp_read: (id: number, buffer: Uint8Array) => {
				const datagram = this.#sockets.find(id)?.shift();
				if (datagram) buffer.set(datagram.bytes);
			},
			sim_udp_write: (id: number, buffer: Uint8Array, address: string, port: number) => {
				const queue = this.#sockets.get(id);
				if (!this.#isUp()) throw new Error("UDP send failed");
				if (port === SNTP_PORT) this.#askTimeServer(id, queue, buffer.slice(), address);
			},
			sim_udp_close: (id: number) => {
				this.#sockets.remove(id);
			},
		};
	}

	reset(): void {
		this.#sockets.removeAll();
		this.#dispatch = undefined;
	}

	#askTimeServer(id: number, queue: Datagram[], request: Uint8Array, address: string): void {
		if (this.#timeService?.answers === false) return;
		const { scheduler } = this.#core;
		const receivedAt = scheduler.now + this.#latency;
		scheduler.after(2 * this.#latency + SERVER_DELAY_MS, () => {
			const bytes = answerTimeRequest(request, receivedAt, receivedAt + SERVER_DELAY_MS);
			// The socket may be closed, and its number in use again.
			if (!bytes || !this.#isUp() || this.#sockets.find(id) !== queue) return;
			queue.push({ bytes, address, port: SNTP_PORT });
			this.#core.call(this.#dispatch, id, queue.length);
		});
	}
}
