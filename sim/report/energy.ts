import { currents, lightIdleMs, modemIdleMs, transmitMsPerByte, transmitOverheadBytes } from "./currents";
import type { RadioStep, TimedEvent } from "./events";

/** Activity of a node, as distinguished by its current. */
export type Phase = "boot" | "join" | "exchange" | "awake" | "light" | "sleep";

export const phases: readonly Phase[] = ["boot", "join", "exchange", "awake", "light", "sleep"];

/** Steps on the way to the broker, in their order; they are part of the phases `join` and `exchange`. */
export const radioSteps: readonly RadioStep[] = ["start", "scan", "probe", "association", "dhcp", "dns"];

/** Current of each phase, mA. */
const phaseCurrents: Readonly<Record<Phase, number>> = {
	boot: currents.cpu,
	join: currents.receive,
	exchange: currents.receive,
	awake: currents.cpu,
	light: currents.lightSleep,
	sleep: currents.deepSleep,
};

interface PhaseShare {
	/** ms. */
	time: number;
	/** mC, which are mA × s. */
	charge: number;
}

/** Sums the charge drawn by one node, by phase, from its events. */
export class EnergyMeter {
	readonly shares: Readonly<Record<Phase, PhaseShare>> = {
		boot: emptyShare(),
		join: emptyShare(),
		exchange: emptyShare(),
		awake: emptyShare(),
		light: emptyShare(),
		sleep: emptyShare(),
	};
	/** What the steps on the way to the broker take of it. */
	readonly radio: Readonly<Record<RadioStep, PhaseShare>> = {
		start: emptyShare(),
		scan: emptyShare(),
		probe: emptyShare(),
		association: emptyShare(),
		dhcp: emptyShare(),
		dns: emptyShare(),
	};
	#phase: Phase | undefined;
	#integratedUntil = 0;
	/** Time of the last traffic on the open connection. */
	#lastTrafficAt = 0;
	/** Awake, the chip sleeps lightly: what it does itself takes no time here. */
	#sleepsLightly = false;

	/** The phase since the last event; undefined before the first boot and after a crash. */
	get phase(): Phase | undefined {
		return this.#phase;
	}

	event(event: TimedEvent): void {
		switch (event.type) {
			case "boot":
				this.#startPhase("boot", event.time);
				this.#sleepsLightly = false;
				break;
			case "lightSleep":
				this.integrateTo(event.time);
				this.#sleepsLightly = true;
				break;
			case "wake":
				this.#startPhase("awake", event.time);
				break;
			case "join":
				this.#startPhase("join", event.time);
				break;
			case "joined":
				this.#startPhase("awake", event.time);
				break;
			case "radio": {
				const share = this.radio[event.step];
				share.time += event.duration;
				share.charge += (currents.receive * event.duration) / 1000;
				break;
			}
			case "open":
			case "connected":
			case "publish":
			case "acknowledged":
				this.#startPhase("exchange", event.time);
				this.#lastTrafficAt = event.time;
				break;
			case "exchange":
				this.#transmitted(event.sent, event.roundTrips);
				// The exchange may be reported only after sleep has begun.
				if (this.#phase === "exchange") this.#startPhase("awake", event.time);
				break;
			case "failed":
				if (this.#phase === "join") this.#startPhase("awake", event.time);
				break;
			case "sleep":
				this.#startPhase("sleep", event.time);
				break;
			case "crash":
				this.#startPhase("boot", event.time);
				break;
			case "off":
				this.integrateTo(event.time);
				this.#phase = undefined;
				break;
		}
	}

	/** Advances the shares to `time`. */
	integrateTo(time: number): void {
		const elapsed = time - this.#integratedUntil;
		this.#integratedUntil = time;
		if (this.#phase === undefined) return;
		if (this.#phase !== "exchange") this.#add(this.#phase, elapsed);
		else {
			// An idle connection does not keep the radio on.
			const idleMs = this.#sleepsLightly ? lightIdleMs : modemIdleMs;
			const active = Math.min(elapsed, Math.max(0, this.#lastTrafficAt + idleMs - (time - elapsed)));
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

	#startPhase(phase: Phase, time: number): void {
		this.integrateTo(time);
		this.#phase = phase;
	}

	#add(activity: Phase, time: number): void {
		const phase = activity === "awake" && this.#sleepsLightly ? "light" : activity;
		const share = this.shares[phase];
		share.time += time;
		share.charge += (phaseCurrents[phase] * time) / 1000;
	}

	/** Adds the extra charge of sending over listening, which is already counted. */
	#transmitted(bytes: number, sends: number): void {
		const airTime = (bytes + sends * transmitOverheadBytes) * transmitMsPerByte;
		this.shares.exchange.charge += ((currents.transmit - currents.receive) * airTime) / 1000;
	}
}

function emptyShare(): PhaseShare {
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
