/** What the firmware has of the board, by number. The lowest free number is given next. */
export class Handles<Entry extends object> {
	readonly #entries: (Entry | undefined)[] = [];

	/** @returns its number */
	add(entry: Entry): number {
		const free = this.#entries.indexOf(undefined);
		const id = free < 0 ? this.#entries.length : free;
		this.#entries[id] = entry;
		return id;
	}

	find(id: number): Entry | undefined {
		return this.#entries[id];
	}

	/** Throws as the SDK's classes do after close(). */
	get(id: number): Entry {
		const entry = this.#entries[id];
		if (entry === undefined) throw new Error("invalid host data");
		return entry;
	}

	/** Frees a number. @returns what it was of */
	remove(id: number): Entry | undefined {
		const entry = this.#entries[id];
		if (entry !== undefined) this.#entries[id] = undefined;
		return entry;
	}

	/** Frees all numbers. @returns what they were of */
	removeAll(): Entry[] {
		return this.#entries.splice(0).filter((entry) => entry !== undefined);
	}
}
