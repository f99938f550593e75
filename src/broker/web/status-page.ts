import { utf8 } from "../../mqtt/utf8";
import type { Reply } from "../../websocket/pages";
import type { Core } from "../core/core";
import { Message } from "../pool/message";
import { HtmlWriter } from "./html-writer";
import {
	AGE,
	AGO,
	CLIENTS,
	END,
	END_LIVE,
	NAME,
	NOW,
	OF,
	REFRESH_TAG,
	ROW,
	START,
	STYLE,
	TABLE,
	UP,
	VALUE,
} from "./markup";
import { SCRIPT } from "./page-script";
import { TopicOrder } from "./topic-order";

// Parts of the page, in order
const HEAD = 0;
const TITLE = 1;
const STYLES = 2;
const REFRESH = 3;
const HEADING = 4;
const FACTS = 5;
const ROWS = 6;
const FOOT = 7;
const LIVE_SCRIPT = 8;

// Position on the page: part, offset in the part, and whether the page reloads itself
const PART_FACTOR = 0x100000;
const OFFSET_MASK = 0xfffff;
const LIVE_BIT = 0x1000000;

/**
 * Most bytes that a topic, and topic and value together, take in a row; longer text is truncated. A row fits
 * in one piece, so that it is a consistent snapshot.
 */
const TOPIC_ROOM = 170;
const ROW_ROOM = 300;

// Never written: stays in flash
const ELLIPSIS = utf8("…");

/**
 * The status page, written piece by piece. Between two pieces only the position and the last topic shown are
 * stored for each reader, in its reply. Rows are in the order of topics, so that values may be added, removed
 * or changed meanwhile.
 */
export class StatusPage {
	readonly #core: Core;
	readonly #name: Uint8Array;
	readonly #writer: HtmlWriter;
	readonly #value: Message;
	readonly #order: TopicOrder;

	constructor(core: Core, name: string) {
		this.#core = core;
		this.#name = utf8(name);
		this.#writer = new HtmlWriter(this.#name);
		this.#value = new Message(this.#name);
		this.#order = new TopicOrder(core);
	}

	/** The position where a page begins. */
	initialPlace(live: boolean): number {
		return live ? LIVE_BIT : 0;
	}

	/** Writes a piece to bytes [start, end), 512 of them, as {@link Pages.writePiece}. */
	fill(reply: Reply, bytes: Uint8Array, start: number, end: number): number {
		const writer = this.#writer;
		const live = reply.position >= LIVE_BIT ? LIVE_BIT : 0;
		let part = Math.floor((reply.position - live) / PART_FACTOR);
		let offset = reply.position & OFFSET_MASK;
		writer.startPiece(bytes, start, end);
		while (part <= LIVE_SCRIPT) {
			const { at } = writer;
			offset = this.writePart(part, offset, live !== 0, reply);
			if (writer.full) {
				if (part === TITLE || part === HEADING || part === FACTS || part === ROWS) writer.rewind(at);
				break;
			}
			if (part === ROWS && offset > 0) continue;
			part++;
			offset = 0;
		}
		reply.position = live + part * PART_FACTOR + offset;
		return writer.at - start;
	}

	/**
	 * Writes a part, or the next row, from `offset` on.
	 * @returns the offset after that; 0 after the last row
	 */
	private writePart(part: number, offset: number, live: boolean, reply: Reply): number {
		const writer = this.#writer;
		switch (part) {
			case HEAD:
				return writer.putPartial(START, offset);
			case REFRESH:
				return live ? writer.putPartial(REFRESH_TAG, offset) : 0;
			case STYLES:
				return writer.putPartial(STYLE, offset);
			case FACTS:
				this.writeFacts();
				return 0;
			case ROWS:
				return this.writeRow(reply, offset);
			case FOOT:
				return writer.putPartial(live ? END_LIVE : END, offset);
			case LIVE_SCRIPT:
				// A page that reloads itself has no use for it.
				return live ? 0 : writer.putPartial(SCRIPT, offset);
			default:
				if (part === HEADING) writer.put(NAME);
				writer.text(this.#name, 0, this.#name.length, ROW_ROOM);
				return 0;
		}
	}

	private writeFacts(): void {
		const writer = this.#writer;
		const { clock, timestamp, openCount, settings } = this.#core;
		writer.put(UP);
		writer.timeSpan(clock.nowMs);
		writer.put(CLIENTS);
		writer.number(openCount);
		writer.put(OF);
		writer.number(settings.connections);
		const { at } = writer;
		writer.put(NOW);
		if (!writer.calendarTime(timestamp, clock.nowMs)) writer.rewind(at);
		writer.put(TABLE);
	}

	/**
	 * Writes the row after the topic in the reply's store, `length` bytes long, 0 before the first.
	 * @returns the length of its topic, 0 if there is no further row
	 */
	private writeRow(reply: Reply, length: number): number {
		const writer = this.#writer;
		const { store, reader } = reply;
		const record = this.#order.nextAfter(reader, store, length);
		if (record === 0) return 0;
		const { clock, timestamp } = this.#core;
		const value = this.#value;
		this.#core.store.messages.readInto(record, value);
		const { bytes, topicStart, topicEnd, arrivedAtMs } = value;
		writer.put(ROW);
		const { at } = writer;
		if (!writer.text(bytes, topicStart, topicEnd, TOPIC_ROOM) && !writer.full) writer.put(ELLIPSIS);
		writer.put(VALUE);
		writer.value(bytes, value.payloadStart, value.payloadEnd, ROW_ROOM - (writer.at - at));
		writer.put(AGE);
		writer.timeSpan(clock.nowMs - arrivedAtMs);
		writer.put(AGO);
		writer.calendarTime(timestamp, arrivedAtMs);
		if (writer.full) return length;
		let size = 0;
		for (let i = topicStart; i < topicEnd; i++) store[size++] = bytes[i];
		return size;
	}
}
