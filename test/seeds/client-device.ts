import type { Scheduled, Scheduler } from "../../sim/clock/scheduler";
import type { HostSocket } from "../../sim/network/socket";
import type { VirtualHost } from "../../sim/network/virtual";
import type { ClientDevice } from "../../src/client/options";
import type { TCP, TCPOptions, Timer, TimerId } from "../../src/device";

/** The device of a client on a host of the virtual network. */
export function clientDevice(scheduler: Scheduler, host: VirtualHost): ClientDevice {
	class ClientTCP implements TCP {
		readonly #socket: HostSocket;
		#closed = false;

		constructor({ address, port, onReadable, onWritable, onError }: TCPOptions) {
			this.#socket = host.connect(String(address), port ?? 0);
			this.#socket.handler = {
				readable: (bytes) => onReadable?.(bytes),
				writable: (room) => onWritable?.(room),
				failed: () => onError?.(),
			};
		}

		read(buffer: Uint8Array): number | undefined {
			return this.#open.read(buffer);
		}

		write(buffer: Uint8Array): number | undefined {
			return this.#open.write(buffer);
		}

		close(): void {
			this.#closed = true;
			this.#socket.close();
		}

		get #open(): HostSocket {
			if (this.#closed) throw new Error("invalid host data");
			return this.#socket;
		}
	}
	return {
		tcp: { io: ClientTCP },
		timer: schedulerTimer(scheduler),
		time: {
			get ticks() {
				return Math.floor(scheduler.now) | 0;
			},
			delta: (start, end = Math.floor(scheduler.now) | 0) => (end - start) | 0,
		},
		resolve: (name, callback) => host.resolve(name, callback),
	};
}

interface SchedulerTimer {
	readonly callback: (id: TimerId) => void;
	scheduled: Scheduled | undefined;
	repeat: number;
}

function schedulerTimer(scheduler: Scheduler): Timer {
	const start = (timer: SchedulerTimer, delay: number): void => {
		timer.scheduled = scheduler.after(delay, () => {
			if (timer.repeat > 0) start(timer, timer.repeat);
			timer.callback(timer);
		});
	};
	return {
		set: (callback, delay, repeat = 0) => {
			const timer: SchedulerTimer = { callback, scheduled: undefined, repeat };
			start(timer, delay);
			return timer;
		},
		schedule: (id, delay, repeat = 0) => {
			const timer = id as SchedulerTimer;
			scheduler.cancel(timer.scheduled);
			timer.repeat = repeat;
			if (delay !== undefined) start(timer, delay);
		},
		clear: (id) => {
			if (id !== undefined) scheduler.cancel((id as SchedulerTimer).scheduled);
		},
	};
}
