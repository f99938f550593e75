/**
 * Complete, validated settings that the firmware reads at boot. Durations are in milliseconds unless a field
 * says seconds.
 */
export interface Settings {
	readonly role: Role;
	/** Name of this device, placeholders filled in. */
	readonly id: string;
	/** Absent: the host is always on a network. */
	readonly wifi?: WiFiSettings;
	readonly broker: BrokerSettings;
	/**
	 * Topic template; `{mac}`, `{chip}` and `{id}` are filled in, `{sensor}` remains for each sensor's name.
	 */
	readonly topic: string;
	/** `value`: the bare number. `json`: an object with sequence number, time and values. */
	readonly payload: "value" | "json";
	readonly sleep: SleepSettings;
	readonly outbox: OutboxSettings;
	readonly backoff: BackoffSettings;
	readonly sensors: readonly SensorSettings[];
	readonly listen: ListenSettings;
	readonly time: TimeSettings;
}

export type Role = "sensor" | "broker" | "both";

export interface WiFiSettings {
	/** 1 … 32 bytes. */
	readonly ssid: string;
	/** 8 … 64 bytes; absent for an open network. */
	readonly password?: string;
}

/** The broker that the node reports to. */
export interface BrokerSettings {
	/** Name or address; empty: no broker is configured, and nothing is reported. */
	readonly host: string;
	/** 1 … 65535. */
	readonly port: number;
	/** MQTT 3.1.1 is 4, MQTT 5.0 is 5 (the protocol version byte of CONNECT). */
	readonly version: 4 | 5;
	/** Seconds, 0 … 65535; 0 disables keep alive. */
	readonly keepAlive: number;
	/**
	 * Whether PUBLISH is sent before CONNACK has arrived. `auto` waits for CONNACK after the broker has refused
	 * such packets, and tries again after a day.
	 */
	readonly pipeline: "auto" | boolean;
	/** Client identifier, placeholders filled in. */
	readonly clientId: string;
	readonly username?: string;
	readonly password?: string;
	readonly cleanStart: boolean;
	/** Seconds that the broker keeps the session after the connection has ended, 0 … 2^32 − 1 (no expiry). */
	readonly sessionExpiry: number;
	readonly will?: WillSettings;
	/** From the start of the TCP connection to CONNACK. */
	readonly connectTimeout: number;
	/** For PUBACK, SUBACK and UNSUBACK. */
	readonly acknowledgeTimeout: number;
	/** For PINGRESP. */
	readonly pingTimeout: number;
	/** Bytes; the largest packet, except for streamed payloads. */
	readonly sendBuffer: number;
	/** Bytes; the largest packet, except for streamed payloads. */
	readonly receiveBuffer: number;
	/** Maximum number of QoS 1 and 2 messages sent and not yet acknowledged. */
	readonly inFlight: number;
}

export interface WillSettings {
	/** Placeholders filled in. */
	readonly topic: string;
	readonly payload: string;
	readonly qos: 0 | 1 | 2;
	readonly retain: boolean;
	/** Seconds that the broker waits before it publishes the will (MQTT 5.0 only). */
	readonly delay: number;
}

export interface SleepSettings {
	/** `deep`: the chip is off between reports. `none`: it stays awake and connected. */
	readonly mode: "deep" | "none";
	/** Maximum duration of a wake. */
	readonly awakeLimit: number;
}

export interface OutboxSettings {
	/** `rtc` survives sleep and reset, not power loss. */
	readonly storage: "rtc";
	/** Reports dropped when the outbox is full: the oldest, or every second one of the older half. */
	readonly policy: "dropOldest" | "thin";
	/** Bytes. */
	readonly size: number;
}

/**
 * Wait after a failed try: random between 0 and a bound that doubles from `minimum` to `maximum`. A topic on
 * which the broker refused a report waits by the same rule, but at least half of the bound, while reports on
 * other topics are sent.
 */
export interface BackoffSettings {
	readonly minimum: number;
	readonly maximum: number;
}

export interface SensorSettings {
	/** Unique; replaces `{sensor}`. */
	readonly name: string;
	readonly driver: string;
	/** Passed to the driver's constructor and to `configure`. */
	readonly options?: object;
	/** Path to the value in the result of the driver's `sample()`, outermost name first. */
	readonly property: readonly string[];
	readonly unit?: string;
	/** Time between samples. */
	readonly every: number;
	/** Whether samples are taken at whole multiples of `every` in wall time. */
	readonly grid: boolean;
	/** Deadband: a value closer than this to the last one reported is not reported. */
	readonly delta?: number;
	/** A value is reported after this time even if it stayed within `delta`. */
	readonly heartbeat?: number;
	/**
	 * Digits after the decimal point, 0 … 6, also where they are zeros; absent: the shortest text that parses
	 * to the same number.
	 */
	readonly decimals?: number;
	readonly qos: 0 | 1 | 2;
	readonly retain: boolean;
}

/** A user who may log in. */
export interface UserSettings {
	/** 1 … 64 bytes. */
	readonly name: string;
	/** `$pbkdf2-sha256$i=iterations$salt$key`, as `firefly passwd` generates it; see password-hash.ts. */
	readonly hash: string;
}

/** One rule of `listen.acl`. */
export interface RuleSettings {
	readonly effect: "allow" | "deny";
	readonly action: "publish" | "subscribe" | "all";
	/**
	 * A topic filter; `{user}` and `{id}` are replaced by the client's user name and client identifier. A
	 * client that may log in chooses its identifier freely, also one that another user's client has: a rule by
	 * identifier excludes a client only together with `user` or `{user}`.
	 */
	readonly topic: string;
	/** Absent: the rule applies to all clients. */
	readonly user?: string;
	/** Client identifier that the rule applies to; absent: all. */
	readonly client?: string;
}

/**
 * A second port on platforms that have a TLS listener (Node). At most 128 handshakes are in progress
 * there, 64 per address or IPv6 network; one more closes the oldest.
 */
export interface TLSSettings {
	/** 0 … 65535; 0 lets the host choose. */
	readonly port: number;
	/** Paths of PEM files. */
	readonly certificate: string;
	readonly key: string;
}

/**
 * Settings of the broker on this device. They size every pool at start. A full pool refuses by the protocol's
 * own means and counts the refusal: MQTT 5.0 reason code 0x97 (quota exceeded), or its equivalent in MQTT
 * 3.1.1.
 */
export interface ListenSettings {
	/** 0 … 65535; 0 lets the host choose. */
	readonly port: number;
	/**
	 * Maximum number of connected clients. Full: a place that a peer, a user on one IPv4 address or IPv6
	 * network (64 bits), needs is taken from an MQTT 3.1.1 client without keep alive that has been silent for
	 * ten seconds, unless its peer holds fewer; otherwise from the peer that holds most, if it holds more than
	 * the newcomer's would then (DISCONNECT 0x97, or closed; counted in `$SYS/broker/ended/shares`). Otherwise
	 * CONNACK 0x97, or return code 3. So one host may have all places while nobody else asks; clients behind
	 * one address or on one computer share its places, unless they log in as different users. A client with a
	 * known identifier still takes over its old connection.
	 */
	readonly connections: number;
	/**
	 * Maximum number of connections that wait for their CONNECT, in addition to `connections`; others wait to
	 * be accepted. If they do, one address or IPv6 network keeps half of these places, rounded up; its other
	 * connections are closed after a second without CONNECT or a whole HTTP request, or after four seconds in
	 * which the answer to a request could not be sent. Once others have waited for two seconds, that holds for
	 * all of them, and the more there are the sooner, down to a tenth of a second. Addresses that the platform
	 * does not know count as one.
	 */
	readonly handshakes: number;
	/**
	 * Maximum number of sessions, connected or not. Full: the longest-absent session of the peer that holds
	 * most ends, as if it had expired; counted in `$SYS/broker/ended/sessions`. A peer is the same as for
	 * connections; of those that hold equally many, one whose user holds most gives way first. If no session is
	 * absent: as connections.
	 */
	readonly sessions: number;
	/**
	 * Maximum number of subscriptions of all sessions together. Each connected client is guaranteed a share of
	 * these, of filterLevels and of filterBytes: each divided by connections. Full: for a client within its
	 * shares the session that exceeds its own by most ends, one without a connection first (DISCONNECT 0x97;
	 * counted as for connections and sessions); if there is none, one without a connection. Otherwise SUBACK
	 * 0x97, or 0x80.
	 */
	readonly subscriptions: number;
	/**
	 * Maximum number of subscriptions of one session, three quarters of all by default, so that room is left
	 * for others. Reached: SUBACK 0x97, or 0x80.
	 */
	readonly subscriptionsPerClient: number;
	/**
	 * Bytes for the client identifiers and wills of all sessions. Full: as sessions, where a session counts
	 * again for each sessionBytes / sessions bytes. A client that needs more than all bytes: CONNACK 0x97, or
	 * return code 3.
	 */
	readonly sessionBytes: number;
	/**
	 * Maximum number of levels of all topic filters together; filters with the same first levels share these.
	 * Full: SUBACK 0x97, or 0x80.
	 */
	readonly filterLevels: number;
	/** Bytes for the text of these levels. Full: as filterLevels. */
	readonly filterBytes: number;
	/**
	 * Maximum number of topics whose current value is stored. Full: values that are not retained or have
	 * expired are evicted for newer ones. If all are retained, a retained QoS 1 message is delivered to nobody:
	 * PUBACK 0x97, or the connection is closed without PUBACK; a retained QoS 0 message is delivered to
	 * subscribers but not stored, and the value that it replaces is deleted. 0, here or in retainedBytes: MQTT
	 * 5.0 clients receive Retain Available 0; a client that sends a retained message is disconnected with 0x9A,
	 * and a CONNECT with a retained will is refused with 0x9A.
	 */
	readonly retainedTopics: number;
	/** Bytes for the topics, properties and payloads of these values. Full: as retainedTopics. */
	readonly retainedBytes: number;
	/**
	 * Maximum number of QoS 1 and 2 messages in flight to one client, further limited by its Receive Maximum.
	 * Reached: other messages wait in its queue.
	 */
	readonly inFlight: number;
	/**
	 * Maximum number of QoS 2 messages that a client has sent and not released, at most half of packetSize;
	 * sent to it as Receive Maximum. Two bytes are reserved for each, in every session. Exceeded: DISCONNECT
	 * 0x93, or the connection is closed.
	 */
	readonly receiveMaximum: number;
	/**
	 * Maximum number of messages pending for one client or in flight to it. Reached: expired messages are
	 * evicted, then pending QoS 0 messages; otherwise the new message is dropped for this client only, and its
	 * publisher is not notified. Counted in `$SYS/broker/dropped/queue`, and for each session: a client that
	 * finds its session again receives the number as the user property `firefly-lost` of CONNACK.
	 */
	readonly queuedPerClient: number;
	/**
	 * Maximum number of messages pending for all clients together or in flight to them. An equal part,
	 * queuedMessages / sessions, is the share of each session; what the others leave free is lent. Full:
	 * expired messages are evicted; then a session within its share takes back what others hold beyond theirs,
	 * and a session that holds less than another takes from that one. The largest borrower gives first, of the
	 * clients that are away before those that do not read: the oldest QoS 0 message that waits, then the oldest
	 * that was never sent, and only then one whose delivery has begun. A session without room loses the new
	 * message, counted as for queuedPerClient; its publisher and other subscribers do not notice. A client with
	 * room in its socket always receives the message: without room to keep it, it is lost only if the
	 * connection is lost before it is acknowledged.
	 */
	readonly queuedMessages: number;
	/**
	 * Bytes for the topics, properties and payloads of pending messages. A message is stored once, but counts
	 * for each session that it is pending for. Each session's share is queuedBytes / sessions. Full: as
	 * queuedMessages.
	 */
	readonly queuedBytes: number;
	/**
	 * Largest packet accepted, in bytes; sent to clients as Maximum Packet Size. A larger one closes its
	 * connection, DISCONNECT 0x95. Must not exceed the bytes that the platform's TCP holds unread or unsent:
	 * 5744 on ESP32, 1536 in mcsim. A message that exceeds it with the properties added for a subscriber is
	 * dropped for that subscriber.
	 */
	readonly packetSize: number;
	/**
	 * Maximum number of topic aliases of one client in each direction; sent to it as Topic Alias Maximum as far
	 * as aliasBytes allows. 0: none.
	 */
	readonly topicAliases: number;
	/**
	 * Bytes for the topics of all aliases. A client is granted as many aliases for its own messages as fit,
	 * each with the longest topic that a packet can carry (packetSize − 8 bytes), beside the grants of the
	 * clients already connected; with less room than for one, it is granted none. A client may use all aliases
	 * granted to it (MQTT-3.3.2-12), so their room stays reserved until it disconnects. The default is one
	 * alias for one client at a time. Aliases of messages to clients use the unreserved room; without room
	 * these messages are sent with their topics.
	 */
	readonly aliasBytes: number;
	/**
	 * Bytes for what has arrived of incomplete packets, for all clients together; each takes as many as have
	 * arrived. Full: what arrives of further incomplete packets stays in the platform's TCP until they are
	 * complete, which delays nobody, and a peer that vanishes meanwhile is noticed by a probe, within a second.
	 * Counted in `$SYS/broker/refused/assembly`.
	 */
	readonly assemblyBytes: number;
	/**
	 * Packets, and bytes of them, that one connection may have processed in one turn. Used up: the rest waits
	 * in the platform's TCP, which holds the peer back, until the other connections have had their turn.
	 * Counted in `$SYS/broker/turns/ended`. A packet longer than turnBytes is a turn of its own. Over WebSocket
	 * a control frame counts as a packet, and another frame as a quarter of one besides the packets in it.
	 */
	readonly turnPackets: number;
	readonly turnBytes: number;
	/** Time in which a new connection must send CONNECT; then it is closed. */
	readonly connectTimeout: number;
	/**
	 * Seconds; the keep alive assigned to MQTT 5.0 clients that request none or a longer one. 0: no limit. An
	 * MQTT 3.1.1 client cannot be told: without keep alive it is never closed for silence, but gives way first
	 * when all connections are in use.
	 */
	readonly keepAliveLimit: number;
	/** Seconds; the longest session expiry granted. */
	readonly sessionExpiryLimit: number;
	/**
	 * Interval between messages on each `$SYS/broker` topic that is subscribed to; 0: there are no such topics.
	 */
	readonly systemInterval: number;
	/** Values sent to a new subscriber: the retained ones, or every topic's current value. */
	readonly lastValue: "retained" | "every";
	/**
	 * Whether the broker's state survives a restart, in the platform's key-value storage: the values for new
	 * subscribers, and the persistent sessions with their subscriptions, pending QoS 1 and 2 messages and
	 * wills. A power loss at any byte leaves the state that was stored last. If the storage is full or fails,
	 * its contents do not change and the broker continues: what it acknowledges meanwhile exists only in RAM.
	 * The failure is counted, and storing is retried after persistInterval. A message that is longer than
	 * packetSize with its topic, possible only with a topic alias, is not stored. The NVS partition of the SDK,
	 * 24 KB, has room for about 120 records of up to 64 bytes; a larger one is a line in partitions.csv.
	 */
	readonly persist: boolean;
	/**
	 * Time from a change until it is stored together with all other changes: the most that a power loss loses.
	 * 0: changes are stored before each acknowledgement. `firefly broker`, on a disk, uses one second if none
	 * is configured.
	 *
	 * Flash wears out. In ESP-IDF's NVS a record of up to 64 bytes takes 4 entries of 32 bytes; a page of 4 KB
	 * holds 126 entries and endures about 100,000 erasures. Five pages used in turn endure 15 million such
	 * records, and half of that if half of each page stays in use. Rule of thumb: years = interval in seconds ÷
	 * (4 × records written per interval), where each changed topic, session or message is a record and each
	 * interval with a change adds one. One topic a minute: 7 years; ten topics a minute: more than a year; ten
	 * topics every ten minutes: 14 years.
	 */
	readonly persistInterval: number;
	/**
	 * Whether clients without a user name are accepted. Each user has client identifiers of its own, and so
	 * have all clients without a user name together: the same identifier of another user is another session,
	 * which neither is taken over nor keeps anybody out. Clients without a user name can take over each other's
	 * sessions, as MQTT specifies.
	 */
	readonly anonymous: boolean;
	/** Users who may log in. If there are none and `anonymous` is off, all clients are refused. */
	readonly users: readonly UserSettings[];
	/**
	 * Access rules: the first matching rule decides, and an action that matches no rule is denied. Without any
	 * rule everything is allowed. Publishing to topics that begin with `$` is never allowed. A message is
	 * checked when it is published, and again for each client that it is delivered to; a stored value remains,
	 * whoever published it.
	 */
	readonly acl: readonly RuleSettings[];
	/**
	 * Number of client addresses, or IPv6 networks (64 bits), whose wrong logins are recorded, and of those
	 * with a correct one. After three different wrong passwords an address waits one second, doubled for each
	 * further one up to a minute (0x9F, or return code 5), except for the correct password of a user who has
	 * logged in from there since the start. Full: the address with the fewest wrong logins is evicted, or
	 * another correct one of the same user. Wrong logins of all addresses together are checked at most ten
	 * times a second after the first twenty; others wait.
	 */
	readonly failedAddresses: number;
	readonly tls?: TLSSettings;
	/**
	 * A second port, for MQTT over WebSocket and the status page, 0 … 65535; 0 lets the host choose. Absent:
	 * the port is not opened.
	 */
	readonly webSocket?: number;
	/**
	 * Clients over WebSocket at once, about 2 KB each; they also count towards `connections`. Full: one of the
	 * peer that holds most gives way to a stranger, as for `connections`; if none has to, CONNACK says so (5.0:
	 * 0x97, 3.1.1: 3). One more connection to that port serves handshakes and the page, for which others wait
	 * in turn, and which idle ones lose as `handshakes` do.
	 */
	readonly webSockets: number;
	/**
	 * Origins, besides the port's own, whose pages may connect to it, such as `https://panel.example`; `*`
	 * allows all.
	 */
	readonly origins: readonly string[];
	/** Host names, besides `localhost`, that requests to that port may use; addresses are always allowed. */
	readonly hosts: readonly string[];
}

export interface TimeSettings {
	/**
	 * SNTP server, name or address; undefined: the clock is not synchronised. Without an answer, the interval
	 * between requests grows to at most 6 hours.
	 */
	readonly server: string | undefined;
}
