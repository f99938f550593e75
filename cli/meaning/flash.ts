import type { Settings } from "../../src/config/settings";
import { entriesOf } from "../../src/sensor/outbox/flash-copy";
import { RECORD_HEADER, VALUE_LIMIT } from "../../src/sensor/outbox/report-record";

/** Entries of a page of ESP-IDF's NVS, which is erased as a whole. */
const PAGE_ENTRIES = 126;
/** Pages of the SDK's partition of 24 KB that are written in turn: one of its six is always free. */
const PAGES = 5;
/** Times that a page can be erased: data sheets of the flash on ESP32 modules name 100,000. */
const ERASES = 100_000;
/** Bytes of the summary that follows the newest report, and of a state of a delivery with QoS 2. */
const SUMMARY_BYTES = 48;
const STATE_BYTES = 6;

/** Years until the flash is worn out by an outbox in it. @param reports a day */
export function flashYears({ sensors, payload, topic }: Settings, reports: number): number {
	const together = payload !== "value" && !topic.includes("{sensor}");
	const record = RECORD_HEADER + VALUE_LIMIT * (together ? sensors.length : 1) + 1;
	const states = sensors.some(({ qos }) => qos === 2) ? 2 * entriesOf(STATE_BYTES) : 0;
	const erasesPerDay =
		(reports * (entriesOf(record) + entriesOf(SUMMARY_BYTES) + states)) / PAGE_ENTRIES / PAGES;
	return ERASES / erasesPerDay / 365.25;
}
