import type { Fault } from "../../sim/faults/fault";
import type { JSONObject } from "../../sim/manifest/manifest-reader";
import type { CommandPlans } from "./command-plan";
import type { GuestPlan } from "./guests/guest-plan";
import type { OddClientKind } from "./odd-client-kinds";

/** Everything that a seed decides; the same plan gives the same run, byte for byte. */
export interface SeedPlan {
	readonly seed: number;
	/** `config.firefly` of each board; the first is that of the broker. */
	readonly boards: readonly BoardPlan[];
	readonly clients: readonly [subscriber: ClientPlan, publisher: ClientPlan];
	readonly oddClients: readonly OddClientPlan[];
	readonly faults: readonly Fault[];
	/** One-way latency, ms. */
	readonly latency: number;
	/** Time with faults, ms. */
	readonly active: number;
	/** Time after the last fault in which everything must recover, ms. */
	readonly recovery: number;
	/** The broker that the first one is bridged to, its board is {@link HUB}; absent: there is none. */
	readonly hub?: HubPlan;
	/** What nodes are told to do; absent: nothing. */
	readonly commands?: CommandPlans;
	/** Neighbours that check what they get; absent: there are none. */
	readonly guests?: readonly GuestPlan[];
	/** The broker has less of something than its clients want, so that it owes them less. */
	readonly isTiny?: true;
}

/** A second broker, and the bridge between both. */
export interface HubPlan {
	readonly clients: readonly [subscriber: ClientPlan, publisher: ClientPlan];
	/** Highest QoS that the bridge forwards. */
	readonly qos: 0 | 1 | 2;
	/** Whether the second broker has a bridge to the first one, too. */
	readonly isMutual: boolean;
}

export interface BoardPlan {
	readonly name: string;
	readonly address: string;
	readonly mac: string;
	readonly firefly: JSONObject;
	/** When its power comes on, ms. */
	readonly at: number;
}

/** A well-behaved client. */
export interface ClientPlan {
	readonly role: "subscriber" | "publisher" | "commander";
	readonly version: 4 | 5;
	/** s */
	readonly keepAlive: number;
	readonly inFlight: number;
	/** It connects over a WebSocket, as a browser does. */
	readonly webSocket?: true;
	/** Interval between two messages of a publisher, ms. */
	readonly interval: number;
	readonly login: readonly [name: string, password: string] | undefined;
}

export interface OddClientPlan {
	readonly kind: OddClientKind;
	readonly at: number;
	readonly duration: number;
	readonly login: readonly [name: string, password: string] | undefined;
}

/** Properties that the sensors have; a plan's sensors take them in this order. */
export const SENSOR_PROPERTIES = ["p0", "p1", "p2"] as const;
/** Name and property of the sensor of a digital pin, whose values, 0 and 1, do not tell samples apart. */
export const PIN_SENSOR = "d0";
export const PIN_PROPERTY = "contact.open";
export const BROKER_ADDRESS = "192.168.4.2";
/** Where a broker takes WebSockets. */
export const WEBSOCKET_PORT = 8080;
/** User names and passwords: of nodes, and of clients. */
export const LOGINS = [
	["garden", "rosemary"],
	["house", "thyme"],
] as const;
/** Name of the second broker's board. */
export const HUB = "hub";
export const HUB_ADDRESS = "192.168.4.3";
/** Of the publishers at both brokers. */
export const PUBLISHER_TOPICS = ["pub/0", "pub/1", "pub/2"] as const;
export const HUB_TOPICS = ["up/0", "up/1", "up/2"] as const;

export function sensorsOf({ firefly }: BoardPlan): readonly JSONObject[] {
	return Array.isArray(firefly.sensors) ? (firefly.sensors as JSONObject[]) : [];
}
