import { formatPause } from "../config/duration";
import type { Settings } from "../config/types";
import type { Device, TimerId } from "../device";
import type { DropReason } from "../device-events";
import type { Fault } from "../fault";
import { type ReasonCode, reasonName } from "../mqtt/constants";
import type { NodeCommands } from "./commands/node-commands";
import { NodeParts } from "./node-parts";
import {
	TASK_AWAKE_LIMIT,
	TASK_BOOT,
	TASK_COMMAND,
	TASK_CONNECT,
	TASK_DONE,
	TASK_JOIN_ANEW,
	TASK_NETWORK_DOWN,
	TASK_NETWORK_UP,
	TASK_NONE,
	TASK_REPORT,
	TASK_SAMPLE,
	TASK_SYNCHRONISE,
	type Task,
} from "./node-tasks";
import { NEXT_EVENT_TIMER, STEP_TIMER, WATCHDOG_TIMER } from "./node-timers";
import {
	connect,
	handleNetworkDown,
	handleNetworkUp,
	joinAnew,
	report,
	runCommand,
	synchronise,
} from "./report-phase";
import { refusalCount } from "./retained/topic-backoff";
import { clearFailedTries } from "./retained/try-backoff";
import { sample } from "./sampling-phase";
import { type DerivedSettings, deriveSettings } from "./settings/derived-settings";
import { sleep, waitOrSleep } from "./sleep-phase";
import { endAfterError, endAtAwakeLimit, endReported, endTry } from "./try-end";
import { endFetch, fetchImage } from "./update-phase";
import { wakeUp } from "./wake-up";

/** A table: each function that `runTasks` named would take a slot of the stack, below everything. */
const STEPS: Readonly<Record<Exclude<Task, typeof TASK_NONE>, (node: NodeParts) => Task>> = Object.freeze({
	[TASK_BOOT]: wakeUp,
	[TASK_SAMPLE]: sample,
	[TASK_AWAKE_LIMIT]: endAtAwakeLimit,
	[TASK_NETWORK_UP]: handleNetworkUp,
	[TASK_NETWORK_DOWN]: handleNetworkDown,
	[TASK_CONNECT]: connect,
	[TASK_DONE]: endReported,
	[TASK_SYNCHRONISE]: synchronise,
	[TASK_REPORT]: report,
	[TASK_JOIN_ANEW]: joinAnew,
	[TASK_COMMAND]: runCommand,
});

/**
 * A sensor node: wakes, samples, filters, stores reports in the outbox, delivers them, sleeps. All state that
 * must survive is in retained memory by the time it matters, so that the node may lose power at any time.
 *
 * Here are its tasks and the callbacks of its parts; what a task does is in the file of its phase.
 */
export class SensorNode extends NodeParts {
	/**
	 * @param derived derived from the same settings, or from their template
	 * @param commands of a node that takes any; the settings are then its
	 */
	constructor(
		device: Device,
		settings: Settings,
		derived: DerivedSettings = deriveSettings(settings),
		commands?: NodeCommands,
	) {
		super(device, settings, derived, commands);
	}

	/** Call once at boot. Never throws; in deep mode it ends with `Device.sleep.deep`. */
	start(): void {
		this.runTasks(TASK_BOOT);
	}

	/**
	 * Runs the task of a host's callback and the tasks that follow from it, in a loop instead of nested calls,
	 * as the stack is small.
	 */
	private runTasks(firstTask: Task): void {
		if (this.asleep) return;
		try {
			for (let task = firstTask; task !== TASK_NONE; ) task = STEPS[task](this);
		} catch (error) {
			endAfterError(this, error);
		}
	}

	// Callbacks of the parts. None lets an exception escape to the host, which would end the application.

	/** For the timers. */
	protected onTimer(id: TimerId): unknown {
		const expired = this.timers.nameOf(id);
		// In tail position, whose frame XS drops first
		if (expired === NEXT_EVENT_TIMER) return this.runTasks(TASK_SAMPLE);
		if (expired === WATCHDOG_TIMER) return this.runTasks(TASK_AWAKE_LIMIT);
		if (!this.exchange?.busy) return this.runTasks(TASK_CONNECT);
		return this.runTasks(this.exchange.isAccepted ? TASK_COMMAND : TASK_JOIN_ANEW);
	}

	/** For the outbox. */
	onDropped(sequence: number, reason: DropReason): void {
		this.device.event?.("dropped", sequence, this.outbox.waitingCount, reason);
	}

	/** For the network. */
	onNetworkUp(signal: number): void {
		if (this.diagnostics !== undefined) this.diagnostics.signal = signal;
		this.runTasks(TASK_NETWORK_UP);
	}

	/** For the network. */
	onNetworkDown(): void {
		this.runTasks(TASK_NETWORK_DOWN);
	}

	/** For the exchange. */
	onOpened(): void {
		this.network.confirm();
		this.timers.stop(STEP_TIMER);
		if (!this.deepSleep) this.timers.stop(WATCHDOG_TIMER);
	}

	/** For the exchange. */
	onRefused(topic: number, fault: Fault, reasonCode: ReasonCode, pauseMs: number): void {
		const { sensors } = this.settings;
		this.device.event?.("failed", fault, reasonCode, refusalCount(this.retained, topic));
		const subject = this.encoder.grouped ? "its reports" : `reports of ${sensors[topic].name}`;
		this.device.trace(
			`the broker does not take ${subject}: ${reasonName(reasonCode)}; next try in ${formatPause(pauseMs)}`,
		);
		// Without deep sleep the try does not end, so that the end of the pause needs a timer.
		if (!this.deepSleep) waitOrSleep(this, 0);
	}

	/** For the exchange. */
	onDone(): void {
		this.runTasks(TASK_DONE);
	}

	/** For the exchange. */
	onFailed(fault: Fault, reasonCode: ReasonCode, message: string): void {
		try {
			if (this.asleep) return;
			if (this.network.onTrial) this.runTasks(TASK_JOIN_ANEW);
			else endTry(this, fault, reasonCode, message);
		} catch (error) {
			endAfterError(this, error);
		}
	}

	/** For the exchange. */
	onDelivered(): void {
		clearFailedTries(this.retained);
		// Only a command asks for an image.
		const commands = this.commands;
		if (commands === undefined) return;
		if (commands.confirm()) this.startCommandTimer(1);
		if (!this.deepSleep) fetchImage(this);
	}

	/** For the exchange. With deep sleep the image is fetched once the exchange has ended. */
	onImageDue(): void {
		if (!this.deepSleep) fetchImage(this);
	}

	/** For the exchange. */
	startCommandTimer(ms: number): void {
		if (ms > 0) this.timers.start(STEP_TIMER, ms);
		else this.timers.stop(STEP_TIMER);
	}

	/** For the update: its image was activated, or the try has failed. */
	onFetched(): void {
		try {
			endFetch(this);
		} catch (error) {
			endAfterError(this, error);
		}
	}

	/** For the exchange. */
	onRestart(): void {
		sleep(this, this.clock.now);
	}
}
