/**
 * What the panel knows of the emulated board: how it was started, and what its firmware has told. Pure: no
 * window, no clock.
 *
 * @import { BoardState, FirmwareMessage, WakeReason } from "./types"
 */

/** @returns {BoardState} a board without power */
export function newBoard() {
	return {
		phase: "off",
		reason: "power-on",
		wakePin: undefined,
		wakePins: [],
		bootedAt: 0,
		wakeAt: 0,
		wakes: 0,
		start: undefined,
		waiting: 0,
		reports: 0,
		lastReport: undefined,
		failure: undefined,
		failures: 0,
		readings: {},
		resolving: false,
		broker: undefined,
		crash: "",
	};
}

/**
 * The application was started.
 * @param {BoardState} board
 * @param {WakeReason} reason
 * @param {number} now ms since 1970, like all times here
 * @param {number} [pin] GPIO that has ended a sleep
 */
export function boot(board, reason, now, pin) {
	board.phase = "awake";
	board.reason = reason;
	board.wakePin = pin;
	board.bootedAt = now;
	board.wakeAt = 0;
	board.resolving = false;
	board.broker = undefined;
	board.crash = "";
	board.wakes++;
}

/**
 * The pin that ends the present sleep; undefined: none has the level that it waits for.
 * @param {BoardState} board
 * @param {boolean} closed whether the contacts at the pins are, against the chip's resistor or to the supply
 */
export function wakingPin({ phase, wakePins }, closed) {
	if (phase !== "asleep") return undefined;
	return wakePins.find(({ level, pull }) => ((pull === "up") !== closed ? 1 : 0) === level)?.pin;
}

/**
 * Power is gone: retained memory too, and with it what is counted there.
 * @param {BoardState} board
 */
export function losePower(board) {
	const { start, readings } = board;
	Object.assign(board, newBoard(), { start, readings });
}

/**
 * The application ended with an exception, or out of memory.
 * @param {BoardState} board
 * @param {string} cause
 */
export function crash(board, cause) {
	board.phase = "crashed";
	board.crash = cause;
}

/**
 * The firmware has told something.
 * @param {BoardState} board
 * @param {FirmwareMessage} message
 * @param {number} now
 */
export function receive(board, message, now) {
	if (message.start) board.start = message.start;
	if (message.resolving !== undefined) board.resolving = message.resolving;
	if (message.broker) board.broker = message.broker;
	if (message.sleep !== undefined) {
		board.phase = "asleep";
		board.wakeAt = now + message.sleep;
		board.wakePins = message.wakePins ?? [];
	}
	if (message.event) receiveEvent(board, message.event, now);
}

/**
 * @param {BoardState} board
 * @param {NonNullable<FirmwareMessage["event"]>} event
 * @param {number} now
 */
function receiveEvent(board, [name, a, b, c], now) {
	switch (name) {
		case "wake":
			board.waiting = Number(a);
			break;
		case "sample": {
			const property = board.start?.sensors[Number(a)]?.property;
			if (property !== undefined && typeof b === "number") board.readings[property] = b;
			break;
		}
		case "accepted":
			board.waiting = Number(b);
			break;
		case "acknowledged":
			board.waiting = Number(b);
			board.reports++;
			board.lastReport = { sequence: Number(a), at: now };
			board.failures = 0;
			board.failure = undefined;
			break;
		case "dropped":
			board.waiting = Number(b);
			break;
		case "failed":
			board.failures = Number(c);
			board.failure = { fault: String(a), reasonCode: Number(b) };
	}
}
