import type { Packet } from "../mqtt/packet";

/** What {@link Authority.connect} returns when the answer takes time; the host's other work goes on meanwhile. */
export const PENDING = -1;

/** Called with the connection that was told PENDING, and what connect() would have returned. */
export type Verdict = (connection: number, reasonCode: number) => void;

/**
 * Who may do what. Ranges [start, end) index `bytes`. Nothing here throws, and but for `connect` nothing allocates.
 *
 * One judgement is under way at a time: while {@link judging} is true no other CONNECT is read, so that `connect` is not called, and the CONNECT in question
 * is kept by the caller. The judgement ends in a call of {@link verdict}, also when the connection has gone meanwhile.
 */
export interface Authority {
	/** Set by the broker before the first connection. */
	verdict: Verdict;
	/** Whether a CONNECT was answered PENDING, and its verdict is still to come. */
	readonly judging: boolean;
	/** Whether connect() wants to know the addresses of clients. */
	readonly addresses: boolean;
	/**
	 * Judges user name, password and client identifier of a CONNECT.
	 * @param connection told to `verdict`
	 * @param address of the client, where the platform knows it
	 * @returns SUCCESS, the reason code of the refusal, or PENDING
	 */
	connect(packet: Packet, connection: number, address: string | undefined): number;
	/** Whether a session that is there already, connected or not, is that of a CONNECT's user. If not, the CONNECT is refused with NOT_AUTHORIZED before it disturbs the session. */
	owns(packet: Packet, session: number): boolean;
	/** A CONNECT that was let in opens a session: from now on it is that user's. Its client identifier is known to {@link Identifiers} before anything else is asked. */
	open(packet: Packet, session: number): void;
	/** Copies the name of a session's user to `at`, and returns the index after it: `at` itself for nobody in particular. */
	writeUser(session: number, target: Uint8Array, at: number): number;
	/** A session that was kept over a restart belongs to the user of that name again, nobody in particular for none. False when there is no such user any more. */
	restore(session: number, bytes: Uint8Array, start: number, end: number): boolean;
	/** Whether a session may publish to a topic name. Wills too are judged when they are published. */
	publish(session: number, bytes: Uint8Array, start: number, end: number): boolean;
	/** Whether a session may subscribe to a topic filter; of a shared subscription, what follows its name. */
	subscribe(session: number, bytes: Uint8Array, start: number, end: number): boolean;
	/** Whether a session may be sent what was published to a topic name. */
	receive(session: number, bytes: Uint8Array, start: number, end: number): boolean;
	/** The number of a CONNECT's user, 0 for nobody in particular, for {@link reads}. */
	user(packet: Packet): number;
	/** Whether a user may see, without a session and hence without a client identifier, what was published to a topic name. */
	reads(user: number, bytes: Uint8Array, start: number, end: number): boolean;
}

/** Where the client identifiers of sessions lie in the broker's memory, at the moment of asking. */
export interface Identifiers {
	identifierStart(session: number): number;
	identifierEnd(session: number): number;
}

const DOLLAR = 0x24;

/** Everybody may do everything, but for publishing to topics that begin with `$`: these are the broker's own (§4.7.2). */
export class Anyone implements Authority {
	verdict: Verdict = () => {};
	readonly judging = false;
	readonly addresses = false;

	connect(): number {
		return 0;
	}

	owns(): boolean {
		return true;
	}

	open(): void {}

	writeUser(_session: number, _target: Uint8Array, at: number): number {
		return at;
	}

	restore(): boolean {
		return true;
	}

	publish(_session: number, bytes: Uint8Array, start: number, _end: number): boolean {
		return bytes[start] !== DOLLAR;
	}

	subscribe(): boolean {
		return true;
	}

	receive(): boolean {
		return true;
	}

	user(): number {
		return 0;
	}

	reads(): boolean {
		return true;
	}
}
