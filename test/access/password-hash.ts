import { pbkdf2Sync } from "node:crypto";

/** Password hash as in the configuration, by Node's PBKDF2; by default the fewest iterations allowed. */
export function hashOf(
	password: string,
	iterations = 100,
	salt: Uint8Array = new Uint8Array(16).fill(7),
): string {
	const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64").replaceAll("=", "");
	return `$pbkdf2-sha256$i=${iterations}$${text(salt)}$${text(pbkdf2Sync(password, salt, iterations, 32, "sha256"))}`;
}
