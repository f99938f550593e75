/**
 * Bytes of retained memory, if a manifest's `defines.firefly.retained` says nothing else: 1 KB of the ESP32's
 * 8 KB of RTC memory is left to the IDF.
 */
export const RETAINED_BYTES = 7168;
/** Bytes at its end for the TLS session of a node in deep sleep mode, if it reaches its broker by TLS. */
export const TLS_SESSION_BYTES = 104;
