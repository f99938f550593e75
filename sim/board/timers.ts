import type { Scheduled } from "../clock/scheduler";
import { Handles } from "./handles";
import type { Natives, Peripheral, PeripheralHost } from "./peripheral";

interface Timer {
	due: number;
	/** ms; 0: ends after its callback; −1: stopped. */
	repeat: number;
	scheduled: Scheduled | undefined;
	readonly fire: () => void;
}

/** The SDK's timers: repeats follow the first callback at exact multiples of the interval. */
export class Timers implements Peripheral {
	readonly natives: Natives;
	readonly #core: PeripheralHost;
	readonly #timers = new Handles<Timer>();
	#dispatch: number | undefined;

	constructor(core: PeripheralHost) {
		this.#core = core;
		this.natives = {
			sim_timer_start: (handle: number) => {
				this.#dispatch = handle;
			},
			sim_timer_set: (delay: number, repeat: number) => this.#set(delay, repeat),
			sim_timer_schedule: (id: number, delay: number, repeat: number) =>
				this.#schedule(this.#timers.get(id), delay, repeat),
			sim_timer_stop: (id: number) => {
				const timer = this.#timers.get(id);
				core.scheduler.cancel(timer.scheduled);
				timer.repeat = -1;
			},
			sim_timer_clear: (id: number) => {
				core.scheduler.cancel(this.#timers.remove(id)?.scheduled);
			},
		};
	}

	reset(): void {
		for (const { scheduled } of this.#timers.removeAll()) this.#core.scheduler.cancel(scheduled);
		this.#dispatch = undefined;
	}

	#set(delay: number, repeat: number): number {
		const timer: Timer = { due: 0, repeat: 0, scheduled: undefined, fire: () => this.#fire(timer, id) };
		const id = this.#timers.add(timer);
		this.#schedule(timer, delay, repeat);
		return id;
	}

	#schedule(timer: Timer, delay: number, repeat: number): void {
		const { scheduler } = this.#core;
		scheduler.cancel(timer.scheduled);
		timer.due = scheduler.now + Math.max(0, Math.trunc(delay));
		timer.repeat = Math.trunc(repeat);
		timer.scheduled = scheduler.at(timer.due, timer.fire);
	}

	#fire(timer: Timer, id: number): void {
		if (timer.repeat > 0) {
			timer.due += timer.repeat;
			timer.scheduled = this.#core.scheduler.at(timer.due, timer.fire);
		}
		this.#core.call(this.#dispatch, id);
		if (timer.repeat === 0 && this.#timers.find(id) === timer) this.#timers.remove(id);
	}
}
