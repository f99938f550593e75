/** A terminal, as far as a screen needs it. */
export interface Terminal {
	readonly columns?: number;
	readonly rows?: number;
	write(text: string): unknown;
	on?(event: "resize", listener: () => void): unknown;
	off?(event: "resize", listener: () => void): unknown;
}

const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/** Without automatic wrapping: a character may be wider than the frame assumes. */
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l";
const CLEAR = "\x1b[2J";
/** Together they show a frame at once, on terminals that know them. */
const BEGIN_UPDATE = "\x1b[?2026h";
const END_UPDATE = "\x1b[?2026l";

/** Draws whole frames on the alternate screen, so that nothing remains of them. */
export class Screen {
	readonly #terminal: Terminal;
	readonly #resized: () => void;
	/** Also when the process ends in the middle of something. */
	readonly #leave = (): void => {
		this.#terminal.write(LEAVE);
	};
	#open = false;

	/** @param redraw called when the size has changed */
	constructor(terminal: Terminal, redraw: () => void) {
		this.#terminal = terminal;
		this.#resized = () => {
			terminal.write(CLEAR);
			redraw();
		};
	}

	get columns(): number {
		return this.#terminal.columns || DEFAULT_COLUMNS;
	}

	get rows(): number {
		return this.#terminal.rows || DEFAULT_ROWS;
	}

	/** Switches to the alternate screen. */
	open(): void {
		if (this.#open) return;
		this.#open = true;
		this.#terminal.write(ENTER + CLEAR);
		this.#terminal.on?.("resize", this.#resized);
		process.on("exit", this.#leave);
	}

	/** @param lines at most {@link rows}, each at most {@link columns} wide */
	draw(lines: readonly string[]): void {
		if (!this.#open) return;
		// Cleared before it is written: after a full line, the cursor is still on its last character.
		const text = lines.map((line) => `\x1b[2K${line}`).join("\r\n");
		this.#terminal.write(
			`${BEGIN_UPDATE}\x1b[H${text}${lines.length < this.rows ? "\r\n\x1b[J" : ""}${END_UPDATE}`,
		);
	}

	/** Shows again what was there before. */
	close(): void {
		if (!this.#open) return;
		this.#open = false;
		this.#terminal.off?.("resize", this.#resized);
		process.off("exit", this.#leave);
		this.#leave();
	}
}
