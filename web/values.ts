import { parsed, type TopicUnits, type Unit, Units } from "./units";

/** Topics that the page shows; further ones are ignored. */
const MAX_ROWS = 500;
/** Values of a topic that its line shows. */
const MAX_HISTORY = 120;
/** Characters shown of a value. */
const MAX_TEXT = 300;
/** Bytes shown of a value that is no text. */
const MAX_HEX = 16;
const LINE_WIDTH = 96;
const LINE_HEIGHT = 20;
const LINE = `<svg viewBox="0 0 ${LINE_WIDTH} ${LINE_HEIGHT}"><polyline/></svg>`;
const UNITS_MS: Readonly<Record<string, number>> = { s: 1e3, min: 6e4, h: 36e5, d: 864e5 };
const utf8 = new TextDecoder("utf-8", { fatal: true });

interface Row {
	/** As the broker writes it. */
	readonly topic: string;
	readonly value: HTMLElement;
	readonly age: HTMLElement;
	readonly element: HTMLTableRowElement;
	/** Arrival of the value, ms. */
	at: number;
	text: string;
	readonly history: number[];
}

/** The rows of the page's table, which messages change and add to. */
export class Values {
	readonly #body: HTMLTableSectionElement;
	readonly #rows = new Map<string, Row>();
	readonly #units = new Units();

	/** @param body as the broker has written it */
	constructor(body: HTMLTableSectionElement) {
		this.#body = body;
		for (const element of body.rows) {
			const [topic, value, age] = element.cells;
			this.#add(topic!.textContent, element, value!, age!, Date.now() - ageOf(age!.firstChild!));
		}
	}

	/** A message has arrived. @param retained it is the current value, of some time before */
	set(topic: string, payload: Uint8Array, retained: boolean): void {
		const known = this.#rows.get(topic) ?? this.#truncated(topic);
		const whole = decoded(payload);
		const count = this.#units.read(topic, whole ?? "");
		if (payload.length === 0) {
			if (known === undefined) return;
			known.element.remove();
			this.#rows.delete(known.topic);
			this.#writeUnits();
			return;
		}
		const text = shownText(payload, whole);
		const row = known ?? this.#insert(topic);
		if (row === undefined) return;
		const same = retained && known?.text === text;
		row.text = text;
		// Descriptions are for programs: what the page has of them is behind the values.
		row.value.textContent = count === undefined ? text : "";
		writeNote(
			row,
			count === undefined ? noteOf(text, this.#units.of(topic)) : `describes others, units: ${count}`,
		);
		if (count !== undefined) this.#writeUnits();
		if (same) return;
		row.at = Date.now();
		writeAge(row);
		this.#draw(row);
	}

	/** Writes the units behind all values that have any, or had. */
	#writeUnits(): void {
		for (const row of this.#rows.values())
			if (row.value.textContent !== "") writeNote(row, noteOf(row.text, this.#units.of(row.topic)));
	}

	/** Writes the ages anew. */
	tick(): void {
		for (const row of this.#rows.values()) writeAge(row);
	}

	/** The row of a topic that the broker has written only in part. */
	#truncated(topic: string): Row | undefined {
		for (const [start, row] of this.#rows)
			if (start.endsWith("…") && topic.startsWith(start.slice(0, -1))) return row;
		return undefined;
	}

	#add(topic: string, element: HTMLTableRowElement, cell: HTMLElement, age: HTMLElement, at: number): Row {
		const value = cell.firstElementChild as HTMLElement;
		const row: Row = { topic, element, value, age, at, text: value.textContent, history: [] };
		this.#rows.set(topic, row);
		this.#draw(row);
		return row;
	}

	#insert(topic: string): Row | undefined {
		if (this.#rows.size >= MAX_ROWS) return undefined;
		const next = [...this.#body.rows].findIndex(({ cells }) => cells[0]!.textContent > topic);
		const element = this.#body.insertRow(next);
		element.innerHTML = "<th scope=row><td><b></b><td>";
		const [head, value, age] = element.cells;
		head!.textContent = topic;
		return this.#add(topic, element, value!, age!, Date.now());
	}

	/** Adds the value to the row's line, if it is a number. */
	#draw({ value, text, history }: Row): void {
		if (!isNumber(text)) return;
		history.push(Number(text));
		if (history.length > MAX_HISTORY) history.shift();
		if (history.length < 2) return;
		const low = Math.min(...history);
		const range = Math.max(...history) - low || 1;
		const points = history.map((each, index) => {
			const x = (index / (history.length - 1)) * LINE_WIDTH;
			const y = LINE_HEIGHT - 1 - ((each - low) / range) * (LINE_HEIGHT - 2);
			return `${x.toFixed(1)},${y.toFixed(1)}`;
		});
		const cell = value.parentElement!;
		if (history.length === 2) cell.insertAdjacentHTML("beforeend", LINE);
		cell.querySelector("polyline")!.setAttribute("points", points.join(" "));
	}
}

function writeAge({ age, at }: Row): void {
	age.textContent = `${span(Date.now() - at)} ago`;
}

/** Writes what is behind a value; "": nothing. */
function writeNote({ value }: Row, text: string): void {
	// The broker has one behind a value of which it shows the beginning.
	const note = value.parentElement!.querySelector("td>i") ?? document.createElement("i");
	note.textContent = text && ` ${text}`;
	value.after(note);
}

/** The unit of a number, or whether it stands for on; of an object in JSON, its members with theirs. */
function noteOf(text: string, units: TopicUnits): string {
	const object = parsed(text) ?? {};
	return [...units]
		.map(([key, unit]) => {
			if (key === "") return typeof unit === "string" ? isNumber(text) && unit : stateOf(text, unit);
			if (!Object.hasOwn(object, key)) return "";
			const value = String(object[key]);
			return `${key} ${typeof unit === "string" ? `${value} ${unit}` : stateOf(value, unit) || value}`;
		})
		.filter(Boolean)
		.join(", ");
}

/** "on" or "off"; "": the text says so itself, or means neither. */
function stateOf(text: string, [on, off]: Exclude<Unit, string>): string {
	if (/^(on|off)$/i.test(text)) return "";
	return text === on ? "on" : text === off ? "off" : "";
}

function isNumber(text: string): boolean {
	return text.trim() !== "" && Number.isFinite(Number(text));
}

/** As the broker writes values. @param text of the payload; undefined: it is none */
function shownText(payload: Uint8Array, text: string | undefined): string {
	if (text !== undefined) return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
	const bytes = [...payload.subarray(0, MAX_HEX)].map((byte) => byte.toString(16).padStart(2, "0"));
	return bytes.join(" ") + (payload.length > MAX_HEX ? "…" : "");
}

function decoded(payload: Uint8Array): string | undefined {
	try {
		return utf8.decode(payload);
	} catch {
		return undefined;
	}
}

/** Ms of an age as the broker writes it: `1 h 5 min ago`. */
export function ageOf({ textContent }: Node): number {
	let age = 0;
	for (const [, number, unit] of textContent!.matchAll(/(\d+) (\w+)/g))
		age += Number(number) * (UNITS_MS[unit!] ?? 0);
	return age;
}

/** A span of ms as the broker writes it. */
export function span(ms: number): string {
	const seconds = Math.floor(ms / 1000);
	const minutes = Math.floor(seconds / 60);
	const hours = Math.floor(minutes / 60);
	if (seconds < 60) return `${seconds} s`;
	if (minutes < 60) return `${minutes} min`;
	return hours < 24 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
