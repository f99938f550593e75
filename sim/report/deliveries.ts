import type { TimedEvent } from "./events";

/** Why a report was given up. */
export type DropCause = "dropOldest" | "thin" | "damaged" | "unreadable" | "cleared" | "uncounted";

/**
 * What became of the reports of one node, each counted once, also if the node crashes or is reset between.
 */
export class Deliveries {
	acknowledged = 0;
	/** Reports that were in retained memory when the power was lost. */
	unpowered = 0;
	/** Reports that could not be delivered in the wake in which they were accepted, or at the first try. */
	delayed = 0;
	/** Longest time from acceptance to acknowledgement of these, ms; of those that wait, until now. */
	longestDelay = 0;
	readonly drops = new Map<DropCause, number>();
	/** Sequence numbers count from 1 without gaps, so the highest is the number of reports since power-on. */
	#highestSequence = 0;
	#acceptedBefore = 0;
	#droppedSincePowerOn = 0;
	#waiting = 0;
	/** The power was lost, and the firmware has not yet said what it has. */
	#wasUnpowered = false;
	/** Reports not acknowledged, by sequence number. */
	readonly #pending = new Map<number, Pending>();

	get accepted(): number {
		return this.#acceptedBefore + this.#highestSequence;
	}

	get dropped(): number {
		let sum = 0;
		for (const count of this.drops.values()) sum += count;
		return sum;
	}

	event(event: TimedEvent): void {
		switch (event.type) {
			case "boot":
				this.#delayPending();
				if (event.reason === "power-on" || event.reason === "brown-out") this.#wasUnpowered = true;
				break;
			case "wake":
				if (this.#wasUnpowered) this.#powerOn(event.accepted ?? 0);
				this.#wake(event);
				break;
			case "accepted":
				this.#acceptUpTo(event.sequence, event.time);
				this.#waiting = event.waiting;
				break;
			case "acknowledged":
				this.#acknowledge(event.sequence, event.time);
				this.#waiting = event.waiting;
				break;
			case "dropped":
				this.#drop(event.policy ?? event.reason ?? "uncounted", event.count);
				if (event.sequence !== undefined) this.#pending.delete(event.sequence);
				this.#waiting = event.waiting;
				break;
			case "failed":
			case "sleep":
				this.#delayPending();
				break;
		}
	}

	/** Counts the delay of reports that wait to `time`. */
	end(time: number): void {
		if (this.#wasUnpowered) this.#powerOn(0);
		for (const { since, delayed } of this.#pending.values())
			if (delayed) this.longestDelay = Math.max(this.longestDelay, time - since);
	}

	/**
	 * The content of retained memory is lost, and what waited in it; but a node whose outbox is in flash goes
	 * on where it was.
	 */
	#powerOn(accepted: number): void {
		this.#wasUnpowered = false;
		if (accepted >= this.#highestSequence) return;
		this.#acceptedBefore += this.#highestSequence;
		this.unpowered += this.#waiting;
		this.#highestSequence = this.#droppedSincePowerOn = this.#waiting = 0;
		this.#pending.clear();
	}

	/** What retained memory counts, and no event has told. */
	#wake({ time, waiting, accepted, dropped }: TimedEvent & { readonly type: "wake" }): void {
		if (waiting === undefined || accepted === undefined || dropped === undefined) return;
		this.#acceptUpTo(accepted, time);
		if (dropped > this.#droppedSincePowerOn) this.#drop("uncounted", dropped - this.#droppedSincePowerOn);
		this.#waiting = waiting;
	}

	#acceptUpTo(sequence: number, time: number): void {
		while (this.#highestSequence < sequence)
			this.#pending.set(++this.#highestSequence, { since: time, delayed: false });
	}

	#acknowledge(sequence: number, time: number): void {
		this.#acceptUpTo(sequence, time);
		const report = this.#pending.get(sequence);
		// A reset between acknowledgement and removal makes the node send it again.
		if (report === undefined) return;
		this.#pending.delete(sequence);
		this.acknowledged++;
		if (report.delayed) this.longestDelay = Math.max(this.longestDelay, time - report.since);
	}

	#drop(cause: DropCause, count: number): void {
		this.drops.set(cause, (this.drops.get(cause) ?? 0) + count);
		this.#droppedSincePowerOn += count;
	}

	#delayPending(): void {
		for (const report of this.#pending.values()) {
			if (report.delayed) continue;
			report.delayed = true;
			this.delayed++;
		}
	}
}

interface Pending {
	readonly since: number;
	delayed: boolean;
}
