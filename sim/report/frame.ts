import pc from "picocolors";
import { clip, formatTime } from "./format";

/** A board in the table. */
export interface FrameNode {
	readonly name: string;
	readonly state: string;
	/** Wakes, acknowledged and waiting reports, mean current, days of battery; empty for a broker. */
	readonly numbers: readonly string[];
	/** Latest readings. */
	readonly values: string;
}

/** A topic's current value at the broker. */
export interface FrameValue {
	readonly topic: string;
	readonly payload: string;
	/** Time of its arrival, ms since 1970. */
	readonly time: number;
}

/** All that one frame of the live view shows. */
export interface Frame {
	/** Simulated, ms since 1970. */
	readonly time: number;
	readonly speed: number | "max";
	readonly paused: boolean;
	/** What a person has put out of order. */
	readonly outages: readonly string[];
	/** About this machine; each has a line of its own. */
	readonly notes: readonly string[];
	readonly nodes: readonly FrameNode[];
	/** Index of the node to which keys apply. */
	readonly selected: number;
	/** Undefined: the broker is another one, whose values nobody reads. */
	readonly values: readonly FrameValue[] | undefined;
	/** Latest events, the last one last. */
	readonly news: readonly string[];
	/** Whether keys have an effect. */
	readonly keys: boolean;
	readonly help: boolean;
}

/** Lines of the latest events that a table of topics leaves. */
const MIN_NEWS_LINES = 4;
const NAME_WIDTH = 26;
const STATE_WIDTH = 14;
/** From here on, readings are on the line of their node. */
const WIDE_COLUMNS = 120;
const NUMBER_TITLES = ["wakes", "acked", "waiting", "mA", "battery"];
const NUMBER_WIDTHS = [7, 7, 8, 8, 8];
const MAX_TOPIC_WIDTH = 70;
const VALUE_WIDTH = 18;
const SINCE_WIDTH = 8;

const HELP = [
	" space  pause, or go on       w  outage of Wi-Fi          n  next board",
	" +  -   faster, slower        b  outage of the broker     r  reset the board",
	" q      end with a summary    ?  close this list          p  its power off, on",
];

/**
 * The lines of a frame: as many as `rows` at most, none wider than `columns`. Control characters, which a
 * topic or a payload may hold, are replaced.
 */
export function frameLines(frame: Frame, columns: number, rows: number): string[] {
	const footer = footerLines(frame);
	const notes = frame.notes.map((note) => pc.cyan(fit(` ${note}`, columns)));
	const top = [pc.bold(fit(heading(frame), columns)), ...notes, ""];
	const nodes = nodeLines(frame, columns);
	// The table's head, the topics' head, and an empty line behind each table.
	const available = Math.max(0, rows - top.length - footer.length - (frame.values === undefined ? 2 : 4));
	const shownNodes = around(nodes, frame.selected, Math.max(1, Math.floor(available / 2)));
	const nodeCount = shownNodes.reduce((sum, lines) => sum + lines.length, 0);
	const rest = Math.max(0, available - nodeCount);
	const valueRows = Math.min(frame.values?.length ?? 0, Math.max(1, rest - MIN_NEWS_LINES));
	const newsRows = Math.max(0, rest - valueRows);
	const lines = [
		...top,
		pc.dim(fit(nodeRow(" node", "state", NUMBER_TITLES), columns)),
		...shownNodes.flat(),
		"",
		...(frame.values === undefined ? [] : [...valueLines(frame.values, valueRows, columns), ""]),
		...(newsRows === 0 ? [] : frame.news.slice(-newsRows).map((line) => pc.dim(fit(line, columns)))),
	];
	const body = lines.slice(0, Math.max(0, rows - footer.length));
	while (body.length + footer.length < rows) body.push("");
	return [...body, ...footer.map((line) => pc.dim(fit(line, columns)))].slice(0, rows);
}

function heading({ time, speed, paused, outages }: Frame): string {
	const pace = paused ? "paused" : `× ${speed}`;
	return [` Firefly  ${formatTime(time).slice(0, 19)} UTC, simulated, ${pace}`, ...outages].join("  ");
}

function footerLines({ keys, help }: Frame): string[] {
	if (!keys) return [" Ctrl-C ends, with a summary"];
	return help ? HELP : [" ? keys   space pause   q end"];
}

/** The lines of each node. */
function nodeLines({ nodes, selected, keys }: Frame, columns: number): string[][] {
	return nodes.map(({ name, state, numbers, values }, index) => {
		const marker = keys && nodes.length > 1 && index === selected ? "›" : " ";
		const row = nodeRow(`${marker}${name}`, state, numbers);
		if (values === "") return [fit(row, columns)];
		if (columns >= WIDE_COLUMNS) return [fit(`${row}  ${values}`, columns)];
		return [fit(row, columns), fit(`   ${values}`, columns)];
	});
}

function nodeRow(name: string, state: string, numbers: readonly string[]): string {
	const cells = numbers.map((text, index) => text.padStart(NUMBER_WIDTHS[index]!)).join("");
	return `${clip(name, NAME_WIDTH).padEnd(NAME_WIDTH)} ${clip(state, STATE_WIDTH).padEnd(STATE_WIDTH)}${cells}`;
}

/** Of a list of line groups, those that fit around the selected one. */
function around(groups: readonly string[][], selected: number, rows: number): string[][] {
	let from = Math.min(selected, groups.length);
	let to = from;
	let used = 0;
	for (;;) {
		const after = groups[to];
		const before = groups[from - 1];
		if (after !== undefined && (used === 0 || used + after.length <= rows)) {
			used += after.length;
			to++;
		} else if (before !== undefined && used + before.length <= rows) {
			used += before.length;
			from--;
		} else return groups.slice(from, to);
	}
}

function valueLines(values: readonly FrameValue[], rows: number, columns: number): string[] {
	const topicWidth = Math.max(20, Math.min(MAX_TOPIC_WIDTH, columns - VALUE_WIDTH - SINCE_WIDTH - 3));
	const row = (topic: string, value: string, since: string): string =>
		fit(
			` ${clip(plain(topic), topicWidth).padEnd(topicWidth)} ${clip(plain(value), VALUE_WIDTH).padEnd(VALUE_WIDTH)} ${since}`,
			columns,
		);
	const shown = values.length > rows ? values.slice(0, Math.max(0, rows - 1)) : values;
	const more = values.length - shown.length;
	return [
		pc.dim(row("topic at the broker", "value", "since")),
		...shown.map(({ topic, payload, time }) => row(topic, payload, formatTime(time).slice(11, 19))),
		...(more > 0 ? [pc.dim(fit(` … ${more} more`, columns))] : []),
	];
}

/** Without control characters, which would move the cursor. */
function plain(text: string): string {
	return text.replace(/\p{Cc}/gu, "·");
}

function fit(text: string, columns: number): string {
	return clip(plain(text), columns);
}
