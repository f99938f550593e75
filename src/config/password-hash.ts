import { limits } from "./limits";

/** The parts of a password hash. */
export interface PasswordHash {
	/** Of PBKDF2-HMAC-SHA-256. */
	readonly iterations: number;
	/** Base64 without padding: 22 characters, 16 bytes. */
	readonly salt: string;
	/** Base64 without padding: 43 characters, 32 bytes. */
	readonly key: string;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/**
 * Parses `$pbkdf2-sha256$i=1000$salt$key`: PBKDF2 (RFC 8018 §5.2) in the PHC string format, which includes
 * its own parameters. Undefined if it has another format or its iterations are out of range.
 */
export function parsePasswordHash(text: string): PasswordHash | undefined {
	const parts = text.split("$");
	if (parts.length !== 5 || parts[0] !== "" || parts[1] !== "pbkdf2-sha256") return undefined;
	const count = parts[2];
	if (!count.startsWith("i=") || count.length < 3 || count.length > 10) return undefined;
	let iterations = 0;
	for (let i = 2; i < count.length; i++) {
		const digit = "0123456789".indexOf(count[i]);
		if (digit < 0 || (digit === 0 && i === 2)) return undefined;
		iterations = iterations * 10 + digit;
	}
	const { minimum, maximum } = limits.iterations;
	if (iterations < minimum || iterations > maximum) return undefined;
	const salt = parts[3];
	const key = parts[4];
	if (!isBase64(salt, 22, 16) || !isBase64(key, 43, 4)) return undefined;
	return { iterations, salt, key };
}

export function formatPasswordHash(hash: PasswordHash): string {
	return `$pbkdf2-sha256$i=${hash.iterations}$${hash.salt}$${hash.key}`;
}

/**
 * @param step the value of the last character must be a multiple of it: its lower bits are unused (RFC 4648
 *   §3.5)
 */
function isBase64(text: string, length: number, step: number): boolean {
	if (text.length !== length) return false;
	for (let i = 0; i < length; i++) {
		const value = ALPHABET.indexOf(text[i]);
		if (value < 0 || (i === length - 1 && value % step !== 0)) return false;
	}
	return true;
}
