import type { SensorSettings, Settings } from "../../config/types";
import type { Device } from "../../device";
import type { Outbox } from "../outbox/outbox";
import type { ReportEncoder } from "../report/report-encoder";
import {
	SENSOR_DUE,
	SENSOR_REALS,
	SENSOR_TIME,
	SENSOR_VALUE,
	WORD_FAILED_READINGS,
	WORD_SEQUENCE,
} from "../retained/layout";
import type { RetainedState } from "../retained/retained-state";
import type { DerivedSettings } from "../settings/derived-settings";
import { DIAGNOSTICS_FAILURES } from "../settings/diagnostics-layout";
import type { NodeClock } from "../time/node-clock";
import { dueAfter, EARLY_LIMIT_MS, isDue, realignedDue } from "../time/schedule";
import type { BatteryGuard } from "./battery-guard";
import { calibrated } from "./calibration";
import { passesDeadband, roundTo } from "./filter";
import { SampleWindows } from "./sample-windows";
import { Sampler } from "./sampler";
import type { WakePins } from "./wake-pins";

// Results of a sensor in a round, in ascending order
const NOT_DUE = 0;
const FAILED = 1;
/** One of several samples of a value, which is not complete. */
const GATHERED = 2;
const SAMPLED = 3;
const PASSED = 4;
type RoundResult = typeof NOT_DUE | typeof FAILED | typeof GATHERED | typeof SAMPLED | typeof PASSED;

// Fields of a sensor in `round`
const ROUND_RESULT = 0;
const ROUND_VALUE = 1;
const ROUND_TIME = 2;
const ROUND_REALS = 3;

/** How long, in ms, the sensors of a driver that did not return in time are left out. */
export const DRIVER_PAUSE_MS = 900_000;

/** How old a reading may be, in ms, that stands for one which a driver does not have yet. */
const RECENT_MS = 60_000;

/** Samples the sensors that are due, filters the values, and appends reports to the outbox. */
export class Collector {
	private readonly device: Pick<Device, "event" | "trace">;
	private readonly settings: readonly SensorSettings[];
	private readonly retained: RetainedState;
	private readonly words: Uint32Array;
	/** Retained state of the sensors. */
	private readonly sensorState: Float64Array;
	private readonly outbox: Outbox;
	private readonly clock: NodeClock;
	private readonly sampler: Sampler;
	private readonly grouped: boolean;
	/** Values of the present round: for each sensor its result, value and time. */
	private readonly round: Float64Array;
	/** Absent if the battery is not watched. */
	declare private readonly battery?: BatteryGuard;
	/** Where failed readings are counted by sensor; absent if they are not. */
	declare private readonly failures?: number;
	/** Absent if each value is a single sample. */
	declare private readonly windows?: SampleWindows;
	/** Absent if no pin wakes the node. */
	declare wakePins?: WakePins;
	/**
	 * Whether a sensor that has no new reading yet, as one that measures at intervals of its own, gives its
	 * last one of this run. Absent until a command asks.
	 */
	declare repeats?: boolean;

	constructor(
		device: Pick<Device, "driver" | "event" | "trace">,
		{ sensors }: Settings,
		derived: DerivedSettings,
		retained: RetainedState,
		outbox: Outbox,
		reports: ReportEncoder,
		clock: NodeClock,
		battery: BatteryGuard | undefined,
	) {
		this.device = device;
		this.settings = sensors;
		this.retained = retained;
		this.words = retained.words;
		this.sensorState = retained.sensors;
		this.outbox = outbox;
		this.clock = clock;
		this.grouped = reports.grouped;
		this.sampler = new Sampler(device, sensors, derived.firstWithSameDriver);
		this.round = new Float64Array(sensors.length * ROUND_REALS);
		if (battery !== undefined) this.battery = battery;
		const { windows, diagnostics } = derived.extension;
		if (diagnostics > 0) this.failures = diagnostics + DIAGNOSTICS_FAILURES;
		if (retained.extension !== undefined && windows.length > 0)
			this.windows = new SampleWindows(retained.extension, windows, sensors);
	}

	/**
	 * Call at boot.
	 * @param fresh nothing is known of earlier samples: each sensor is due at once
	 * @param mayPause sensors may be paused by {@link pauseDriver}
	 */
	start(fresh: boolean, mayPause: boolean): void {
		const state = this.sensorState;
		const now = this.clock.now;
		const wallOffset = this.clock.wallOffsetAt(now);
		if (this.clock.hasJumped(wallOffset) && !fresh) this.realign(now, wallOffset);
		const battery = this.battery;
		for (let i = 0; i < this.settings.length; i++) {
			const at = i * SENSOR_REALS + SENSOR_DUE;
			const every = this.settings[i].every;
			// A time this far ahead means that the settings have changed.
			const longest = 2 * (battery?.period(every) ?? every) + (mayPause ? DRIVER_PAUSE_MS : 0);
			if (fresh || state[at] - now > longest) state[at] = now;
		}
		// A driver may stop the chip in the first wake already, which the next boot must be able to tell.
		if (fresh) this.retained.commit();
	}

	/**
	 * A driver has not returned, or too late for anything else in its wake: its sensors are not sampled for
	 * {@link DRIVER_PAUSE_MS}, so that others can report. Durable at once.
	 */
	pauseDriver(index: number): void {
		const { name, driver } = this.settings[index];
		this.device.trace(
			`sensor ${name}: the driver ${driver} takes too long; paused for ${DRIVER_PAUSE_MS} ms`,
		);
		const until = this.clock.now + DRIVER_PAUSE_MS;
		for (let i = 0; i < this.settings.length; i++) {
			if (!this.sampler.shareDriver(i, index)) continue;
			const at = i * SENSOR_REALS + SENSOR_DUE;
			if (this.sensorState[at] < until) this.sensorState[at] = until;
			this.windows?.clear(i);
		}
		this.clock.saveTimes(0);
		this.retained.commit();
	}

	/** The driver of a sensor was being called when the chip stopped: counts a failed reading, and a pause. */
	recordInterruptedDriver(index: number): void {
		this.countFailure(index);
		this.device.event?.("sample", index, NaN);
		this.pauseDriver(index);
	}

	/** Whether the values of a sensor are made of several samples. */
	gathers(index: number): boolean {
		return this.settings[index].spacing !== undefined;
	}

	/** Node time of the earliest sample; Infinity: there are no sensors. */
	get earliestDue(): number {
		const state = this.sensorState;
		const length = state.length;
		let earliest = Infinity;
		for (let i = SENSOR_DUE; i < length; i += SENSOR_REALS) if (state[i] < earliest) earliest = state[i];
		return earliest;
	}

	/** Node time of the next sample of a value that has begun; Infinity: none has. */
	get continuesAt(): number {
		return this.windows === undefined ? Infinity : this.windows.continuesAt(this.sensorState);
	}

	/**
	 * Takes all samples that are due, and commits the reports appended to the outbox; in the first round of a
	 * wake by pin, only what has caused it. Allocates nothing itself; drivers may.
	 * @param now node time, just read
	 * @param driverLimitMs time that the driver of one sensor may take
	 */
	collect(now: number, driverLimitMs: number): void {
		const clock = this.clock;
		const wallOffset = clock.wallOffsetAt(now);
		if (clock.hasJumped(wallOffset)) this.realign(now, wallOffset);
		this.sampler.beginRound();
		const count = this.settings.length;
		const round = this.round;
		let passed = false;
		let slow = -1;
		let before = now;
		const battery = this.battery;
		const hasEvents = this.wakePins?.takeRound();
		const hasListener = this.device.event !== undefined;
		for (let i = 0; i < count; i++) {
			const result = hasEvents
				? this.takeEvent(i, now)
				: battery === undefined
					? this.sample(i, now, wallOffset)
					: this.sampleOnBattery(battery, i, now, wallOffset);
			round[i * ROUND_REALS + ROUND_RESULT] = result;
			if (result === PASSED) passed = true;
			if (result === NOT_DUE || driverLimitMs === Infinity) continue;
			const after = clock.now;
			if (after - before > driverLimitMs) slow = i;
			before = after;
		}
		if (passed) {
			const first = hasListener ? this.words[WORD_SEQUENCE] : 0;
			this.appendReports(now, wallOffset);
			clock.saveTimes(0);
			this.retained.commit();
			if (hasListener) this.describeAccepted(first);
		}
		if (hasListener)
			for (let i = 0; i < count; i++)
				if (round[i * ROUND_REALS + ROUND_RESULT] === SAMPLED) this.device.event?.("filtered", i);
		if (slow >= 0) this.pauseDriver(slow);
	}

	/** Tells of the reports appended since that sequence number. */
	private describeAccepted(first: number): void {
		const end = this.words[WORD_SEQUENCE];
		for (let sequence = first; sequence < end; sequence++)
			this.device.event?.("accepted", sequence, this.outbox.waitingCount + 1 + sequence - end);
	}

	/**
	 * Drivers let go of their hardware and their memory. Call before sleep, and where no sample is soon due.
	 */
	close(): void {
		this.sampler.close();
	}

	private sample(index: number, now: number, wallOffset: number): RoundResult {
		const state = this.sensorState;
		const at = index * SENSOR_REALS;
		const due = state[at + SENSOR_DUE];
		// As of most sensors in a wake: earlier than that, none is sampled.
		if (due - now > EARLY_LIMIT_MS) return NOT_DUE;
		const sensor = this.settings[index];
		const windows = sensor.spacing === undefined ? undefined : this.windows;
		if (windows === undefined) {
			if (due > now && !isDue(due, now, sensor.every, sensor.grid)) return NOT_DUE;
			const next = due + sensor.every;
			// Most often none was missed, and there is no grid: dueAfter() says the same.
			state[at + SENSOR_DUE] = next > now && !sensor.grid ? next : dueAfter(due, now, wallOffset, sensor);
		} else {
			if (!windows.isDue(index, due, now)) return NOT_DUE;
			state[at + SENSOR_DUE] = windows.nextDue(index, due, now, wallOffset);
		}
		this.retained.markDriver(index);
		let value = this.sampler.sample(index);
		this.retained.markDriver(-1);
		this.wakePins?.record(index, value);
		if (sensor.table !== undefined || sensor.scale !== undefined || sensor.offset !== undefined)
			value = calibrated(value, sensor);
		if (Number.isNaN(value)) {
			if (this.repeats && this.hasRecent(index, now)) {
				const last = index * ROUND_REALS;
				// With its own time, so that it does not become recent again by being repeated
				return this.filter(index, this.round[last + ROUND_VALUE], this.round[last + ROUND_TIME]);
			}
			this.countFailure(index);
		}
		if (windows !== undefined) {
			this.device.event?.("gathered", index, value);
			if (!windows.add(index, value)) return GATHERED;
			value = windows.take(index);
		}
		// Counted from the planned time, so that intervals are exact multiples of `every`. None is that early.
		return this.filter(index, value, now - due < sensor.every ? due : now);
	}

	/** Samples a sensor as the state of the battery allows. */
	private sampleOnBattery(
		battery: BatteryGuard,
		index: number,
		now: number,
		wallOffset: number,
	): RoundResult {
		const state = this.sensorState;
		const at = index * SENSOR_REALS + SENSOR_DUE;
		const wasSilent = battery.isSilent;
		if (wasSilent && index !== battery.sensor) {
			state[at] = now + battery.period(0);
			return NOT_DUE;
		}
		const result = this.sample(index, now, wallOffset);
		if (result === NOT_DUE || result === GATHERED) return result;
		const changed =
			index === battery.sensor &&
			result !== FAILED &&
			battery.update(this.round[index * ROUND_REALS + ROUND_VALUE]);
		const { every } = this.settings[index];
		// Whole periods more, so that the grid is kept.
		state[at] += battery.period(every) - every;
		if (changed && wasSilent)
			for (let i = SENSOR_DUE; i < state.length; i += SENSOR_REALS) if (i !== at) state[i] = now;
		return changed ? PASSED : result;
	}

	/** Whether the driver has no reading, without an error, and the last one of this run is recent. */
	private hasRecent(index: number, now: number): boolean {
		const { round } = this;
		const at = index * ROUND_REALS;
		const time = round[at + ROUND_TIME];
		const isRecent = time > 0 && now - time <= RECENT_MS && !Number.isNaN(round[at + ROUND_VALUE]);
		return isRecent && this.sampler.hasNone(index);
	}

	private countFailure(index: number): void {
		this.words[WORD_FAILED_READINGS]++;
		const { extension } = this.retained;
		if (extension !== undefined && this.failures !== undefined) extension[this.failures + index]++;
	}

	/** @param value of the present round @param time node time */
	private filter(index: number, value: number, time: number): RoundResult {
		const sensor = this.settings[index];
		const state = this.sensorState;
		const at = index * SENSOR_REALS;
		if (sensor.decimals !== undefined) value = roundTo(value, sensor.decimals);
		this.round[index * ROUND_REALS + ROUND_VALUE] = value;
		this.device.event?.("sample", index, value);
		if (Number.isNaN(value)) return FAILED;
		this.round[index * ROUND_REALS + ROUND_TIME] = time;
		// It is reported already that the sensor's pin has woken the node.
		if (this.wakePins?.takeEvent(index) === value) return SAMPLED;
		if (sensor.delta === undefined) return PASSED;
		const elapsed = time - state[at + SENSOR_TIME];
		return passesDeadband(value, state[at + SENSOR_VALUE], elapsed, sensor.delta, sensor.heartbeat)
			? PASSED
			: SAMPLED;
	}

	/**
	 * The value that a sensor had when its pin woke the node, though the pin may have changed again since: the
	 * sensor is due besides.
	 */
	private takeEvent(index: number, now: number): RoundResult {
		const value = this.wakePins?.eventOf(index) ?? NaN;
		if (Number.isNaN(value)) return NOT_DUE;
		const state = this.sensorState;
		const at = index * SENSOR_REALS + SENSOR_DUE;
		// A later time is the end of its driver's pause.
		if (state[at] - now <= this.settings[index].every) state[at] = now;
		this.round[index * ROUND_REALS + ROUND_VALUE] = value;
		this.round[index * ROUND_REALS + ROUND_TIME] = now;
		this.device.event?.("sample", index, value);
		return PASSED;
	}

	/**
	 * Appends the values that passed to the outbox; if one report holds all values, also all others sampled in
	 * this round.
	 */
	private appendReports(now: number, wallOffset: number): void {
		const record = this.outbox.record;
		const relative = Number.isNaN(wallOffset);
		const time = relative ? now : now + wallOffset;
		const round = this.round;
		const grouped = this.grouped;
		const leastResult = grouped ? SAMPLED : PASSED;
		const length = round.length;
		let begun = false;
		for (let at = 0, i = 0; at < length; at += ROUND_REALS, i++) {
			if (round[at + ROUND_RESULT] < leastResult) continue;
			if (!begun) record.reset(time, relative);
			begun = grouped;
			if (!record.addValue(i, round[at + ROUND_VALUE])) {
				this.appendRecord();
				record.reset(time, relative);
				record.addValue(i, round[at + ROUND_VALUE]);
			}
			if (grouped) continue;
			this.appendRecord();
			this.noteReported(i);
		}
		if (!begun) return;
		this.appendRecord();
		for (let at = 0, i = 0; at < length; at += ROUND_REALS, i++)
			if (round[at + ROUND_RESULT] >= leastResult) this.noteReported(i);
	}

	/** A report has the value of a sensor in this round. */
	private noteReported(index: number): void {
		const round = this.round;
		const state = this.sensorState;
		const from = index * ROUND_REALS;
		const to = index * SENSOR_REALS;
		round[from + ROUND_RESULT] = PASSED;
		state[to + SENSOR_VALUE] = round[from + ROUND_VALUE];
		state[to + SENSOR_TIME] = round[from + ROUND_TIME];
	}

	private appendRecord(): void {
		if (!this.outbox.append(this.outbox.record)) this.device.trace("the outbox is too small for a report");
	}

	/** Moves samples on a grid if wall time was set, or has jumped, since the last look at it. */
	followClock(): void {
		const { clock } = this;
		const now = clock.now;
		const wallOffset = clock.wallOffsetAt(now);
		if (clock.hasJumped(wallOffset)) this.realign(now, wallOffset);
	}

	/** Call after wall time was set or has jumped. */
	private realign(now: number, wallOffset: number): void {
		if (Number.isNaN(wallOffset)) return;
		const state = this.sensorState;
		for (let i = 0; i < this.settings.length; i++) {
			const { every, grid } = this.settings[i];
			const at = i * SENSOR_REALS + SENSOR_DUE;
			// A value that has begun is completed first.
			if (grid && !this.windows?.isOpen(i)) state[at] = realignedDue(state[at], now, now + wallOffset, every);
		}
	}
}
