import type { SensorSettings } from "../../src/config/settings";
import type { StorageModule, WakeReason } from "../../src/device";
import { Random } from "../clock/random";
import type { Scheduled, Scheduler } from "../clock/scheduler";
import { type Chip, type ChipStatistics, Crash, type Image } from "../engine/engine";
import type { HostNetwork } from "../network/socket";
import type { TimeService } from "../network/time-server";
import type { SimulationEvent } from "../report/events";
import type { AccessPoint } from "../wifi/access-point";
import type { Contacts } from "./contacts";
import { Datagrams } from "./datagrams";
import { DeviceClock } from "./device-clock";
import { FirmwareEvents } from "./firmware-events";
import { Flash } from "./flash";
import { ImageFlash } from "./image-flash";
import { ImageSlots } from "./image-slots";
import { KeyValue } from "./key-value";
import { NetModule, TimeServers } from "./net-services";
import type { Natives, Peripheral, PeripheralHost } from "./peripheral";
import { retainedChecksum } from "./retained-checksum";
import type { SensorPort } from "./sensor-port";
import { Sockets } from "./sockets";
import { Station } from "./station";
import { Timers } from "./timers";
import { TurnInterruption } from "./turn-interruption";

export interface BoardOptions {
	readonly scheduler: Scheduler;
	readonly network: HostNetwork;
	/** Absent: the board is wired. */
	readonly accessPoint?: AccessPoint;
	/** One-way latency to a time server, ms. */
	readonly latency: number;
	/** Name that resolves to a time server. */
	readonly timeServer?: string;
	/** Absent: time servers answer always. */
	readonly timeService?: TimeService;
	/** Whether a turn of the firmware may be cut short ({@link Board.interruptAfter}). */
	readonly interruptible?: boolean;
	/** 12 lower-case hexadecimal digits. */
	readonly mac: string;
	readonly address: string;
	readonly seed: number;
	readonly sensors: readonly SensorSettings[];
	/** Source of the drivers' values. */
	readonly sensorPort: SensorPort;
	/** What is at its digital pins. */
	readonly contacts?: Contacts;
	/** Bytes of retained memory. */
	readonly retained: number;
	/** The firmware's key-value storage. Default: the board's own flash. */
	readonly storage?: StorageModule;
	/** Clock value at power-on, ms since 1970. */
	readonly clock?: number;
	/** Error of the sleep oscillator, parts per million. Default: drawn from ±{@link MAX_DRIFT_PPM}. */
	readonly drift?: number;
	/** From reset to the firmware's first line, ms. */
	readonly bootTime?: number;
	emit(event: SimulationEvent): void;
}

/**
 * From reset to the firmware's first line, ms: the boot time that von Eicken measured on an ESP32 in 2018.
 * The boot time of XS has not been measured.
 */
export const BOOT_TIME_MS = 270;
/** Bound of the sleep oscillator's error after the IDF's calibration at boot, parts per million. */
const MAX_DRIFT_PPM = 100;
/**
 * Consecutive crashes, each within {@link CRASH_UPTIME_MS} of its boot, after which the board is not started
 * again.
 */
const MAX_CONSECUTIVE_CRASHES = 20;
const CRASH_UPTIME_MS = 1000;

/** `esp_reset_reason_t` (ESP-IDF, esp_system.h). */
const RESET_CODES: Readonly<Record<WakeReason, number>> = {
	"power-on": 1,
	reset: 2,
	crash: 4,
	watchdog: 6,
	"deep-sleep": 8,
	"brown-out": 9,
};

/** What an image does that was fetched over the network and has not reported yet. */
export type NewImage = "works" | "crashes" | "cannot report";

/** Power state of a board. */
export type BoardState = "off" | "booting" | "running" | "asleep";

/** One virtual ESP32. */
export class Board implements PeripheralHost {
	readonly scheduler: Scheduler;
	readonly station: Station;
	/** Its slots for images; whatever is in them, the board runs the program that it was flashed with. */
	readonly imageFlash = new ImageFlash();
	newImage: NewImage = "works";
	readonly #options: BoardOptions;
	readonly #retained: Uint8Array;
	readonly #powerOnNoise: Random;
	readonly #bootSeeds: Random;
	readonly #clock: DeviceClock;
	readonly #peripherals: readonly Peripheral[];
	readonly #natives: Natives;
	#image: Image | undefined;
	#state: BoardState = "off";
	#reason: WakeReason = "power-on";
	/** GPIO that ended the last sleep; −1: none. */
	#wakePin = -1;
	/** Pins that end the next sleep: the level that each waits for. */
	readonly #armedPins = new Map<number, number>();
	#chip: Chip | undefined;
	/** Handle of the firmware's callback for an orderly stop. */
	#stopHandle: number | undefined;
	#scheduled: Scheduled | undefined;
	readonly #deviceTime = (): number => this.#clock.timeAt(this.scheduler.now);
	readonly #onTrace = (text: string): void => this.#emitTrace(text);
	#bootedAt = 0;
	#consecutiveCrashes = 0;
	#partialLine = "";
	readonly #interruption: TurnInterruption;

	constructor(options: BoardOptions) {
		const { scheduler, seed, network } = options;
		this.scheduler = scheduler;
		this.#options = options;
		this.#retained = new Uint8Array(options.retained);
		this.#interruption = new TurnInterruption(this.#retained);
		this.#powerOnNoise = new Random(seed, "power");
		this.#bootSeeds = new Random(seed, "boot");
		const drift = options.drift ?? new Random(seed, "drift").between(-MAX_DRIFT_PPM, MAX_DRIFT_PPM);
		this.#clock = new DeviceClock(scheduler.now, drift, options.clock ?? 0);
		this.station = new Station(this, options.accessPoint, new Random(seed, "wifi"), options, (up) => {
			network.up = up;
		});
		const sockets = new Sockets(
			this,
			network,
			() => this.station.up && !(this.newImage === "cannot report" && this.imageFlash.isOnTrial),
		);
		this.#peripherals = [
			new Timers(this),
			sockets,
			this.station,
			new NetModule(this, network, this.station, options),
			new TimeServers(this, options.latency, () => this.station.up),
			new Datagrams(this, network, options.latency, () => this.station.up, options.timeService),
			new KeyValue(options.storage ?? new Flash()),
			new ImageSlots(this.imageFlash, (reason) => {
				this.scheduler.cancel(this.#scheduled);
				this.#scheduled = scheduler.after(0, () => {
					this.#stop("off");
					this.#boot(reason);
				});
			}),
			new FirmwareEvents(this, sockets, options.sensors, () => this.#reason),
		];
		const natives = Object.assign(
			this.#systemNatives(),
			options.sensorPort.natives,
			...this.#peripherals.map(({ natives }) => natives),
		) as Natives;
		if (options.contacts) options.contacts.onChange = () => this.#wakeByPin();
		this.#natives = options.interruptible ? this.#interruption.interruptible(natives) : natives;
	}

	get state(): BoardState {
		return this.#state;
	}

	/** Names of all native functions. */
	get natives(): string[] {
		return Object.keys(this.#natives);
	}

	get retained(): Uint8Array {
		return this.#retained;
	}

	/** The device's own clock, ms since 1970. */
	get time(): number {
		return this.#clock.timeAt(this.scheduler.now);
	}

	/** @param collects garbage first, so that only what is reachable counts */
	statistics(collects = false): ChipStatistics | undefined {
		return this.#chip?.statistics(collects);
	}

	/** Puts a program, linked for {@link natives}, into the board's flash. */
	flash(image: Image): void {
		this.powerOff();
		this.#image = image;
	}

	/** Power comes on: retained memory holds noise, the clock restarts. */
	powerOn(reason: "power-on" | "brown-out" = "power-on"): void {
		this.powerOff();
		this.#powerOnNoise.fill(this.#retained);
		this.#clock.set(this.scheduler.now, this.#options.clock ?? 0);
		this.#boot(reason);
	}

	/** Stops everything at once; no state is kept. */
	powerOff(): void {
		this.#stop("off");
	}

	/** Lets the firmware shut down in an orderly way; power stays on. */
	stop(): void {
		this.call(this.#stopHandle);
	}

	/** The reset button, or a watchdog: retained memory is kept. */
	reset(): void {
		this.#stop("off");
		this.#boot("reset");
	}

	/** The device's clock jumps. @param ms positive: forward */
	stepClock(ms: number): void {
		this.#clock.step(ms);
	}

	/** Error of the sleep oscillator, parts per million. */
	get drift(): number {
		return this.#clock.drift;
	}

	set drift(drift: number) {
		this.#clock.drift = drift;
	}

	/** See {@link TurnInterruption.after}; needs the option `interruptible`. */
	interruptAfter(calls: number, then: () => void): void {
		this.#interruption.after(calls, then);
	}

	/** The same for the present turn, from inside a native function. */
	interrupt(then: () => void): void {
		this.#interruption.now(then);
	}

	call(handle: number | undefined, ...args: (number | string | boolean | undefined)[]): unknown {
		const chip = this.#chip;
		if (!chip || handle === undefined) return undefined;
		try {
			return chip.call(handle, ...args);
		} catch (error) {
			this.#onCrash(error);
			return undefined;
		} finally {
			this.#interruption.endTurn();
		}
	}

	forget(handle: number): void {
		this.#chip?.forget(handle);
	}

	emit(event: SimulationEvent): void {
		this.#options.emit(event);
	}

	/** @param pin GPIO that ended a sleep */
	#boot(reason: WakeReason, pin = -1): void {
		this.#reason = reason;
		this.#wakePin = pin;
		this.#armedPins.clear();
		this.#state = "booting";
		this.imageFlash.boot(reason === "deep-sleep");
		this.#bootedAt = this.scheduler.now;
		this.emit({ type: "boot", reason, ...(pin < 0 ? {} : { pin }) });
		this.#scheduled = this.scheduler.after(this.#options.bootTime ?? BOOT_TIME_MS, () => this.#start());
	}

	#start(): void {
		if (!this.#image) throw new Error("the board has no program");
		this.#state = "running";
		if (this.newImage === "crashes" && this.imageFlash.isOnTrial) {
			this.#onCrash(new Crash("exception", "the new image does not start", undefined));
			return;
		}
		try {
			this.#chip = this.#image.boot({
				clock: this.#deviceTime,
				seed: this.#bootSeeds.uint32(),
				retained: this.#retained,
				natives: this.#natives,
				trace: this.#onTrace,
			});
			this.#chip.start();
		} catch (error) {
			this.#onCrash(error);
		}
		this.#interruption.endTurn();
	}

	#sleep(duration: number): void {
		this.#stop("asleep");
		this.#consecutiveCrashes = 0;
		const { now } = this.scheduler;
		this.#scheduled = this.scheduler.after(this.#clock.sleep(now, duration), () => this.#boot("deep-sleep"));
		this.#wakeByPin();
	}

	/** Ends the sleep if a pin has the level that it waits for. */
	#wakeByPin(): void {
		const { contacts } = this.#options;
		if (this.#state !== "asleep" || contacts === undefined) return;
		for (const [pin, level] of this.#armedPins) {
			if (contacts.level(pin) !== level) continue;
			this.scheduler.cancel(this.#scheduled);
			this.#clock.endSleep(this.scheduler.now);
			this.#boot("deep-sleep", pin);
			return;
		}
	}

	#onCrash(error: unknown): void {
		if (!(error instanceof Crash)) throw error;
		if (this.#interruption.isCut) return;
		const uptime = this.scheduler.now - this.#bootedAt - (this.#options.bootTime ?? BOOT_TIME_MS);
		this.#stop("off");
		this.emit({
			type: "crash",
			kind: error.kind,
			message: error.message,
			...(error.stack === undefined ? {} : { stack: error.stack }),
		});
		this.#consecutiveCrashes = uptime < CRASH_UPTIME_MS ? this.#consecutiveCrashes + 1 : 0;
		// The engine ends a turn that takes too many steps; the chip's task watchdog does so after a time.
		if (this.#consecutiveCrashes < MAX_CONSECUTIVE_CRASHES)
			this.#boot(error.kind === "computron limit" ? "watchdog" : "crash");
		else
			this.emit({
				type: "trace",
				message: `crashed ${MAX_CONSECUTIVE_CRASHES} times in a row at start-up; the board is given up`,
			});
	}

	#stop(state: BoardState): void {
		this.scheduler.cancel(this.#scheduled);
		this.#scheduled = undefined;
		const chip = this.#chip;
		this.#chip = undefined;
		this.#stopHandle = undefined;
		this.#state = state;
		chip?.destroy();
		for (const peripheral of this.#peripherals) peripheral.reset();
	}

	/** Lines of the console; a line may come in pieces. */
	#emitTrace(text: string): void {
		const lines = (this.#partialLine + text).split("\n");
		this.#partialLine = lines.pop()!;
		for (const message of lines) if (message !== "") this.emit({ type: "trace", message });
	}

	#systemNatives(): Natives {
		const { scheduler } = this;
		return {
			sim_time_ticks: () => Math.floor(scheduler.now - this.#bootedAt) | 0,
			sim_time_microseconds: () => Math.floor((scheduler.now - this.#bootedAt) * 1000),
			sim_time_set: (seconds: number) => this.#clock.set(scheduler.now, seconds * 1000),
			xs_firefly_set_clock: (seconds: number, microseconds: number) =>
				this.#clock.set(scheduler.now, seconds * 1000 + microseconds / 1000),
			sim_stop_start: (handle: number) => {
				this.#stopHandle = handle;
			},
			xs_firefly_deep_sleep: (duration: number) => {
				// Runs as a separate event, after those that send pending writes.
				this.scheduler.cancel(this.#scheduled);
				this.#scheduled = scheduler.after(0, () => this.#sleep(Math.max(1, Math.trunc(duration))));
			},
			xs_firefly_checksum: retainedChecksum,
			xs_firefly_light_sleep: () => this.emit({ type: "lightSleep" }),
			xs_firefly_reset_reason: () => RESET_CODES[this.#reason],
			xs_firefly_wake_pin: () => this.#wakePin,
			xs_firefly_wake_on: (pin: number, level: number) => {
				this.#armedPins.set(pin, level);
			},
			// Nothing arrives within a turn here.
			xs_firefly_network_hold: () => {},
			xs_firefly_network_release: () => {},
			// Its sockets acknowledge at once.
			xs_firefly_network_acknowledge_soon: () => {},
			xs_firefly_mac: () => this.#options.mac,
			xs_firefly_chip: () => "esp32",
		};
	}
}
