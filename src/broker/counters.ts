/** What happened since the start; every refusal and every drop is counted by its reason. */
export class Counters {
	/** TCP connections taken. */
	accepted = 0;
	/** CONNECTs answered with success, and refused. */
	opened = 0;
	refused = 0;
	/** HTTP requests refused, those for a WebSocket included. */
	refusedRequests = 0;
	/** Connections ended by the broker: for a fault of the peer, silence, an old client with the same id. */
	faults = 0;
	timeouts = 0;
	takeovers = 0;
	/** Connections lost without DISCONNECT, and wills published for that. */
	lost = 0;
	wills = 0;
	/** The most clients that were connected at once. */
	mostOpen = 0;
	/** Bytes of packets that came in, and that were written. */
	bytesIn = 0;
	bytesOut = 0;
	/** PUBLISH packets that came in. */
	received = 0;
	/** Messages handed to subscribers' sockets. */
	delivered = 0;
	/** PUBLISH packets turned away: pools full, or not authorised. */
	quota = 0;
	denied = 0;
	/** Messages one subscriber did not get: its queue was full, they were larger than it takes, or they expired. */
	droppedQueue = 0;
	droppedSize = 0;
	droppedExpired = 0;
	/** Messages for a shared subscription that no member could take. */
	droppedShare = 0;
	/** Subscriptions that found their pool full. */
	subscriptionQuota = 0;
	/** Writes to storage, and attempts to restore or store that failed. */
	storageWrites = 0;
	storageFailed = 0;
	/** Exceptions inside the broker: each costs a connection at most. */
	internal = 0;
}
