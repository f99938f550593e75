/** What a terminal of the VT100 family shows after some output, as far as Firefly's output needs it. */
export class TerminalScreen {
	columns: number;
	rows: number;
	/** Whether the alternate screen is shown. */
	alternate = false;
	cursorVisible = true;
	/** Whether a character after the last column begins a new line. */
	wraps = true;
	#cells: string[][] = [];
	#main = { cells: this.#cells, row: 0, column: 0 };
	#row = 0;
	#column = 0;
	#pending = "";

	constructor(columns: number, rows: number) {
		this.columns = columns;
		this.rows = rows;
		this.#clear();
	}

	/** As when the user changes the window: characters stay where they are. */
	resize(columns: number, rows: number): void {
		this.columns = columns;
		this.rows = rows;
		while (this.#cells.length < rows) this.#cells.push([]);
		this.#cells.length = rows;
		this.#row = Math.min(this.#row, rows - 1);
	}

	/** The lines, without spaces at their ends. */
	get lines(): string[] {
		return this.#cells.map((cells) =>
			Array.from(cells, (cell) => cell ?? " ")
				.join("")
				.trimEnd(),
		);
	}

	get text(): string {
		return this.lines.join("\n");
	}

	write(output: string): void {
		let text = this.#pending + output;
		this.#pending = "";
		while (text !== "") {
			// biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal is controlled by them
			const sequence = /^\x1b\[([?0-9;]*)([A-Za-z])/.exec(text);
			if (sequence) {
				this.#control(sequence[1]!, sequence[2]!);
				text = text.slice(sequence[0].length);
				continue;
			}
			// biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal is controlled by them
			if (/^\x1b(?:\[[?0-9;]*)?$/.test(text)) {
				this.#pending = text;
				return;
			}
			const [character] = text;
			this.#put(character!);
			text = text.slice(character!.length);
		}
	}

	#put(character: string): void {
		if (character === "\r") this.#column = 0;
		else if (character === "\n") this.#lineFeed();
		else if (character >= " ") {
			if (this.#column >= this.columns) {
				if (this.wraps) {
					this.#column = 0;
					this.#lineFeed();
				} else this.#column = this.columns - 1;
			}
			const cells = this.#cells[this.#row]!;
			while (cells.length < this.#column) cells.push(" ");
			cells[this.#column++] = character;
		} else throw new Error(`unexpected control character ${JSON.stringify(character)}`);
	}

	#lineFeed(): void {
		if (this.#row < this.rows - 1) this.#row++;
		else {
			this.#cells.shift();
			this.#cells.push([]);
		}
	}

	#control(parameters: string, final: string): void {
		switch (final) {
			case "H":
				this.#row = 0;
				this.#column = 0;
				break;
			case "G":
				this.#column = Number(parameters || "1") - 1;
				break;
			case "J":
				if (parameters === "2") this.#clear();
				else {
					this.#cells[this.#row]!.length = Math.min(this.#cells[this.#row]!.length, this.#column);
					for (let row = this.#row + 1; row < this.rows; row++) this.#cells[row] = [];
				}
				break;
			case "K":
				if (parameters === "2") this.#cells[this.#row] = [];
				else this.#cells[this.#row]!.length = Math.min(this.#cells[this.#row]!.length, this.#column);
				break;
			case "h":
			case "l":
				this.#mode(parameters, final === "h");
				break;
			case "m":
				break;
			default:
				throw new Error(`unexpected control sequence CSI ${parameters} ${final}`);
		}
	}

	#mode(parameters: string, on: boolean): void {
		if (parameters === "?25") this.cursorVisible = on;
		else if (parameters === "?7") this.wraps = on;
		else if (parameters === "?1049" && on !== this.alternate) {
			this.alternate = on;
			if (on) {
				this.#main = { cells: this.#cells, row: this.#row, column: this.#column };
				this.#clear();
			} else ({ cells: this.#cells, row: this.#row, column: this.#column } = this.#main);
		} else if (parameters !== "?2026" && parameters !== "?1049")
			throw new Error(`unexpected mode ${parameters}`);
	}

	#clear(): void {
		this.#cells = Array.from({ length: this.rows }, () => []);
	}
}
