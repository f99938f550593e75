/** A terminal that keys are read from. */
export type KeyboardInput = NodeJS.ReadStream;

const CTRL_C = "\x03";
const CTRL_D = "\x04";
const CTRL_Z = "\x1a";

export interface KeyboardHandler {
	key(name: string): void;
	/** The person wants to end. */
	end(): void;
	/** Before the process is stopped by the shell's job control. */
	suspend(): void;
	/** After it goes on. */
	resume(): void;
}

/** Reads single keys from a terminal, without echo, until it is closed. */
export class Keyboard {
	readonly #input: KeyboardInput;
	readonly #handler: KeyboardHandler;
	readonly #read = (text: string): void => {
		// What arrives at once may be several keys, or one escape sequence, which no key here has.
		if (!text.startsWith("\x1b")) for (const name of text) this.#key(name);
	};
	readonly #resume = (): void => {
		this.#input.setRawMode(true);
		this.#input.resume();
		this.#handler.resume();
	};

	constructor(input: KeyboardInput, handler: KeyboardHandler) {
		this.#input = input;
		this.#handler = handler;
		input.setEncoding("utf8").on("data", this.#read);
		input.setRawMode(true);
		input.resume();
	}

	close(): void {
		this.#input.off("data", this.#read);
		process.off("SIGCONT", this.#resume);
		this.#input.setRawMode(false);
		this.#input.pause();
	}

	#key(name: string): void {
		if (name === CTRL_C || name === CTRL_D || name === "q") this.#handler.end();
		else if (name === CTRL_Z) this.#suspend();
		else this.#handler.key(name);
	}

	#suspend(): void {
		this.#handler.suspend();
		this.#input.setRawMode(false);
		process.once("SIGCONT", this.#resume);
		process.kill(process.pid, "SIGTSTP");
	}
}
