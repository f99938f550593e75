import { createHash, pbkdf2Sync } from "node:crypto";
import { limits } from "../src/config/limits";
import { formatPasswordHash } from "../src/config/password-hash";

/** The hash of a password, in the format of `listen.users`. @param salt random 16 bytes, on real boards */
export function passwordHash(password: string, iterations: number, salt: Uint8Array): string {
	return formatPasswordHash({
		iterations,
		salt: base64(salt),
		key: base64(pbkdf2Sync(password, salt, iterations, 32, "sha256")),
	});
}

/**
 * A password hash for a virtual board, with the minimum of iterations and a fixed salt, because a run depends
 * on nothing but its seed. Not for real boards.
 */
export function deterministicHash(name: string, password: string): string {
	const salt = createHash("sha256").update(`${name}\n${password}`).digest().subarray(0, 16);
	return passwordHash(password, limits.iterations.minimum, salt);
}

function base64(bytes: Uint8Array): string {
	return Buffer.from(bytes).toString("base64").replaceAll("=", "");
}
