import type { DriverClock } from "../driver-loader";

/** Checksum of 1-Wire over bytes, one bit at a time, as the datasheet's shift register has it. */
export function oneWireChecksum(bytes: readonly number[]): number {
	let register = 0;
	for (const byte of bytes)
		for (let i = 0; i < 8; i++) {
			const feedback = (register ^ (byte >> i)) & 1;
			register = (register >> 1) ^ (feedback ? 0x8c : 0);
		}
	return register;
}

/** What is kept without a supply: alarms and resolution as they are when the sensor is new. */
const EEPROM: readonly number[] = [0x4b, 0x46, 0x7f];

/**
 * A DS18B20 by its datasheet, at the end of the SDK's 1-Wire bus: a line without an answer reads as ones.
 * After a loss of its supply it has 85 °C.
 */
export class Ds18b20Chip {
	/** What a conversion yields, in sixteenths of a degree. */
	raw = 0x0191;
	family = 0x28;
	isThere = true;
	/** Whether the line is at ground. */
	isShorted = false;
	hasSupply = true;
	/** Byte of the next scratchpad that is wrong; -1: none. */
	wrongByte = -1;
	readonly #clock: DriverClock;
	#scratchpad: number[] = [];
	#state: "command" | "function" | "writing" | "reading" = "command";
	#answer: number[] = [];
	#writes = 0;
	#conversion: { readonly endsAt: number; readonly unused: number } | undefined;

	constructor(clock: DriverClock) {
		this.#clock = clock;
		this.losePower();
	}

	losePower(): void {
		this.#scratchpad = [0x50, 0x05, ...EEPROM, 0xff, 0x0c, 0x10];
		this.#conversion = undefined;
		this.#state = "reading";
		this.#answer = [];
	}

	reset(): boolean {
		this.#state = "command";
		this.#clock.now += 1;
		return this.isThere && !this.isShorted;
	}

	write(byte: number): void {
		if (!this.isThere) return;
		this.#finishConversion();
		if (this.#state === "writing") {
			this.#scratchpad[2 + this.#writes] = this.#writes < 2 ? byte : (byte & 0x60) | 0x1f;
			if (++this.#writes === 3) this.#state = "reading";
		} else if (this.#state === "command") {
			this.#state = byte === 0xcc ? "function" : "reading";
			this.#answer = byte === 0x33 ? withChecksum([this.family, 0xff, 0x64, 0x1e, 0x82, 0x16, 0xc3]) : [];
		} else if (this.#state === "function") this.#run(byte);
	}

	read(): number {
		this.#finishConversion();
		if (this.isShorted) return 0;
		return (this.isThere ? this.#answer.shift() : undefined) ?? 0xff;
	}

	close(): void {}

	#run(command: number): void {
		this.#state = command === 0x4e ? "writing" : "reading";
		this.#writes = 0;
		this.#answer = [];
		if (command === 0xb4) this.#answer = [this.hasSupply ? 0xff : 0];
		if (command === 0xbe) {
			this.#answer = withChecksum(this.#scratchpad).map((byte, i) =>
				i === this.wrongByte ? byte ^ 4 : byte,
			);
			this.wrongByte = -1;
		}
		if (command !== 0x44) return;
		const unused = 3 - (this.#scratchpad[4]! >> 5);
		this.#conversion = { endsAt: this.#clock.now + 750 / 2 ** unused, unused };
	}

	#finishConversion(): void {
		if (this.#conversion === undefined || this.#clock.now < this.#conversion.endsAt) return;
		// Bits that are not measured are undefined.
		const raw = this.raw | (2 ** this.#conversion.unused - 1);
		this.#scratchpad[0] = raw & 0xff;
		this.#scratchpad[1] = (raw >> 8) & 0xff;
		this.#conversion = undefined;
	}
}

function withChecksum(bytes: readonly number[]): number[] {
	return [...bytes, oneWireChecksum(bytes)];
}
