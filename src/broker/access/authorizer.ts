import type { Packet } from "../../mqtt/packet";

/**
 * What {@link Authorizer.authenticate} returns when the answer takes time; the host's other work goes on
 * meanwhile.
 */
export const PENDING = -1;

/** Called with the connection that was told PENDING, and what connect() would have returned. */
export type AuthResultHandler = (connection: number, reasonCode: number) => void;

/**
 * Who may do what. Ranges [start, end) index `bytes`. Nothing here throws, and but for `connect` nothing
 * allocates.
 *
 * One judgement is under way at a time: while {@link authenticating} is true no other CONNECT is read, so
 * that `connect` is not called, and the CONNECT in question is kept by the caller. The judgement ends in a
 * call of {@link onAuthResult}, also when the connection has gone meanwhile.
 */
export interface Authorizer {
	/** Set by the broker before the first connection. */
	onAuthResult: AuthResultHandler;
	/** Whether a CONNECT was answered PENDING, and its verdict is still to come. */
	readonly authenticating: boolean;
	/** Whether connect() wants to know the addresses of clients. */
	readonly needsAddresses: boolean;
	/**
	 * Judges user name, password and client identifier of a CONNECT.
	 * @param connection told to `verdict`
	 * @param address of the client, where the platform knows it
	 * @returns SUCCESS, the reason code of the refusal, or PENDING
	 */
	authenticate(packet: Packet, connection: number, address: string | undefined): number;
	/**
	 * Whether a session that is there already, connected or not, is that of a CONNECT's user. If not, the
	 * CONNECT is refused with NOT_AUTHORIZED before it disturbs the session.
	 */
	ownsSession(packet: Packet, session: number): boolean;
	/**
	 * A CONNECT that was let in opens a session: from now on it is that user's. Its client identifier is known
	 * to {@link ClientIdentifiers} before anything else is asked.
	 */
	bindUser(packet: Packet, session: number): void;
	/**
	 * Copies the name of a session's user to `at`, and returns the index after it: `at` itself for nobody in
	 * particular.
	 */
	writeUserName(session: number, target: Uint8Array, at: number): number;
	/**
	 * A session that was kept over a restart belongs to the user of that name again, nobody in particular for
	 * none. False when there is no such user any more.
	 */
	restoreUser(session: number, bytes: Uint8Array, start: number, end: number): boolean;
	/** Whether a session may publish to a topic name. Wills too are judged when they are published. */
	mayPublish(session: number, bytes: Uint8Array, start: number, end: number): boolean;
	/** Whether a session may subscribe to a topic filter; of a shared subscription, what follows its name. */
	maySubscribe(session: number, bytes: Uint8Array, start: number, end: number): boolean;
	/** Whether a session may be sent what was published to a topic name. */
	mayReceive(session: number, bytes: Uint8Array, start: number, end: number): boolean;
	/** The number of a CONNECT's user, 0 for nobody in particular, for {@link mayRead}. */
	userOf(packet: Packet): number;
	/**
	 * Whether a user may see, without a session and hence without a client identifier, what was published to a
	 * topic name.
	 */
	mayRead(user: number, bytes: Uint8Array, start: number, end: number): boolean;
}

/** Where the client identifiers of sessions lie in the broker's memory, at the moment of asking. */
export interface ClientIdentifiers {
	identifierStart(session: number): number;
	identifierEnd(session: number): number;
}

const DOLLAR = 0x24;

/**
 * Everybody may do everything, but for publishing to topics that begin with `$`: these are the broker's own
 * (§4.7.2).
 */
export class AllowAll implements Authorizer {
	onAuthResult: AuthResultHandler = () => {};
	readonly authenticating = false;
	readonly needsAddresses = false;

	authenticate(): number {
		return 0;
	}

	ownsSession(): boolean {
		return true;
	}

	bindUser(): void {}

	writeUserName(_session: number, _target: Uint8Array, at: number): number {
		return at;
	}

	restoreUser(): boolean {
		return true;
	}

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
