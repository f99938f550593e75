import type { DriverClock } from "../driver-loader";

/** What a device on the bus does; it throws `Nack` where it does not acknowledge. */
export interface Chip {
	write(bytes: readonly number[]): void;
	read(count: number): readonly number[];
}

/** A device does not acknowledge its address, or a byte. */
export class Nack extends Error {}

/** How long the SDK waits for a bus that is held, in ms. */
const TIMEOUT_MS = 400;
/** Bits of a byte on the bus, with its acknowledgement. */
const BYTE_BITS = 9;

/**
 * An I²C bus with chips, and the SDK's SMBus class for it: an address is open once; what fails throws an
 * error that says only which of its methods it was. Transfers take their time.
 */
export class I2CBus {
	/** By address. */
	readonly chips = new Map<number, Chip>();
	/** Whether something pulls the lines low. */
	isHeld = false;
	readonly open = new Set<number>();
	readonly SMBus: new (
		options: object,
	) => object;

	constructor(clock: DriverClock) {
		const bus = this;
		this.SMBus = class {
			readonly #address: number;
			readonly #hz: number;
			constructor(options: object) {
				const { address, hz, data, clock: line } = options as Record<string, number>;
				for (const needed of [address, hz, data, line])
					if (typeof needed !== "number") throw new RangeError("option required");
				if (bus.open.has(address!)) throw new RangeError("duplicate address");
				bus.open.add(address!);
				this.#address = address!;
				this.#hz = hz!;
			}
			close(): void {
				bus.open.delete(this.#address);
			}
			write(bytes: Uint8Array): void {
				this.#transfer("write", bytes.length, (chip) => chip.write([...bytes]));
			}
			read(buffer: Uint8Array): void {
				this.#transfer("read", buffer.length, (chip) => buffer.set(chip.read(buffer.length)));
			}
			readBuffer(register: number, buffer: Uint8Array): void {
				this.#transfer("writeRead", buffer.length + 1, (chip) => {
					chip.write([register]);
					buffer.set(chip.read(buffer.length));
				});
			}
			sendByte(command: number): void {
				this.write(Uint8Array.of(command));
			}
			readUint8(register: number): number {
				const buffer = new Uint8Array(1);
				this.readBuffer(register, buffer);
				return buffer[0]!;
			}
			readUint16(register: number, bigEndian: boolean): number {
				const buffer = new Uint8Array(2);
				this.readBuffer(register, buffer);
				return new DataView(buffer.buffer).getUint16(0, !bigEndian);
			}
			writeUint8(register: number, value: number): void {
				this.write(Uint8Array.of(register, value));
			}
			writeUint16(register: number, value: number, bigEndian: boolean): void {
				const high = value >> 8;
				this.write(Uint8Array.of(register, bigEndian ? high : value, bigEndian ? value : high));
			}
			#transfer(what: string, bytes: number, act: (chip: Chip) => void): void {
				if (!bus.open.has(this.#address)) throw new Error("invalid host data");
				const chip = bus.chips.get(this.#address);
				if (bus.isHeld) {
					clock.now += TIMEOUT_MS;
					throw new Error(`${what} failed`);
				}
				clock.now += ((bytes + 1) * BYTE_BITS * 1000) / this.#hz;
				if (chip === undefined) throw new Error(`${what} failed`);
				try {
					act(chip);
				} catch (error) {
					if (error instanceof Nack) throw new Error(`${what} failed`);
					throw error;
				}
			}
		};
	}
}
