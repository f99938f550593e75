import type { ruleFields, tlsFields } from "./fields/access";
import type { batteryFields } from "./fields/battery";
import type { bridgeFields, bridgeTopicFields } from "./fields/bridge";
import type { brokerFields, brokerTLSFields, willFields } from "./fields/broker";
import type { commandFields } from "./fields/commands";
import type { diagnosticsFields } from "./fields/diagnostics";
import type { discoveryFields } from "./fields/discovery";
import type { Values } from "./fields/field";
import type { fireflyFields } from "./fields/firefly";
import type { listenFields } from "./fields/listen";
import type { backoffFields, outboxFields, sleepFields, wifiFields } from "./fields/node";
import type { sensorFields } from "./fields/sensor";
import type { updateFields } from "./fields/update";
import type { LayeredTransport } from "./url";

// The rows of fields/ say what each setting means; docs/configuration.md is made from them.

/**
 * Complete, validated settings that the firmware reads at boot. Durations are in milliseconds, but in seconds
 * where the row is of the kind `seconds`. Placeholders that belong to the device are filled in.
 */
export interface Settings extends Pick<Values<typeof fireflyFields>, "role" | "id" | "topic" | "payload"> {
	/** Absent: the host is always on a network. */
	readonly wifi?: WiFiSettings;
	readonly broker: BrokerSettings;
	readonly sleep: SleepSettings;
	readonly outbox: OutboxSettings;
	readonly backoff: BackoffSettings;
	/** Absent: the node takes none. */
	readonly commands?: CommandSettings;
	/** Absent: the node takes no other image. */
	readonly update?: UpdateSettings;
	/** Absent: the battery is not watched. */
	readonly battery?: BatterySettings;
	/** Absent: there are no messages about the node itself. */
	readonly diagnostics?: DiagnosticsSettings;
	readonly sensors: readonly SensorSettings[];
	/** Absent: nothing is announced. */
	readonly discovery?: DiscoverySettings;
	readonly listen: ListenSettings;
	/** Absent: the broker stands alone. */
	readonly bridge?: BridgeSettings;
	readonly time: TimeSettings;
}

export type Role = Settings["role"];

export interface WiFiSettings extends Values<typeof wifiFields> {
	readonly ssid: string;
}

/** The broker that the node reports to. */
export interface BrokerSettings extends Omit<Values<typeof brokerFields>, "url" | "will"> {
	/** Name or address; empty: no broker is configured, and nothing is reported. */
	readonly host: string;
	/** 1 … 65535. */
	readonly port: number;
	/** Absent: MQTT over TCP. */
	readonly transport?: LayeredTransport;
	/** Path and query of a WebSocket; absent: "/". */
	readonly path?: string;
	readonly will?: WillSettings;
	/** Messages in flight from the broker (see ClientOptions); absent: its default. */
	readonly receiveMaximum?: number;
}

export interface WillSettings extends Values<typeof willFields> {}

/**
 * What a connection over TLS checks, and shows of itself. The files are paths, on a chip names of resources.
 */
export interface BrokerTLSSettings extends Values<typeof brokerTLSFields> {}

export interface CommandSettings extends Values<typeof commandFields> {}

export interface UpdateSettings extends Values<typeof updateFields> {}

export interface SleepSettings extends Values<typeof sleepFields> {}

export interface OutboxSettings extends Values<typeof outboxFields> {}

/**
 * Wait after a failed try: random between 0 and a bound that doubles from `minimum` to `maximum`. A topic on
 * which the broker refused a report waits by the same rule, but at least half of the bound, while reports on
 * other topics are sent.
 */
export interface BackoffSettings extends Values<typeof backoffFields> {}

export interface BatterySettings extends Values<typeof batteryFields> {}

export interface DiagnosticsSettings extends Values<typeof diagnosticsFields> {}

export interface SensorSettings extends Omit<Values<typeof sensorFields>, "property" | "spacing"> {
	/** Time between the samples of a value, in ms; absent if a value is a single sample. */
	readonly spacing?: number;
	/** Path to the value in the result of the driver's `sample()`, outermost name first. */
	readonly property: readonly string[];
	/** With discovery, and where the driver's manifest says anything. */
	readonly declared?: DriverProperty;
}

/** How the node announces itself. `id` and names of sensors are such as its formats allow. */
export interface DiscoverySettings extends Values<typeof discoveryFields> {}

/** What a driver's manifest says of a property, under `config.driverProperties`. */
export interface DriverProperty extends Pick<SensorSettings, "unit" | "deviceClass" | "decimals"> {
	/** Its value is 1 or 0, for on and off; see binary-value.ts. */
	readonly binary?: boolean;
}

/** A user who may log in. */
export interface UserSettings {
	/** 1 … 64 bytes. */
	readonly name: string;
	/** `$pbkdf2-sha256$i=iterations$salt$key`, as `firefly passwd` generates it; see password-hash.ts. */
	readonly hash: string;
}

/** One rule of `listen.acl`. */
export interface RuleSettings extends Omit<Values<typeof ruleFields>, "allow" | "deny"> {
	readonly effect: "allow" | "deny";
	readonly action: "publish" | "subscribe" | "all";
}

/** A second port on platforms that have a TLS listener (Node). The files are paths. */
export interface TLSSettings extends Values<typeof tlsFields> {}

/** Settings of the broker on this device. They size every pool at start. */
export interface ListenSettings extends Omit<Values<typeof listenFields>, "tls"> {
	readonly users: readonly UserSettings[];
	readonly acl: readonly RuleSettings[];
	readonly tls?: TLSSettings;
}

/** The connection of the broker on this device to another one. */
export interface BridgeSettings extends Omit<Values<typeof bridgeFields>, "url"> {
	/** Name or address. */
	readonly host: string;
	/** 1 … 65535. */
	readonly port: number;
	/** Absent: MQTT over TCP. */
	readonly transport?: LayeredTransport;
	/** Path and query of a WebSocket; absent: "/". */
	readonly path?: string;
	/** At least one. */
	readonly topics: readonly BridgeTopicSettings[];
}

export interface BridgeTopicSettings extends Values<typeof bridgeTopicFields> {}

export interface TimeSettings {
	/** SNTP server, name or address; undefined: the clock is not synchronised. */
	readonly server: string | undefined;
}
