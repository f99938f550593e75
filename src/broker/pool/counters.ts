/** Statistics since start-up; every refusal and every drop is counted by its reason. */
export class BrokerCounters {
	/** TCP connections accepted. */
	connectionsAccepted = 0;
	/** CONNECTs accepted, and refused. */
	connectsAccepted = 0;
	connectsRefused = 0;
	/** HTTP requests refused, including those for a WebSocket. */
	requestsRefused = 0;
	/** Connections closed by the broker: for a fault of the peer, a timeout, a takeover by a new connection. */
	peerFaults = 0;
	timeouts = 0;
	takeovers = 0;
	/** Of these: for a packet above the maximum, a malformed packet, and pools that were full. */
	endedSize = 0;
	endedMalformed = 0;
	endedQuota = 0;
	/** Connections lost without DISCONNECT, and wills published. */
	connectionsLost = 0;
	willsPublished = 0;
	/** Sessions ended and connections closed to make room for other peers. */
	sessionsEvicted = 0;
	connectionsEvicted = 0;
	/** Highest number of clients connected at once. */
	peakClients = 0;
	/** Bytes of packets received, and sent. */
	bytesIn = 0;
	bytesOut = 0;
	/** PUBLISH packets received. */
	publishesReceived = 0;
	/** Messages written to subscribers' sockets. */
	messagesDelivered = 0;
	/** PUBLISH packets rejected: pools full, or not authorized. */
	publishesOverQuota = 0;
	publishesDenied = 0;
	/**
	 * Messages dropped for one subscriber: it had no room for them, its maximum packet size was exceeded, or
	 * they expired.
	 */
	droppedQueue = 0;
	droppedSize = 0;
	droppedExpired = 0;
	/** Messages for a shared subscription dropped because no member could receive them. */
	droppedShared = 0;
	/** Subscriptions refused because their pool was full. */
	subscriptionsOverQuota = 0;
	/** Incomplete packets that were left in their sockets because the bytes for them were used up. */
	partialsRefused = 0;
	/** Turns of connections that ended with bytes unread because the budget was used up. */
	turnsEnded = 0;
	/** Writes to storage, and failed attempts to restore or store. */
	storageWrites = 0;
	storageFailures = 0;
	/** Exceptions inside the broker; each closes one connection at most. */
	internalErrors = 0;
}
