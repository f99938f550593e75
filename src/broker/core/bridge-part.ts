import type { TCP, TCPConstructor } from "../../device";
import type { Message } from "../pool/message";
import type { Connection } from "../session/connection";

/** The bridge to another broker, as the parts of this broker see it. Present only where one is configured. */
export interface BridgePart {
	/** This broker's name in the user property `firefly-bridge` of messages that have passed it. */
	readonly brokerName: Uint8Array;
	/** Whether the other broker has accepted the connection. */
	readonly isConnected: boolean;
	/** Messages that came from the other broker, and that it has acknowledged or that left with QoS 0. */
	readonly messagesIn: number;
	readonly messagesOut: number;
	/**
	 * Messages that this broker, or the other one, has refused or does not allow: too large, or no place for
	 * their retained value.
	 */
	readonly droppedIn: number;
	readonly droppedOut: number;
	/** Its session here; 0 before start(). */
	readonly session: number;
	/** Connects to both brokers. Called once the broker accepts connections. */
	start(): void;
	/** Ends both connections, and keeps the sessions. */
	stop(): void;
	/** Whether a message of a session has passed this broker before. */
	isLoop(message: Message, session: number): boolean;
}

/**
 * Serves a client within this device, whose end of the connection is `tcp`; `io` takes it over.
 * @returns undefined: no place is free now
 */
export type AcceptLocal = (tcp: TCP, io: TCPConstructor) => Connection | undefined;
