import { currents, modemIdle, transmitOverhead, transmitTimePerByte } from "./currents";
import type { SimulationEvent } from "./events";

/** What a node does, as far as its current tells. */
export type Phase = "boot" | "join" | "exchange" | "awake" | "sleep";

export const phases: readonly Phase[] = ["boot", "join", "exchange", "awake", "sleep"];

/** Current of each phase, mA. */
const draw: Readonly<Record<Phase, number>> = {
	boot: currents.cpu,
	join: currents.receive,
	exchange: currents.receive,
	awake: currents.cpu,
	sleep: currents.deepSleep,
};

interface Share {
	/** ms. */
	time: number;
	/** mC, which are mA × s. */
	charge: number;
}

/** Adds up the charge that one node takes, by phase, from its events. */
export class EnergyMeter {
	readonly shares: Readonly<Record<Phase, Share>> = { boot: none(), join: none(), exchange: none(), awake: none(), sleep: none() };
	#phase: Phase | undefined;
	#since = 0;
	/** Last traffic of the open connection. */
	#traffic = 0;

	/** The phase since the last event; undefined before the first boot and after a crash. */
	get phase(): Phase | undefined {
		return this.#phase;
	}

	event(event: SimulationEvent): void {
		switch (event.type) {
			case "boot":
				this.#enter("boot", event.time);
				break;
			case "wake":
				this.#enter("awake", event.time);
				break;
			case "join":
				this.#enter("join", event.time);
				break;
			case "joined":
				this.#enter("awake", event.time);
				break;
			case "open":
			case "connected":
			case "publish":
			case "acknowledged":
				this.#enter("exchange", event.time);
				this.#traffic = event.time;
				break;
			case "exchange":
				this.#transmitted(event.sent, event.roundTrips);
				// The connection may be counted only after sleep has begun.
				if (this.#phase === "exchange") this.#enter("awake", event.time);
				break;
			case "failed":
				if (this.#phase === "join") this.#enter("awake", event.time);
				break;
			case "sleep":
				this.#enter("sleep", event.time);
				break;
			case "crash":
				this.#enter("boot", event.time);
				break;
		}
	}

	/** Brings the shares up to `time`. */
	settle(time: number): void {
		const elapsed = time - this.#since;
		this.#since = time;
		if (this.#phase === undefined) return;
		if (this.#phase !== "exchange") this.#add(this.#phase, elapsed);
		else {
			// A connection without traffic does not keep the radio up.
			const active = Math.min(elapsed, Math.max(0, this.#traffic + modemIdle - (time - elapsed)));
			this.#add("exchange", active);
			this.#add("awake", elapsed - active);
		}
	}

	/** mC of all phases. */
	get charge(): number {
		let sum = 0;
		for (const phase of phases) sum += this.shares[phase].charge;
		return sum;
	}

	/** ms of all phases. */
	get time(): number {
		let sum = 0;
		for (const phase of phases) sum += this.shares[phase].time;
		return sum;
	}

	#enter(phase: Phase, time: number): void {
		this.settle(time);
		this.#phase = phase;
	}

	#add(phase: Phase, time: number): void {
		const share = this.shares[phase];
		share.time += time;
		share.charge += (draw[phase] * time) / 1000;
	}

	/** Sending takes more than listening does, which is counted already. */
	#transmitted(bytes: number, sends: number): void {
		const airTime = (bytes + sends * transmitOverhead) * transmitTimePerByte;
		this.shares.exchange.charge += ((currents.transmit - currents.receive) * airTime) / 1000;
	}
}

function none(): Share {
	return { time: 0, charge: 0 };
}

/** mA, averaged over `time` ms; 0 for no time. */
export function averageCurrent(charge: number, time: number): number {
	return time > 0 ? (charge / time) * 1000 : 0;
}

/** Days that a battery of `capacity` mAh lasts at `current` mA. */
export function batteryDays(capacity: number, current: number): number {
	return capacity / current / 24;
}
