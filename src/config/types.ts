/**
 * What the firmware reads at boot, complete and checked. Durations are milliseconds unless a field says
 * seconds.
 */
export interface Settings {
	readonly role: Role;
	/** Name of this device, placeholders filled in. */
	readonly id: string;
	/** Absent: the host is on a network by itself. */
	readonly wifi?: WiFiSettings;
	readonly broker: BrokerSettings;
	/**
	 * Topic template; `{mac}`, `{chip}` and `{id}` are filled in, `{sensor}` is left for each sensor's name.
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
	/** Name or address; empty when none is configured: there is nobody to report to. */
	readonly host: string;
	/** 1 … 65535. */
	readonly port: number;
	/** MQTT 3.1.1 is 4, MQTT 5.0 is 5 (the protocol version byte of CONNECT). */
	readonly version: 4 | 5;
	/** Seconds, 0 … 65535; 0 turns keepalive off. */
	readonly keepAlive: number;
	/**
	 * Whether PUBLISH leaves before CONNACK has arrived; `auto` falls back where a broker refuses, and tries
	 * again after a day.
	 */
	readonly pipeline: "auto" | boolean;
	/** Client identifier, placeholders filled in. */
	readonly clientId: string;
	readonly username?: string;
	readonly password?: string;
	readonly cleanStart: boolean;
	/** Seconds that the broker keeps the session after the connection ended, 0 … 2^32 − 1 (forever). */
	readonly sessionExpiry: number;
	readonly will?: WillSettings;
	/** From the start of the TCP connection to CONNACK. */
	readonly connectTimeout: number;
	/** For PUBACK, SUBACK and UNSUBACK. */
	readonly acknowledgeTimeout: number;
	/** For PINGRESP. */
	readonly pingTimeout: number;
	/** Bytes; the largest packet but for streamed payloads. */
	readonly sendBuffer: number;
	/** Bytes; the largest packet but for streamed payloads. */
	readonly receiveBuffer: number;
	/** QoS 1 and 2 messages sent and not yet acknowledged, at most. */
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
	/** A wake ends after this time, whatever happens. */
	readonly awakeLimit: number;
	/** How long the node listens for queued commands after CONNACK. */
	readonly commandWindow: number;
}

export interface OutboxSettings {
	/** `rtc` survives sleep and reset, not power loss. */
	readonly storage: "rtc";
	/** What gives way when it is full: the oldest sample, or every second one. */
	readonly policy: "dropOldest" | "thin";
	/** Bytes. */
	readonly size: number;
}

/**
 * Wait after a failed report: random between 0 and a bound that doubles from `minimum` to `maximum`. So long
 * waits a topic on which the broker has refused a report too, at least half of the bound, while reports on
 * others go on.
 */
export interface BackoffSettings {
	readonly minimum: number;
	readonly maximum: number;
}

export interface SensorSettings {
	/** Unique; fills `{sensor}`. */
	readonly name: string;
	readonly driver: string;
	/** Handed to the driver's constructor and `configure`. */
	readonly options?: object;
	/** Where the value is in what the driver's `sample()` returns, outermost name first. */
	readonly property: readonly string[];
	readonly unit?: string;
	/** Time between samples. */
	readonly every: number;
	/** Whether samples are taken at whole multiples of `every` in wall time. */
	readonly grid: boolean;
	/** Deadband: a value closer than this to the last one reported is not reported. */
	readonly delta?: number;
	/** A value is reported after this time though it stayed within `delta`. */
	readonly heartbeat?: number;
	/** Digits after the decimal point, 0 … 6; absent: the shortest text that reads back as the same number. */
	readonly decimals?: number;
	readonly qos: 0 | 1 | 2;
	readonly retain: boolean;
}

/** Someone who may log in. */
export interface UserSettings {
	/** 1 … 64 bytes. */
	readonly name: string;
	/** `$pbkdf2-sha256$i=iterations$salt$key`, as `firefly passwd` makes it: password-hash.ts. */
	readonly hash: string;
}

/** One rule of `listen.acl`. */
export interface RuleSettings {
	readonly effect: "allow" | "deny";
	readonly action: "publish" | "subscribe" | "all";
	/**
	 * A topic filter; `{user}` and `{id}` stand for the client's user name and client identifier. Whoever may
	 * log in chooses the identifier, unless a session with it belongs to somebody else: only with `user` beside
	 * it does a rule by identifier keep a client out.
	 */
	readonly topic: string;
	/** Absent: for everybody. */
	readonly user?: string;
	/** The client identifier that it is for; absent: all. */
	readonly client?: string;
}

/**
 * A second port where the platform has a TLS listener: on the desk. At most 128 handshakes are under way
 * there, 64 of one address or one network of IPv6; one more, and the oldest is cut off.
 */
export interface TLSSettings {
	/** 0 … 65535; 0 lets the host choose. */
	readonly port: number;
	/** Files in PEM. */
	readonly certificate: string;
	readonly key: string;
}

/**
 * The broker on this device: every pool is sized here, at start. What a full pool refuses is told by the
 * protocol's own means and counted: MQTT 5.0 reason code 0x97 (quota exceeded), or what MQTT 3.1.1 has for
 * it.
 */
export interface ListenSettings {
	/** 0 … 65535; 0 lets the host choose. */
	readonly port: number;
	/**
	 * Clients connected at once. Full: CONNACK 0x97, or return code 3; a known client identifier still takes
	 * over its old connection.
	 */
	readonly connections: number;
	/**
	 * Connections that may wait for their CONNECT at the same time, on top of these; others wait to be
	 * accepted. Where users log in and all places are taken, one address, or one network of IPv6, keeps half of
	 * these places, rounded up, until connectTimeout; its other connections are closed after a second without
	 * CONNECT.
	 */
	readonly handshakes: number;
	/** Sessions kept, connected or not. Full: CONNACK 0x97, or return code 3. */
	readonly sessions: number;
	/** Subscriptions of all sessions together. Full: SUBACK 0x97, or 0x80. */
	readonly subscriptions: number;
	/** Bytes for the client identifiers and wills of all sessions. Full: CONNACK 0x97, or return code 3. */
	readonly sessionBytes: number;
	/**
	 * Levels of all topic filters together; filters that begin alike share theirs. Full: SUBACK 0x97, or 0x80.
	 */
	readonly filterLevels: number;
	/** Bytes for the text of these. Full: as filterLevels. */
	readonly filterBytes: number;
	/**
	 * Topics whose current value is kept. Full: values that are not retained or have expired give way to newer
	 * ones. All retained: a retained QoS 1 message goes nowhere, PUBACK 0x97 or the connection closes
	 * unacknowledged; a retained QoS 0 message reaches those who are subscribed, and is not kept, nor is the
	 * one that it replaces. 0, here or in retainedBytes: MQTT 5.0 clients are told that messages are not
	 * retained; who sends one is disconnected, 0x9A, and a will that is to be retained is refused with it.
	 */
	readonly retainedTopics: number;
	/** Bytes for the topics, properties and payloads of these. Full: as retainedTopics. */
	readonly retainedBytes: number;
	/**
	 * QoS 1 and 2 messages under way to one client, at most; less where its receive maximum says so. Reached:
	 * the rest waits in its queue.
	 */
	readonly inFlight: number;
	/**
	 * QoS 2 messages that a client may have sent and not released yet; told to it as its receive maximum.
	 * Exceeded: DISCONNECT 0x93, or the connection closes.
	 */
	readonly receiveMaximum: number;
	/**
	 * Messages waiting for one client or under way to it, at most. Reached: what has expired gives way, then
	 * waiting QoS 0 messages; else that client loses the new message, which its publisher is not told, and
	 * nobody else does. Counted in `$SYS/broker/dropped/queue`.
	 */
	readonly queuedPerClient: number;
	/**
	 * Messages waiting for all clients together or under way to them. Full: what has expired gives way; then a
	 * QoS 1 message that someone would have to wait for goes nowhere, PUBACK 0x97 or the connection closes
	 * unacknowledged; a QoS 0 message is lost only to those who would have to wait.
	 */
	readonly queuedMessages: number;
	/**
	 * Bytes for the topics, properties and payloads of these that wait. Full: as queuedMessages. A retained
	 * message that needs more than all of them is not sent with QoS 1 or 2 to a session that lasts.
	 */
	readonly queuedBytes: number;
	/**
	 * Largest packet taken, bytes; also the maximum packet size told to clients. A larger one closes its
	 * connection, DISCONNECT 0x95. No more than the platform's TCP holds unread or unsent: 5744 on ESP32, 1536
	 * in mcsim. A message that with what is added to it is more than that is dropped for its subscriber.
	 */
	readonly packetSize: number;
	/**
	 * Topic aliases of one client in each direction; told to it as its topic alias maximum as far as aliasBytes
	 * go. 0: none.
	 */
	readonly topicAliases: number;
	/**
	 * Bytes for the topics of all of these. A client is told of as many aliases for its own messages as find
	 * room for the longest topic that a packet can carry, packetSize − 8 bytes each, beside those of the
	 * clients that are connected already: with less than that none. What a client was told of it may use
	 * (MQTT-3.3.2-12), so nothing less is promised; a client that goes leaves its room to the next one. The
	 * default is one alias for one client at a time. The aliases of messages to clients take what is not used;
	 * without room these go out with their topics.
	 */
	readonly aliasBytes: number;
	/** Time a new connection has to send CONNECT; then it is closed. */
	readonly connectTimeout: number;
	/** Seconds; the keepalive given to clients that ask for none or, with MQTT 5.0, for more. 0: no limit. */
	readonly keepAliveLimit: number;
	/** Seconds; the longest session expiry granted. */
	readonly sessionExpiryLimit: number;
	/**
	 * Time between two messages to each of the `$SYS/broker` topics that someone subscribed to; 0: there are
	 * none.
	 */
	readonly systemInterval: number;
	/** What a new subscriber is handed: the retained values, or every topic's current value. */
	readonly lastValue: "retained" | "every";
	/**
	 * Whether the broker's state survives a restart, in the platform's key-value storage: what new subscribers
	 * are handed, and the sessions that last, with their subscriptions, waiting QoS 1 and 2 messages and wills.
	 * A power cut at any byte leaves the state of the last time it was stored. Storage that is full or fails
	 * changes nothing there and stops nobody: what is acknowledged meanwhile is only in RAM; it is counted, and
	 * tried again after persistInterval. A message longer than packetSize with its topic, which only a topic
	 * alias brings about, is not stored. The NVS partition of the SDK, 24 KB, has room for about 120 records of
	 * up to 64 bytes; a larger one is a line in partitions.csv.
	 */
	readonly persist: boolean;
	/**
	 * Time from a change until it is stored, with everything else that changed: what a power cut takes at most.
	 * 0: before each acknowledgement. `firefly broker`, on a disk, takes a second where the configuration names
	 * none.
	 *
	 * Flash wears. In ESP-IDF's NVS a record of up to 64 bytes takes 4 entries of 32 bytes; a page of 4 KB
	 * holds 126 entries and bears about 100,000 erasures. Five pages in turn take 15 million such records, and
	 * half of that where half of each page is kept. Rule of thumb: years = interval in seconds ÷ (4 × records
	 * written per interval), where each changed topic, session or message is a record and each interval with a
	 * change one more. One topic a minute: 7 years; ten topics a minute: more than a year; ten topics every ten
	 * minutes: 14 years.
	 */
	readonly persistInterval: number;
	/**
	 * Whether clients without a user name are let in. A client identifier is its first holder's as long as the
	 * session lasts: another user, or a client without a user name, is refused with it, 0x87. Clients without a
	 * user name can take over each other's, as MQTT has it.
	 */
	readonly anonymous: boolean;
	/** Who may log in. With none of them and `anonymous` off nobody is let in. */
	readonly users: readonly UserSettings[];
	/**
	 * What those who were let in may do: the first rule that fits decides, and what no rule fits is denied.
	 * Without any rule everything is allowed. Publishing to topics that begin with `$` is never allowed. A
	 * message is judged when it is published, and again for each client that it is delivered to; a value that
	 * is kept stays, whoever published it.
	 */
	readonly acl: readonly RuleSettings[];
	/**
	 * Client addresses whose failed logins are remembered; those of one IPv6 network (64 bits) share an entry
	 * after the first four. Full: the one whose last failure is longest ago is forgotten.
	 */
	readonly failedAddresses: number;
	readonly tls?: TLSSettings;
	/**
	 * A second port, for MQTT over WebSocket and the status page, 0 … 65535; 0 lets the host choose. Absent:
	 * there is none.
	 */
	readonly webSocket?: number;
	/**
	 * Connections to that port at once, about 2 KB each; they count among `connections` and `handshakes` too.
	 * Full: others wait to be accepted.
	 */
	readonly webSockets: number;
	/**
	 * Origins besides the port's own whose pages may connect to it, such as `https://panel.example`; `*` stands
	 * for all.
	 */
	readonly origins: readonly string[];
	/** Names besides `localhost` by which that port may be called; an address always may. */
	readonly hosts: readonly string[];
}

export interface TimeSettings {
	/**
	 * SNTP server, name or address; undefined: the clock is never asked for. A node asks one that does not
	 * answer ever more rarely, after at most 6 hours.
	 */
	readonly server: string | undefined;
}
