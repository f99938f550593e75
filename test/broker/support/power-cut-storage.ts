import type { Storage, StorageModule } from "../../../src/device";

/** Value of a key after a power cut during its write. */
export type TornWrite = "old" | "part" | "none";

export class PowerCut extends Error {
	override readonly name = "PowerCut";
}

/** Key-value storage in memory, whose power can be cut at any byte. */
export class PowerCutStorage implements StorageModule {
	readonly values: Map<string, Uint8Array>;
	/** Bytes written so far; a deletion counts as one. */
	writtenBytes = 0;
	/** The byte at which the power is cut. */
	cutAtByte = Number.POSITIVE_INFINITY;
	tornWrite: TornWrite = "part";
	/** Calls of write and delete that fail, once each, by their number in `calls`. */
	readonly failingCalls = new Set<number>();
	calls = 0;

	constructor(values: ReadonlyMap<string, Uint8Array> = new Map()) {
		this.values = new Map(values);
	}

	open(): Storage {
		return {
			read: (key, buffer) => {
				this.#checkPower();
				const value = this.values.get(key);
				if (value === undefined) return undefined;
				if (value.length > buffer.length) throw new RangeError("buffer too small");
				buffer.set(value);
				return value.length;
			},
			write: (key, value) => {
				this.#countCall();
				const copy = value.slice();
				if (this.writtenBytes + copy.length > this.cutAtByte) {
					if (this.tornWrite === "none") this.values.delete(key);
					else if (this.tornWrite === "part")
						this.values.set(key, copy.slice(0, this.cutAtByte - this.writtenBytes));
					this.writtenBytes = Number.POSITIVE_INFINITY;
					throw new PowerCut();
				}
				this.writtenBytes += copy.length;
				this.values.set(key, copy);
			},
			delete: (key) => {
				this.#countCall();
				if (!this.values.has(key)) return;
				if (this.writtenBytes + 1 > this.cutAtByte) {
					this.writtenBytes = Number.POSITIVE_INFINITY;
					throw new PowerCut();
				}
				this.writtenBytes++;
				this.values.delete(key);
			},
			close: () => {},
		};
	}

	#countCall(): void {
		this.#checkPower();
		if (this.failingCalls.delete(++this.calls)) throw new Error("no room");
	}

	#checkPower(): void {
		if (this.writtenBytes === Number.POSITIVE_INFINITY) throw new PowerCut();
	}
}
