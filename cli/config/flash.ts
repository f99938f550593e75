import type { ListenSettings } from "../../src/config/settings";

// What `listen.persist` takes in ESP-IDF's NVS, at its worst. test/memory/flash.test.ts compares it with what
// a broker stores; the layout of NVS is that of components/nvs_flash in ESP-IDF 5.

/** Bytes of the NVS partition that the SDK makes, on every chip and board. */
export const DEFAULT_NVS = 0x6000;
/** A page of NVS is erased as a whole; one is always kept free, to move what is in use. */
const PAGE_SIZE = 4096;
const PAGE_ENTRIES = 126;
const ENTRY_SIZE = 32;
/**
 * Entries of a page that hold records for sure: the first part of a record is not put where less than a tenth
 * of a page is free, and each page may split one record, whose second part has a header of its own. ESP-IDF's
 * own code, run on a PC with random transactions, refused no write up to 118 entries, and some from 122 on.
 */
const SURE_ENTRIES = PAGE_ENTRIES - 14;
/** Header and index of a blob. */
const BLOB_ENTRIES = 2;
/** Name spaces; and the radio's calibration: 1,904 bytes, a number, a MAC address. */
const OTHER_ENTRIES = 2 + (BLOB_ENTRIES + 60) + 1 + (BLOB_ENTRIES + 1);
/** Erasures that a page endures, and the part of each that is new: the rest stays in use, and is copied. */
const ENDURANCE = 100_000;
const NEW_PART = 0.5;

/** Bytes of a record besides what its pool holds: header, fields, and those of the message in it. */
const HEADER = 9;
const MESSAGE = 11;
const SESSION = 20;
const SUBSCRIPTION = 8;
const QUEUE_ENTRY = 16;
const INCOMING_LIST = 3;
const COMMIT = 22;
/** Bytes of a SUBSCRIBE besides its filter. */
const SUBSCRIBE = 8;

/** Entries that a blob of this size takes. */
export function blobEntries(bytes: number): number {
	return BLOB_ENTRIES + Math.ceil(bytes / ENTRY_SIZE);
}

/** The records of one pool. */
export interface StoredPool {
	/** Key of `listen` that says how many there are. */
	readonly key: keyof ListenSettings & ("retainedTopics" | "sessions" | "subscriptions" | "queuedMessages");
	/** Entries of all of them, once. */
	readonly entries: number;
}

/**
 * The most entries of `count` records that share `bytes` of a pool, each with `own` bytes besides: part of
 * an entry is lost in each.
 */
function sharedEntries(count: number, own: number, bytes: number): number {
	return count * BLOB_ENTRIES + Math.floor((count * (own + ENTRY_SIZE - 1) + bytes) / ENTRY_SIZE);
}

/** Entries that the stored state takes at its worst, by pool. */
export function storedPools(listen: ListenSettings): readonly StoredPool[] {
	const { sessions, subscriptions, retainedTopics, queuedMessages, packetSize } = listen;
	const user = Math.max(0, ...listen.users.map(({ name }) => Buffer.byteLength(name)));
	// Filters share the text of their first levels: each may be as long as all text, with a slash a level.
	const filter = Math.min(packetSize - SUBSCRIBE, listen.filterBytes + listen.filterLevels - 1);
	const values = Math.min(listen.retainedBytes, retainedTopics * packetSize);
	const messages = Math.min(listen.queuedBytes, queuedMessages * packetSize);
	return [
		{ key: "retainedTopics", entries: sharedEntries(retainedTopics, HEADER + MESSAGE, values) },
		{
			key: "sessions",
			entries:
				sharedEntries(sessions, HEADER + SESSION + user + MESSAGE, listen.sessionBytes) +
				sessions * blobEntries(HEADER + INCOMING_LIST + 2 * listen.receiveMaximum),
		},
		{ key: "subscriptions", entries: subscriptions * blobEntries(HEADER + SUBSCRIPTION + filter) },
		{
			key: "queuedMessages",
			entries:
				sharedEntries(queuedMessages, HEADER + MESSAGE, messages) +
				queuedMessages * blobEntries(HEADER + QUEUE_ENTRY + filter),
		},
	];
}

/** Entries of the state at its worst: a transaction replaces every record, so that each is there twice. */
export function storedEntries(listen: ListenSettings): number {
	const records = storedPools(listen).reduce((sum, { entries }) => sum + entries, 0);
	return 2 * (records + blobEntries(HEADER + COMMIT));
}

/** Bytes of an NVS partition that holds the state for sure. */
export function nvsNeeded(listen: ListenSettings): number {
	return PAGE_SIZE * (Math.ceil((storedEntries(listen) + OTHER_ENTRIES) / SURE_ENTRIES) + 1);
}

/**
 * Years until the flash is worn out, if one value changes in each `persistInterval`: its record and the
 * commit record are written anew. With an interval of 0 seconds, one change a second.
 */
export function yearsOfFlash({ persistInterval }: ListenSettings, nvs: number): number {
	const written = blobEntries(2 * ENTRY_SIZE) + blobEntries(HEADER + COMMIT);
	const intervals = ((nvs / PAGE_SIZE - 1) * PAGE_ENTRIES * ENDURANCE * NEW_PART) / written;
	return (intervals * Math.max(persistInterval, 1000)) / (365 * 86_400_000);
}
