import { utf8 } from "../../mqtt/utf8";
import type { Reply } from "../../websocket/pages";
import type { Core } from "../core";
import { Message } from "../message";
import { AGE, AGO, CLIENTS, END, END_LIVE, LIVE, NAME, NONE, NOW, OF, ROW, START, STYLE, TABLE, UP, VALUE } from "./markup";
import { Paper } from "./paper";
import { TopicOrder } from "./topic-order";

// Parts of the page, in their order
const HEAD = 0;
const TITLE = 1;
const LOOKS = 2;
const REFRESH = 3;
const HEADING = 4;
const FACTS = 5;
const ROWS = 6;
const FOOT = 7;

// A place on the page: part, how far in it, and whether the reader wants it live
const PART = 0x100000;
const OFFSET = 0xfffff;
const IS_LIVE = 0x1000000;

/** Bytes that a topic, and topic and value together, may take in a row; what is longer is cut. A row fits a piece whole, so that it shows one moment. */
const TOPIC_ROOM = 170;
const ROOM = 300;

// Only read
const ELLIPSIS = utf8("…");

/**
 * The status page, written piece by piece. All that is kept of a reader between two pieces is its place and the topic shown last, which lies in the reply's own
 * store: rows come in the order of topics, whatever comes, goes or changes meanwhile.
 */
export class StatusPage {
	readonly #core: Core;
	readonly #name: Uint8Array;
	readonly #paper: Paper;
	readonly #value: Message;
	readonly #order: TopicOrder;

	constructor(core: Core, name: string) {
		this.#core = core;
		this.#name = utf8(name);
		this.#paper = new Paper(this.#name);
		this.#value = new Message(this.#name);
		this.#order = new TopicOrder(core);
	}

	/** The place where a page begins. */
	begin(live: boolean): number {
		return live ? IS_LIVE : 0;
	}

	/** Writes a piece to bytes [start, end), 512 of them, as {@link Pages.fill}. */
	fill(reply: Reply, bytes: Uint8Array, start: number, end: number): number {
		const paper = this.#paper;
		const live = reply.place >= IS_LIVE ? IS_LIVE : 0;
		let part = Math.floor((reply.place - live) / PART);
		let offset = reply.place & OFFSET;
		paper.open(bytes, start, end);
		while (part <= FOOT) {
			const { at } = paper;
			offset = this.write(part, offset, live !== 0, reply);
			if (paper.full) {
				if (part === TITLE || part === HEADING || part === FACTS || part === ROWS) paper.rewind(at);
				break;
			}
			if (part === ROWS && offset > 0) continue;
			part++;
			offset = 0;
		}
		reply.place = live + part * PART + offset;
		return paper.at - start;
	}

	/** Writes a part, or the next row, from `offset` on. @returns how far in it that is; after the last row 0 */
	private write(part: number, offset: number, live: boolean, reply: Reply): number {
		const paper = this.#paper;
		switch (part) {
			case HEAD:
				return paper.pour(START, offset);
			case REFRESH:
				return live ? paper.pour(LIVE, offset) : 0;
			case LOOKS:
				return paper.pour(STYLE, offset);
			case FACTS:
				this.facts();
				return 0;
			case ROWS:
				return this.row(reply, offset);
			case FOOT:
				return paper.pour(live ? END_LIVE : END, offset);
			default:
				if (part === HEADING) paper.put(NAME);
				paper.text(this.#name, 0, this.#name.length, ROOM);
				return 0;
		}
	}

	private facts(): void {
		const paper = this.#paper;
		const { clock, stamp, open, settings } = this.#core;
		paper.put(UP);
		paper.span(clock.now);
		paper.put(CLIENTS);
		paper.number(open);
		paper.put(OF);
		paper.number(settings.connections);
		const { at } = paper;
		paper.put(NOW);
		if (!paper.time(stamp, clock.now)) paper.rewind(at);
		paper.put(TABLE);
	}

	/** Writes the row after the topic that lies in the store, `length` bytes long, 0 before the first. @returns the length of its topic, 0 if there is none any more */
	private row(reply: Reply, length: number): number {
		const paper = this.#paper;
		const { store, reader } = reply;
		const record = this.#order.after(reader, store, length);
		if (record === 0) {
			if (length === 0) paper.put(NONE);
			return 0;
		}
		const { clock, stamp } = this.#core;
		const value = this.#value;
		this.#core.store.messages.read(record, value);
		const { bytes, topicStart, topicEnd, arrived } = value;
		paper.put(ROW);
		const { at } = paper;
		if (!paper.text(bytes, topicStart, topicEnd, TOPIC_ROOM) && !paper.full) paper.put(ELLIPSIS);
		paper.put(VALUE);
		paper.value(bytes, value.payloadStart, value.payloadEnd, ROOM - (paper.at - at));
		paper.put(AGE);
		paper.span(clock.now - arrived);
		paper.put(AGO);
		paper.time(stamp, arrived);
		if (paper.full) return length;
		let size = 0;
		for (let i = topicStart; i < topicEnd; i++) store[size++] = bytes[i];
		return size;
	}
}
