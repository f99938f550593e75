import type { AcceptLocal } from "../broker/core/bridge-part";
import type { Core } from "../broker/core/core";
import { NEVER_SECONDS } from "../broker/pool/clock";
import { CONNACK, NO_LOCAL, type QoS, RETAIN_AS_PUBLISHED, SUBACK } from "../mqtt/constants";
import { Encoder } from "../mqtt/encoder";
import { PropertyWriter } from "../mqtt/property-writer";
import type { BridgeAuthorizer } from "./bridge-authorizer";
import { LinkAdoption, type LocalLink } from "./local-link";
import type { TopicRoute } from "./topic-routes";

/** Stored values are sent only to a new subscription: after a reconnect the other broker has them. */
const RETAIN_IF_NEW = 0x10;

/** What the connection to the other broker allows. */
export interface LocalLimits {
	readonly receiveMaximum: number;
	/** Bytes. */
	readonly maximumPacketSize: number;
	readonly maximumQoS: QoS;
}

/**
 * The bridge's session at its own broker, which lasts: it connects as any MQTT 5.0 client does, but is never
 * closed for silence, and never expires.
 */
export class LocalSession {
	/** Whether the broker had the session before the first connection. */
	wasPresent = false;
	readonly #core: Core;
	readonly #accept: AcceptLocal;
	readonly #authorizer: BridgeAuthorizer;
	readonly #clientId: Uint8Array;
	readonly #routes: readonly TopicRoute[];
	/** The highest QoS of the subscriptions; −1: there are none yet. */
	#subscribedQoS = -1;

	constructor(
		core: Core,
		accept: AcceptLocal,
		authorizer: BridgeAuthorizer,
		clientId: Uint8Array,
		routes: readonly TopicRoute[],
	) {
		this.#core = core;
		this.#accept = accept;
		this.#authorizer = authorizer;
		this.#clientId = clientId;
		this.#routes = routes;
	}

	/** Connects and subscribes: allocates. @returns whether the link is connected */
	connect(link: LocalLink, limits: LocalLimits): boolean {
		const core = this.#core;
		core.clock.tick();
		const connection = this.#accept(link, LinkAdoption);
		if (connection === undefined) return false;
		link.connection = connection;
		link.reportRoom();
		const encoder = new Encoder({ size: core.settings.packetSize, version: 5 });
		encoder.connect({
			clientId: this.#clientId,
			keepAlive: 0,
			cleanStart: false,
			username: this.#authorizer.ticket,
			properties: new PropertyWriter(16)
				.sessionExpiryInterval(NEVER_SECONDS)
				.receiveMaximum(limits.receiveMaximum)
				.maximumPacketSize(limits.maximumPacketSize),
		});
		link.deliver(encoder.view, encoder.length, true);
		// Flags and reason code of CONNACK
		if (link.connection === undefined || link.answerType !== CONNACK || (link.answerId & 0xff) !== 0) {
			link.disconnect();
			return false;
		}
		connection.keepAliveTimeoutMs = 0;
		core.sessions.setExpiry(connection.session, NEVER_SECONDS);
		const isPresent = link.answerId >> 8 !== 0;
		if (this.#subscribedQoS < 0) this.wasPresent = isPresent;
		if (!isPresent || this.#subscribedQoS !== limits.maximumQoS)
			this.subscribe(link, encoder, limits.maximumQoS);
		return link.connection !== undefined;
	}

	private subscribe(link: LocalLink, encoder: Encoder, maximumQoS: QoS): void {
		const { host } = this.#core;
		for (const { filter, qos } of this.#routes) {
			encoder.reset();
			const options = Math.min(qos, maximumQoS) | NO_LOCAL | RETAIN_AS_PUBLISHED | RETAIN_IF_NEW;
			encoder.subscribe(1, [{ filter, options }]);
			link.deliver(encoder.view, encoder.length, true);
			if (link.answerType !== SUBACK || link.answerReason >= 0x80)
				host.trace("bridge: no room in listen for the subscriptions of its topics");
		}
		this.#subscribedQoS = maximumQoS;
	}
}
