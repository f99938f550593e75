import type { ListenSettings } from "../config/settings";
import { createAuthorizer } from "./access/access-control";
import type { Authorizer } from "./access/authorizer";
import { SEND_AREA_EXTRA } from "./delivery/send-area";
import { TIMESTAMP_LIMIT, Timestamp } from "./delivery/timestamp";
import type { Host } from "./host";
import type { Persistence } from "./persist/persistence";
import { BrokerClock } from "./pool/clock";
import { BrokerCounters } from "./pool/counters";
import { Memory } from "./pool/memory";
import { Message } from "./pool/message";
import { CLOSING, type Connection, FREE } from "./session/connection";
import { OutgoingQueues } from "./session/outgoing-queues";
import { Sessions } from "./session/sessions";
import { TopicAliases } from "./session/topic-aliases";
import { RetainedStore } from "./topics/retained-store";
import { Subscriptions } from "./topics/subscriptions";

/**
 * What a PUBLISH takes at least beside a topic that gets an alias, bytes: fixed header, two lengths, topic
 * alias.
 */
const ALIAS_OVERHEAD = 8;

/** What the parts of the broker share: settings, pools, clock and counters. All of it is allocated here. */
export class Core {
	readonly host: Host;
	readonly settings: ListenSettings;
	readonly clock: BrokerClock;
	readonly counters = new BrokerCounters();
	readonly memory: Memory;
	readonly sessions: Sessions;
	readonly subscriptions: Subscriptions;
	readonly queues: OutgoingQueues;
	readonly store: RetainedStore;
	readonly aliases: TopicAliases;
	/** When values came, as text. */
	readonly timestamp: Timestamp;
	readonly authorizer: Authorizer;
	/** By index; the first is not used. */
	readonly connections: (Connection | undefined)[] = [undefined];
	/** Keeps state over a restart, where that is asked for. */
	persistence: Persistence | undefined = undefined;
	/** The will in work. */
	readonly will: Message;
	/** Connections past CONNECT. */
	openCount = 0;
	/** Connections in state CLOSING. */
	closingCount = 0;

	constructor(host: Host, settings: ListenSettings) {
		const {
			sessions,
			subscriptions,
			sessionBytes,
			filterLevels,
			filterBytes,
			retainedTopics,
			retainedBytes,
			queuedMessages,
			queuedBytes,
		} = settings;
		this.host = host;
		this.settings = settings;
		this.clock = new BrokerClock(host.time);
		const memory = new Memory(
			sessionBytes + filterBytes + retainedBytes + queuedBytes + settings.aliasBytes,
			settings.packetSize,
			settings.packetSize + SEND_AREA_EXTRA,
			host.newViews,
		);
		this.memory = memory;
		this.will = new Message(memory.bytes);
		this.sessions = new Sessions(memory, sessions, sessionBytes);
		this.subscriptions = new Subscriptions(memory, subscriptions, sessions, filterLevels, filterBytes);
		this.queues = new OutgoingQueues(memory, sessions, queuedMessages, queuedBytes, settings.queuedPerClient);
		this.store = new RetainedStore(memory, retainedTopics, retainedBytes);
		this.aliases = new TopicAliases(
			memory,
			settings.connections + settings.handshakes,
			settings.topicAliases,
			settings.aliasBytes,
			settings.packetSize - ALIAS_OVERHEAD,
		);
		this.timestamp = new Timestamp(host, this.clock, memory.tables.u8(TIMESTAMP_LIMIT));
		this.authorizer = createAuthorizer(host, settings, this.clock, this.sessions, memory.bytes);
	}

	/** Whether there is room for retained messages at all. */
	get retainAvailable(): boolean {
		return this.settings.retainedTopics !== 0 && this.settings.retainedBytes !== 0;
	}

	/** The connection that serves a session; undefined while the client is away or going. */
	connectionOf(session: number): Connection | undefined {
		return this.connections[this.sessions.connection(session)];
	}

	/**
	 * Lets a connection end before the turn does.
	 * @param reasonCode told to an MQTT 5.0 client in DISCONNECT; 0 for none
	 */
	close(connection: Connection, reasonCode: number): void {
		if (connection.state === FREE || connection.state === CLOSING) return;
		connection.state = CLOSING;
		connection.closeReason = reasonCode;
		this.closingCount++;
	}
}
