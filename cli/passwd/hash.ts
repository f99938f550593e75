import { randomBytes } from "node:crypto";
import { passwordHash } from "../../sim/password";

/**
 * Iterations of PBKDF2-HMAC-SHA-256. One takes 28,000 computrons on XS 13.3; 200 are 5.6 million, which an
 * ESP32 is expected to do within a second or two (not measured on a board). Each user's password is derived
 * once after the broker starts; later logins are verified at once.
 */
export const CHIP_ITERATIONS = 200;

/** The hash of a password with a new salt, in the format of `listen.users`. */
export function hashPassword(password: string, iterations: number): string {
	return passwordHash(password, iterations, randomBytes(16));
}
