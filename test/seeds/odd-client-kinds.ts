/** Neighbours that a well-behaved client must not notice. */
export const ODD_CLIENT_KINDS = [
	/** Subscribes to everything and reads a few bytes at a time, without an acknowledgement. */
	"slow",
	/** Subscribes to everything and reads nothing. */
	"frozen",
	/** Publishes as fast as it can. */
	"flooding",
	/** Vanishes without a word, again and again. */
	"half-open",
	/** Opens connections and sends nothing. */
	"silent",
	/** Sends what is no MQTT. */
	"garbage",
	/** Sends the first half of a packet. */
	"halting",
	/** Connects with one client identifier all the time, before the last connection has ended. */
	"impatient",
	/** Leaves sessions behind, each with subscriptions. */
	"hoarding",
	/** Publishes with QoS 2, never releases its messages, and ends its session. */
	"unreleased",
] as const;

/** Neighbours that mean harm; a seed draws them from a stream of its own. */
export const HOSTILE_CLIENT_KINDS = [
	/** Connects with the client identifiers of others, as another user. */
	"impostor",
	/** Sends packets that are almost valid. */
	"malformed",
	/** Subscribes and unsubscribes as fast as it can, with filters that match everything. */
	"restless",
	/** Begins packets larger than any broker takes, and sends on. */
	"oversized",
	/** Publishes and pings as fast as it can, and reads no answer. */
	"deaf",
] as const;

export type HostileClientKind = (typeof HOSTILE_CLIENT_KINDS)[number];
export type OddClientKind = (typeof ODD_CLIENT_KINDS)[number] | HostileClientKind;
