/**
 * Current of an ESP32, mA at 3.3 V. Source: "ESP32-WROOM-32 Datasheet" (Espressif), its tables of current
 * consumption by power mode and by RF mode, typical values; the upper end of a range. The chip alone: no
 * regulator, no sensor, no LED.
 */
export const currents = {
	/**
	 * CPU at 240 MHz, radio off: "modem-sleep, 240 MHz, 30–68 mA". Includes boot, where 47 mA was measured over
	 * 70 ms (upy-esp32-experiments).
	 */
	cpu: 68,
	/** Radio listening: "receive 802.11 b/g/n, 95–100 mA". */
	receive: 100,
	/**
	 * Radio sending: "transmit 802.11b, DSSS 1 Mbps, +19.5 dBm, 240 mA"; the slowest rate, with the highest
	 * current.
	 */
	transmit: 240,
	/** RTC timer and RTC memory only: "deep sleep, 10 µA". */
	deepSleep: 0.01,
	/**
	 * Light sleep on an access point, on average: 0.8 mA by the datasheet, and the radio that listens to each
	 * beacon. Source: ESP-IDF Programming Guide, "Low Power Mode in Wi-Fi Scenarios", auto light-sleep of an
	 * ESP32, 3.34 mA where each beacon may announce broadcasts (DTIM 1), 2.33 mA where every third does; there
	 * an ESP32-C3 takes 1.4 and 0.62 mA. A PINGREQ a minute, which the simulator does not count, would add
	 * 0.1 mA.
	 */
	lightSleep: 3.34,
} as const;

/** Air time of a byte sent, in ms: 802.11b at 1 Mbit/s. */
export const transmitMsPerByte = 0.008;

/**
 * Bytes on air that each send adds to its payload: PLCP preamble, MAC, LLC, IP and TCP headers (24 + 36 + 8 +
 * 20 + 20).
 */
export const transmitOverheadBytes = 108;

/** Time without traffic after which the modem sleeps between beacons on an open connection, ms. */
export const modemIdleMs = 1000;

/**
 * The same with light sleep, ms: ESP-IDF's default, CONFIG_ESP_WIFI_SLP_DEFAULT_MIN_ACTIVE_TIME.
 */
export const lightIdleMs = 50;

/** Battery capacity of the estimate, mAh: one 18650 cell, at the low end. */
export const batteryCapacityMAh = 2500;
