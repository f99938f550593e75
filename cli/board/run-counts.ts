import type { TimedEvent } from "../../sim/report/events";

/** Parts of the time awake. */
export type AwakePart = "joining" | "broker" | "other";

/**
 * Counts the events of one node, a real one's as well as a simulated one's, from the first that it is told.
 * Times in ms.
 */
export class RunCounts {
	wakes = 0;
	samples = 0;
	accepted = 0;
	acknowledged = 0;
	repeated = 0;
	dropped = 0;
	joins = 0;
	fastJoins = 0;
	failed = 0;
	limits = 0;
	/** Reports in the outbox; undefined: not told yet. */
	waiting: number | undefined;
	readonly awake: Record<AwakePart, number> = { joining: 0, broker: 0, other: 0 };
	#part: AwakePart | undefined;
	#since = 0;
	#start: number | undefined;
	#now = 0;

	/** Time from the first event to the last, or to {@link end}. */
	get observed(): number {
		return this.#start === undefined ? 0 : this.#now - this.#start;
	}

	get awakeTime(): number {
		return this.awake.joining + this.awake.broker + this.awake.other;
	}

	event(event: TimedEvent): void {
		// What a chip does before the firmware runs, the firmware cannot tell.
		if (event.type !== "boot") this.#start ??= event.time;
		this.#now = Math.max(this.#now, event.time);
		switch (event.type) {
			case "wake":
				this.wakes++;
				this.waiting = event.waiting ?? this.waiting;
				this.#enter("other", event.time);
				break;
			case "sample":
				this.samples++;
				break;
			case "accepted":
				this.accepted++;
				this.waiting = event.waiting;
				break;
			case "dropped":
				this.dropped += event.count;
				this.waiting = event.waiting;
				break;
			case "join":
				this.#enter("joining", event.time);
				break;
			case "joined":
				this.joins++;
				if (event.fast) this.fastJoins++;
				this.#enter("other", event.time);
				break;
			case "open":
				this.#enter("broker", event.time);
				break;
			case "publish":
				if (event.again) this.repeated++;
				break;
			case "acknowledged":
				this.acknowledged++;
				this.waiting = event.waiting;
				break;
			case "exchange":
				// The connection of a node that sleeps already has ended before.
				if (this.#part !== undefined) this.#enter("other", event.time);
				break;
			case "failed":
				this.failed++;
				this.#enter("other", event.time);
				break;
			case "limit":
				this.limits++;
				break;
			case "sleep":
				this.waiting = event.waiting;
				this.#enter(undefined, event.time);
				break;
			case "crash":
			case "off":
				this.#enter(undefined, event.time);
				break;
		}
	}

	/** The observation ends. */
	end(time: number): void {
		this.#now = Math.max(this.#now, time);
		this.#enter(this.#part, this.#now);
	}

	#enter(part: AwakePart | undefined, time: number): void {
		if (this.#part !== undefined) this.awake[this.#part] += Math.max(0, time - this.#since);
		this.#part = part;
		this.#since = time;
	}
}
