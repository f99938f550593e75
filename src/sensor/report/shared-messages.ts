import {
	isKnownState,
	OFFSET_STATE,
	RECORD_HEADER,
	STATE_JOINED,
	STATE_OVERSIZED,
} from "../outbox/report-record";
import { ANY_SENSOR, nextOnTopic } from "../outbox/topic-scan";
import { WORD_USED } from "../retained/layout";
import type { ExchangeParts } from "./exchange-parts";

const COMMA = 0x2c;
const CLOSING_BRACKET = 0x5d;

// Fields of a row of `rows`
const FIRST = 0;
const LAST = 1;
const SENSOR = 2;
const FIELDS = 3;

/**
 * Messages in flight that hold several reports of one topic. The first report of a message gives it its
 * packet identifier and its tag, the others have STATE_JOINED.
 */
export class SharedMessages {
	private readonly parts: ExchangeParts;
	/**
	 * Sequence numbers of the first and the last report of each, and the sensor. First 0: the row is free. What
	 * the outbox drops meanwhile changes nothing in them.
	 */
	private readonly rows: Uint32Array;
	/** Sequence number of the last report in the message being written. */
	private last = 0;
	/** Of the message that was acknowledged: its row, and the place in the outbox to go on from. */
	private row = 0;
	private place = 0;

	constructor(parts: ExchangeParts) {
		this.parts = parts;
		this.rows = new Uint32Array(FIELDS * parts.settings.broker.inFlight);
	}

	/** Call before a connection. */
	reset(): void {
		this.rows.fill(0);
	}

	/** Whether there are none. */
	get isEmpty(): boolean {
		const rows = this.rows;
		for (let row = 0; row < rows.length; row += FIELDS) if (rows[row + FIRST] > 0) return false;
		return true;
	}

	/** Call before a message is written. */
	begin(): void {
		this.last = 0;
	}

	/**
	 * Adds later reports on the topic of the record at the outbox's cursor to the array that holds it, as many
	 * as fit; to a message that is sent again, those that it had.
	 * @param length of the array @param limit bytes @param flags of the message
	 * @param isResent whether the message is still in flight in the resumed session
	 * @returns length of the array
	 */
	extend(length: number, limit: number, flags: number, isResent: boolean): number {
		const { outbox, encoder, clock, client } = this.parts;
		const { negotiated } = client;
		const { ring, record } = outbox;
		const sensor = this.sensorOf(record.bytes);
		const bytes = encoder.message;
		this.last = record.sequence;
		for (let place = nextOnTopic(ring, outbox.bytesAhead, sensor); place > 0; ) {
			const index = ring.indexAt(ring.words[WORD_USED] - place);
			const size = ring.lengthAt(index);
			const state = ring.stateAt(index);
			place = nextOnTopic(ring, place - size, sensor);
			if (isResent ? state !== STATE_JOINED : !isKnownState(state)) break;
			if (state === STATE_OVERSIZED) continue;
			const { scratch } = outbox;
			ring.readRecord(index, size, scratch);
			// A damaged one is for the outbox to find, when its cursor is there.
			if (!scratch.parse() || scratch.isReceived) break;
			// This one begins a message that must be sent again as it was.
			if (negotiated.sessionPresent && scratch.isUnanswered) break;
			if (encoder.publishFlags(scratch, negotiated.maximumQoS) !== flags) break;
			const end = encoder.writePayload(scratch, clock.wallOffset, 0, Infinity, 0, length);
			if (end >= limit) break;
			bytes[length - 1] = COMMA;
			bytes[end] = CLOSING_BRACKET;
			length = end + 1;
			this.last = scratch.sequence;
		}
		return length;
	}

	/** The message was staged: marks its reports after the first one. */
	markJoined(): void {
		const { outbox } = this.parts;
		const { ring, record } = outbox;
		const first = record.sequence;
		const last = this.last;
		if (last <= first) return;
		const sensor = this.sensorOf(record.bytes);
		const { words } = ring;
		let place = nextOnTopic(ring, outbox.bytesAhead, sensor);
		while (place > 0) {
			const index = ring.indexAt(words[WORD_USED] - place);
			if (ring.sequenceAt(index) > last) break;
			if (ring.stateAt(index) !== STATE_OVERSIZED) ring.setState(index, STATE_JOINED);
			place = nextOnTopic(ring, place - ring.lengthAt(index), sensor);
		}
		const rows = this.rows;
		let row = 0;
		while (rows[row + FIRST] > 0) row += FIELDS;
		rows[row + FIRST] = first;
		rows[row + LAST] = last;
		rows[row + SENSOR] = sensor;
	}

	/** Whether the record at the outbox's cursor is in flight in the message of an earlier report. */
	holds(bytes: Uint8Array, sequence: number): boolean {
		if (bytes[OFFSET_STATE] !== STATE_JOINED) return false;
		const rows = this.rows;
		const sensor = this.sensorOf(bytes);
		for (let row = 0; row < rows.length; row += FIELDS)
			if (rows[row + SENSOR] === sensor && sequence > rows[row + FIRST] && sequence <= rows[row + LAST])
				return true;
		return false;
	}

	/**
	 * The message of a report was answered: {@link nextDelivered} has the other reports that it holds.
	 * @returns whether there are any
	 */
	findAnswered(first: number): boolean {
		const rows = this.rows;
		for (let row = 0; row < rows.length; row += FIELDS)
			if (rows[row + FIRST] === first) {
				const { ring } = this.parts.outbox;
				this.row = row;
				this.place = ring.words[WORD_USED];
				return true;
			}
		return false;
	}

	/** Sequence number of the next one; 0: that was all, and nothing is left of the message. */
	nextDelivered(): number {
		const { ring } = this.parts.outbox;
		const rows = this.rows;
		const row = this.row;
		const sensor = rows[row + SENSOR];
		for (;;) {
			const place = nextOnTopic(ring, this.place, sensor);
			const index = ring.indexAt(ring.words[WORD_USED] - place);
			const sequence = place === 0 ? Infinity : ring.sequenceAt(index);
			if (sequence > rows[row + LAST]) break;
			this.place = place - ring.lengthAt(index);
			if (sequence > rows[row + FIRST] && ring.stateAt(index) === STATE_JOINED) return sequence;
		}
		rows.fill(0, row, row + FIELDS);
		return 0;
	}

	/** Nothing is left of the message: the broker has refused it. */
	release(): void {
		this.rows.fill(0, this.row, this.row + FIELDS);
	}

	private sensorOf(bytes: Uint8Array): number {
		return this.parts.encoder.grouped ? ANY_SENSOR : bytes[RECORD_HEADER];
	}
}
