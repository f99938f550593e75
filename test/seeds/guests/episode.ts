import type { Scheduled, Scheduler } from "../../../sim/clock/scheduler";

/** What an episode waits for: a time, or less if something is so before. */
export interface Wait {
	readonly ms: number;
	readonly until?: () => boolean;
}

/** A guest's script from one pause to the next; what it waits for answers whether it has become so. */
export type Episode = Generator<Wait, void, boolean>;

/** Runs one episode in virtual time. */
export class EpisodeRun {
	readonly #scheduler: Scheduler;
	readonly #episode: Episode;
	readonly #onEnd: (error: unknown) => void;
	#wait: Wait | undefined;
	#timer: Scheduled | undefined;

	/** @param onEnd called with what the episode has thrown; undefined: it has ended as it should */
	constructor(scheduler: Scheduler, episode: Episode, onEnd: (error: unknown) => void) {
		this.#scheduler = scheduler;
		this.#episode = episode;
		this.#onEnd = onEnd;
		this.#resume(false);
	}

	/** Something has changed that the episode may wait for. */
	notify(): void {
		if (this.#wait?.until?.() !== true) return;
		// Not inside of what has changed it
		this.#scheduler.cancel(this.#timer);
		this.#wait = undefined;
		this.#timer = this.#scheduler.after(0, () => this.#resume(true));
	}

	#resume(isSo: boolean): void {
		this.#wait = undefined;
		try {
			const { done, value } = this.#episode.next(isSo);
			if (done === true) this.#onEnd(undefined);
			else this.#await(value);
		} catch (error) {
			this.#onEnd(error);
		}
	}

	#await(wait: Wait): void {
		this.#wait = wait;
		this.#timer = this.#scheduler.after(wait.ms, () => this.#resume(wait.until?.() ?? false));
		this.notify();
	}
}
