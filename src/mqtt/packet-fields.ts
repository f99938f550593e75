import type { QoS } from "./constants";
import type { PropertyWriter } from "./property-writer";

/** The message that a broker publishes when a client is lost (§3.1.2.5). */
export interface WillFields {
	topic: Uint8Array;
	payload: Uint8Array;
	qos: QoS;
	retain: boolean;
	/** MQTT 5.0 only. */
	properties?: PropertyWriter | undefined;
}

/** CONNECT (§3.1). Strings are UTF-8 bytes. */
export interface ConnectFields {
	/** May be empty: in MQTT 3.1.1 only with cleanStart. */
	clientId: Uint8Array;
	/** Seconds, 0…65,535; 0 is off. */
	keepAlive: number;
	/** MQTT 3.1.1 calls it Clean Session. */
	cleanStart: boolean;
	username?: Uint8Array | undefined;
	/** MQTT 3.1.1 allows it only with a user name. */
	password?: Uint8Array | undefined;
	/** MQTT 5.0 only. */
	properties?: PropertyWriter | undefined;
	will?: WillFields | undefined;
	/** MQTT 3.1.1 only: the client is a bridge, see BRIDGE_LEVEL of constants.ts. */
	isBridge?: boolean;
}

/** One topic filter of a SUBSCRIBE (§3.8.3). */
export interface Subscription {
	filter: Uint8Array;
	/**
	 * Subscription options (§3.8.3.1): maximum QoS | NO_LOCAL | RETAIN_AS_PUBLISHED | retain handling << 4;
	 * MQTT 3.1.1 knows only the QoS.
	 */
	options: number;
}
