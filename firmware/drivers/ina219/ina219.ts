import { type BusOptions, BusSensor, wait } from "../sensor-bus";

/** Quotations and sections: datasheet INA219, Texas Instruments, SBOS448G (December 2015). */

interface Options extends BusOptions {
	/** Resistance that the current flows through, in Ω. */
	readonly shunt?: number;
	/** Measurements averaged for a sample: 1, 2, 4 … 128. */
	readonly averaging?: number;
}

// Registers ("Register Maps")
const CONFIGURATION = 0x00;
const SHUNT_VOLTAGE = 0x01;
const BUS_VOLTAGE = 0x02;

/** Bus voltage up to 32 V, shunt voltage up to 320 mV ("Configuration Register"). */
const RANGES = 0x3800;
/** In each converter's field: twelve bits, with the power of two that is averaged ("ADC Settings"). */
const AVERAGING = 0x8;
const BUS_CONVERTER_SHIFT = 7;
const SHUNT_CONVERTER_SHIFT = 3;
/** Both voltages once; and off ("Mode Settings"). */
const ONCE = 0x3;
const OFF = 0x0;
/** Longest time of one measurement ("Electrical Characteristics"), of which there is one for each voltage. */
const CONVERSION_MS = 0.586;

const BIG_ENDIAN = true;
/** Lowest bit of the shunt voltage, and of the bus voltage, which is shifted by three. */
const SHUNT_VOLTS = 0.000_01;
const BUS_VOLTS = 0.004;
/** Counts at the ends of the range of 320 mV, where the converter stays ("Shunt Voltage Register"). */
const SHUNT_LIMIT = 32_000;
/** Bit of the bus voltage: both are measured since CONFIGURATION was written ("Bus Voltage Register"). */
const READY = 0x2;

const POLLS = 5;

/**
 * `electricity.voltage` of the load in V, up to 26, `electricity.current` in A, negative where it flows back,
 * and `electricity.power` in W. The chip's own calculation is not used: it needs one more register that is
 * lost with the supply.
 */
export default class extends BusSensor {
	readonly #sample = { electricity: { voltage: 0, current: 0, power: 0 } };
	#ohms = 0.1;
	#configuration = 0;
	#ms = 0;

	constructor(options: BusOptions) {
		super(options, 0x40);
	}

	configure({ shunt = 0.1, averaging = 16 }: Options): void {
		const code = AVERAGING | Math.round(Math.log2(averaging));
		this.#ohms = shunt;
		this.#configuration = RANGES | (code << BUS_CONVERTER_SHIFT) | (code << SHUNT_CONVERTER_SHIFT);
		this.#ms = CONVERSION_MS * 2 * averaging;
		this.#switch(OFF);
	}

	sample(): object {
		const { bus } = this;
		this.#switch(ONCE);
		wait(this.#ms);
		let polls = POLLS;
		let volts = bus.readUint16(BUS_VOLTAGE, BIG_ENDIAN);
		while (!(volts & READY)) {
			if (--polls === 0) throw new Error("INA219: does not measure");
			wait(1);
			volts = bus.readUint16(BUS_VOLTAGE, BIG_ENDIAN);
		}
		const shunt = (bus.readUint16(SHUNT_VOLTAGE, BIG_ENDIAN) << 16) >> 16;
		// Another chip at the address, or one that was without supply, has another configuration.
		if (bus.readUint16(CONFIGURATION, BIG_ENDIAN) !== (this.#configuration | ONCE))
			throw new Error("INA219: has lost its settings");
		this.#switch(OFF);
		if (shunt >= SHUNT_LIMIT || shunt <= -SHUNT_LIMIT)
			throw new Error("INA219: more than 320 mV at the shunt");

		const { electricity } = this.#sample;
		const voltage = (volts >> 3) * BUS_VOLTS;
		const current = (shunt * SHUNT_VOLTS) / this.#ohms;
		electricity.voltage = voltage;
		electricity.current = current;
		electricity.power = voltage * current;
		return this.#sample;
	}

	/** @param mode of the lowest bits */
	#switch(mode: number): void {
		this.bus.writeUint16(CONFIGURATION, this.#configuration | mode, BIG_ENDIAN);
	}
}
