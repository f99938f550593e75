import { pbkdf2Sync, randomBytes } from "node:crypto";
import { formatPasswordHash } from "../../src/config/password-hash";

/** The hash of a password with a new salt, in the format of listen.users. */
export function hashPassword(
	password: string,
	iterations: number,
	salt: Uint8Array = randomBytes(16),
): string {
	return formatPasswordHash({
		iterations,
		salt: base64(salt),
		key: base64(pbkdf2Sync(password, salt, iterations, 32, "sha256")),
	});
}

function base64(bytes: Uint8Array): string {
	return Buffer.from(bytes).toString("base64").replaceAll("=", "");
}
