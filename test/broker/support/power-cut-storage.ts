import type { Storage, StorageModule } from "../../../src/device";

/** Value of a key after a power cut during its write. */
export type TornWrite = "old" | "part" | "none";
/**
 * Changes that no sync() followed before a power cut: all are kept, all are lost, or each key keeps a number
 * of its own that this seed selects. So changes of different keys may take effect in another order.
 */
export type Unsynced = "kept" | "lost" | number;

export class PowerCut extends Error {
	override readonly name = "PowerCut";
}

/** Key-value storage in memory, whose power can be cut at any byte. */
export class PowerCutStorage implements StorageModule {
	/** As the broker reads them; after a power cut, what remained. */
	readonly values: Map<string, Uint8Array>;
	/** Bytes written so far; a deletion and a sync() count as one. */
	writtenBytes = 0;
	/** The byte at which the power is cut. */
	cutAtByte = Number.POSITIVE_INFINITY;
	tornWrite: TornWrite = "part";
	unsynced: Unsynced = "kept";
	/** Calls of write and delete that fail, once each, by their number in `calls`. */
	readonly failingCalls = new Set<number>();
	calls = 0;
	/** Values of each key since the last sync(), oldest first; undefined: absent. The first one is durable. */
	readonly #versions = new Map<string, (Uint8Array | undefined)[]>();

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
					if (this.tornWrite === "none") this.#set(key, undefined);
					else if (this.tornWrite === "part")
						this.#set(key, copy.slice(0, this.cutAtByte - this.writtenBytes));
					this.cutPower();
					throw new PowerCut();
				}
				this.writtenBytes += copy.length;
				this.#set(key, copy);
			},
			delete: (key) => {
				this.#countCall();
				if (!this.values.has(key)) return;
				this.#countByte();
				this.#set(key, undefined);
			},
			sync: () => {
				this.#checkPower();
				this.#countByte();
				this.#versions.clear();
			},
			close: () => {},
		};
	}

	/** Cuts the power now: changes since the last sync() are lost as `unsynced` says. */
	cutPower(): void {
		let number = 0;
		for (const [key, versions] of this.#versions) {
			const last = versions.length - 1;
			const { unsynced } = this;
			const kept =
				unsynced === "kept" ? last : unsynced === "lost" ? 0 : hash(unsynced, ++number) % versions.length;
			this.#assign(key, versions[kept]);
		}
		this.#versions.clear();
		this.writtenBytes = Number.POSITIVE_INFINITY;
	}

	#set(key: string, value: Uint8Array | undefined): void {
		const versions = this.#versions.get(key);
		if (versions === undefined) this.#versions.set(key, [this.values.get(key), value]);
		else versions.push(value);
		this.#assign(key, value);
	}

	#assign(key: string, value: Uint8Array | undefined): void {
		if (value === undefined) this.values.delete(key);
		else this.values.set(key, value);
	}

	#countCall(): void {
		this.#checkPower();
		if (this.failingCalls.delete(++this.calls)) throw new Error("no room");
	}

	#countByte(): void {
		if (this.writtenBytes + 1 > this.cutAtByte) {
			this.cutPower();
			throw new PowerCut();
		}
		this.writtenBytes++;
	}

	#checkPower(): void {
		if (this.writtenBytes === Number.POSITIVE_INFINITY) throw new PowerCut();
	}
}

function hash(seed: number, number: number): number {
	let value = Math.imul(seed ^ (number * 0x9e37_79b1), 0x85eb_ca6b);
	value ^= value >>> 13;
	return Math.imul(value, 0xc2b2_ae35) >>> 16;
}
