import type { DriverClock } from "../driver-loader";
import { type Chip, Nack } from "./i2c-bus";
import { wordWithChecksum } from "./sensirion";

type State = "idle" | "periodic" | "lowPower" | "asleep";

/** Answered while it measures; all other commands are not acknowledged then. */
const WHILE_MEASURING: readonly number[] = [0xec05, 0xe4b8, 0x3f86, 0xe000];
const INTERVALS_MS: Readonly<Record<string, number>> = { periodic: 5000, lowPower: 30_000 };

/**
 * An SCD4x by its datasheet: deaf to most commands while it measures, to all but one while it sleeps, and to
 * all for as long as a command takes. It keeps its state while the node is reset.
 */
export class Scd4xChip implements Chip {
	/** Of the datasheet's example: 500 ppm, 25 °C, 37 %. */
	readings: readonly number[] = [0x01f4, 0x6667, 0x5eb9];
	/** Highest bits of the variant: 0 an SCD40, 1 an SCD41, 5 an SCD43. */
	variant = 1;
	state: State = "idle";
	/** Byte of the next answer that is wrong; -1: none. */
	wrongByte = -1;
	/** Whether its periodic measurements have stopped by themselves. */
	isStuck = false;
	readonly commands: string[] = [];
	readonly #clock: DriverClock;
	#busyUntil = 0;
	#answer: readonly number[] = [];
	#nextAt = Infinity;
	#hasData = false;

	constructor(clock: DriverClock) {
		this.#clock = clock;
	}

	/** Without a supply for a moment; then it starts, which takes up to 30 ms. */
	losePower(startMs = 30): void {
		this.state = "idle";
		this.#nextAt = Infinity;
		this.#hasData = false;
		this.#answer = [];
		this.#busyUntil = this.#clock.now + startMs;
	}

	write(bytes: readonly number[]): void {
		this.#live();
		const command = (bytes[0]! << 8) | bytes[1]!;
		if (this.state === "asleep") {
			if (command === 0x36f6) this.#becomeBusy("idle", 30);
			throw new Nack();
		}
		const isMeasuring = this.state !== "idle";
		if (isMeasuring && !WHILE_MEASURING.includes(command)) throw new Nack();
		this.commands.push(bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(""));
		this.#answer = [];
		switch (command) {
			case 0x21b1:
			case 0x21ac:
				this.state = command === 0x21b1 ? "periodic" : "lowPower";
				this.#nextAt = this.#clock.now + INTERVALS_MS[this.state]!;
				return;
			case 0x3f86:
				this.#nextAt = Infinity;
				this.#becomeBusy("idle", 500);
				return;
			case 0x219d:
				if (this.variant === 0) throw new Nack();
				this.#becomeBusy("idle", 5000);
				this.#nextAt = this.#busyUntil;
				return;
			case 0x36e0:
				this.#becomeBusy("asleep", 1);
				return;
			case 0x36f6:
				throw new Nack();
			case 0xe4b8:
				this.#respond([this.#hasData ? 0x8006 : 0x8000]);
				return;
			case 0xec05:
				if (this.#hasData) this.#respond(this.readings);
				this.#hasData = false;
				return;
			case 0x202f:
				this.#respond([(this.variant << 12) | 0x441]);
				return;
			case 0x2427:
			case 0x241d: {
				const word = (bytes[2]! << 8) | bytes[3]!;
				if (bytes.length !== 5 || wordWithChecksum(word)[2] !== bytes[4]) throw new Nack();
				this.#becomeBusy("idle", 1);
				return;
			}
			default:
				throw new Nack();
		}
	}

	read(count: number): readonly number[] {
		this.#live();
		const answer = this.#answer.map((byte, i) => (i === this.wrongByte ? byte ^ 1 : byte));
		this.#answer = [];
		if (answer.length === 0) throw new Nack();
		this.wrongByte = -1;
		return Array.from({ length: count }, (_, i) => answer[i] ?? 0xff);
	}

	#respond(words: readonly number[]): void {
		this.#answer = words.flatMap(wordWithChecksum);
		this.#busyUntil = this.#clock.now + 1;
	}

	#becomeBusy(state: State, ms: number): void {
		this.state = state;
		this.#busyUntil = this.#clock.now + ms;
	}

	#live(): void {
		const { now } = this.#clock;
		if (now < this.#busyUntil) throw new Nack();
		if (this.isStuck) return;
		while (now >= this.#nextAt) {
			this.#hasData = true;
			this.#nextAt += INTERVALS_MS[this.state] ?? Infinity;
		}
	}
}
