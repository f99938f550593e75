import { parsePasswordHash } from "../../config/password-hash";
import type { UserSettings } from "../../config/settings";
import { decodeBase64 } from "../../crypto/base64";
import { equalConstantTime } from "../../crypto/constant-time";
import { KEY_SIZE } from "../../crypto/pbkdf2";
import { utf8 } from "../../mqtt/utf8";

/** Bytes of a salt. */
export const SALT_SIZE = 16;

/** The users that may log in, numbered from 1; 0 is an anonymous user. */
export class Users {
	readonly count: number;
	/** Holds the names, one after the other. */
	readonly nameBytes: Uint8Array;
	/** SALT_SIZE and KEY_SIZE bytes each. */
	readonly salts: Uint8Array;
	readonly keys: Uint8Array;
	readonly iterations: Uint32Array;
	/** End of each name in `nameBytes`. */
	readonly #ends: Uint16Array;

	constructor(users: readonly UserSettings[]) {
		const count = users.length;
		const names: Uint8Array[] = [];
		let size = 0;
		this.count = count;
		this.salts = new Uint8Array((count + 1) * SALT_SIZE);
		this.keys = new Uint8Array((count + 1) * KEY_SIZE);
		this.iterations = new Uint32Array(count + 1);
		this.#ends = new Uint16Array(count + 1);
		for (let i = 0; i < count; i++) {
			const { name, hash } = users[i];
			const parts = parsePasswordHash(hash);
			if (parts === undefined) throw new Error(`the password hash of user ${name} cannot be read`);
			decode(`${parts.salt}==`, this.salts, (i + 1) * SALT_SIZE);
			decode(`${parts.key}=`, this.keys, (i + 1) * KEY_SIZE);
			this.iterations[i + 1] = parts.iterations;
			names.push(utf8(name));
			size += names[i].length;
			this.#ends[i + 1] = size;
		}
		this.nameBytes = new Uint8Array(size);
		for (let i = 0; i < count; i++) this.nameBytes.set(names[i], this.#ends[i]);
	}

	/** The user of a name; 0 if there is none. Compares all names, so that its duration reveals nothing. */
	find(bytes: Uint8Array, start: number, end: number): number {
		const ends = this.#ends;
		let found = 0;
		for (let user = 1; user <= this.count; user++) {
			const at = ends[user - 1];
			if (ends[user] - at === end - start && equalConstantTime(bytes, start, end, this.nameBytes, at))
				found = user;
		}
		return found;
	}

	/** As find(); allocates, for use at start-up. */
	findByName(name: string): number {
		const bytes = utf8(name);
		return this.find(bytes, 0, bytes.length);
	}

	nameStart(user: number): number {
		return user === 0 ? 0 : this.#ends[user - 1];
	}

	nameEnd(user: number): number {
		return this.#ends[user];
	}
}

function decode(base64: string, target: Uint8Array, at: number): void {
	const bytes = utf8(base64);
	decodeBase64(bytes, 0, bytes.length, target, at);
}
