/**
 * Meaning of the numbers a, b, c of `Device.event` for what the sensor role tells. Every report that was
 * accepted ends as acknowledged or dropped or is waiting:
 *
 *     lost = accepted − acknowledged − waiting − dropped, always 0
 *
 * Sequence numbers count from 1 without gaps: a host that counts them once each, and takes `accepted` and
 * `dropped` from `wake` where they are larger, counts right also when the device crashed between a deed and
 * its event. An acknowledgement is told before the report is removed, all else after it is durable.
 *
 * | name | a | b | c | |---|---|---|---|
 * | wake | reports waiting | sequence number of the next report | reports dropped since power-on |
 * | sample | index of the sensor in the settings | its value; NaN: the reading failed | |
 * | filtered | index of the sensor: deadband and heartbeat hold its value back | | |
 * | accepted | sequence number | reports waiting | |
 * | join | Wi-Fi is raised | | |
 * | joined | ms since join | | |
 * | open | 1: pipelined; 0: waiting for CONNACK | reports waiting | |
 * | opened | session present, 0 or 1 | ms since open | |
 * | publish | sequence number | 1: was sent before, in this or an earlier wake | QoS |
 * | acknowledged | sequence number | reports waiting | reason code |
 * | dropped | sequence number, 0 where it could not be read | reports waiting | {@link DropReason} |
 * | closed | reports acknowledged in this connection | | |
 * | failed | {@link FaultCode} | MQTT reason code, 0: none | failures in a row: of tries, or, where the
 *   broker refused a report, of those on its topic |
 * | limit | ms awake | reports waiting | |
 * | sleep | ms ordered | reports waiting | ms awake |
 */

/** Why a report left the outbox unacknowledged. */
export type DropReason =
	| typeof DROPPED_OLDEST
	| typeof DROPPED_THINNED
	| typeof DROPPED_CORRUPTED
	| typeof DROPPED_UNREADABLE;
/** The outbox was full: the oldest gave way. */
export const DROPPED_OLDEST = 0;
/** The outbox was full: every other of the older half gave way. */
export const DROPPED_THINNED = 1;
/** Its bytes in retained memory were damaged. */
export const DROPPED_CORRUPTED = 2;
/**
 * It can never be sent: recorded under another list of sensors or size of the outbox, or longer than the
 * broker or the send buffer takes.
 */
export const DROPPED_UNREADABLE = 3;

/** Who is at fault for a try that failed. */
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
/** No network. */
export const FAULT_WIFI = 4;
/** `awakeLimit` ended the try. */
export const FAULT_LIMIT = 5;
/** An exception that nothing expected. */
export const FAULT_PROGRAM = 6;
