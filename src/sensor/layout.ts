/**
 * Retained memory: two copies of the header's fixed part, two copies of its sensors' part, a byte that marks
 * a boot, then the ring of the outbox. The newer valid copy wins; a commit overwrites the other, so that a
 * reset at any byte leaves one whole.
 */

export const LAYOUT_MAGIC = 0x46_4c_79_46;
/** To be raised whenever the meaning of any byte changes. */
export const LAYOUT_VERSION = 2;

// Words of 32 bits, unsigned.
export const WORD_MAGIC = 0;
/** Layout version above, number of sensors below. */
export const WORD_SHAPE = 1;
export const WORD_CHECKSUM = 2;
/** Counts commits. */
export const WORD_GENERATION = 3;
/** Tells sensor lists apart: an index in a record means another sensor under another list. */
export const WORD_SENSORS_HASH = 4;
/** Tells brokers apart: what follows from a CONNACK holds for that broker only. */
export const WORD_BROKER_HASH = 5;
export const WORD_RING_START = 6;
export const WORD_RING_SIZE = 7;
/** Index in the ring of its oldest record. */
export const WORD_HEAD = 8;
/** Bytes from there to the end of the newest. */
export const WORD_USED = 9;
/** Records in these bytes, dead ones included. */
export const WORD_RECORDS = 10;
/** Reports waiting. */
export const WORD_WAITING = 11;
/** Sequence number of the next report. */
export const WORD_SEQUENCE = 12;
export const WORD_WAKES = 13;
/** Failed tries in a row. */
export const WORD_FAILED_TRIES = 14;
export const WORD_FLAGS = 15;
/** Of the last CONNACK. */
export const WORD_RECEIVE_MAXIMUM = 16;
/** Of the last CONNACK, bytes. */
export const WORD_PACKET_SIZE = 17;
/** Four counters of reports given up, one for each {@link ./events.ts!DropPolicy}. */
export const WORD_DROPPED = 18;
export const WORD_ACKNOWLEDGED = 22;
/** Readings that failed. */
export const WORD_FAILED_READINGS = 23;
/** Times in a row that a time server was asked and had not answered yet. */
export const WORD_UNANSWERED_SYNCS = 24;
/** Topics whose {@link SENSOR_TOPIC_BACKOFF} is not 0. */
export const WORD_REFUSED_TOPICS = 25;
/** An even number, for the checksum. */
export const WORDS = 26;

/**
 * The broker closed before CONNACK on a pipelined exchange: until {@link REAL_PIPELINE_RETRY} it is not tried
 * again.
 */
export const FLAG_NO_PIPELINE = 1;
/** A CONNACK's limits are known: the two words and the flags below. */
export const FLAG_LIMITS_KNOWN = 2;
export const FLAG_NO_RETAIN = 4;
/** Maximum QoS, 2 bits. */
export const QOS_SHIFT = 3;

// Doubles after the words; milliseconds. Node time counts from the first start and never jumps.
/** Node time of this commit. */
export const REAL_NODE_TIME = 0;
/** Wall time of this commit; NaN: unknown. */
export const REAL_WALL_TIME = 1;
/** Sleep that was ordered together with this commit; 0: none. */
export const REAL_ORDERED_SLEEP = 2;
/** Node time before which no report is tried. */
export const REAL_RETRY = 3;
/** Node time of the last answer of a time server; NaN: never. */
export const REAL_LAST_SYNC = 4;
/** Part by which sleeps last longer than ordered; 0: exact. */
export const REAL_DRIFT = 5;
/** Node time from which a broker that refused packets before CONNACK is offered them again. */
export const REAL_PIPELINE_RETRY = 6;
/** Node time before which no time server is asked. */
export const REAL_SYNC_RETRY = 7;
export const REALS = 8;

// Doubles for each sensor.
/** Node time of its next sample. */
export const SENSOR_DUE = 0;
/** Last value reported; NaN: none. */
export const SENSOR_VALUE = 1;
/** Node time when it was sampled. */
export const SENSOR_TIME = 2;
/**
 * 0, or, where reports on its topic were refused since the last that was taken: node time before which none
 * is tried, times 32, and refusals in a row, up to 31.
 */
export const SENSOR_TOPIC_BACKOFF = 3;
export const SENSOR_REALS = 4;

/** Bytes of one copy of the fixed part. */
export const FIXED_SIZE = WORDS * 4 + REALS * 8;
/** Bytes of one copy of a sensor's part. */
export const SENSOR_SIZE = SENSOR_REALS * 8;

/** Bytes before the ring; the last one is the mark of a boot, outside the checksum. */
export function headerSize(sensors: number): number {
	return 2 * (FIXED_SIZE + sensors * SENSOR_SIZE) + 1;
}
