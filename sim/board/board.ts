import type { SensorSettings } from "../../src/config/settings";
import type { StorageModule, WakeReason } from "../../src/device";
import { Random } from "../clock/random";
import type { Scheduled, Scheduler } from "../clock/scheduler";
import { type Chip, type ChipStatistics, Crash, type Image } from "../engine/engine";
import type { HostNetwork } from "../network/socket";
import type { Happening } from "../report/events";
import type { SensorPort } from "../sensors/port";
import type { AccessPoint } from "../wifi/access-point";
import type { Core, Natives, Peripheral } from "./core";
import { DeviceClock } from "./device-clock";
import { Flash } from "./flash";
import { KeyValue } from "./key-value";
import { Names, TimeServers } from "./names";
import { Progress } from "./progress";
import { Sockets } from "./sockets";
import { Station } from "./station";
import { Timers } from "./timers";

export interface BoardOptions {
	readonly scheduler: Scheduler;
	readonly network: HostNetwork;
	/** Absent: the board is wired. */
	readonly accessPoint?: AccessPoint;
	/** One-way latency to a time server, ms. */
	readonly latency: number;
	/** 12 lower-case hexadecimal digits. */
	readonly mac: string;
	readonly address: string;
	readonly seed: number;
	readonly sensors: readonly SensorSettings[];
	/** Where the drivers get their values. */
	readonly port: SensorPort;
	/** Bytes of retained memory. */
	readonly retained: number;
	/** What the firmware stores values in. Default: flash of the board's own. */
	readonly storage?: StorageModule;
	/** What the clock shows when power comes on, ms since 1970. */
	readonly clock?: number;
	/** Error of the sleep oscillator, parts per million. Default: drawn from ±{@link DRIFT}. */
	readonly drift?: number;
	/** From reset to the firmware's first line, ms. */
	readonly bootTime?: number;
	emit(happening: Happening): void;
}

/** From reset to the firmware's first line, ms: the boot time that von Eicken measured on an ESP32 in 2018. That of XS is not measured. */
export const BOOT_TIME = 270;
/** Bound of the sleep oscillator's error after the IDF's calibration at boot, parts per million. */
const DRIFT = 100;
/** The board is given up after so many crashes one after the other, each within {@link CRASH_UPTIME} of its boot. */
const CRASHES = 20;
const CRASH_UPTIME = 1000;

/** `esp_reset_reason_t` (ESP-IDF, esp_system.h). */
const RESET_CODES: Readonly<Record<WakeReason, number>> = { "power-on": 1, reset: 2, crash: 4, "deep-sleep": 8, "brown-out": 9 };

/** What a board is doing. */
export type BoardState = "off" | "booting" | "running" | "asleep";

/** One virtual ESP32. */
export class Board implements Core {
	readonly scheduler: Scheduler;
	readonly station: Station;
	readonly #options: BoardOptions;
	readonly #retained: Uint8Array;
	readonly #noise: Random;
	readonly #seeds: Random;
	readonly #clock: DeviceClock;
	readonly #peripherals: readonly Peripheral[];
	readonly #natives: Natives;
	#image: Image | undefined;
	#state: BoardState = "off";
	#reason: WakeReason = "power-on";
	#chip: Chip | undefined;
	/** What the firmware does before it is stopped. */
	#farewell: number | undefined;
	#next: Scheduled | undefined;
	readonly #wall = (): number => this.#clock.read(this.scheduler.now);
	readonly #console = (text: string): void => this.#trace(text);
	#booted = 0;
	#crashes = 0;
	#line = "";

	constructor(options: BoardOptions) {
		const { scheduler, seed, network } = options;
		this.scheduler = scheduler;
		this.#options = options;
		this.#retained = new Uint8Array(options.retained);
		this.#noise = new Random(seed, "power");
		this.#seeds = new Random(seed, "boot");
		const drift = options.drift ?? new Random(seed, "drift").between(-DRIFT, DRIFT);
		this.#clock = new DeviceClock(scheduler.now, drift, options.clock ?? 0);
		this.station = new Station(this, options.accessPoint, new Random(seed, "wifi"), (up) => {
			network.up = up;
		});
		const sockets = new Sockets(this, network, () => this.station.up);
		this.#peripherals = [
			new Timers(this),
			sockets,
			this.station,
			new Names(this, network, this.station, options),
			new TimeServers(this, options.latency, () => this.station.up),
			new KeyValue(options.storage ?? new Flash()),
			new Progress(this, sockets, options.sensors, () => this.#reason),
		];
		this.#natives = Object.assign(this.#system(), options.port.natives, ...this.#peripherals.map(({ natives }) => natives)) as Natives;
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

	/** What the device believes the time to be, ms since 1970. */
	get time(): number {
		return this.#clock.read(this.scheduler.now);
	}

	statistics(): ChipStatistics | undefined {
		return this.#chip?.statistics();
	}

	/** Puts a program, linked for {@link natives}, into the board's flash. */
	flash(image: Image): void {
		this.powerOff();
		this.#image = image;
	}

	/** Power comes on: retained memory holds noise, the clock starts anew. */
	powerOn(reason: "power-on" | "brown-out" = "power-on"): void {
		this.powerOff();
		this.#noise.fill(this.#retained);
		this.#clock.set(this.scheduler.now, this.#options.clock ?? 0);
		this.#boot(reason);
	}

	/** Everything stops at once; nothing is kept. */
	powerOff(): void {
		this.#stop("off");
	}

	/** Lets the firmware end in good order what it has begun; power is still on after it. */
	stop(): void {
		this.call(this.#farewell);
	}

	/** The reset button, or a watchdog: retained memory is kept. */
	reset(): void {
		this.#stop("off");
		this.#boot("reset");
	}

	call(handle: number | undefined, ...args: (number | string | boolean | undefined)[]): unknown {
		const chip = this.#chip;
		if (!chip || handle === undefined) return undefined;
		try {
			return chip.call(handle, ...args);
		} catch (error) {
			this.#crashed(error);
			return undefined;
		}
	}

	emit(happening: Happening): void {
		this.#options.emit(happening);
	}

	#boot(reason: WakeReason): void {
		this.#reason = reason;
		this.#state = "booting";
		this.#booted = this.scheduler.now;
		this.emit({ type: "boot", reason });
		this.#next = this.scheduler.after(this.#options.bootTime ?? BOOT_TIME, () => this.#start());
	}

	#start(): void {
		if (!this.#image) throw new Error("the board has no program");
		this.#state = "running";
		try {
			this.#chip = this.#image.boot({
				clock: this.#wall,
				seed: this.#seeds.uint32(),
				retained: this.#retained,
				natives: this.#natives,
				trace: this.#console,
			});
			this.#chip.start();
		} catch (error) {
			this.#crashed(error);
		}
	}

	#sleep(duration: number): void {
		this.#stop("asleep");
		this.#crashes = 0;
		this.#next = this.scheduler.after(this.#clock.sleep(duration), () => this.#boot("deep-sleep"));
	}

	#crashed(error: unknown): void {
		if (!(error instanceof Crash)) throw error;
		const uptime = this.scheduler.now - this.#booted - (this.#options.bootTime ?? BOOT_TIME);
		this.#stop("off");
		this.emit({ type: "crash", kind: error.kind, message: error.message, ...(error.stack === undefined ? {} : { stack: error.stack }) });
		this.#crashes = uptime < CRASH_UPTIME ? this.#crashes + 1 : 0;
		if (this.#crashes < CRASHES) this.#boot("crash");
		else this.emit({ type: "trace", message: `crashed ${CRASHES} times in a row at start-up; the board is given up` });
	}

	#stop(state: BoardState): void {
		this.scheduler.cancel(this.#next);
		this.#next = undefined;
		const chip = this.#chip;
		this.#chip = undefined;
		this.#farewell = undefined;
		this.#state = state;
		chip?.destroy();
		for (const peripheral of this.#peripherals) peripheral.reset();
	}

	/** Lines of the console; a line may come in pieces. */
	#trace(text: string): void {
		const lines = (this.#line + text).split("\n");
		this.#line = lines.pop()!;
		for (const message of lines) if (message !== "") this.emit({ type: "trace", message });
	}

	#system(): Natives {
		const { scheduler } = this;
		return {
			sim_time_ticks: () => Math.floor(scheduler.now - this.#booted) | 0,
			sim_time_microseconds: () => Math.floor((scheduler.now - this.#booted) * 1000),
			sim_time_set: (seconds: number) => this.#clock.set(scheduler.now, seconds * 1000),
			sim_stop_start: (handle: number) => {
				this.#farewell = handle;
			},
			xs_firefly_deep_sleep: (duration: number) => {
				// In a turn of its own, after those that hand over what was written.
				this.scheduler.cancel(this.#next);
				this.#next = scheduler.after(0, () => this.#sleep(Math.max(1, Math.trunc(duration))));
			},
			xs_firefly_reset_reason: () => RESET_CODES[this.#reason],
			xs_firefly_mac: () => this.#options.mac,
			xs_firefly_chip: () => "esp32",
		};
	}
}
