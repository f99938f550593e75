import { TIMESTAMP_LIMIT } from "./timestamp";

/**
 * Maximum overhead of a PUBLISH beyond topic, properties and payload, without the timestamp property, bytes:
 * fixed header, two lengths, packet identifier, subscription identifier and topic alias.
 */
export const PUBLISH_OVERHEAD = 24;

/** Size of the send area beyond the largest received packet, bytes: overhead and timestamp property. */
export const SEND_AREA_EXTRA = PUBLISH_OVERHEAD + 5 + 12 + TIMESTAMP_LIMIT;
