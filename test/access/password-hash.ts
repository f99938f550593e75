import { pbkdf2Sync } from "node:crypto";

/**
 * A password hash as the configuration holds it, by Node's own PBKDF2, with as few iterations as are allowed.
 */
export function hashOf(
	password: string,
	iterations = 100,
	salt: Uint8Array = new Uint8Array(16).fill(7),
): string {
	const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64").replaceAll("=", "");
	return `$pbkdf2-sha256$i=${iterations}$${text(salt)}$${text(pbkdf2Sync(password, salt, iterations, 32, "sha256"))}`;
}
