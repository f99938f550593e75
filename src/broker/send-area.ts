import { STAMP_LIMIT } from "./stamp";

/**
 * What a PUBLISH may need beyond topic, properties and payload, bytes: fixed header, two lengths, packet identifier, subscription identifier, topic alias, and
 * the time a value came.
 */
export const OVERHEAD = 24;

/** What the send area has beyond the largest packet that is taken, bytes. */
export const SEND_AREA = OVERHEAD + 5 + 12 + STAMP_LIMIT;
