/**
 * The board in words: title and rows of the panel.
 *
 * @import { BoardState, BoardText, BrokerInfo } from "./types"
 */

const POOLS_PER_ROW = 2;

/** @type {Readonly<Record<BoardState["reason"], string>>} */
const REASONS = {
	"power-on": "power on",
	"deep-sleep": "end of deep sleep",
	reset: "reset",
	"brown-out": "brown-out",
	crash: "crash",
};

/** Causes of a failed try, src/fault.ts. @type {Readonly<Record<string, string>>} */
const FAULTS = {
	configuration: "settings refused",
	peer: "broker's error",
	resource: "broker busy",
	transport: "no connection",
	wifi: "no Wi-Fi",
	limit: "awake too long",
	program: "exception",
};

/**
 * @param {BoardState} board
 * @param {number} now ms since 1970
 * @returns {BoardText}
 */
export function describeBoard(board, now) {
	const { phase, start } = board;
	/** @type {[string, string][]} */
	const rows = [];
	if (start) {
		rows.push(["Firefly", `${start.version}, role ${start.role}`]);
		rows.push(["Id", start.id], ["MAC", start.mac]);
		if (start.broker !== "") rows.push(["Reports to", start.broker]);
	}
	if (phase !== "off") rows.push(["Started by", `${causeOf(board)}, start ${board.wakes}`]);
	if (start && start.role !== "broker") pushSensorRows(rows, board, now);
	if (board.broker) pushBrokerRows(rows, board.broker, now);
	return { phase, title: titleOf(board, now), rows };
}

/** @param {BoardState} board */
function causeOf({ reason, wakePin }) {
	return wakePin === undefined ? REASONS[reason] : `pin ${wakePin}`;
}

/**
 * @param {BoardState} board
 * @param {number} now
 */
function titleOf(board, now) {
	switch (board.phase) {
		case "off":
			return "Off";
		case "awake":
			return `Awake for ${duration(now - board.bootedAt)}`;
		case "asleep":
			return `Asleep, wakes in ${duration(board.wakeAt - now)}`;
		case "crashed":
			return `Crashed: ${board.crash}`;
	}
}

/**
 * @param {[string, string][]} rows
 * @param {BoardState} board
 * @param {number} now
 */
function pushSensorRows(rows, board, now) {
	const { start, lastReport, failure, wakePins } = board;
	rows.push(["Outbox", `${board.waiting} waiting`]);
	const last = lastReport ? `, the last is ${lastReport.sequence}` : "";
	rows.push(["Reports", `${board.reports} acknowledged${last}`]);
	const when = lastReport ? `${clock(lastReport.at)}, ${duration(now - lastReport.at)} ago` : "none";
	rows.push(["Last report", when]);
	rows.push(["Failures", failure ? `${board.failures} in a row: ${faultText(failure)}` : "none"]);
	if (failure && failure.reasonCode !== 0)
		rows.push(["Reason code", `0x${failure.reasonCode.toString(16).padStart(2, "0")}`]);
	const pins = board.phase === "asleep" ? wakePins : [];
	if (pins.length > 0) rows.push(["Wakes by", `timer, pin ${pins.map(({ pin }) => pin).join(", pin ")}`]);
	rows.push(["", ""]);
	for (const { name, property, unit, decimals, driver } of start?.sensors ?? []) {
		const value = board.readings[property];
		const text = value === undefined ? "no sample yet" : `${value.toFixed(decimals)} ${unit}`;
		rows.push([name, `${text}   (${driver}, simulated)`]);
	}
}

/** @param {NonNullable<BoardState["failure"]>} failure */
function faultText({ fault }) {
	return FAULTS[fault] ?? fault;
}

/**
 * @param {[string, string][]} rows
 * @param {BrokerInfo} broker
 * @param {number} now
 */
function pushBrokerRows(rows, broker, now) {
	rows.push(["", ""]);
	for (const url of broker.urls) rows.push([url.startsWith("ws") ? "WebSocket" : "Listens on", url]);
	rows.push(["Clients", String(broker.clientCount)]);
	for (const id of broker.clients) rows.push(["", id]);
	pushMore(rows, broker.clientCount - broker.clients.length);
	rows.push(["Topics", String(broker.valueCount)]);
	for (const { topic, payload, time, retained } of broker.values)
		rows.push(["", `${topic}   ${payload}   ${duration(now - time)} ago${retained ? "" : ", not retained"}`]);
	pushMore(rows, broker.valueCount - broker.values.length);
	rows.push(["Pools", ""]);
	for (let i = 0; i < broker.pools.length; i += POOLS_PER_ROW)
		rows.push([
			"",
			broker.pools
				.slice(i, i + POOLS_PER_ROW)
				.map(poolText)
				.join(", "),
		]);
}

/** @param {BrokerInfo["pools"][number]} pool */
function poolText({ name, used, size }) {
	return `${name} ${used}/${size}`;
}

/**
 * @param {[string, string][]} rows
 * @param {number} count
 */
function pushMore(rows, count) {
	if (count > 0) rows.push(["", `and ${count} more`]);
}

/**
 * A time span in its two largest units.
 * @param {number} ms
 */
export function duration(ms) {
	const seconds = Math.max(0, Math.round(ms / 1000));
	if (seconds < 60) return `${seconds} s`;
	const minutes = Math.floor(seconds / 60);
	if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
	const hours = Math.floor(minutes / 60);
	if (hours < 24) return `${hours} h ${minutes % 60} min`;
	return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/**
 * Time of day.
 * @param {number} time ms since 1970
 */
function clock(time) {
	const date = new Date(time);
	const parts = [date.getHours(), date.getMinutes(), date.getSeconds()];
	return parts.map((part) => String(part).padStart(2, "0")).join(":");
}
