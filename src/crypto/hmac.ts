import { BLOCK_SIZE } from "./block-hash";
import { SHA256, SHA256_SIZE } from "./sha256";

/**
 * HMAC-SHA-256 (RFC 2104, RFC 4868). Allocates nothing after construction; a key serves any number of
 * messages.
 */
export class HMAC {
	/**
	 * The hash value after the block of the key with ipad, and with opad: nothing else of a key is kept (RFC
	 * 2104 §4).
	 */
	readonly inner = new Int32Array(8);
	readonly outer = new Int32Array(8);
	readonly #hash = new SHA256();
	readonly #block = new Uint8Array(BLOCK_SIZE);

	/** Sets the key, bytes [start, end), and starts a message. */
	key(bytes: Uint8Array, start: number, end: number): this {
		const hash = this.#hash;
		const block = this.#block.fill(0);
		if (end - start > BLOCK_SIZE) hash.reset().update(bytes, start, end).digest(block, 0);
		else for (let i = start; i < end; i++) block[i - start] = bytes[i];
		for (let i = 0; i < BLOCK_SIZE; i++) block[i] ^= 0x36;
		hash.reset().update(block, 0, BLOCK_SIZE).save(this.inner);
		for (let i = 0; i < BLOCK_SIZE; i++) block[i] ^= 0x36 ^ 0x5c;
		hash.reset().update(block, 0, BLOCK_SIZE).save(this.outer);
		block.fill(0);
		return this.reset();
	}

	/** Starts a message with the same key. */
	reset(): this {
		this.#hash.resume(this.inner);
		return this;
	}

	/** Hashes bytes [start, end) of the message. */
	update(bytes: Uint8Array, start: number, end: number): this {
		this.#hash.update(bytes, start, end);
		return this;
	}

	/** Writes the authentication code, 32 bytes, to `target` from `at` on, and starts the next message. */
	digest(target: Uint8Array, at: number): void {
		const hash = this.#hash;
		const block = this.#block;
		hash.digest(block, 0);
		hash.resume(this.outer).update(block, 0, SHA256_SIZE).digest(target, at);
		block.fill(0);
		this.reset();
	}

	/** Erases the key and everything derived from it; a new key must be set. */
	clear(): void {
		this.inner.fill(0);
		this.outer.fill(0);
		this.#hash.clear();
	}
}
