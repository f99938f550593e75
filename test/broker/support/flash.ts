import type { Storage, StorageModule } from "../../../src/device";

/** What the power going off in the middle of a write does to its key. */
export type Tear = "old" | "part" | "none";

export class PowerCut extends Error {
	override readonly name = "PowerCut";
}

/** Key-value storage in memory, whose power can be cut at any byte. */
export class Flash implements StorageModule {
	readonly values: Map<string, Uint8Array>;
	/** Bytes written until now; a deletion counts as one. */
	written = 0;
	/** The byte at which the power goes off. */
	cutAt = Number.POSITIVE_INFINITY;
	tear: Tear = "part";
	/** Calls of write and delete that fail, once each, counted from the next one. */
	readonly failures = new Set<number>();
	calls = 0;

	constructor(values: ReadonlyMap<string, Uint8Array> = new Map()) {
		this.values = new Map(values);
	}

	open(): Storage {
		return {
			read: (key, buffer) => {
				this.#powered();
				const value = this.values.get(key);
				if (value === undefined) return undefined;
				if (value.length > buffer.length) throw new RangeError("buffer too small");
				buffer.set(value);
				return value.length;
			},
			write: (key, value) => {
				this.#call();
				const copy = value.slice();
				if (this.written + copy.length > this.cutAt) {
					if (this.tear === "none") this.values.delete(key);
					else if (this.tear === "part") this.values.set(key, copy.slice(0, this.cutAt - this.written));
					this.written = Number.POSITIVE_INFINITY;
					throw new PowerCut();
				}
				this.written += copy.length;
				this.values.set(key, copy);
			},
			delete: (key) => {
				this.#call();
				if (!this.values.has(key)) return;
				if (this.written + 1 > this.cutAt) {
					this.written = Number.POSITIVE_INFINITY;
					throw new PowerCut();
				}
				this.written++;
				this.values.delete(key);
			},
			close: () => {},
		};
	}

	#call(): void {
		this.#powered();
		if (this.failures.delete(++this.calls)) throw new Error("no room");
	}

	#powered(): void {
		if (this.written === Number.POSITIVE_INFINITY) throw new PowerCut();
	}
}
