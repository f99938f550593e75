/**
 * Bytes of retained memory, if a manifest's `defines.firefly.retained` says nothing else: 1 KB of the ESP32's
 * 8 KB of RTC memory is left to the IDF.
 */
export const RETAINED_BYTES = 7168;
