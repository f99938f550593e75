import TCP from "embedded:io/socket/tcp";
import Timer from "timer";
import type {
	ListenerConstructor,
	ListenerOptions,
	Sleep,
	TCPConstructor,
	TCPOptions,
	TimerId,
	Timer as TimerShape,
	WakeReason,
} from "../../src/device";
import { CountedListener } from "../listener";

const SDKTimer = Timer as unknown as TimerShape;

/**
 * Tracks the sockets and timers that the firmware opened since it woke. On a chip they end with the sleep;
 * here {@link FirmwareRun.end} closes them.
 */
export class FirmwareRun {
	readonly tcp: TCPConstructor;
	readonly listener: ListenerConstructor;
	readonly timer: TimerShape;
	readonly sleep: Sleep;
	/** Set once sleep was requested: a run sleeps only once. */
	sleeping = false;
	#openSockets = new Set<{ close(): void }>();
	#timers = new Set<TimerId>();

	/** @param deep puts the host to sleep */
	constructor(reason: WakeReason, deep: (ms: number) => void) {
		this.tcp = trackedTCP(this.#openSockets);
		this.listener = trackedListener(this.#openSockets);
		this.timer = trackedTimer(this.#timers);
		this.sleep = { reason, deep };
	}

	end(): void {
		for (const id of this.#timers) SDKTimer.clear(id);
		this.#timers.clear();
		for (const io of [...this.#openSockets]) io.close();
	}
}

function trackedTCP(openSockets: Set<{ close(): void }>): TCPConstructor {
	return class extends (TCP as unknown as TCPConstructor) {
		constructor(options: TCPOptions) {
			super(options);
			openSockets.add(this);
		}
		override close(): void {
			openSockets.delete(this);
			super.close();
		}
	};
}

function trackedListener(openSockets: Set<{ close(): void }>): ListenerConstructor {
	return class extends CountedListener {
		constructor(options: ListenerOptions) {
			super(options);
			openSockets.add(this);
		}
		override close(): void {
			openSockets.delete(this);
			super.close();
		}
	};
}

function trackedTimer(timers: Set<TimerId>): TimerShape {
	return {
		set(callback, delay, repeat) {
			const id = repeat
				? SDKTimer.set(callback, delay, repeat)
				: SDKTimer.set((spent) => {
						timers.delete(spent);
						callback(spent);
					}, delay);
			timers.add(id);
			return id;
		},
		// The SDK counts arguments: an undefined argument is not an absent one.
		schedule(id, delay, repeat) {
			if (delay === undefined) SDKTimer.schedule(id);
			else if (repeat === undefined) SDKTimer.schedule(id, delay);
			else SDKTimer.schedule(id, delay, repeat);
		},
		clear(id) {
			if (id === undefined || !timers.delete(id)) return;
			SDKTimer.clear(id);
		},
	};
}
