import { createHash } from "node:crypto";
import type { HostSocket } from "../network/socket";

/** Sessions that are kept, the newest ones. */
const SESSION_LIMIT = 16;

/** The TLS sessions of a board's sockets, by what the firmware has in place of their identifiers. */
export class TLSSessions {
	readonly #sessions = new Map<string, Buffer>();

	/** @param handle from {@link keep}, which may be older than any session that is kept */
	find(handle: string): Buffer | undefined {
		return this.#sessions.get(handle);
	}

	/**
	 * Keeps the session of a socket whose handshake is complete.
	 * @param offered the handle of what it has offered to resume; empty: nothing
	 * @returns 64 hexadecimal digits, `offered` if that was resumed; empty: there is no session
	 */
	keep({ secure }: HostSocket, offered: string): string {
		const session = secure?.session;
		if (session === undefined) return "";
		const handle = secure?.isResumed ? offered : createHash("sha256").update(session).digest("hex");
		this.#sessions.delete(handle);
		this.#sessions.set(handle, session);
		if (this.#sessions.size > SESSION_LIMIT) this.#sessions.delete(this.#sessions.keys().next().value!);
		return handle;
	}
}
