/**
 * What an ESP32 draws, in mA at 3.3 V. Datasheet: "ESP32-WROOM-32 Datasheet" (Espressif), its tables of
 * current consumption by power mode and by RF mode, typical values; where it gives a range, the upper end.
 * The chip alone: no regulator, no sensor, no LED.
 */
export const currents = {
	/**
	 * CPU at 240 MHz, radio off: "modem-sleep, 240 MHz, 30–68 mA". Boot is such a time; measured over 70 ms of
	 * boot: 47 mA (upy-esp32-experiments).
	 */
	cpu: 68,
	/** Radio listening: "receive 802.11 b/g/n, 95–100 mA". */
	receive: 100,
	/** Radio sending: "transmit 802.11b, DSSS 1 Mbps, +19.5 dBm, 240 mA"; slowest and dearest rate. */
	transmit: 240,
	/** RTC timer and RTC memory only: "deep sleep, 10 µA". */
	deepSleep: 0.01,
} as const;

/** Air time of a byte sent, in ms: 802.11b at 1 Mbit/s. */
export const transmitMsPerByte = 0.008;

/**
 * What each send adds to its bytes on air: PLCP preamble, MAC, LLC, IP and TCP headers (24 + 36 + 8 + 20 +
 * 20).
 */
export const transmitOverheadBytes = 108;

/**
 * After this time in ms without traffic a connection that stays open leaves its modem asleep between beacons.
 */
export const modemIdleMs = 1000;

/** mAh that the battery of the estimate holds: one cell of size 18650, and few at that. */
export const batteryCapacityMAh = 2500;
