import { CONNECTED } from "../../session/broker-phase";
import type { Core } from "../core/core";
import type { Message } from "../pool/message";
import { canSendNow } from "./publish-writer";
import { isQueueFull } from "./queue-shares";

/*
 * Which member of a shared subscription receives a message (§4.8.2).
 */

/**
 * Selects one member of the shared subscription at `index` of `found`: among those with the highest rank()
 * the next in turn. The selected member is stored at `index` and the others become 0; all become 0 if no
 * member can receive the message.
 */
export function selectMember(core: Core, index: number, count: number, message: Message): void {
	const { subscriptions, counters } = core;
	const { found } = subscriptions;
	const share = subscriptions.share(found[index]);
	const node = subscriptions.node(found[index]);
	let best = 0;
	let bestRank = 0;
	for (let i = index; i < count; i++) {
		const subscription = found[i];
		if (
			subscription === 0 ||
			subscriptions.share(subscription) !== share ||
			subscriptions.node(subscription) !== node
		)
			continue;
		found[i] = 0;
		const own = rank(core, subscription, message);
		if (own <= bestRank) continue;
		bestRank = own;
		best = subscription;
	}
	found[index] = best;
	if (best === 0) counters.droppedShared++;
	else subscriptions.moveToEnd(best);
}

/**
 * The subscription that receives a message of a shared one instead of a member that ends; 0 if none can.
 * @param message is made that of the entry
 */
export function nextMember(core: Core, entry: number, message: Message): number {
	const { queues, subscriptions } = core;
	const share = queues.table.share(entry);
	queues.read(entry, message);
	const count = subscriptions.match(message.topicStart, message.topicEnd);
	const { found } = subscriptions;
	let best = 0;
	let bestRank = 0;
	for (let i = 0; i < count; i++) {
		if (subscriptions.share(found[i]) !== share || subscriptions.qos(found[i]) === 0) continue;
		const own = rank(core, found[i], message);
		if (own <= bestRank) continue;
		bestRank = own;
		best = found[i];
	}
	return best;
}

/**
 * How soon a subscription's session can receive a message: 3 at once, 2 after its queue, 1 after its client
 * reconnects, 0 never.
 */
function rank(core: Core, subscription: number, message: Message): number {
	const { subscriptions, authorizer, sessions, queues } = core;
	const session = subscriptions.session(subscription);
	const granted = subscriptions.qos(subscription);
	const qos = granted < message.qos ? granted : message.qos;
	if (!authorizer.mayReceive(session, message.bytes, message.topicStart, message.topicEnd)) return 0;
	const connection = core.connectionOf(session);
	const connected = connection?.phase === CONNECTED;
	if (connected && canSendNow(queues, connection, message, qos)) return 3;
	if (isQueueFull(core, session)) return 0;
	if (connected) return 2;
	return qos !== 0 && sessions.persistent(session) ? 1 : 0;
}
