import type { Device } from "../../device";
import type { DeviceEventName } from "../../device-events";
import { droppedReports, WORD_SEQUENCE } from "./layout";

/*
 * What a node that takes commands has done, for the command `summary`: the last words of the retained header,
 * which nothing else of the node takes RAM for. Counts are of 32 bits; times, in ms, take two words each, as
 * a node that stays awake has more of them in seven weeks.
 */

/** Doubles of the retained extension. */
export const COUNT_DOUBLES = 10;
const COUNT_WORDS = COUNT_DOUBLES * 2;

// Words, from the first of these
/** Node time from which it counts, two words. */
const SINCE = 0;
/** Lower half of the node time at which the present part of the wake began. */
const PART_START = 2;
const PART = 3;
/** Time in each part of all wakes, two words each. */
const PART_TIMES = 4;
const WAKES = 10;
const SAMPLES = 11;
/** Sequence number of the first report that is counted: the outbox itself counts the others. */
const FIRST_SEQUENCE = 12;
const ACKNOWLEDGED = 13;
const REPEATED = 14;
/** Reports that the outbox had dropped before. */
const DROPPED_BEFORE = 15;
const JOINS = 16;
const FAST_JOINS = 17;
const FAILED = 18;
const LIMITS = 19;

// Parts of the time awake
const JOINING = 0;
const WITH_BROKER = 1;
const OTHER = 2;
/** The node sleeps, or was reset. */
const NO_PART = 3;
/** Added to the part: without it these words are those of another feature. */
const MAGIC = 0x6375_6e00;

const WORD_RANGE = 0x1_0000_0000;

/** Where the counts are. */
interface Counts {
	/** Of the retained header. */
	readonly words: Uint32Array;
}

/** A node that counts. */
interface CountedNode {
	readonly retained: Counts;
	readonly clock: { readonly now: number };
	readonly staysConnected: boolean;
}

/** A member of the answer, and where it is read: a word, or the first of two with {@link TWO_WORDS}. */
type Member = readonly [name: string, at: number];
const TWO_WORDS = 0x100;

/** What {@link countOf} reads. */
export const RUN_COUNTS: readonly Member[] = Object.freeze([
	Object.freeze(["wakes", WAKES] as const),
	Object.freeze(["samples", SAMPLES] as const),
	Object.freeze(["accepted", FIRST_SEQUENCE] as const),
	Object.freeze(["acknowledged", ACKNOWLEDGED] as const),
	Object.freeze(["repeated", REPEATED] as const),
	Object.freeze(["dropped", DROPPED_BEFORE] as const),
	Object.freeze(["joins", JOINS] as const),
	Object.freeze(["fastJoins", FAST_JOINS] as const),
	Object.freeze(["failed", FAILED] as const),
	Object.freeze(["limits", LIMITS] as const),
	Object.freeze(["joining", TWO_WORDS + PART_TIMES + 2 * JOINING] as const),
	Object.freeze(["broker", TWO_WORDS + PART_TIMES + 2 * WITH_BROKER] as const),
	Object.freeze(["other", TWO_WORDS + PART_TIMES + 2 * OTHER] as const),
]);

/** The device of a node that counts its events, which a host's own `event` gets as well. */
export function countingDevice(device: Device, node: CountedNode): Device {
	return { __proto__: device, node, event: countEvent } as unknown as Device;
}

/** Begins the last part of the wake, before its last commit. */
export function countSleep(counts: Counts, now: number): void {
	enterPart(counts, NO_PART, now);
}

/** Counts from 0, from now on. */
export function clearCounts(counts: Counts, now: number): void {
	const { words } = counts;
	const from = words.length - COUNT_WORDS;
	const part = words[from + PART];
	begin(words, from, now);
	words[from + PART] = part;
	words[from + PART_START] = now;
}

/** ms since which the node counts, up to now; the time of its present part is added. */
export function countedTime(counts: Counts, now: number): number {
	const { words } = counts;
	const from = words.length - COUNT_WORDS;
	enterPart(counts, words[from + PART] - MAGIC, now);
	return now - twoWords(words, from + SINCE);
}

/** A count, or a time in ms. @param at of {@link RUN_COUNTS} */
export function countOf({ words }: Counts, at: number): number {
	const from = words.length - COUNT_WORDS;
	if (at >= TWO_WORDS) return twoWords(words, from + at - TWO_WORDS);
	const value = words[from + at];
	// What is durable before its event counts as the outbox has it: a crash may come between them.
	if (at === FIRST_SEQUENCE) return (words[WORD_SEQUENCE] - value) >>> 0;
	return at === DROPPED_BEFORE ? (droppedReports(words) - value) >>> 0 : value;
}

/** `Device.event`. Allocates nothing. */
function countEvent(
	this: { readonly node: CountedNode },
	name: DeviceEventName,
	a?: unknown,
	b?: unknown,
	c?: unknown,
): void {
	const { retained, clock, staysConnected } = this.node;
	const { words } = retained;
	const from = words.length - COUNT_WORDS;
	switch (name) {
		case "sample":
			words[from + SAMPLES]++;
			// A part may last for ever; samples come before its start wraps around.
			if (staysConnected) enterPart(retained, words[from + PART] - MAGIC, clock.now);
			break;
		case "publish":
			if (b === true) words[from + REPEATED]++;
			break;
		case "acknowledged":
			words[from + ACKNOWLEDGED]++;
			break;
		case "wake":
			if ((words[from + PART] & ~NO_PART) !== MAGIC) begin(words, from, clock.now);
			words[from + WAKES]++;
			// Nobody knows how long a part was that a reset has ended.
			words[from + PART] = MAGIC + NO_PART;
			enterPart(retained, OTHER, clock.now);
			break;
		case "join":
			enterPart(retained, JOINING, clock.now);
			break;
		case "joined":
			words[from + JOINS]++;
			if (c === true) words[from + FAST_JOINS]++;
			enterPart(retained, OTHER, clock.now);
			break;
		case "open":
			enterPart(retained, WITH_BROKER, clock.now);
			break;
		case "closed":
			enterPart(retained, OTHER, clock.now);
			break;
		case "failed":
			words[from + FAILED]++;
			enterPart(retained, OTHER, clock.now);
			break;
		case "limit":
			words[from + LIMITS]++;
			break;
	}
	const host = Object.getPrototypeOf(this) as { event?(...args: unknown[]): void };
	// A host that tells how many arguments there are gets as many.
	if (host.event === undefined) return;
	if (c !== undefined) host.event(name, a, b, c);
	else if (b !== undefined) host.event(name, a, b);
	else if (a !== undefined) host.event(name, a);
	else host.event(name);
}

function begin(words: Uint32Array, from: number, now: number): void {
	words.fill(0, from);
	words[from + SINCE] = now;
	words[from + SINCE + 1] = Math.floor(now / WORD_RANGE);
	words[from + FIRST_SEQUENCE] = words[WORD_SEQUENCE];
	words[from + DROPPED_BEFORE] = droppedReports(words);
}

function enterPart({ words }: Counts, part: number, now: number): void {
	const from = words.length - COUNT_WORDS;
	const previous = words[from + PART] - MAGIC;
	if (previous !== NO_PART) {
		const at = from + PART_TIMES + 2 * previous;
		const low = words[at] + ((now - words[from + PART_START]) >>> 0);
		words[at] = low;
		if (low >= WORD_RANGE) words[at + 1]++;
	}
	words[from + PART] = MAGIC + part;
	words[from + PART_START] = now;
}

function twoWords(words: Uint32Array, at: number): number {
	return words[at] + words[at + 1] * WORD_RANGE;
}
