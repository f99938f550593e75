/**
 * Retained memory: two copies of the header's fixed part, two copies of its sensors' part with the extension
 * that some features have (extension.ts), a byte that says what
 * has begun, then the ring of the outbox. The newer valid copy applies; a commit overwrites the other one, so
 * that a reset at any byte leaves one copy intact.
 */

export const LAYOUT_MAGIC = 0x46_4c_79_46;
/** Increment it whenever the meaning of any byte changes. */
export const LAYOUT_VERSION = 3;

// Words of 32 bits, unsigned.
/**
 * Access point and address of the last connection that reached the broker: a `WiFiLink` of 28 bytes. It comes
 * first, so that a view of the whole is also one of it.
 */
export const WORD_LINK = 0;
/** IPv4 address of the broker on that connection, as on the wire; 0: unknown. */
export const WORD_BROKER_ADDRESS = 7;
export const WORD_MAGIC = 8;
/** Layout version in the upper half, {@link shapeOf} in the lower. */
export const WORD_SHAPE = 9;
export const WORD_CHECKSUM = 10;
/** Counts commits. */
export const WORD_GENERATION = 11;
/** Identifies the list of sensors: the same index in a record means another sensor in another list. */
export const WORD_SENSORS_HASH = 12;
/** Identifies the broker: values from a CONNACK apply to that broker only. */
export const WORD_BROKER_HASH = 13;
export const WORD_RING_START = 14;
export const WORD_RING_SIZE = 15;
/** Index of the oldest record in the ring. */
export const WORD_HEAD = 16;
/** Bytes from the head to the end of the newest record. */
export const WORD_USED = 17;
/** Records in these bytes, including dead ones. */
export const WORD_RECORDS = 18;
/** Number of pending reports. */
export const WORD_WAITING = 19;
/** Sequence number of the next report. */
export const WORD_SEQUENCE = 20;
export const WORD_WAKES = 21;
/** Number of failed tries in a row. */
export const WORD_FAILED_TRIES = 22;
export const WORD_FLAGS = 23;
/** Receive Maximum of the last CONNACK. */
export const WORD_RECEIVE_MAXIMUM = 24;
/** Maximum Packet Size of the last CONNACK, in bytes. */
export const WORD_PACKET_SIZE = 25;
/** Counters of dropped reports, one for each DropReason but the last (device-events.ts). */
export const WORD_DROPPED = 26;
export const DROP_COUNTERS = 4;
export const WORD_ACKNOWLEDGED = 30;
/** Number of failed readings. */
export const WORD_FAILED_READINGS = 31;
/** Number of requests in a row that a time server has not answered. */
export const WORD_UNANSWERED_SYNCS = 32;
/** Number of topics whose {@link SENSOR_TOPIC_BACKOFF} is not 0. */
export const WORD_REFUSED_TOPICS = 33;
/** Even, as the checksum requires. */
export const WORDS = 34;

/**
 * The broker closed several pipelined connections in a row before CONNACK: pipelining is not tried again
 * until {@link REAL_PIPELINE_RETRY}.
 */
export const FLAG_NO_PIPELINE = 1;
/** The limits of a CONNACK are cached: the two words above and the flags below. */
export const FLAG_LIMITS_KNOWN = 2;
export const FLAG_NO_RETAIN = 4;
/** Maximum QoS, 2 bits. */
export const QOS_SHIFT = 3;
/** Number of pipelined connections in a row that the broker closed before CONNACK, 2 bits. */
export const REFUSALS_SHIFT = 5;
/** The session at the broker, if there is one, is that of this retained memory. */
export const FLAG_SESSION_OWN = 128;
/** The outbox's flash has, or may have, reports that could not be read. */
export const FLAG_FLASH_UNREAD = 0x100;
/** Beside it: what flash has and the ring lacks was not acknowledged. */
export const FLAG_FLASH_MISSING = 0x200;
/** Beside it: sequence numbers have begun anew since. */
export const FLAG_FLASH_RENUMBERED = 0x400;
/** Number of tries to read them since, 4 bits. */
export const FLASH_TRIES_SHIFT = 12;
/** Tries to report until the next one, 16 bits. */
export const FLASH_WAIT_SHIFT = 16;
/** All of these, which do not depend on the broker. */
export const FLASH_FLAGS = 0xffff_ff00;

// Doubles after the words; milliseconds. Node time counts from the first start and never jumps.
/** Node time of this commit. */
export const REAL_NODE_TIME = 0;
/** Wall time of this commit; NaN: unknown; below 0: −1 − what a clock shows that was never set. */
export const REAL_WALL_TIME = 1;
/**
 * Sleep requested together with this commit; 0: none; below 0: none, the clock is about to be set to
 * {@link REAL_WALL_TIME}, and this is what that would be otherwise.
 */
export const REAL_ORDERED_SLEEP = 2;
/** Node time before which no report is sent. */
export const REAL_RETRY = 3;
/** Node time of the last answer from a time server; NaN: never. */
export const REAL_LAST_SYNC = 4;
/** Fraction by which sleeps last longer than requested; 0: exact. */
export const REAL_DRIFT = 5;
/** Node time from which packets before CONNACK are tried again with a broker that refused them. */
export const REAL_PIPELINE_RETRY = 6;
/** Node time before which no request is sent to a time server. */
export const REAL_SYNC_RETRY = 7;
/** Node time up to which the address of the link may be used. */
export const REAL_LEASE_END = 8;
/** Node time from which all channels are scanned again: a better access point may have come. */
export const REAL_SCAN_DUE = 9;
export const REALS = 10;

// Doubles for each sensor.
/** Node time of its next sample. */
export const SENSOR_DUE = 0;
/** Last value reported; NaN: none. */
export const SENSOR_VALUE = 1;
/** Node time when it was sampled. */
export const SENSOR_TIME = 2;
/**
 * 0: no report on the sensor's topic was refused since the last accepted one. Otherwise the node time of the
 * next try, times 32, plus the number of refusals in a row, up to 31.
 */
export const SENSOR_TOPIC_BACKOFF = 3;
export const SENSOR_REALS = 4;

/** The double of the extension that holds its hash. */
export const EXTENSION_HASH = 0;

/** Bytes of one copy of the fixed part. */
export const FIXED_SIZE = WORDS * 4 + REALS * 8;
/** Bytes of one copy of a sensor's part. */
export const SENSOR_SIZE = SENSOR_REALS * 8;

/** Bits of the number of sensors in the shape. */
const SHAPE_SENSORS = 5;

/** Identifies the sizes of the header, in 16 bits. @param extension doubles, up to 2047 */
export function shapeOf(sensors: number, extension: number): number {
	return (extension << SHAPE_SENSORS) | sensors;
}

/** Bytes of one copy of the parts after the fixed one. @param shape from {@link shapeOf} */
export function variableSize(shape: number): number {
	return (shape & ((1 << SHAPE_SENSORS) - 1)) * SENSOR_SIZE + (shape >> SHAPE_SENSORS) * 8;
}

// Values of the last byte before the ring, the mark, which the checksum does not cover.
/** The node sleeps. */
export const MARK_ASLEEP = 0;
/** The node has booted. */
export const MARK_BOOTED = 1;
/** The first one of: the driver of a sensor is being called. */
export const MARK_DRIVER = 2;

/** Reports dropped since power-on, or since the command that clears the counters. */
export function droppedReports(words: Uint32Array): number {
	return words[WORD_DROPPED] + words[WORD_DROPPED + 1] + words[WORD_DROPPED + 2] + words[WORD_DROPPED + 3];
}

/** Bytes before the ring. */
export function headerSize(sensors: number, extension = 0): number {
	return 2 * (FIXED_SIZE + variableSize(shapeOf(sensors, extension))) + 1;
}
