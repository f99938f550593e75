import type { Device, Pull } from "../../device";
import { WAKE_LEVELS, WAKE_SLEPT_AT, WAKE_USED_UNTIL, type WakePin } from "../settings/wake-pin-layout";

const HOUR_MS = 3_600_000;

/**
 * The pins that end a deep sleep. Each is set to wake on the level that it did not have when it was sampled
 * last, so that a contact that stays closed wakes once; and all together wake no more often than
 * `pinWakeLimit` allows, so that one that bounces or is stuck does not empty the battery. Allocates nothing
 * once it is constructed.
 */
export class WakePins {
	private readonly pins: readonly WakePin[];
	private readonly state: Float64Array;
	/** Where wake pins begin in the state. */
	private readonly from: number;
	private readonly device: Pick<Device, "sleep" | "trace">;
	/** Mean time between wakes by pin, at the limit, ms. */
	private readonly interval: number;
	/** For each of the pins, the value that has woken the node; NaN: it has not, or the value was taken. */
	private readonly events: Float64Array;
	private hasEvents = false;

	/** @param limit wakes by pin in an hour */
	constructor(
		pins: readonly WakePin[],
		state: Float64Array,
		from: number,
		device: Pick<Device, "sleep" | "trace">,
		limit: number,
	) {
		this.pins = pins;
		this.state = state;
		this.from = from;
		this.device = device;
		this.interval = HOUR_MS / limit;
		this.events = new Float64Array(pins.length);
	}

	/** How long the sleep lasted that a pin has ended, in ms; undefined: none has. */
	get sleptMs(): number | undefined {
		const { wakePin } = this.device.sleep;
		return wakePin === undefined ? undefined : Date.now() - this.state[this.from + WAKE_SLEPT_AT];
	}

	/**
	 * Call at boot, once node time is known: counts a wake by pin.
	 * @returns whether a pin has ended the sleep
	 */
	start(now: number): boolean {
		const { pins, state, from, events, device } = this;
		const { wakePin } = device.sleep;
		events.fill(NaN);
		if (wakePin === undefined) return false;
		device.trace(`woken by pin ${wakePin}`);
		// A time further ahead than an hour means that the limit was lower.
		const used = Math.min(state[from + WAKE_USED_UNTIL], now + HOUR_MS);
		state[from + WAKE_USED_UNTIL] = (used > now ? used : now) + this.interval;
		// Every sensor of the pin: the others may have been sampled at other times.
		const level = this.levelToWake(wakePin);
		for (let i = 0; i < pins.length; i++) {
			if (pins[i].pin !== wakePin) continue;
			events[i] = level === pins[i].activeLevel ? 1 : 0;
			state[from + WAKE_LEVELS + i] = level + 1;
		}
		this.hasEvents = true;
		return true;
	}

	/** Whether a round of values begins that have woken the node; once. */
	takeRound(): boolean {
		const { hasEvents } = this;
		this.hasEvents = false;
		return hasEvents;
	}

	/** The value that a sensor had when its pin ended the sleep; NaN: it has not, or the value was taken. */
	eventOf(sensor: number): number {
		const { pins } = this;
		for (let i = 0; i < pins.length; i++) if (pins[i].sensor === sensor) return this.events[i];
		return NaN;
	}

	/** The same, once. */
	takeEvent(sensor: number): number {
		const { pins, events } = this;
		for (let i = 0; i < pins.length; i++) {
			if (pins[i].sensor !== sensor) continue;
			const value = events[i];
			events[i] = NaN;
			return value;
		}
		return NaN;
	}

	/** A sensor was sampled. @param value 0 or 1; anything else leaves what is known of the pin */
	record(sensor: number, value: number): void {
		if (value !== 0 && value !== 1) return;
		const { pins, state } = this;
		for (let i = 0; i < pins.length; i++) {
			if (pins[i].sensor !== sensor) continue;
			const { activeLevel } = pins[i];
			state[this.from + WAKE_LEVELS + i] = (value === 1 ? activeLevel : 1 - activeLevel) + 1;
		}
	}

	/**
	 * Lets the pins end the next sleep, as far as they may. Call before the last commit of a wake, when drivers
	 * have let go of their pins. A pin that cannot wake the chip is traced.
	 * @param until node time at which the sleep is to end
	 * @returns the same, or earlier: when pins may wake the node again
	 */
	arm(now: number, until: number): number {
		const { pins, state, from, device } = this;
		state[from + WAKE_SLEPT_AT] = Date.now();
		const free = state[from + WAKE_USED_UNTIL] - HOUR_MS + this.interval;
		if (free > now) {
			device.trace(`more wakes by pin than sleep.pinWakeLimit allows: the next one in ${free - now} ms`);
			return Math.min(until, free);
		}
		for (let i = 0; i < pins.length; i++) {
			const { pin, pull } = pins[i];
			if (this.firstOf(pin) === i) this.armPin(pin, this.levelToWake(pin), pull);
		}
		return until;
	}

	private armPin(pin: number, level: number, pull: Pull): void {
		const { sleep } = this.device;
		try {
			sleep.wakeOn?.(pin, level, pull);
		} catch (error) {
			this.device.trace(`pin ${pin} cannot wake the node: ${error}`);
		}
	}

	/**
	 * The level that a pin did not have when its first sensor was sampled last; that sensor's active one if it
	 * never was.
	 */
	private levelToWake(pin: number): number {
		const first = this.firstOf(pin);
		if (first < 0) return 0;
		const level = this.state[this.from + WAKE_LEVELS + first];
		return level === 0 ? this.pins[first].activeLevel : 2 - level;
	}

	/** The first sensor of a pin, by its place among those that wake; −1: none. */
	private firstOf(pin: number): number {
		const { pins } = this;
		for (let i = 0; i < pins.length; i++) if (pins[i].pin === pin) return i;
		return -1;
	}
}
