import type { DriverClock } from "../driver-loader";
import { type Chip, Nack } from "./i2c-bus";
import { wordWithChecksum } from "./sensirion";

/** Longest times in ms of its commands, by the datasheet. */
const DURATIONS: ReadonlyMap<number, number> = new Map([
	[0xfd, 8.3],
	[0xf6, 4.5],
	[0xe0, 1.6],
	[0x94, 1],
	[0x89, 1],
]);

/** An SHT4x by its datasheet: it acknowledges nothing while it is busy, and no read without an answer. */
export class Sht4xChip implements Chip {
	/** Signals of temperature and humidity. */
	signals: readonly [number, number] = [0x6667, 0x5eb9];
	/** Byte of the next answer that is wrong; -1: none. */
	wrongByte = -1;
	readonly commands: number[] = [];
	readonly #clock: DriverClock;
	#busyUntil = 0;
	#answer: readonly number[] = [];

	constructor(clock: DriverClock) {
		this.#clock = clock;
	}

	losePower(): void {
		this.#answer = [];
		this.#busyUntil = this.#clock.now + 1;
	}

	write(bytes: readonly number[]): void {
		this.#live();
		const [command = 0] = bytes;
		const ms = DURATIONS.get(command);
		if (bytes.length !== 1 || ms === undefined) throw new Nack();
		this.commands.push(command);
		this.#busyUntil = this.#clock.now + ms;
		this.#answer = command === 0x94 ? [] : this.signals.flatMap(wordWithChecksum);
	}

	read(count: number): readonly number[] {
		this.#live();
		const answer = this.#answer.map((byte, i) => (i === this.wrongByte ? byte ^ 0x10 : byte));
		this.#answer = [];
		this.wrongByte = -1;
		if (answer.length === 0) throw new Nack();
		return Array.from({ length: count }, (_, i) => answer[i] ?? 0xff);
	}

	#live(): void {
		if (this.#clock.now < this.#busyUntil) throw new Nack();
	}
}
