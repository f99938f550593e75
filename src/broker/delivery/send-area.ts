import { TIMESTAMP_LIMIT } from "./timestamp";

/**
 * What a PUBLISH may need beyond topic, properties and payload, bytes: fixed header, two lengths, packet
 * identifier, subscription identifier, topic alias, and the time a value came.
 */
export const PUBLISH_OVERHEAD = 24;

/** What the send area has beyond the largest packet that is taken, bytes. */
export const SEND_AREA_EXTRA = PUBLISH_OVERHEAD + 5 + 12 + TIMESTAMP_LIMIT;
