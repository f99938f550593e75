import type { SensorSettings, Settings } from "../config/types";
import type { Device } from "../device";
import type { Clock } from "./clock";
import { passes, rounded } from "./filter";
import { SENSOR_DUE, SENSOR_REALS, SENSOR_TIME, SENSOR_VALUE, WORD_FAILURES, WORD_SEQUENCE } from "./layout";
import type { Outbox } from "./outbox";
import type { Plan } from "./plan";
import { Record } from "./record";
import type { Reports } from "./reports";
import type { Retained } from "./retained";
import { Sampler } from "./sampler";
import { following, followingOnGrid, isDue, realigned } from "./schedule";

// What became of a sensor in this round
const NOT_DUE = 0;
const FAILED = 1;
const SAMPLED = 2;
const PASSED = 3;

// What a round knows of a sensor
const RESULT = 0;
const VALUE = 1;
const TIME = 2;
const ROUND = 3;

/** Samples the sensors that are due, filters, and puts reports into the outbox. */
export class Collector {
	readonly #device: Pick<Device, "event" | "trace">;
	readonly #settings: readonly SensorSettings[];
	readonly #retained: Retained;
	readonly #words: Uint32Array;
	/** Retained state of the sensors. */
	readonly #state: Float64Array;
	readonly #outbox: Outbox;
	readonly #clock: Clock;
	readonly #sampler: Sampler;
	readonly #grouped: boolean;
	readonly #record = new Record();
	/** Of this round: for each sensor what became of it, its value, and its time. */
	readonly #round: Float64Array;

	constructor(
		device: Pick<Device, "driver" | "event" | "trace">,
		{ sensors }: Settings,
		plan: Plan,
		retained: Retained,
		outbox: Outbox,
		reports: Reports,
		clock: Clock,
	) {
		this.#device = device;
		this.#settings = sensors;
		this.#retained = retained;
		this.#words = retained.words;
		this.#state = retained.sensors;
		this.#outbox = outbox;
		this.#clock = clock;
		this.#grouped = reports.grouped;
		this.#sampler = new Sampler(device, sensors, plan.sources);
		this.#round = new Float64Array(sensors.length * ROUND);
	}

	/** At boot. @param fresh nothing is known of earlier samples: each sensor is due at once */
	start(fresh: boolean): void {
		const state = this.#state;
		const { jumped, now } = this.#clock;
		if (!fresh && jumped) this.realign();
		for (let i = 0; i < this.#settings.length; i++) {
			const at = i * SENSOR_REALS + SENSOR_DUE;
			// Further away than can be: the settings were changed.
			if (fresh || state[at] - now > 2 * this.#settings[i].every) state[at] = now;
		}
	}

	/** Node time of the earliest sample; Infinity: there are no sensors. */
	get earliest(): number {
		const state = this.#state;
		let earliest = Infinity;
		for (let i = SENSOR_DUE; i < state.length; i += SENSOR_REALS) if (state[i] < earliest) earliest = state[i];
		return earliest;
	}

	/** Takes all samples that are due, and commits what the outbox took. Allocates nothing but what drivers do. */
	collect(): void {
		const clock = this.#clock;
		if (clock.jumped) this.realign();
		const { now } = clock;
		const offset = clock.offsetAt(now);
		this.#sampler.begin();
		const count = this.#settings.length;
		const round = this.#round;
		let passed = false;
		for (let i = 0; i < count; i++) {
			const result = this.sample(i, now, offset);
			round[i * ROUND + RESULT] = result;
			if (result === PASSED) passed = true;
		}
		if (passed) {
			const first = this.#words[WORD_SEQUENCE];
			this.report(now, offset);
			const end = this.#words[WORD_SEQUENCE];
			clock.stamp(0);
			this.#retained.commit();
			for (let sequence = first; sequence < end; sequence++) this.#device.event?.("accepted", sequence, this.#outbox.waiting + 1 + sequence - end);
		}
		for (let i = 0; i < count; i++) if (round[i * ROUND + RESULT] === SAMPLED) this.#device.event?.("filtered", i);
	}

	/** Before sleep. */
	close(): void {
		this.#sampler.close();
	}

	private sample(index: number, now: number, offset: number): number {
		const { every, grid, decimals, delta, heartbeat } = this.#settings[index];
		const state = this.#state;
		const at = index * SENSOR_REALS;
		const due = state[at + SENSOR_DUE];
		if (!isDue(due, now, every, grid)) return NOT_DUE;
		// NaN, where wall time is unknown: nothing to align to.
		state[at + SENSOR_DUE] = grid && offset - offset === 0 ? followingOnGrid(now, now + offset, every) : following(due, now, every);
		let value = this.#sampler.sample(index);
		if (decimals !== undefined) value = rounded(value, decimals);
		this.#round[index * ROUND + VALUE] = value;
		this.#device.event?.("sample", index, value);
		if (Number.isNaN(value)) {
			this.#words[WORD_FAILURES]++;
			return FAILED;
		}
		// Counted from the time it should have been, intervals are exact multiples of `every`.
		const time = Math.abs(now - due) < every ? due : now;
		this.#round[index * ROUND + TIME] = time;
		return passes(value, state[at + SENSOR_VALUE], time - state[at + SENSOR_TIME], delta, heartbeat) ? PASSED : SAMPLED;
	}

	/** Puts into the outbox what passed; where one report holds all values, everything sampled together with it. */
	private report(now: number, offset: number): void {
		const record = this.#record;
		const relative = Number.isNaN(offset);
		const time = relative ? now : now + offset;
		const round = this.#round;
		const grouped = this.#grouped;
		const least = grouped ? SAMPLED : PASSED;
		const { length } = round;
		record.begin(time, relative);
		for (let at = 0, i = 0; at < length; at += ROUND, i++) {
			if (round[at + RESULT] < least) continue;
			if (!record.add(i, round[at + VALUE])) {
				this.append();
				record.begin(time, relative);
				record.add(i, round[at + VALUE]);
			}
			if (!grouped) {
				this.append();
				record.begin(time, relative);
			}
		}
		if (grouped) this.append();
		const state = this.#state;
		for (let at = 0, i = 0; at < length; at += ROUND, i += SENSOR_REALS) {
			if (round[at + RESULT] < least) continue;
			round[at + RESULT] = PASSED;
			state[i + SENSOR_VALUE] = round[at + VALUE];
			state[i + SENSOR_TIME] = round[at + TIME];
		}
	}

	private append(): void {
		if (!this.#outbox.append(this.#record)) this.#device.trace("the outbox is too small for a report");
	}

	/** After wall time was set or has jumped. */
	private realign(): void {
		const { now, offset } = this.#clock;
		if (Number.isNaN(offset)) return;
		const state = this.#state;
		for (let i = 0; i < this.#settings.length; i++) {
			const { every, grid } = this.#settings[i];
			const at = i * SENSOR_REALS + SENSOR_DUE;
			if (grid) state[at] = realigned(state[at], now, now + offset, every);
		}
	}
}
