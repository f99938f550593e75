import { createHash } from "node:crypto";

/** Text that is hashed at once, as many short pieces take long, in characters. */
const PIECE = 32_768;

/** A hash of all that happened in a run. */
export class RunDigest {
	readonly #hash = createHash("sha256");
	#text = "";

	add(value: unknown): void {
		this.#text += JSON.stringify(value);
		if (this.#text.length >= PIECE) this.#flush();
	}

	/** 16 hexadecimal digits; then nothing can be added any more. */
	end(): string {
		this.#flush();
		return this.#hash.digest("hex").slice(0, 16);
	}

	#flush(): void {
		this.#hash.update(this.#text);
		this.#text = "";
	}
}
