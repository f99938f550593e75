import type { ListenSettings } from "../../config/settings";
import type { Version } from "../../mqtt/constants";
import { CLOSE } from "../../session/broker-phase";
import { createAuthorizer } from "../access/access-control";
import type { Authorizer } from "../access/authorizer";
import { BrokerClock } from "../pool/clock";
import { BrokerCounters } from "../pool/counters";
import type { Host } from "../pool/host";
import { Memory } from "../pool/memory";
import { Message } from "../pool/message";
import type { CloseReason, Connection } from "../session/connection";
import { OutgoingQueues } from "../session/outgoing-queues";
import { PacketReader } from "../session/packet-reader";
import { Sessions } from "../session/sessions";
import { TopicAliases } from "../session/topic-aliases";
import { RetainedStore } from "../topics/retained-store";
import { Subscriptions } from "../topics/subscriptions";
import type { BridgePart } from "./bridge-part";
import type { Persistence } from "./persistence";
import { SEND_AREA_EXTRA } from "./send-area";
import { TIMESTAMP_LIMIT, Timestamp } from "./timestamp";

/**
 * Minimum size of a PUBLISH that sets a topic alias, without the topic, bytes: fixed header, two lengths,
 * topic alias.
 */
const ALIAS_OVERHEAD = 8;

/**
 * State shared by the parts of the broker: settings, pools, clock and counters. All of it is allocated here.
 */
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
	readonly reader: PacketReader;
	/** Formats the arrival time of values. */
	readonly timestamp: Timestamp;
	authorizer: Authorizer;
	/** Connections by index; element 0 is unused. */
	readonly connections: (Connection | undefined)[] = [undefined];
	/** Saves state across restarts; undefined if not configured or not available. */
	persistence: Persistence | undefined = undefined;
	/** Present only if configured, so that without it there is no slot for it. */
	declare bridge?: BridgePart;
	/** Scratch message: a will that is being stored or published, or a value that the host looks at. */
	readonly scratch: Message;
	/**
	 * Version of the PUBLISH in the send area, while it can be repeated to other clients; 0 if there is none.
	 */
	repeatableVersion: Version | 0 = 0;
	/** Connections whose CONNECT was accepted. */
	openCount = 0;
	/** Connections in phase CLOSING. */
	closingCount = 0;
	/**
	 * Index of the connection whose stored values have used up the budget of the last turn, so that they wait
	 * for the next one; 0: none do. See retained-fill.ts.
	 */
	retainedPaused = 0;
	/**
	 * When stored values were last requested, for a new subscription or for one whose client has come back, ms
	 * of the broker's clock: whoever waits for stored values has received later ones as they came.
	 */
	retainedRequestedAtMs = 0;

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
			sessionBytes + filterBytes + retainedBytes + queuedBytes + settings.aliasBytes + settings.assemblyBytes,
			settings.packetSize,
			settings.packetSize + SEND_AREA_EXTRA,
			host.newViews,
		);
		this.memory = memory;
		this.scratch = new Message(memory.bytes);
		this.sessions = new Sessions(memory, sessions, sessionBytes);
		this.subscriptions = new Subscriptions(memory, subscriptions, sessions, filterLevels, filterBytes);
		this.queues = new OutgoingQueues(
			memory,
			sessions,
			queuedMessages,
			queuedBytes,
			settings.queuedPerClient,
			settings.inFlight,
			// so that the identifiers of a session fit in one stored record
			Math.min(settings.receiveMaximum, settings.packetSize >> 1),
		);
		this.store = new RetainedStore(memory, retainedTopics, retainedBytes);
		this.aliases = new TopicAliases(
			memory,
			settings.connections + settings.handshakes,
			settings.topicAliases,
			settings.aliasBytes,
			settings.packetSize - ALIAS_OVERHEAD,
		);
		this.reader = new PacketReader(memory, this.counters, settings);
		this.timestamp = new Timestamp(host, this.clock, memory.tables.u8(TIMESTAMP_LIMIT));
		this.authorizer = createAuthorizer(host, settings, this.clock, this.sessions, memory.bytes);
	}

	/** Whether the settings provide room for retained messages. */
	get retainAvailable(): boolean {
		return this.settings.retainedTopics !== 0 && this.settings.retainedBytes !== 0;
	}

	/** The connection that serves a session; undefined while the client is disconnected. */
	connectionOf(session: number): Connection | undefined {
		return this.connections[this.sessions.connection(session)];
	}

	/**
	 * Marks a connection to be closed before the current callback ends.
	 * @param reason sent to an MQTT 5.0 client in DISCONNECT; below 0x80: no DISCONNECT is sent
	 */
	close(connection: Connection, reason: CloseReason): void {
		if (!connection.enter(CLOSE)) return;
		connection.closeReason = reason;
		this.closingCount++;
	}
}
