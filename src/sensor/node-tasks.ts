// Tasks of a node, which SensorNode.runTasks runs one after the other
/** Restores what is retained, and starts the wake. */
export const TASK_BOOT = 0;
/** Takes the samples that are due, and decides whether to report. */
export const TASK_SAMPLE = 1;
/** The wake, or without sleep the try, has reached `awakeLimit`. */
export const TASK_AWAKE_LIMIT = 2;
export const TASK_NETWORK_UP = 3;
export const TASK_NETWORK_DOWN = 4;
/** The network is up, and the time is known or not to be waited for. */
export const TASK_CONNECT = 5;
/** The exchange has ended, and everything was delivered. */
export const TASK_DONE = 6;
/** Asks for the time if necessary. */
export const TASK_SYNCHRONISE = 7;
/** Begins a try to report. */
export const TASK_REPORT = 8;
/** What was taken from the last join has led nowhere. */
export const TASK_JOIN_ANEW = 9;
/** A command waits, or the time for commands is over. */
export const TASK_COMMAND = 10;
export const TASK_NONE = 11;

export type Task =
	| typeof TASK_BOOT
	| typeof TASK_SAMPLE
	| typeof TASK_AWAKE_LIMIT
	| typeof TASK_NETWORK_UP
	| typeof TASK_NETWORK_DOWN
	| typeof TASK_CONNECT
	| typeof TASK_DONE
	| typeof TASK_SYNCHRONISE
	| typeof TASK_REPORT
	| typeof TASK_JOIN_ANEW
	| typeof TASK_COMMAND
	| typeof TASK_NONE;
