import type { ClientFault } from "../client/errors";

/**
 * Meaning of the numbers a, b, c of `Device.event` in events of the sensor role. Every accepted report is
 * acknowledged or dropped, or still pending:
 *
 *     lost = accepted − acknowledged − waiting − dropped, always 0
 *
 * Sequence numbers count from 1 without gaps. A host that counts each of them once, and takes `accepted` and
 * `dropped` from `wake` if they are larger there, also counts correctly when the device crashes between an
 * action and its event. `acknowledged` is emitted before the report is removed, all other events after the
 * change is durable.
 *
 * | name | a | b | c |
 * |---|---|---|---|
 * | wake | reports waiting | sequence number of the next report | reports dropped since power-on |
 * | sample | index of the sensor in the settings | its value; NaN: the reading failed | |
 * | filtered | index of the sensor: deadband and heartbeat suppress its value | | |
 * | accepted | sequence number | reports waiting | |
 * | join | joining Wi-Fi starts | | |
 * | joined | ms since join | | |
 * | open | 1: pipelined; 0: waiting for CONNACK | reports waiting | |
 * | opened | session present, 0 or 1 | ms since open | |
 * | publish | sequence number | 1: was sent before, in this or an earlier wake | QoS |
 * | acknowledged | sequence number | reports waiting | reason code |
 * | dropped | sequence number, 0 if it could not be read | reports waiting | {@link DropReason} |
 * | oversized | sequence number of the report | bytes of its smallest packet | bytes that may be sent |
 * | closed | reports acknowledged in this connection | | |
 * | failed | {@link FaultCode} | MQTT reason code, 0: none | failed tries, or refusals of a topic, in a row |
 * | limit | ms awake | reports waiting | |
 * | sleep | ms requested | reports waiting | ms awake |
 */

/** Why a report left the outbox unacknowledged. */
export type DropReason =
	| typeof DROPPED_OLDEST
	| typeof DROPPED_THINNED
	| typeof DROPPED_CORRUPTED
	| typeof DROPPED_UNREADABLE;
/** The outbox was full: the oldest report was dropped. */
export const DROPPED_OLDEST = 0;
/** The outbox was full: every second report of the older half was dropped. */
export const DROPPED_THINNED = 1;
/** Its bytes in retained memory were damaged. */
export const DROPPED_CORRUPTED = 2;
/** It can never be sent: recorded for another list of sensors or outbox size. */
export const DROPPED_UNREADABLE = 3;

/** Cause of a failed try, by name; `Device.event` passes its number. */
export type Fault =
	| ClientFault
	/** No network. */
	| "wifi"
	/** `awakeLimit` ended the try. */
	| "limit"
	/** An unexpected exception. */
	| "program";
export type FaultCode =
	| typeof FAULT_CONFIGURATION
	| typeof FAULT_PEER
	| typeof FAULT_RESOURCE
	| typeof FAULT_TRANSPORT
	| typeof FAULT_WIFI
	| typeof FAULT_LIMIT
	| typeof FAULT_PROGRAM;
export const FAULT_CONFIGURATION = 0;
export const FAULT_PEER = 1;
export const FAULT_RESOURCE = 2;
export const FAULT_TRANSPORT = 3;
export const FAULT_WIFI = 4;
export const FAULT_LIMIT = 5;
export const FAULT_PROGRAM = 6;
