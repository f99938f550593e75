import type {
	BAD_USER_NAME_OR_PASSWORD,
	CLIENT_IDENTIFIER_NOT_VALID,
	CONNECTION_RATE_EXCEEDED,
	NOT_AUTHORIZED,
	SUCCESS,
} from "../../mqtt/constants";
import type { Packet } from "../../mqtt/packet";

/**
 * Returned by {@link Authorizer.authenticate} if the result follows later, through {@link
 * Authorizer.onAuthResult}.
 */
export const PENDING = -1;

/** Result of an authentication, as the reason code of CONNACK. */
export type AuthResult =
	| typeof SUCCESS
	| typeof BAD_USER_NAME_OR_PASSWORD
	| typeof CLIENT_IDENTIFIER_NOT_VALID
	| typeof CONNECTION_RATE_EXCEEDED
	| typeof NOT_AUTHORIZED;

/**
 * Called with the `connection` of an authenticate() call that returned PENDING, and its result; with 0 and
 * PENDING if only mustWait() has become false.
 */
export type AuthResultHandler = (connection: number, result: AuthResult | typeof PENDING) => void;

/**
 * Decides which clients may connect, publish and subscribe. Ranges [start, end) index `bytes`. No method
 * throws, and only `authenticate` allocates.
 *
 * At most one authentication is pending at a time: while {@link mustWait} is true for its network, the broker
 * does not parse the CONNECT of a client nor call `authenticate`, and the caller keeps the pending CONNECT.
 * Each pending authentication ends with a call of {@link onAuthResult}, even if the connection has closed
 * meanwhile.
 */
export interface Authorizer {
	/** Set by the broker before the first connection. */
	onAuthResult: AuthResultHandler;
	/** Whether an authentication is pending. */
	readonly authenticating: boolean;
	/**
	 * Whether no client of a network may be authenticated now: an authentication is pending, or wrong
	 * passwords arrive too fast.
	 */
	mustWait(network: number): boolean;
	/**
	 * Whether a user has logged in correctly from a network since the broker started, or before that, where a
	 * stored session says so.
	 */
	isProven(network: number): boolean;
	/**
	 * Checks user name, password and client identifier of a CONNECT.
	 * @param connection passed on to `onAuthResult`
	 * @param network of the client, as networkNumber()
	 */
	authenticate(packet: Packet, connection: number, network: number): AuthResult | typeof PENDING;
	/**
	 * Binds a session to a user. {@link ClientIdentifiers} must return the client identifier of the session
	 * before another method is called for it.
	 */
	bindUser(user: number, session: number): void;
	/**
	 * Copies the name of a session's user to `at`, and returns the index after it; `at` itself for an anonymous
	 * user.
	 */
	writeUserName(session: number, target: Uint8Array, at: number): number;
	/**
	 * The number of the user of that name, who owns a session restored from storage; an empty name means
	 * anonymous. Negative if the user no longer exists, or anonymous clients are no longer allowed.
	 */
	restoredUser(bytes: Uint8Array, start: number, end: number): number;
	/** Takes the peer of a restored session, whose user has logged in from that network, for proven. */
	restorePeer(peer: number): void;
	/** Whether a session may publish to a topic name. Wills are checked when they are published. */
	mayPublish(session: number, bytes: Uint8Array, start: number, end: number): boolean;
	/**
	 * Whether a session may subscribe to a topic filter; a shared subscription is given without its share name.
	 */
	maySubscribe(session: number, bytes: Uint8Array, start: number, end: number): boolean;
	/**
	 * Whether a session may receive messages published to a topic name.
	 * @param publisher session that publishes it now; absent: it is a stored one
	 */
	mayReceive(session: number, bytes: Uint8Array, start: number, end: number, publisher?: number): boolean;
	/** The number of a CONNECT's user; 0 for an anonymous user. */
	userOf(packet: Packet): number;
	/**
	 * Whether a user may read values of a topic name without a session, and hence without a client identifier.
	 */
	mayRead(user: number, bytes: Uint8Array, start: number, end: number): boolean;
}

/** Returns where the client identifiers of sessions currently lie in the broker's memory. */
export interface ClientIdentifiers {
	identifierStart(session: number): number;
	identifierEnd(session: number): number;
}

const DOLLAR = 0x24;

/** Allows everything except publishing to topics that begin with `$`, which belong to the broker (§4.7.2). */
export class AllowAll implements Authorizer {
	onAuthResult: AuthResultHandler = () => {};
	readonly authenticating = false;

	mustWait(): boolean {
		return false;
	}

	isProven(): boolean {
		return false;
	}

	authenticate(): AuthResult {
		return 0;
	}

	bindUser(): void {}

	writeUserName(_session: number, _target: Uint8Array, at: number): number {
		return at;
	}

	restoredUser(): number {
		return 0;
	}

	restorePeer(): void {}

	mayPublish(_session: number, bytes: Uint8Array, start: number, _end: number): boolean {
		return bytes[start] !== DOLLAR;
	}

	maySubscribe(): boolean {
		return true;
	}

	mayReceive(): boolean {
		return true;
	}

	userOf(): number {
		return 0;
	}

	mayRead(): boolean {
		return true;
	}
}
