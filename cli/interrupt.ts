/**
 * SIGINT, SIGTERM and SIGHUP end a command in an orderly way; a second one, or a closed output pipe, ends the
 * process.
 */
export class Interrupt {
	readonly #controller = new AbortController();
	readonly #stop = (): void => {
		if (this.#controller.signal.aborted) process.exit(130);
		this.#controller.abort();
	};
	readonly #onOutputError = (error: NodeJS.ErrnoException): void => {
		if (error.code !== "EPIPE") throw error;
		process.exit(0);
	};

	constructor() {
		process.on("SIGINT", this.#stop);
		process.on("SIGTERM", this.#stop);
		process.on("SIGHUP", this.#stop);
		process.stdout.on("error", this.#onOutputError);
	}

	get signal(): AbortSignal {
		return this.#controller.signal;
	}

	dispose(): void {
		process.off("SIGINT", this.#stop);
		process.off("SIGTERM", this.#stop);
		process.off("SIGHUP", this.#stop);
		process.stdout.off("error", this.#onOutputError);
	}
}
