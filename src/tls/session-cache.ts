import { TLS_SESSION_BYTES } from "../retained-memory";
import { FNV_SEED, fnv1a, fnv1aOfText } from "../text/fnv1a";

/** Longest time for which a session is resumed, ms (RFC 5246 §F.1.4). */
const LIFETIME_MS = 86_400_000;
/** Handshakes in a row that failed with a session that was offered, until none is offered for a lifetime. */
const FAILURE_LIMIT = 2;
/** Longest identifier of a session, and the length of a master secret, in bytes (§7.4.1.2, §8.1). */
const ID_LIMIT = 32;
const SECRET_SIZE = 48;

// The memory: a checksum, then whose session it is, when the certificate was checked, and the session.
const WORD_CHECKSUM = 0;
const WORD_PEER = 1;
/** Index of a double. */
const REAL_CHECKED_AT = 1;
const AT_ID_LENGTH = 16;
const AT_FAILURES = 17;
const AT_ID = 24;
const AT_SECRET = AT_ID + ID_LIMIT;

/** `tls` of the settings. */
export interface PeerChecks {
	readonly serverName?: string;
	readonly ca?: string;
	readonly fingerprint?: string;
	readonly certificate?: string;
	readonly key?: string;
}

/** A session of TLS 1.2. */
interface Session {
	readonly id: ArrayBuffer;
	readonly secret: ArrayBuffer;
}

/**
 * Keeps the session of one broker with one set of credentials, in place of the SDK's cache: that has one
 * session for all, by the broker's name, and with it another's identity and another's idea of who the broker
 * is. A session is taken out when it is offered, and put back once the handshake is complete, so that one
 * with which the broker fails is not offered again. One object serves one connection.
 *
 * It is in bytes of its user, which may be retained memory: a reset in the middle of a change leaves no
 * session.
 */
export class SessionCache {
	/** A session was offered: a broker that resumes it proves who it is with the secret, not a certificate. */
	isOffered = false;
	readonly #memory: Uint8Array;
	readonly #bytes = new Uint8Array(TLS_SESSION_BYTES);
	readonly #words = new Uint32Array(this.#bytes.buffer);
	readonly #reals = new Float64Array(this.#bytes.buffer, 0, TLS_SESSION_BYTES >> 3);
	#offeredId: Uint8Array | undefined;

	/**
	 * @param memory `TLS_SESSION_BYTES` bytes, with any content
	 * @param peer from {@link peerOf}: a session with another one is forgotten
	 */
	constructor(memory: Uint8Array, peer: number) {
		const words = this.#words;
		this.#memory = memory;
		this.#bytes.set(memory);
		if (words[WORD_CHECKSUM] !== this.checksum || words[WORD_PEER] !== peer) this.#bytes.fill(0);
		words[WORD_PEER] = peer;
	}

	/** For the SDK: the session that is offered, if one is. */
	getByHost(): Session | undefined {
		const bytes = this.#bytes;
		const length = bytes[AT_ID_LENGTH];
		if (this.isOutdated) bytes.fill(0, AT_ID_LENGTH);
		if (bytes[AT_ID_LENGTH] === 0 || bytes[AT_FAILURES] >= FAILURE_LIMIT) return undefined;
		const id = bytes.slice(AT_ID, AT_ID + length);
		const secret = bytes.slice(AT_SECRET);
		bytes[AT_ID_LENGTH] = 0;
		bytes.fill(0, AT_ID);
		bytes[AT_FAILURES]++;
		this.write();
		this.isOffered = true;
		this.#offeredId = id;
		return { id: id.buffer, secret: secret.buffer };
	}

	/** For the SDK, which calls it only for a broker with a name: see {@link put}. */
	saveSession(): void {}

	/** For the SDK: the broker has not resumed the session that was offered, which is out already. */
	deleteSessionID(): void {}

	/** The handshake is complete. @param id undefined: the broker keeps no sessions */
	put(id: ArrayBuffer | undefined, secret: ArrayBuffer | Uint8Array): void {
		const bytes = this.#bytes;
		if (this.isOffered) bytes[AT_FAILURES] = 0;
		// The pause after failures counts from the last certificate before them.
		else if (bytes[AT_FAILURES] >= FAILURE_LIMIT) return;
		const offered = this.#offeredId;
		this.#offeredId = undefined;
		if (id !== undefined && id.byteLength <= ID_LIMIT && secret.byteLength === SECRET_SIZE) {
			const fresh = new Uint8Array(id);
			if (offered === undefined || !isEqual(fresh, offered)) this.#reals[REAL_CHECKED_AT] = Date.now();
			bytes[AT_ID_LENGTH] = fresh.length;
			bytes.set(fresh, AT_ID);
			bytes.set(new Uint8Array(secret), AT_SECRET);
		}
		this.write();
	}

	private write(): void {
		this.#words[WORD_CHECKSUM] = this.checksum;
		this.#memory.set(this.#bytes);
	}

	private get isOutdated(): boolean {
		const age = Date.now() - this.#reals[REAL_CHECKED_AT];
		return !(age >= 0 && age < LIFETIME_MS);
	}

	/** Of everything behind it. */
	private get checksum(): number {
		return fnv1a(this.#bytes, 4, TLS_SESSION_BYTES, FNV_SEED) >>> 0;
	}
}

/** Identifies a broker, what is checked of it, and what is shown to it: 0 … 2^32 − 1. */
export function peerOf(host: string | undefined, port: number | undefined, secure: PeerChecks): number {
	const { serverName, ca, fingerprint, certificate, key } = secure;
	return fnv1aOfText(`${host} ${port} ${serverName} ${ca} ${fingerprint} ${certificate} ${key}`);
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
	if (a.length !== b.length) return false;
	for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
	return true;
}
