import type { Contacts } from "../board/contacts";
import type { Natives } from "../board/peripheral";
import type { SensorPort } from "../board/sensor-port";
import { Random } from "../clock/random";
import type { Scheduler } from "../clock/scheduler";
import type { PropertyDeclaration } from "../manifest/driver-declaration";
import { curveOf, curveValue, quantizedReading } from "./curves";

interface Channel {
	read(): number;
}

/** Sensors in a room that warms by day, each with its own noise. The same seed gives the same readings. */
export class VirtualSensors implements SensorPort {
	readonly natives: Natives;
	readonly #scheduler: Scheduler;
	readonly #seed: number;
	readonly #paths: readonly (readonly string[])[];
	readonly #declarations: readonly (PropertyDeclaration | undefined)[];
	readonly #contacts: Contacts | undefined;
	/** Options text of each instance; an instance outlives the boot that opened it. */
	readonly #instances: string[] = [];
	readonly #channels = new Map<number, Channel>();

	/**
	 * @param paths properties that the drivers offer, by number
	 * @param declarations what the drivers declare of them, by the same number
	 * @param contacts at the board's digital pins
	 */
	constructor(
		scheduler: Scheduler,
		seed: number,
		paths: readonly (readonly string[])[],
		declarations: readonly (PropertyDeclaration | undefined)[] = [],
		contacts?: Contacts,
	) {
		this.#scheduler = scheduler;
		this.#seed = seed;
		this.#paths = paths;
		this.#declarations = declarations;
		this.#contacts = contacts;
		this.natives = {
			sim_sensor_open: (options: string) => {
				const index = this.#instances.indexOf(options);
				return index < 0 ? this.#instances.push(options) - 1 : index;
			},
			sim_sensor_read: (instance: number, path: number) => this.#read(instance, path),
		};
	}

	#read(instance: number, path: number): number {
		const key = instance * this.#paths.length + path;
		let channel = this.#channels.get(key);
		if (!channel) {
			channel = this.#channel(this.#instances[instance]!, path);
			this.#channels.set(key, channel);
		}
		return channel.read();
	}

	#channel(options: string, index: number): Channel {
		const contacts = this.#contacts;
		const pinOptions: object = JSON.parse(options);
		if (this.#declarations[index]?.binary && contacts?.valueOf(pinOptions) !== undefined)
			return { read: () => contacts.valueOf(pinOptions) ?? 0 };
		const path = this.#paths[index]!;
		const noise = new Random(this.#seed, `sensor ${path.join(".")} ${options}`);
		const curve = curveOf(path[path.length - 1]!, JSON.parse(options), this.#declarations[index]);
		const phase = noise.number();
		return {
			read: () => quantizedReading(curve, curveValue(curve, this.#scheduler.now, phase), noise.normal()),
		};
	}
}
