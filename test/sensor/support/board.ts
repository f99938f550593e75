import { defaults } from "../../../src/config/defaults";
import type { SensorSettings, Settings } from "../../../src/config/types";
import type { Device, EventName, SensorConstructor, TCP, TCPOptions, TimerId, WakeReason, WiFiOptions } from "../../../src/device";
import { SensorNode } from "../../../src/sensor/node";
import { VirtualNetwork } from "../../support/virtual-network";
import type { Fragile } from "./memory";
import { fragile, Reset } from "./memory";

/** 2015-02-02T14:19:00Z, on the grid of minutes. */
export const EPOCH = 1_422_886_740_000;

export interface Told {
	readonly at: number;
	readonly name: EventName;
	readonly a: number;
	readonly b: number;
	readonly c: number;
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
		wifi: { ssid: "net" },
		...rest,
		broker: { ...defaults.broker, host: "10.0.0.1", clientId: "node", ...broker },
		sleep: { ...defaults.sleep, ...sleep },
		sensors: sensors.map((sensor) => ({ ...defaults.sensor, name: "temperature", driver: "virtual", property: ["temperature"], ...sensor })),
	};
}

/** What is alive between a boot and the sleep or reset after it. */
interface Run {
	alive: boolean;
	readonly sockets: Set<TCP>;
	readonly timers: Set<TimerId>;
}

/** A chip on a virtual network: it sleeps, boots, loses power, and its memory may be struck by a reset between any two bytes. */
export class Board {
	readonly network: VirtualNetwork;
	settings: Settings;
	readonly retained: Fragile;
	readonly told: Told[] = [];
	readonly traces: string[] = [];
	/** What the driver named "virtual" reads, by time since the start. */
	sample: (time: number) => object | undefined = () => ({ temperature: 20 });
	drivers: Record<string, SensorConstructor> = {};
	wifi: "joins" | "fails" | "silent" | "throws" = "joins";
	joinTime = 200;
	bootTime = 0;
	/** Sleep of the firmware at a boot after a crash, before the node is started, ms. */
	crashPause = 0;
	/** How much longer sleeps last than ordered. */
	drift = 0;
	clockIsSet = true;
	/** Wall time − (EPOCH + time since the start). */
	wallError = 0;
	setClock: Device["setClock"];
	/** Most ms between boot and sleep so far. */
	awake = 0;
	boots = 0;
	#run: Run = { alive: false, sockets: new Set(), timers: new Set() };

	constructor(overrides: Overrides = {}, network = new VirtualNetwork()) {
		this.network = network;
		this.settings = settings(overrides);
		this.retained = fragile(7168);
		// As after power-on.
		for (let i = 0; i < this.retained.bytes.length; i++) this.retained.bytes[i] = (i * 31 + 7) & 0xff;
		// Of the board made last; nothing else in these tests asks for the time.
		Date.now = () => EPOCH + this.time + this.wallError;
		let state = 1;
		Math.random = () => {
			state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
			return state / 4_294_967_296;
		};
	}

	get time(): number {
		return this.network.clock.now;
	}

	/** Starts if need be, and lets `ms` pass. */
	run(ms: number): void {
		const end = this.time + ms;
		if (this.boots === 0) this.#boot("power-on");
		for (;;) {
			try {
				this.network.clock.advance(end - this.time);
				return;
			} catch (error) {
				if (!(error instanceof Reset)) throw error;
				this.reset("crash");
			}
		}
	}

	/** The chip starts anew, at once. */
	reset(reason: WakeReason): void {
		this.#cut(this.#run);
		this.retained.budget = Infinity;
		const pause = reason === "crash" ? this.crashPause : 0;
		this.network.clock.after(this.bootTime + pause, () => this.#boot(pause > 0 ? "deep-sleep" : reason));
	}

	/** The network of the moment is gone. */
	dropWiFi(): void {
		for (const lose of this.#losers) lose();
		this.#losers.clear();
	}
	readonly #losers = new Set<() => void>();

	events(name: EventName): Told[] {
		return this.told.filter((event) => event.name === name);
	}

	/** By what was told, counted once for each sequence number. */
	get balance(): { accepted: number; acknowledged: number; dropped: number; waiting: number; lost: number } {
		const accepted = new Set(this.events("accepted").map((event) => event.a)).size;
		const acknowledged = new Set(this.events("acknowledged").map((event) => event.a)).size;
		const dropped = this.events("dropped").length;
		const waiting = this.events("sleep").at(-1)?.b ?? 0;
		return { accepted, acknowledged, dropped, waiting, lost: accepted - acknowledged - dropped - waiting };
	}

	#boot(reason: WakeReason): void {
		const run: Run = { alive: true, sockets: new Set(), timers: new Set() };
		this.#run = run;
		this.boots++;
		new SensorNode(this.#device(run, reason), this.settings).start();
	}

	#cut(run: Run): void {
		run.alive = false;
		this.#losers.clear();
		for (const socket of run.sockets) socket.close();
		for (const timer of run.timers) this.network.clock.timer.clear(timer);
	}

	#device(run: Run, reason: WakeReason): Device {
		const board = this;
		const { network } = this;
		const { device, clock } = network;
		const bootedAt = clock.now;
		const live = <A extends unknown[]>(callback?: (...args: A) => void) =>
			callback &&
			((...args: A) => {
				if (!run.alive) return;
				try {
					callback(...args);
				} catch (error) {
					// On a chip this would end the app.
					if (!(error instanceof Reset)) throw error;
					board.reset("crash");
				}
			});
		class LiveTCP extends device.tcp.io {
			constructor(options: TCPOptions) {
				const { onReadable, onWritable, onError } = options;
				super({ ...options, onReadable: live(onReadable), onWritable: live(onWritable), onError: live(onError) } as TCPOptions);
				run.sockets.add(this);
			}
		}
		class LiveWiFi {
			#open = true;
			constructor(_: WiFiOptions, callback: (message: string) => void) {
				const tell = live((message: string) => {
					if (this.#open) callback(message);
				});
				if (board.wifi === "throws") throw new Error("no radio");
				board.#losers.add(() => tell?.("disconnect"));
				if (board.wifi === "silent") return;
				clock.after(board.joinTime, () => tell?.(board.wifi === "joins" ? "connect" : "disconnect"));
				if (board.wifi === "joins") clock.after(board.joinTime, () => tell?.("gotIP"));
			}
			close() {
				this.#open = false;
			}
		}
		class Virtual {
			configure() {}
			sample() {
				return board.sample(board.time);
			}
			close() {}
		}
		return {
			mac: "a0b1c2d3e4f5",
			chip: "test",
			tcp: { io: LiveTCP },
			timer: {
				set: (callback, delay, repeat) => {
					const timer = clock.timer.set(live(callback) as (id: TimerId) => void, delay, repeat);
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
				deep: (ms) => {
					if (!Number.isInteger(ms) || ms < 1 || ms > 0x7fffffff) throw new Error(`sleep of ${ms} ms`);
					board.awake = Math.max(board.awake, clock.now - bootedAt);
					clock.after(0, () => board.#cut(run));
					clock.after(Math.round(ms * (1 + board.drift)) + board.bootTime, () => {
						if (board.#run === run) board.#boot("deep-sleep");
					});
				},
			},
			retained: this.retained.memory,
			get clockIsSet() {
				return board.clockIsSet;
			},
			resolve: device.resolve,
			...(this.setClock && { setClock: this.setClock }),
			driver: (name) => (name === "virtual" ? Virtual : board.drivers[name]),
			trace: (message) => this.traces.push(message),
			event: (name, a = 0, b = 0, c = 0) => this.told.push({ at: board.time, name, a, b, c }),
		};
	}
}
