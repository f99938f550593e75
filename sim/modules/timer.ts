import type { Native } from "./native";

/** The SDK's `timer` module over the simulator's scheduler. */

type Callback = (id: TimerEntry) => void;

class TimerEntry {
	/** −1: finished or cleared. */
	id: number;
	repeat: number;
	firing = false;
	callback: Callback;

	constructor(id: number, repeat: number, callback: Callback) {
		this.id = id;
		this.repeat = repeat;
		this.callback = callback;
	}
}

let entries: (TimerEntry | undefined)[] | undefined;

function dispatch(id: number): void {
	const entry = entries![id];
	if (entry === undefined) return;
	entry.firing = true;
	entry.callback(entry);
	entry.firing = false;
	// A timer whose repeat is still 0 is finished, as on the ESP32.
	if (entry.id >= 0 && entry.repeat === 0) {
		entries![id] = undefined;
		entry.id = -1;
	}
}

function set(callback: Callback, delay = 0, repeat = 0): TimerEntry {
	if (entries === undefined) {
		entries = [];
		(native("sim_timer_start") as Native).call(undefined, dispatch);
	}
	const id = (native("sim_timer_set") as Native).call(undefined, delay, repeat) as number;
	const entry = new TimerEntry(id, repeat, callback);
	entries[id] = entry;
	return entry;
}

/**
 * Throws where hardware would do nothing or crash: for a timer that is finished, or finishes at the end of
 * its callback.
 */
function schedule(entry: TimerEntry, delay?: number, repeat = 0): void {
	if (entry.id < 0) throw new Error("timer is spent: create it with a nonzero repeat to schedule it again");
	if (delay === undefined) {
		// Stopped, but not finished.
		entry.repeat = -1;
		(native("sim_timer_stop") as Native).call(undefined, entry.id);
		return;
	}
	if (entry.firing && repeat === 0)
		throw new Error("a timer scheduled without repeat from its own callback never fires");
	entry.repeat = repeat;
	(native("sim_timer_schedule") as Native).call(undefined, entry.id, delay, repeat);
}

function clear(entry: TimerEntry | undefined): void {
	if (entry === undefined || entry.id < 0) return;
	const { id } = entry;
	(native("sim_timer_clear") as Native).call(undefined, id);
	entries![id] = undefined;
	entry.id = -1;
}

export default Object.freeze({
	set,
	repeat: (callback: Callback, interval: number): TimerEntry => set(callback, interval, interval),
	schedule,
	clear,
});
