import type { SensorSettings } from "../../src/config/settings";
import { Random } from "../clock/random";
import type { Scheduled, Scheduler } from "../clock/scheduler";

/** Mean time from one closing to the next, and mean time closed, ms: about that of a door. */
const MEAN_OPEN_MS = 3_600_000;
const MEAN_CLOSED_MS = 60_000;

interface Contact {
	/** Level of the pin while the contact is open. */
	readonly levelAtRest: 0 | 1;
	readonly random: Random;
	closed: boolean;
}

/** Options of a driver of a digital pin. */
interface PinOptions {
	readonly pin?: unknown;
	readonly pull?: unknown;
	readonly activeLow?: unknown;
}

/**
 * Contacts at the digital pins of a board, against the chip's resistor, or to the supply where there is none.
 * They close now and then, each at times of its own; the same seed gives the same times.
 */
export class Contacts {
	/** Called when the level of a pin may have changed. */
	onChange: () => void = () => {};
	readonly #scheduler: Scheduler;
	readonly #contacts = new Map<number, Contact>();
	#held = false;
	#bounceMs = 0;
	#bounce: Scheduled | undefined;
	#bouncedClosed = false;

	/** @param sensors those with a digital pin */
	constructor(scheduler: Scheduler, seed: number, sensors: readonly Pick<SensorSettings, "options">[]) {
		this.#scheduler = scheduler;
		for (const { options = {} } of sensors) {
			const { pin, pull } = options as PinOptions;
			if (typeof pin !== "number" || this.#contacts.has(pin)) continue;
			this.#contacts.set(pin, {
				levelAtRest: pull === "none" || pull === "down" ? 0 : 1,
				random: new Random(seed, `pin ${pin}`),
				closed: false,
			});
		}
	}

	/** Contacts begin to close now and then. */
	start(): void {
		for (const contact of this.#contacts.values()) this.#schedule(contact);
	}

	/** Level of a pin; a pin without a contact is low. */
	level(pin: number): 0 | 1 {
		const contact = this.#contacts.get(pin);
		if (contact === undefined) return 0;
		const closed = this.#bounceMs > 0 ? this.#bouncedClosed : this.#held || contact.closed;
		return closed ? flipped(contact.levelAtRest) : contact.levelAtRest;
	}

	/** The value of a driver with these options; undefined: they name no contact. */
	valueOf(options: object): 0 | 1 | undefined {
		const { pin, activeLow } = options as PinOptions;
		if (typeof pin !== "number" || !this.#contacts.has(pin)) return undefined;
		const level = this.level(pin);
		return activeLow === true ? flipped(level) : level;
	}

	/** All contacts are closed until this is set to false. */
	set held(held: boolean) {
		this.#held = held;
		this.onChange();
	}

	/** All contacts close and open by turns, each time after so many ms; 0: no more. */
	set bouncing(ms: number) {
		this.#scheduler.cancel(this.#bounce);
		this.#bounceMs = ms;
		this.#bouncedClosed = false;
		if (ms > 0) this.#turn();
		else this.onChange();
	}

	#turn(): void {
		this.#bouncedClosed = !this.#bouncedClosed;
		this.#bounce = this.#scheduler.after(this.#bounceMs, () => this.#turn());
		this.onChange();
	}

	#schedule(contact: Contact): void {
		const mean = contact.closed ? MEAN_CLOSED_MS : MEAN_OPEN_MS;
		const wait = Math.ceil(-Math.log(1 - contact.random.number()) * mean);
		this.#scheduler.after(wait, () => {
			contact.closed = !contact.closed;
			this.#schedule(contact);
			this.onChange();
		});
	}
}

function flipped(level: 0 | 1): 0 | 1 {
	return level === 0 ? 1 : 0;
}
