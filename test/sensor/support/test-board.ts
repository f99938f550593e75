import type { ImageFlash } from "../../../sim/board/image-flash";
import { defaults } from "../../../src/config/defaults";
import type { SensorSettings, Settings } from "../../../src/config/types";
import type {
	Device,
	ImageSlots,
	SensorConstructor,
	TCP,
	TCPOptions,
	TimerId,
	WakeReason,
	WiFiOptions,
} from "../../../src/device";
import type { DeviceEventName, DeviceEvents } from "../../../src/device-events";
import { RETAINED_BYTES } from "../../../src/retained-memory";
import type { ImageUpdateConstructor } from "../../../src/sensor/commands/image-update";
import { deriveSettings } from "../../../src/sensor/settings/derived-settings";
import { startNode } from "../../../src/sensor/start-node";
import { VirtualNetwork } from "../../support/virtual-network";
import type { FragileMemory } from "./fragile-memory";
import { createFragileMemory, ResetError } from "./fragile-memory";

/** 2015-02-02T14:19:00Z, on the grid of minutes. */
export const EPOCH = 1_422_886_740_000;

export interface RecordedEvent<Name extends DeviceEventName = DeviceEventName> {
	readonly at: number;
	readonly name: Name;
	readonly details: DeviceEvents[Name];
}

export type Overrides = Partial<Omit<Settings, "broker" | "sleep" | "sensors">> & {
	broker?: Partial<Settings["broker"]>;
	sleep?: Partial<Settings["sleep"]>;
	sensors?: readonly Partial<SensorSettings>[];
};

export function settings(overrides: Overrides = {}): Settings {
	const { broker, sleep, sensors = [{}], ...rest } = overrides;
	return {
		...defaults,
		id: "node",
		topic: "home/{id}/{sensor}",
		wifi: { ssid: "net", mode: "join", channel: 6 },
		...rest,
		broker: { ...defaults.broker, host: "10.0.0.1", clientId: "node", ...broker },
		sleep: { ...defaults.sleep, ...sleep },
		sensors: sensors.map((sensor) => ({
			...defaults.sensor,
			name: "temperature",
			driver: "virtual",
			property: ["temperature"],
			...sensor,
		})),
	};
}

/** Resources that exist from a boot to the next sleep or reset. */
interface BootRun {
	alive: boolean;
	readonly sockets: Set<TCP>;
	readonly timers: Set<TimerId>;
}

/** As after power-on. */
function fillWithNoise(bytes: Uint8Array): void {
	for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 31 + 7) & 0xff;
}

/** A chip on a virtual network: it sleeps, boots and loses power; a reset may interrupt any memory write. */
export class TestBoard {
	readonly network: VirtualNetwork;
	settings: Settings;
	readonly retained: FragileMemory;
	readonly eventLog: RecordedEvent[] = [];
	readonly traces: string[] = [];
	/** Readings of the driver "virtual", by ms since the start. */
	sample: (time: number) => object | undefined = () => ({ temperature: 20 });
	drivers: Record<string, SensorConstructor> = {};
	wifi: "joins" | "fails" | "silent" | "throws" = "joins";
	joinTimeMs = 200;
	bootTimeMs = 0;
	/** Sleep of the firmware after a crash before it starts the node, ms. */
	crashPauseMs = 0;
	/** Relative error of the sleep timer: positive values prolong sleep. */
	sleepDrift = 0;
	clockIsSet = true;
	/** Wall time − (EPOCH + time since the start), ms. */
	wallErrorMs = 0;
	setClock: Device["setClock"];
	/** Key-value storage; none by default. */
	storage: Device["storage"];
	/** Places for images, with {@link Update}; none by default. */
	imageFlash: ImageFlash | undefined;
	Update: ImageUpdateConstructor | undefined;
	/** Settings of the firmware in an image, which is undefined as long as no other was fetched. */
	settingsOf: (image: Uint8Array | undefined) => Settings | "crashes" = () => this.settings;
	chip = "test";
	/** Levels of pins; a pin that is not there is low. */
	readonly pins = new Map<number, number>();
	/** Pins that end the present sleep: the level that each waits for. */
	readonly armed = new Map<number, number>();
	/** Number of pins that can wake the chip, from 0 on. */
	wakePins = 22;
	/** What the host does for light sleep; undefined: it has none. */
	light: (() => void) | undefined;
	/** Longest time between boot and sleep so far, ms. */
	longestAwakeMs = 0;
	boots = 0;
	#currentRun: BootRun = { alive: false, sockets: new Set(), timers: new Set() };

	constructor(overrides: Overrides = {}, network = new VirtualNetwork()) {
		this.network = network;
		this.settings = settings(overrides);
		this.retained = createFragileMemory(RETAINED_BYTES);
		fillWithNoise(this.retained.bytes);
		// Date.now belongs to the board created last; nothing else in these tests reads it.
		Date.now = () => EPOCH + this.time + this.wallErrorMs;
		let state = 1;
		Math.random = () => {
			state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
			return state / 4_294_967_296;
		};
	}

	get time(): number {
		return this.network.clock.now;
	}

	/** Powers on if necessary, and advances time by `ms`. */
	run(ms: number): void {
		const end = this.time + ms;
		if (this.boots === 0) this.#boot("power-on");
		this.network.clock.advance(end - this.time);
	}

	/** Resets the chip at once. */
	reset(reason: WakeReason): void {
		this.#powerDown(this.#currentRun);
		this.retained.writeBudget = Infinity;
		this.retained.isReset = false;
		const pause = reason === "crash" ? this.crashPauseMs : 0;
		this.network.clock.after(this.bootTimeMs + pause, () => this.#boot(pause > 0 ? "deep-sleep" : reason));
	}

	/** Takes the power away at once, and gives it back: retained memory is noise. */
	losePower(): void {
		this.#endRun("power-on", () => fillWithNoise(this.retained.bytes));
	}

	/** Crashes at once, in the middle of the code that calls this. */
	crash(): void {
		this.#endRun("crash", () => {});
	}

	#endRun(reason: WakeReason, prepare: () => void): void {
		this.#powerDown(this.#currentRun);
		// What still runs writes nothing any more
		this.retained.writeBudget = 0;
		this.network.clock.after(this.bootTimeMs, () => {
			prepare();
			this.retained.writeBudget = Infinity;
			this.retained.isReset = false;
			this.#boot(reason);
		});
	}

	/** Changes the level of a pin, which may end a sleep. */
	setPin(pin: number, level: number): void {
		this.pins.set(pin, level);
		this.#wakeByPin();
	}

	#wakeByPin(): void {
		if (this.#asleep === undefined) return;
		for (const [pin, level] of this.armed)
			if ((this.pins.get(pin) ?? 0) === level) {
				this.#asleep(pin);
				return;
			}
	}
	/** Ends the present sleep by a pin. */
	#asleep: ((pin: number) => void) | undefined;

	/** Drops the current Wi-Fi connection. */
	dropWiFi(): void {
		for (const notifyDrop of this.#wifiDropCallbacks) notifyDrop();
		this.#wifiDropCallbacks.clear();
	}
	readonly #wifiDropCallbacks = new Set<() => void>();

	events<Name extends DeviceEventName>(name: Name): RecordedEvent<Name>[] {
		return this.eventLog.filter((event) => event.name === name) as RecordedEvent<Name>[];
	}

	/** Counts from events, one for each sequence number. */
	get reportCounts(): {
		accepted: number;
		acknowledged: number;
		dropped: number;
		waiting: number;
		lost: number;
	} {
		const accepted = new Set(this.events("accepted").map((event) => event.details[0])).size;
		const acknowledged = new Set(this.events("acknowledged").map((event) => event.details[0])).size;
		const dropped = this.events("dropped").length;
		const waiting = this.events("sleep").at(-1)?.details[1] ?? 0;
		return { accepted, acknowledged, dropped, waiting, lost: accepted - acknowledged - dropped - waiting };
	}

	#boot(reason: WakeReason, wakePin?: number): void {
		const run: BootRun = { alive: true, sockets: new Set(), timers: new Set() };
		this.#currentRun = run;
		this.#asleep = undefined;
		this.armed.clear();
		this.boots++;
		try {
			this.imageFlash?.boot(reason === "deep-sleep");
		} catch (error) {
			// The power was lost in the bootloader
			if (!this.retained.isReset) throw error;
			return;
		}
		const settings = this.settingsOf(this.imageFlash?.runningImage);
		if (settings === "crashes") {
			this.network.clock.after(1, () => this.#currentRun === run && this.reset("crash"));
			return;
		}
		this.#runUntilReset(run, () =>
			startNode(this.#device(run, reason, wakePin), settings, deriveSettings(settings), this.Update),
		);
	}

	/** On a chip a reset ends the program at once; here it may have caught the exception, and gone on. */
	#runUntilReset(run: BootRun, code: () => void): void {
		try {
			code();
		} catch (error) {
			if (!(error instanceof ResetError)) throw error;
		}
		if (this.retained.isReset && run.alive) this.reset("crash");
	}

	/** Call before what the outside would notice. */
	#checkRunning(): void {
		if (this.retained.isReset) throw new ResetError();
	}

	#powerDown(run: BootRun): void {
		run.alive = false;
		this.#asleep = undefined;
		this.#wifiDropCallbacks.clear();
		for (const socket of run.sockets) socket.close();
		for (const timer of run.timers) this.network.clock.timer.clear(timer);
	}

	#imageSlots(run: BootRun, flash: ImageFlash): ImageSlots {
		const restart = (reason: WakeReason): void => {
			this.#checkRunning();
			this.network.clock.after(0, () => this.#currentRun === run && run.alive && this.reset(reason));
		};
		return {
			get size() {
				return flash.size;
			},
			get running() {
				return flash.running;
			},
			get isOnTrial() {
				return flash.isOnTrial;
			},
			get wasRejected() {
				return flash.wasRejected;
			},
			// Without a digest of its own, as on a host that has none
			open: () => {
				const { digest: _, ...writer } = flash.open();
				return writer;
			},
			confirm: () => flash.confirm(),
			restart: () => restart("reset"),
			rollBack: () => {
				flash.rejectRunning();
				restart("crash");
			},
		};
	}

	#device(run: BootRun, reason: WakeReason, wakePin: number | undefined): Device {
		const board = this;
		const { network } = this;
		const { device, clock } = network;
		const bootedAt = clock.now;
		const whileAlive = <A extends unknown[]>(callback?: (...args: A) => void) =>
			callback &&
			((...args: A) => {
				if (run.alive) board.#runUntilReset(run, () => callback(...args));
			});
		class LiveTCP extends device.tcp.io {
			constructor(options: TCPOptions) {
				const { onReadable, onWritable, onError } = options;
				super({
					...options,
					onReadable: whileAlive(onReadable),
					onWritable: whileAlive(onWritable),
					onError: whileAlive(onError),
				} as TCPOptions);
				run.sockets.add(this);
			}
			override write(buffer: Uint8Array): number | undefined {
				board.#checkRunning();
				return super.write(buffer);
			}
			override close(): void {
				// The reset closes it without a word to the peer's program.
				if (!board.retained.isReset) super.close();
			}
		}
		class LiveWiFi {
			#open = true;
			constructor(_: WiFiOptions, callback: (message: string) => void) {
				const notify = whileAlive((message: string) => {
					if (this.#open) callback(message);
				});
				if (board.wifi === "throws") throw new Error("no radio");
				board.#wifiDropCallbacks.add(() => notify?.("disconnect"));
				if (board.wifi === "silent") return;
				clock.after(board.joinTimeMs, () => notify?.(board.wifi === "joins" ? "connect" : "disconnect"));
				if (board.wifi === "joins") clock.after(board.joinTimeMs, () => notify?.("gotIP"));
			}
			close() {
				this.#open = false;
			}
		}
		class VirtualDriver {
			configure() {}
			sample() {
				return board.sample(board.time);
			}
			close() {}
		}
		return {
			mac: "a0b1c2d3e4f5",
			chip: this.chip,
			tcp: { io: LiveTCP },
			timer: {
				set: (callback, delay, repeat) => {
					const timer = clock.timer.set(whileAlive(callback) as (id: TimerId) => void, delay, repeat);
					run.timers.add(timer);
					return timer;
				},
				schedule: clock.timer.schedule,
				clear: clock.timer.clear,
			},
			time: clock.time,
			wifi: { io: LiveWiFi },
			sleep: {
				reason,
				wakePin,
				wakeOn: (pin, level) => {
					if (pin >= board.wakePins) throw new RangeError("the chip cannot be woken by it");
					board.armed.set(pin, level);
				},
				...(board.light === undefined ? {} : { light: board.light }),
				deep: (ms) => {
					board.#checkRunning();
					if (!Number.isInteger(ms) || ms < 1 || ms > 0x7fffffff) throw new Error(`sleep of ${ms} ms`);
					board.longestAwakeMs = Math.max(board.longestAwakeMs, clock.now - bootedAt);
					clock.after(0, () => {
						board.#powerDown(run);
						if (board.#currentRun !== run || board.armed.size === 0) return;
						board.#asleep = (pin) => {
							board.#asleep = undefined;
							clock.after(board.bootTimeMs, () => {
								if (board.#currentRun === run) board.#boot("deep-sleep", pin);
							});
						};
						board.#wakeByPin();
					});
					clock.after(Math.round(ms * (1 + board.sleepDrift)) + board.bootTimeMs, () => {
						if (board.#currentRun === run) board.#boot("deep-sleep");
					});
				},
			},
			retained: this.retained.memory,
			get clockIsSet() {
				return board.clockIsSet;
			},
			resolve: device.resolve,
			...(this.setClock && { setClock: this.setClock }),
			...(this.storage && { storage: this.storage }),
			...(this.imageFlash && { imageSlots: this.#imageSlots(run, this.imageFlash) }),
			driver: (name) => (name === "virtual" ? VirtualDriver : board.drivers[name]),
			trace: (message) => this.traces.push(message),
			event: (name, ...details) => this.eventLog.push({ at: board.time, name, details } as RecordedEvent),
		};
	}
}
