/** What happened since the start; every refusal and every drop is counted by its reason. */
export class BrokerCounters {
	/** TCP connections taken. */
	connectionsAccepted = 0;
	/** CONNECTs answered with success, and refused. */
	connectsAccepted = 0;
	connectsRefused = 0;
	/** HTTP requests refused, those for a WebSocket included. */
	requestsRefused = 0;
	/** Connections ended by the broker: for a fault of the peer, silence, an old client with the same id. */
	peerFaults = 0;
	timeouts = 0;
	takeovers = 0;
	/** Connections lost without DISCONNECT, and wills published for that. */
	connectionsLost = 0;
	willsPublished = 0;
	/** The most clients that were connected at once. */
	peakClients = 0;
	/** Bytes of packets that came in, and that were written. */
	bytesIn = 0;
	bytesOut = 0;
	/** PUBLISH packets that came in. */
	publishesReceived = 0;
	/** Messages handed to subscribers' sockets. */
	messagesDelivered = 0;
	/** PUBLISH packets turned away: pools full, or not authorised. */
	publishesOverQuota = 0;
	publishesDenied = 0;
	/**
	 * Messages one subscriber did not get: its queue was full, they were larger than it takes, or they expired.
	 */
	droppedQueue = 0;
	droppedSize = 0;
	droppedExpired = 0;
	/** Messages for a shared subscription that no member could take. */
	droppedShared = 0;
	/** Subscriptions that found their pool full. */
	subscriptionsOverQuota = 0;
	/** Writes to storage, and attempts to restore or store that failed. */
	storageWrites = 0;
	storageFailures = 0;
	/** Exceptions inside the broker: each costs a connection at most. */
	internalErrors = 0;
}
