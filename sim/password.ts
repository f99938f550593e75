import { createHash, pbkdf2Sync } from "node:crypto";
import { limits } from "../src/config/limits";
import { formatPasswordHash } from "../src/config/password-hash";

/**
 * A password hash for `listen.users` of a virtual board, with the minimum of iterations and a fixed salt,
 * because a run depends on nothing but its seed. Not for real boards.
 */
export function deterministicHash(name: string, password: string): string {
	const iterations = limits.iterations.minimum;
	const salt = createHash("sha256").update(`${name}\n${password}`).digest().subarray(0, 16);
	return formatPasswordHash({
		iterations,
		salt: base64(salt),
		key: base64(pbkdf2Sync(password, salt, iterations, 32, "sha256")),
	});
}

function base64(bytes: Uint8Array): string {
	return Buffer.from(bytes).toString("base64").replaceAll("=", "");
}
