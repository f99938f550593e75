/** Longest time for which a session is resumed, ms (RFC 5246 §F.1.4). */
const LIFETIME_MS = 86_400_000;

/** What is kept of a session from one connection to the next; empty: nothing. */
export interface KeptSession {
	id?: ArrayBuffer | undefined;
	secret?: ArrayBuffer | undefined;
	/** When the certificate was checked, ms since 1970. */
	checkedAt?: number | undefined;
}

/**
 * Keeps the session of one broker with one set of credentials, in place of the SDK's cache: that has one
 * session for all, by the broker's name, and with it another's identity and another's idea of who the broker
 * is. A session is taken out when it is offered, and put back once the handshake is complete, so that one
 * with which the broker fails is not offered again.
 */
export class SessionCache {
	/** A session was offered: a broker that resumes it proves who it is with the secret, not a certificate. */
	isOffered = false;
	readonly #kept: KeptSession;
	#id: ArrayBuffer | undefined;
	#checkedAt = 0;

	constructor(kept: KeptSession) {
		this.#kept = kept;
	}

	/** The session that is offered, if one is. */
	getByHost(): { readonly id: ArrayBuffer; readonly secret: ArrayBuffer } | undefined {
		const kept = this.#kept;
		const { id, secret, checkedAt = 0 } = kept;
		kept.id = undefined;
		kept.secret = undefined;
		const age = Date.now() - checkedAt;
		if (id === undefined || secret === undefined || age < 0 || age >= LIFETIME_MS) return undefined;
		this.isOffered = true;
		this.#id = id;
		this.#checkedAt = checkedAt;
		return { id, secret };
	}

	/** The handshake is complete. */
	saveSession(_host: string, id: ArrayBuffer, secret: ArrayBuffer): void {
		const kept = this.#kept;
		kept.checkedAt = this.#id !== undefined && isEqual(id, this.#id) ? this.#checkedAt : Date.now();
		kept.id = id;
		kept.secret = secret;
	}

	/** The broker has begun another session than the one that was offered, which is taken out already. */
	deleteSessionID(): void {}
}

function isEqual(one: ArrayBuffer, other: ArrayBuffer): boolean {
	const [a, b] = [new Uint8Array(one), new Uint8Array(other)];
	if (a.length !== b.length) return false;
	for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
	return true;
}
