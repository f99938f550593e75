import { backoffDelay, EQUAL_JITTER } from "../backoff";
import type { AcceptLocal, BridgePart } from "../broker/core/bridge-part";
import type { Core } from "../broker/core/core";
import type { Message } from "../broker/pool/message";
import { networkNumber } from "../broker/pool/peer";
import { Client, type ClientDevice, type ClientError, type ClientHandler } from "../client/client";
import type { BridgeSettings } from "../config/types";
import type { TimerId } from "../device";
import { PUBREC, type QoS, RETAIN, type ReasonCode, UNSPECIFIED_ERROR } from "../mqtt/constants";
import type { Packet } from "../mqtt/packet";
import { PropertyReader } from "../mqtt/property-reader";
import { utf8 } from "../mqtt/utf8";
import { BridgeAuthorizer, UNKNOWN_NETWORK } from "./bridge-authorizer";
import { BridgeLevel } from "./bridge-level";
import { IncomingMessages } from "./incoming-messages";
import { LocalLink } from "./local-link";
import { LocalSession } from "./local-session";
import { OutgoingMessages } from "./outgoing-messages";
import { brokerName, hasPassed, passedBrokerName, passedBrokerSize } from "./passed-brokers";
import { largestGrowth, returningRoutes, routesOf } from "./topic-routes";
import { answersReserve, upstreamOptions } from "./upstream-options";
import { UpstreamSubscriptions } from "./upstream-subscriptions";
import { waitText } from "./wait-text";

/** Time until what has arrived is passed on, ms: never from within the broker's work. */
const TURN_MS = 1;
/** Wait for a place at this broker while all its connections are in use, ms. */
const PLACE_RETRY_MS = 100;

/** The other broker had accepted the connection. */
const ENDED_HERE = "this bridge ended the connection, to begin anew";
const CONNECTED = "connected";
const LEFT_OUT = "connected; it knows no bridges over MQTT 3.1.1, so that nothing comes in of what goes out";
const REFUSED_TOPIC = "the other broker refuses a subscription of bridge.topics";

/**
 * Forwards topics between this broker and another one. It is a client of both, and joins their deliveries: a
 * message keeps its packet identifier, and each acknowledgement of one side is passed on to the other. So the
 * state of QoS 1 and 2 is only in the sessions of the two brokers, where it lasts, and none is kept here:
 * nothing is lost or doubled, wherever a connection or the device itself stops.
 *
 * While the other broker is away, its messages wait in the session here as those of any absent client.
 */
export class Bridge implements BridgePart, ClientHandler {
	// Not #, also below: each #name that a method mentions takes a slot of the stack.
	readonly brokerName: Uint8Array;
	isConnected = false;
	private readonly core: Core;
	private readonly device: Pick<ClientDevice, "timer">;
	private readonly settings: BridgeSettings;
	private readonly authorizer: BridgeAuthorizer;
	private readonly client: Client;
	private readonly link: LocalLink;
	private readonly localSession: LocalSession;
	/** Absent: CONNECT is that of any client. */
	declare private readonly level?: BridgeLevel;
	private readonly subscriptions: UpstreamSubscriptions;
	private readonly outgoing: OutgoingMessages;
	private readonly incoming: IncomingMessages;
	private readonly reader: PropertyReader;
	/** The other broker's name in user properties; undefined: it has told none. */
	private upstreamName: Uint8Array | undefined;
	/** Whether the session at the other broker must begin anew. */
	private beginsAnew = false;
	/** Whether stored values of the other broker are known, and were sent again. */
	private leavesOutStored = false;
	private turnTimer: TimerId | undefined;
	private turnScheduled = false;
	private retryTimer: TimerId | undefined;
	/** Tries that failed, in a row. */
	private failures = 0;
	private stopped = true;
	/** The last problem that was traced. */
	private problem = "";

	constructor(core: Core, accept: AcceptLocal, device: ClientDevice, settings: BridgeSettings) {
		const { inFlight, packetSize } = core.settings;
		const { clientId, topics, version } = settings;
		const clientIdBytes = utf8(clientId);
		const outRoutes = routesOf(topics, "out");
		const inRoutes = routesOf(topics, "in");
		const receiveMaximum = core.queues.incomingQos2.limit;
		const growth = largestGrowth(outRoutes);
		const name = brokerName(clientIdBytes);
		// With what is added to them
		const largestOut = packetSize + growth + passedBrokerSize(name);
		const largestIn = Math.max(packetSize - largestGrowth(inRoutes) - 2 * passedBrokerSize(name), 128);
		this.brokerName = name;
		this.core = core;
		this.device = device;
		this.settings = settings;
		this.authorizer = new BridgeAuthorizer(core, clientIdBytes);
		core.authorizer = this.authorizer;
		this.client = new Client(upstreamOptions(settings, largestOut, largestIn, receiveMaximum), this, device);
		this.link = new LocalLink(packetSize, growth, Math.min(settings.inFlight, inFlight), () =>
			this.schedule(),
		);
		this.localSession = new LocalSession(core, accept, this.authorizer, clientIdBytes, outRoutes);
		if (version === 4 && settings.tryPrivate) this.level = new BridgeLevel();
		this.subscriptions = new UpstreamSubscriptions(inRoutes, version, returningRoutes(topics));
		this.outgoing = new OutgoingMessages(
			this.link,
			outRoutes,
			version,
			name,
			packetSize,
			answersReserve(receiveMaximum),
			settings.inFlight,
		);
		this.incoming = new IncomingMessages(inRoutes, packetSize, receiveMaximum);
		this.reader = new PropertyReader(core.memory.bytes);
	}

	get messagesIn(): number {
		return this.incoming.accepted;
	}

	get messagesOut(): number {
		return this.outgoing.accepted;
	}

	get droppedIn(): number {
		return this.incoming.dropped;
	}

	get droppedOut(): number {
		return this.outgoing.dropped;
	}

	get session(): number {
		return this.authorizer.session;
	}

	isLoop(message: Message, session: number): boolean {
		if (session === this.session || message.propertiesStart === message.propertiesEnd) return false;
		const reader = this.reader;
		reader.setRange(message.bytes, message.propertiesStart, message.propertiesEnd);
		reader.idsHigh = -1; // not known: each is looked at
		return hasPassed(reader, this.brokerName);
	}

	start(): void {
		const { persist, persistInterval } = this.core.settings;
		this.stopped = false;
		this.failures = 0;
		// The session here begins at once, so that messages wait for the other broker
		const local = this.connectLocally();
		this.link.disconnect();
		const isKept = persist && this.localSession.wasPresent && local;
		this.subscriptions.start(isKept);
		this.beginsAnew =
			!(isKept && persistInterval === 0) &&
			this.settings.topics.some(({ direction, qos }) => qos === 2 && direction !== "in");
		this.open();
	}

	stop(): void {
		const { timer } = this.device;
		this.stopped = true;
		timer.clear(this.retryTimer);
		timer.clear(this.turnTimer);
		this.retryTimer = undefined;
		this.turnTimer = undefined;
		this.turnScheduled = false;
		this.disconnectLink();
		this.isConnected = false;
		this.incoming.reset();
		const { client } = this;
		if (client.state === "closed") return;
		// Nobody takes what still arrives, nor ends a pause
		client.leaveMessages();
		client.resume();
		client.close();
	}

	// ClientHandler: the other broker. This broker is called in turns of their own, as the stack is short.

	onOpen(sessionPresent: boolean, properties: PropertyReader): void {
		const knowsBridges = this.level?.onOpen() ?? false;
		// It gives identifiers anew, which must not count as repeated
		if (!sessionPresent) this.core.queues.incomingQos2.clear(this.session);
		if (this.beginsAnew) {
			this.beginsAnew = false;
			// In MQTT 3.1.1 a session that begins anew ends with its connection, and mosquitto 2.0 does not store
			// one of 5.0 that began so: the session that is to last is that of another connection
			this.client.close();
			return;
		}
		this.upstreamName = passedBrokerName(properties);
		this.authorizer.otherNetwork = networkNumber(this.client.remoteAddress) || UNKNOWN_NETWORK;
		this.isConnected = true;
		this.failures = 0;
		this.leavesOutStored = this.subscriptions.leavesOutStored(sessionPresent, knowsBridges);
		this.report(this.subscriptions.begin(this.client, knowsBridges) ? LEFT_OUT : CONNECTED);
		this.core.host.event?.("bridge", true, 0, 0);
		this.subscribe();
		this.schedule();
	}

	onSubscribed(packet: Packet): void {
		packet.nextReason();
		const granted = packet.reasonCode < UNSPECIFIED_ERROR;
		if (!granted) this.report(REFUSED_TOPIC);
		this.subscriptions.onSubscribed(granted);
		this.subscribe();
	}

	onWritable(): void {
		if (!this.isConnected) return;
		this.subscribe();
		this.schedule();
	}

	onReceived(packetId: number): void {
		this.afterAcknowledgement(this.outgoing.acknowledge(PUBREC, packetId, 0));
	}

	onAcknowledged(packetId: number, reasonCode: ReasonCode, tag: number): void {
		this.afterAcknowledgement(this.outgoing.onAcknowledged(packetId, reasonCode, tag));
	}

	onReleased(packetId: number): void {
		if (this.incoming.onReleased(packetId)) this.schedule();
		else this.client.abort();
	}

	onMessage(packet: Packet): void {
		const { incoming } = this;
		if (this.leavesOutStored && (packet.flags & RETAIN) !== 0) incoming.skip();
		else incoming.onMessage(packet, this.core.retainAvailable, this.brokerName, this.upstreamName);
	}

	onPayload(bytes: Uint8Array, start: number, end: number, last: boolean): void {
		if (!this.incoming.onPayload(bytes, start, end, last)) return;
		this.client.pause();
		this.schedule();
	}

	onClosed(error: ClientError | undefined): void {
		const { isConnected } = this;
		this.isConnected = false;
		this.incoming.reset();
		if (this.stopped) {
			this.outgoing.forgetAcknowledgements();
			return;
		}
		this.schedule();
		let delay = TURN_MS;
		const isOtherLevel = this.level?.onClosed(error) ?? false;
		// Also after abort(): what led to it may come again
		if (!isOtherLevel && (error !== undefined || isConnected)) {
			const { retryMinimum, retryMaximum } = this.settings;
			this.failures++;
			delay = backoffDelay({ minimum: retryMinimum, maximum: retryMaximum }, this.failures, EQUAL_JITTER);
			this.report(error?.message ?? ENDED_HERE, delay);
			this.core.host.event?.("bridge", false, this.failures, Math.round(delay));
		}
		this.retryTimer = this.device.timer.set(() => this.open(), delay);
	}

	private open(): void {
		this.retryTimer = undefined;
		if (this.stopped || this.client.state !== "closed") return;
		this.disconnectLink();
		this.client.open({ cleanStart: this.beginsAnew, isBridge: this.level?.isUsed ?? false });
	}

	private subscribe(): void {
		if (!this.subscriptions.send(this.client, this.core, this.session)) this.report(REFUSED_TOPIC);
	}

	/** Traces a change. @param retryMs wait until the next try; 0: there is none */
	private report(text: string, retryMs = 0): void {
		if (text === this.problem) return;
		this.problem = text;
		const { host, port } = this.settings;
		const next = retryMs === 0 ? "" : `; next try in ${waitText(retryMs)}`;
		this.core.host.trace(`bridge: ${host}:${port}: ${text}${next}`);
	}

	/** @param noted whether there was room for the acknowledgement, which is now to be passed on */
	private afterAcknowledgement(noted: boolean): void {
		if (noted) this.schedule();
		else this.client.abort();
	}

	/** onTurn() follows. */
	private schedule(): void {
		if (this.turnScheduled || this.stopped) return;
		this.turnScheduled = true;
		const { timer } = this.device;
		if (this.turnTimer === undefined) this.turnTimer = timer.set(() => this.onTurn(), TURN_MS, TURN_MS);
		else timer.schedule(this.turnTimer, TURN_MS, TURN_MS);
	}

	private onTurn(): void {
		this.device.timer.schedule(this.turnTimer!);
		this.turnScheduled = false;
		try {
			if (!this.isConnected) {
				this.disconnectLink();
				return;
			}
			if (!this.prepareLink()) return;
			// One after the other, and not nested, as each may use much of the stack
			if (!this.outgoing.forward(this.link, this.client, this.brokerName, this.upstreamName))
				this.client.abort();
			this.outgoing.passAcknowledgements(this.link);
			this.outgoing.passReleases(this.link, this.client);
			this.incoming.release(this.link, this.client);
			if (this.incoming.isComplete && this.incoming.deliver(this.link)) this.client.resume();
			// This broker has ended the connection within: what it did not answer, the other one sends again
			if (this.link.connection === undefined) this.client.abort();
		} catch (error) {
			this.core.host.trace(`bridge: ${error}`);
			this.link.disconnect();
			this.client.abort();
		}
	}

	/**
	 * Ends the connection here. What the other broker has acknowledged comes first: it holds, and on the next
	 * connection that broker may not know the message any more.
	 */
	private disconnectLink(): void {
		this.outgoing.passAcknowledgements(this.link);
		this.outgoing.forgetAcknowledgements();
		this.link.disconnect();
	}

	/** Connects here, while the other broker is there. @returns whether it is connected */
	private prepareLink(): boolean {
		const { link, device } = this;
		if (link.connection !== undefined) return true;
		link.disconnect();
		this.outgoing.reset();
		if (this.connectLocally()) return true;
		device.timer.schedule(this.turnTimer!, PLACE_RETRY_MS, PLACE_RETRY_MS);
		this.turnScheduled = true;
		return false;
	}

	private connectLocally(): boolean {
		const { negotiated } = this.client;
		const { inFlight } = this.settings;
		this.link.takesMessages = this.isConnected;
		return this.localSession.connect(this.link, {
			receiveMaximum: Math.min(inFlight, this.isConnected ? negotiated.receiveMaximum : inFlight),
			// What the other broker takes depends on the name there: the client knows
			maximumPacketSize: this.core.settings.packetSize,
			maximumQoS: (this.isConnected ? negotiated.maximumQoS : 2) as QoS,
		});
	}
}
