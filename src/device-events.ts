import type { Fault } from "./fault";
import type { ReasonCode } from "./mqtt/constants";

/**
 * Progress of the firmware, for a host that counts it: the name of each event and its arguments. These are
 * numbers, booleans and constant strings, and passed one by one: an object would have to be allocated.
 *
 * Every accepted report is acknowledged or dropped, or still pending:
 *
 *     lost = accepted − acknowledged − waiting − dropped, always 0
 *
 * Sequence numbers count from 1 without gaps. A host that counts each of them once, and takes `accepted` and
 * `dropped` from `wake` if they are larger there, also counts correctly when the device crashes between an
 * action and its event. `acknowledged` is emitted before the report is removed, all other events after the
 * change is durable. `waiting`: reports in the outbox afterwards.
 */
export interface DeviceEvents {
	/** The node starts. `dropped`: reports dropped since power-on. */
	wake: [waiting: number, nextSequence: number, dropped: number];
	/**
	 * A value, of one sample or several. `sensor`, here and below: index in the settings. `value` NaN: the
	 * reading failed.
	 */
	sample: [sensor: number, value: number];
	/** One of several samples of a value, which `sample` follows. `value` NaN: the reading failed. */
	gathered: [sensor: number, value: number];
	/** Deadband and heartbeat suppress the value of a sensor. */
	filtered: [sensor: number];
	/** The outbox accepted a report. */
	accepted: [sequence: number, waiting: number];
	/** Joining Wi-Fi starts. */
	join: [];
	/**
	 * Wi-Fi is connected. `signal`: in dBm, 0: unknown. `fast`: with the access point of the last connection.
	 */
	joined: [elapsedMs: number, signal: number, fast: boolean];
	/** The connection to the broker starts. `pipelined`: reports follow CONNECT at once. */
	open: [pipelined: boolean, waiting: number];
	/** A CONNACK with success has arrived. */
	opened: [sessionPresent: boolean, elapsedMs: number];
	/** All packets of a report were sent. `again`: it was sent before, in this or an earlier wake. */
	publish: [sequence: number, again: boolean, qos: 0 | 1 | 2];
	/** The broker has a report. */
	acknowledged: [sequence: number, waiting: number, reasonCode: ReasonCode];
	/** The outbox dropped a report. `sequence` 0: it could not be read. */
	dropped: [sequence: number, waiting: number, reason: DropReason];
	/** The smallest packet of a report is larger than may be sent: it waits for another limit. */
	oversized: [sequence: number, packetSize: number, limit: number];
	/** The connection to the broker has ended. */
	closed: [acknowledgedCount: number];
	/** `reasonCode`: MQTT's, or 0. `failures`: failed tries, or refusals of a topic, in a row. */
	failed: [fault: Fault, reasonCode: ReasonCode, failures: number];
	/** `awakeLimit` has passed. */
	limit: [awakeMs: number, waiting: number];
	/** Deep sleep begins. */
	sleep: [requestedMs: number, waiting: number, awakeMs: number];
	/**
	 * The node has executed a command, or refused it. "restored", never accepted: settings of the command `set`
	 * were given up, as no report was acknowledged with them.
	 */
	command: [name: CommandEventName, accepted: boolean];
	/** The update to another image has come to a new phase. */
	update: [phase: UpdatePhase];
	/**
	 * The bridge has connected to the other broker, or a try has failed. `failures`: in a row; `retryMs`: wait
	 * until the next try.
	 */
	bridge: [connected: boolean, failures: number, retryMs: number];
	/** The broker has a new current value of a topic. `record`: of its retained store; 0: it found no room. */
	retained: [record: number, retain: boolean, payloadSize: number];
	/** The broker sent a message to a client, or queued it. */
	delivered: [qos: number, payloadSize: number];
}

/** "unknown": it could not be read. */
export type CommandEventName =
	| "report-now"
	| "identify"
	| "clear"
	| "set"
	| "summary"
	| "update"
	| "unknown"
	| "restored";

/**
 * "fetching": the image is being fetched; "interrupted": it was not, and will be tried again; "activated": it
 * starts with the next reset; "confirmed": it has reported; "returned": it could not, the one before starts;
 * "failed": the update is over, and the image is the one before.
 */
export type UpdatePhase = "fetching" | "interrupted" | "activated" | "confirmed" | "returned" | "failed";

export type DeviceEventName = keyof DeviceEvents;

/** An event and its arguments: the name tells their types. */
export type DeviceEvent<Name extends DeviceEventName = DeviceEventName> = {
	[N in Name]: [name: N, ...DeviceEvents[N]];
}[Name];

/** Why a report left the outbox unacknowledged. */
export type DropReason =
	| typeof DROPPED_OLDEST
	| typeof DROPPED_THINNED
	| typeof DROPPED_CORRUPTED
	| typeof DROPPED_UNREADABLE
	| typeof DROPPED_CLEARED;
/** The outbox was full: the oldest report was dropped. */
export const DROPPED_OLDEST = 0;
/** The outbox was full: every second report of the older half was dropped. */
export const DROPPED_THINNED = 1;
/** Its bytes in retained memory were damaged. */
export const DROPPED_CORRUPTED = 2;
/** It can never be sent: recorded for another list of sensors or outbox size. */
export const DROPPED_UNREADABLE = 3;
/** The command `clear` emptied the outbox. Retained memory counts it among the unreadable ones. */
export const DROPPED_CLEARED = 4;
