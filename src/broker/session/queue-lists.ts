/*
 * The columns of a session in the table of the outgoing queues: the ends of its two lists of entries, and
 * what is counted for it.
 */

/** Ends of the list of entries that wait to be sent, 0 if it is empty. */
export const FIRST_WAITING = 0;
export const LAST_WAITING = 1;
/** Ends of the list of entries in flight. */
export const FIRST_IN_FLIGHT = 2;
export const LAST_IN_FLIGHT = 3;
/** Number of waiting and of in-flight entries. */
export const WAITING = 4;
export const IN_FLIGHT = 5;
/** Bytes of the contents of all entries; a content that several entries share counts for each. */
export const BYTES = 6;
/**
 * Messages in flight that have no entry, see addInFlight(): in the low byte those that the client has not
 * received for all we know, above it, in units of RECEIVED, those of QoS 2 that wait for PUBCOMP only.
 */
export const UNTRACKED = 7;
/** Messages lost for lack of room, up to the largest number that 16 bits hold. */
export const LOST = 8;
export const LISTS_WIDTH = 9;

export const LOST_LIMIT = 0xffff;
/** Unit of the received ones among the UNTRACKED; `inFlight` is at most 64. */
export const RECEIVED = 0x100;
