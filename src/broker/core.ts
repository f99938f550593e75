import type { ListenSettings } from "../config/settings";
import { authorityOf } from "./access/access";
import { Aliases } from "./aliases";
import type { Authority } from "./authority";
import { Clock } from "./clock";
import { CLOSING, type Connection, FREE } from "./connection";
import { Counters } from "./counters";
import type { Host } from "./host";
import { Memory } from "./memory";
import { Message } from "./message";
import { Queues } from "./queues";
import type { Saver } from "./saver";
import { SEND_AREA } from "./send-area";
import { Sessions } from "./sessions";
import { STAMP_LIMIT, Stamp } from "./stamp";
import { Subscriptions } from "./subscriptions";
import { ValueStore } from "./value-store";

/** What a PUBLISH takes at least beside a topic that gets an alias, bytes: fixed header, two lengths, topic alias. */
const ALIAS_OVERHEAD = 8;

/** What the parts of the broker share: settings, pools, clock and counters. All of it is allocated here. */
export class Core {
	readonly host: Host;
	readonly settings: ListenSettings;
	readonly clock: Clock;
	readonly counters = new Counters();
	readonly memory: Memory;
	readonly sessions: Sessions;
	readonly subscriptions: Subscriptions;
	readonly queues: Queues;
	readonly store: ValueStore;
	readonly aliases: Aliases;
	/** When values came, as text. */
	readonly stamp: Stamp;
	readonly authority: Authority;
	/** By index; the first is not used. */
	readonly connections: (Connection | undefined)[] = [undefined];
	/** Keeps state over a restart, where that is asked for. */
	keeper: Saver | undefined = undefined;
	/** The will in work. */
	readonly will: Message;
	/** Connections past CONNECT. */
	open = 0;
	/** Connections in state CLOSING. */
	closing = 0;

	constructor(host: Host, settings: ListenSettings) {
		const { sessions, subscriptions, sessionBytes, filterLevels, filterBytes, retainedTopics, retainedBytes, queuedMessages, queuedBytes } = settings;
		this.host = host;
		this.settings = settings;
		this.clock = new Clock(host.time);
		const memory = new Memory(
			sessionBytes + filterBytes + retainedBytes + queuedBytes + settings.aliasBytes,
			settings.packetSize,
			settings.packetSize + SEND_AREA,
			host.newViews,
		);
		this.memory = memory;
		this.will = new Message(memory.bytes);
		this.sessions = new Sessions(memory, sessions, sessionBytes);
		this.subscriptions = new Subscriptions(memory, subscriptions, sessions, filterLevels, filterBytes);
		this.queues = new Queues(memory, sessions, queuedMessages, queuedBytes, settings.queuedPerClient);
		this.store = new ValueStore(memory, retainedTopics, retainedBytes);
		this.aliases = new Aliases(
			memory,
			settings.connections + settings.handshakes,
			settings.topicAliases,
			settings.aliasBytes,
			settings.packetSize - ALIAS_OVERHEAD,
		);
		this.stamp = new Stamp(host, this.clock, memory.tables.u8(STAMP_LIMIT));
		this.authority = authorityOf(host, settings, this.clock, this.sessions, memory.bytes);
	}

	/** Whether there is room for retained messages at all. */
	get retains(): boolean {
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
		connection.reason = reasonCode;
		this.closing++;
	}
}
