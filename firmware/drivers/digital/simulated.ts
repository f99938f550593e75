import { announceSimulation, panelReading } from "firmware/platform/readings";
import type { Sensor } from "../../../src/device";

interface DigitalOptions {
	readonly pull?: "none" | "up" | "down";
	readonly activeLow?: boolean;
}

/**
 * Stands for a contact at the pin, which the panel closes: against the chip's resistor, to the supply where
 * there is none.
 */
export default class implements Sensor {
	#highAtRest: boolean;
	#activeLow: boolean;

	constructor({ pull = "up", activeLow = false }: DigitalOptions) {
		announceSimulation("digital");
		this.#highAtRest = pull === "up";
		this.#activeLow = activeLow;
	}

	configure(): void {}

	sample(): object {
		const high = this.#highAtRest !== (panelReading("contact.closed") === 1);
		const active = high !== this.#activeLow;
		return { digital: { active }, contact: { open: active }, motion: { detected: active } };
	}

	close(): void {}
}
