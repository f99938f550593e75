import { QOS1 } from "../../mqtt/constants";
import {
	actionOn,
	COMPLETE,
	type DeliveryAction,
	type DeliveryPacket,
	IDLE,
	PUBACK_PENDING,
	PUBCOMP_ARRIVES,
	PUBCOMP_PENDING,
	PUBREC_ARRIVES,
	PUBREC_PENDING,
	SEND_PUBREL,
	type SenderState,
} from "../../session/delivery";
import type { OutgoingQueues } from "./outgoing-queues";
import { QOS_MASK, RELEASED } from "./queue-entries";
import { FIRST_IN_FLIGHT, FIRST_WAITING, LISTS_WIDTH, RECEIVED, UNTRACKED } from "./queue-lists";
import type { Sessions } from "./sessions";

/**
 * Whether a packet identifier is in flight, or was when the last connection ended. Identifiers without an
 * entry are not known; they return only after 65,535 others.
 */
export function isPacketIdInUse(queues: OutgoingQueues, session: number, packetId: number): boolean {
	const table = queues.table;
	const lists = queues.lists;
	let entry = lists[LISTS_WIDTH * session + FIRST_IN_FLIGHT];
	while (entry !== 0 && table.packetId(entry) !== packetId) entry = table.next(entry);
	if (entry !== 0) return true;
	entry = lists[LISTS_WIDTH * session + FIRST_WAITING];
	while (entry !== 0 && table.packetId(entry) !== 0) {
		if (table.packetId(entry) === packetId) return true;
		entry = table.next(entry);
	}
	return false;
}

/** A packet identifier that is not in flight [MQTT-2.2.1-4] [MQTT-3.1.1:2.3.1-4]. */
export function nextFreePacketId(sessions: Sessions, queues: OutgoingQueues, session: number): number {
	let id = sessions.nextPacketId(session);
	// [MQTT-4.3.2-1] [MQTT-3.1.1:4.3.2-1] [MQTT-4.3.3-1] [MQTT-3.1.1:4.3.3-1]
	while (isPacketIdInUse(queues, session, id)) id = sessions.nextPacketId(session);
	return id;
}

/**
 * Handles PUBACK, PUBREC or PUBCOMP for a packet identifier, as the table of deliveries says: removes a
 * completed message, and drops the content of one for which only PUBREL is still sent [MQTT-4.3.3-4].
 * @returns what is left to the caller
 */
export function acknowledge(
	queues: OutgoingQueues,
	session: number,
	packetId: number,
	packet: DeliveryPacket,
): DeliveryAction {
	const table = queues.table;
	const lists = queues.lists;
	let previous = 0;
	let entry = lists[LISTS_WIDTH * session + FIRST_IN_FLIGHT];
	while (entry !== 0 && table.packetId(entry) !== packetId) {
		previous = entry;
		entry = table.next(entry);
	}
	if (entry === 0) return acknowledgeUntracked(lists, session, packet);
	const flags = table.flags(entry);
	const state = stateOf(flags);
	const action = actionOn(state, packet);
	if (action === COMPLETE) {
		queues.unlinkInFlight(session, previous, entry);
		queues.releaseEntry(session, entry);
	} else if (action === SEND_PUBREL && state !== PUBCOMP_PENDING) {
		table.setFlags(entry, flags | RELEASED);
		queues.releaseContent(session, entry);
	}
	return action;
}

/**
 * Of messages in flight without an entry only the number is known: any acknowledgement may be that of one
 * of them, PUBCOMP first of one whose PUBREC has come.
 */
function acknowledgeUntracked(
	lists: OutgoingQueues["lists"],
	session: number,
	packet: DeliveryPacket,
): DeliveryAction {
	const at = LISTS_WIDTH * session + UNTRACKED;
	const untracked = lists[at];
	const pending = untracked & 0xff;
	if (packet === PUBREC_ARRIVES && untracked !== 0) {
		if (pending !== 0) lists[at] = untracked - 1 + RECEIVED; // [MQTT-4.3.3-4]
		return SEND_PUBREL;
	}
	const received = packet === PUBCOMP_ARRIVES && untracked >= RECEIVED;
	if (!received && pending === 0) return actionOn(IDLE, packet);
	lists[at] = untracked - (received ? RECEIVED : 1);
	return COMPLETE;
}

/** The state of a message in flight, by the flags of its entry. */
function stateOf(flags: number): SenderState {
	if ((flags & RELEASED) !== 0) return PUBCOMP_PENDING;
	return (flags & QOS_MASK) === QOS1 ? PUBACK_PENDING : PUBREC_PENDING;
}
