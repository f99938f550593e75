import { SESSION_TAKEN_OVER } from "../../mqtt/constants";
import type { Packet } from "../../mqtt/packet";
import type { Core } from "../core/core";
import type { SessionEnd } from "./session-end";
import { storeWill } from "./wills";

/*
 * Session takeover (§3.1.4, §4.1): a client connects whose identifier has a session, on another connection or
 * on none. The old connection is sent DISCONNECT with 0x8E, and its will is published unless it is delayed.
 * Then the session is discarded, which publishes a delayed will, or resumed, which drops it.
 */

/** The session that the client of a CONNECT has already; 0 if it has none. */
export function knownSession({ sessions, authorizer }: Core, packet: Packet): number {
	const { bytes, clientIdStart, clientIdEnd } = packet;
	return clientIdStart === clientIdEnd
		? 0
		: sessions.find(authorizer.userOf(packet), bytes, clientIdStart, clientIdEnd);
}

/**
 * Ends what an accepted CONNECT replaces: the client's old connection, and its old session on clean start.
 * Called before the CONNECT is answered and not within that, as each uses much of the stack.
 * @returns whether either was ended
 */
export function endOldSession(core: Core, sessionEnd: SessionEnd, packet: Packet): boolean {
	let known = knownSession(core, packet);
	if (known === 0) return false;
	const old = core.connectionOf(known);
	if (old !== undefined) {
		core.counters.takeovers++;
		core.close(old, SESSION_TAKEN_OVER); // [MQTT-3.1.4-3] [MQTT-3.1.1:3.1.4-2]
		sessionEnd.endConnection(old);
		known = knownSession(core, packet);
	}
	const ends = known !== 0 && packet.cleanStart;
	if (ends) sessionEnd.endSession(known); // [MQTT-3.1.2-4] [MQTT-3.1.4-4] [MQTT-3.1.1:3.1.2-6]
	return ends || old !== undefined;
}

/**
 * Gives a session, resumed or new, to the client of a CONNECT, with its will.
 * @returns false if there is no room for the will
 */
export function assignSession(core: Core, session: number, peer: number, packet: Packet): boolean {
	const { sessions } = core;
	sessions.setPeer(session, peer);
	// a delayed will is not published if the session is resumed [MQTT-3.1.3-9]
	sessions.dropWill(session);
	return !packet.hasWill || storeWill(core, session, packet);
}
