import type { Datagram, Timer, UDP, UDPConstructor, UDPOptions } from "../../src/device";
import type { Scheduled, Scheduler } from "../clock/scheduler";
import type { DatagramHandler, HostDatagrams, HostNetwork } from "./socket";

/** What a UDP port needs of its host. */
export interface DatagramHost {
	readonly address: string;
	/** Bytes leave for an address or a group. */
	sendDatagram(from: VirtualDatagrams, bytes: Uint8Array, address: string, port: number): void;
	removeDatagrams(port: number): void;
}

/** A UDP port of a virtual host. */
export class VirtualDatagrams implements HostDatagrams {
	readonly port: number;
	readonly groups = new Set<string>();
	readonly #host: DatagramHost;
	readonly #received: DatagramHandler;
	#isOpen = true;

	constructor(host: DatagramHost, port: number, received: DatagramHandler) {
		this.#host = host;
		this.port = port;
		this.#received = received;
	}

	send(bytes: Uint8Array, address: string, port: number): void {
		this.#host.sendDatagram(this, bytes.slice(), address, port);
	}

	join(group: string): void {
		this.groups.add(group);
	}

	close(): void {
		if (!this.#isOpen) return;
		this.#isOpen = false;
		this.#host.removeDatagrams(this.port);
	}

	/** A datagram arrives. */
	deliver(bytes: Uint8Array, address: string, port: number): void {
		if (this.#isOpen) this.#received(bytes, address, port);
	}
}

/** UDP sockets of a virtual host, for what the simulator itself does in its name. */
export function virtualUDP(network: Required<Pick<HostNetwork, "openDatagrams">>): UDPConstructor {
	return class implements UDP {
		readonly #waiting: Datagram[] = [];
		readonly #port: HostDatagrams;

		constructor({ port = 0, onReadable }: UDPOptions) {
			this.#port = network.openDatagrams(port, (bytes, address, from) => {
				this.#waiting.push(Object.assign(Uint8Array.from(bytes).buffer, { address, port: from }));
				onReadable(this.#waiting.length);
			});
		}

		read(): Datagram | undefined {
			return this.#waiting.shift();
		}

		write(bytes: Uint8Array, address: string, port: number): void {
			this.#port.send(bytes, address, port);
		}

		close(): void {
			this.#port.close();
		}
	};
}

/** Timers of a host in simulated time. */
export function virtualTimer(scheduler: Scheduler): Pick<Timer, "set" | "clear"> {
	interface VirtualTimer {
		scheduled: Scheduled | undefined;
	}
	return {
		set(callback, delay, repeat = 0) {
			const timer: VirtualTimer = { scheduled: undefined };
			const arm = (ms: number): void => {
				timer.scheduled = scheduler.after(ms, () => {
					if (repeat > 0) arm(repeat);
					callback(timer);
				});
			};
			arm(delay);
			return timer;
		},
		clear(id) {
			scheduler.cancel((id as VirtualTimer | undefined)?.scheduled);
		},
	};
}
