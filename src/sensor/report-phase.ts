import { sampleAll } from "./commands/all-sensors";
import { mayAnnounce } from "./discovery/announcer";
import { AnnouncingExchange } from "./exchange/announcing-exchange";
import { ReportExchange } from "./exchange/report-exchange";
import type { NodeParts } from "./node-parts";
import { TASK_CONNECT, TASK_JOIN_ANEW, TASK_NONE, TASK_SYNCHRONISE, type Task } from "./node-tasks";
import { STEP_TIMER, WATCHDOG_TIMER } from "./node-timers";
import { waitOrSleep } from "./sleep-phase";
import { endTry } from "./try-end";

/** Maximum time, in ms, that a wake waits for a time server. */
const SYNC_LIMIT_MS = 3000;
/**
 * Maximum time, in ms, from the start of a connection to CONNACK with an address or a broker's address from
 * the last join: a network that has changed does not answer at all.
 */
const TRIAL_LIMIT_MS = 2000;

// The steps of a try to report, in their order. Each returns the task that follows at once.

/** Begins a try: joins the network. */
export function report(node: NodeParts): Task {
	if (node.commands !== undefined) node.commands.hasTried = true;
	// The exchange takes the most memory of a wake, in which nothing is sampled any more, unless a command
	// asks.
	if (node.deepSleep) {
		node.collector.close();
		node.flash?.retry();
	}
	// The request for the time and the exchange would take more memory together than anything else.
	if (!awaitsTime(node) && !createExchange(node)) return endUnusable(node);
	if (!node.deepSleep) node.timers.start(WATCHDOG_TIMER, node.settings.sleep.awakeLimit);
	if (node.network.isUp) return TASK_SYNCHRONISE;
	return join(node, false);
}

/**
 * Creates the exchange. Fails if no CONNECT can be made with this configuration, which is then not tried
 * again.
 */
function createExchange(node: NodeParts): boolean {
	try {
		node.exchange ??= new (announces(node) ? AnnouncingExchange : ReportExchange)(node);
		return true;
	} catch (error) {
		const { device } = node;
		node.idle = true;
		device.event?.("failed", "configuration", 0, 1);
		device.trace(`nothing can be reported with this configuration: ${error}`);
		return false;
	}
}

function endUnusable(node: NodeParts): Task {
	node.reporting = false;
	if (!node.deepSleep) node.timers.stop(WATCHDOG_TIMER);
	node.network.leave();
	waitOrSleep(node, 0);
	return TASK_NONE;
}

function announces(node: NodeParts): boolean {
	const discovery = node.settings.discovery;
	if (discovery === undefined) return false;
	const { memory } = node.retained;
	return mayAnnounce(discovery, memory, node.retainedEnd, node.derived.announcementHash ?? 0);
}

/** @param anew whether nothing of the last join may be used */
function join(node: NodeParts, anew: boolean): Task {
	try {
		if (anew) node.network.joinAnew();
		else node.network.join();
	} catch (error) {
		endTry(node, "wifi", 0, `no Wi-Fi: ${error}`);
	}
	return TASK_NONE;
}

/** What was taken from the last join has led nowhere: nothing of it is used any more. */
export function joinAnew(node: NodeParts): Task {
	node.timers.stop(STEP_TIMER);
	// The timer may be that of a command which the last connection has brought
	if (!node.reporting || !node.network.onTrial) return TASK_NONE;
	node.device.trace("the network is not as it was: joining anew");
	node.exchange?.abort();
	return join(node, true);
}

/** The network is up. */
export function handleNetworkUp(node: NodeParts): Task {
	return node.reporting ? TASK_SYNCHRONISE : TASK_NONE;
}

/** The join failed or the network was lost. */
export function handleNetworkDown(node: NodeParts): Task {
	if (!node.reporting) return TASK_NONE;
	if (node.network.onTrial) return TASK_JOIN_ANEW;
	node.exchange?.abort();
	endTry(node, "wifi", 0, "no Wi-Fi");
	return TASK_NONE;
}

/** Whether the time will be requested, and nothing sent before it is known. */
function awaitsTime({ device, clock, settings }: NodeParts): boolean {
	return (
		device.setClock !== undefined &&
		settings.time.server !== undefined &&
		Number.isNaN(clock.wallOffset) &&
		clock.needsSync
	);
}

/**
 * Requests the time if necessary, and waits for the answer if wall time is unknown: reports should contain
 * a time.
 */
export function synchronise(node: NodeParts): Task {
	const { device, clock, settings, timers } = node;
	const server = settings.time.server;
	if (device.setClock === undefined || server === undefined || !clock.needsSync) return TASK_CONNECT;
	const waits = awaitsTime(node);
	if (waits) timers.start(STEP_TIMER, Math.min(SYNC_LIMIT_MS, settings.sleep.awakeLimit >> 1));
	clock.countSyncRequest();
	try {
		device.setClock(
			server,
			(set) => {
				if (set) {
					node.clock.recordSync();
					// From now on the clock tells how long a reset has taken.
					node.clock.saveTimes(0);
					node.retained.commit();
				}
				// Not from here, where the memory and the stack of the request are still in use
				if (node.reporting && node.network.isUp && !node.exchange?.busy) node.timers.start(STEP_TIMER, 1);
			},
			(timeMs) => {
				node.clock.saveTimesBeforeSet(timeMs);
				node.retained.commit();
			},
		);
	} catch (error) {
		device.trace(`no time from ${server}: ${error}`);
		return TASK_CONNECT;
	}
	return waits ? TASK_NONE : TASK_CONNECT;
}

/** Opens the connection. */
export function connect(node: NodeParts): Task {
	node.timers.stop(STEP_TIMER);
	if (!node.reporting || node.exchange?.busy) return TASK_NONE;
	if (!createExchange(node)) return endUnusable(node);
	if (node.network.onTrial) node.timers.start(STEP_TIMER, TRIAL_LIMIT_MS);
	node.exchange?.connect();
	return TASK_NONE;
}

/** The time for the next step with commands has come. */
export function runCommand(node: NodeParts): Task {
	node.timers.stop(STEP_TIMER);
	if (!node.exchange?.runCommandStep()) return TASK_NONE;
	sampleAll(node.collector, node.retained, node.clock.now);
	// The next samples may be at other times, if the clock was set meanwhile
	if (!node.deepSleep) waitOrSleep(node, 0);
	node.exchange.pump();
	return TASK_NONE;
}
