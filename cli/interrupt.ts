import { setOutputFailureHandler } from "./output";

/** Exit code of a command that was interrupted before it had done anything: 128 + SIGINT. */
export const EXIT_INTERRUPTED = 130;

/** Ends a command with {@link EXIT_INTERRUPTED}: it was interrupted before it was done. */
export class Interrupted extends Error {
	override readonly name = "Interrupted";

	constructor(message = "interrupted") {
		super(message);
	}
}

/**
 * SIGINT, SIGTERM, SIGHUP and the loss of standard output end a command in an orderly way; a second signal
 * ends the process.
 */
export class Interrupt {
	readonly #controller = new AbortController();
	/** Ends the command in an orderly way; called again, ends the process. */
	readonly stop = (): void => {
		if (this.#controller.signal.aborted) process.exit(EXIT_INTERRUPTED);
		this.#controller.abort();
	};

	constructor() {
		process.on("SIGINT", this.stop);
		process.on("SIGTERM", this.stop);
		process.on("SIGHUP", this.stop);
		setOutputFailureHandler(() => this.#controller.abort());
	}

	get signal(): AbortSignal {
		return this.#controller.signal;
	}

	dispose(): void {
		process.off("SIGINT", this.stop);
		process.off("SIGTERM", this.stop);
		process.off("SIGHUP", this.stop);
		setOutputFailureHandler(undefined);
	}
}
