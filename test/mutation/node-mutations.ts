import { type Mutation, mutation } from "./mutation";

/** Bugs of the node beside commands and flash. Each was a defect that was mended. */
export const nodeMutations: readonly Mutation[] = [
	mutation(
		"src/sensor/report-phase.ts",
		"\tif (!node.deepSleep) node.timers.stop(WATCHDOG_TIMER);\n\tnode.network.leave();",
		"\tnode.network.leave();",
		"a node that can make no CONNECT says that a try has reached awakeLimit",
		["test/sensor/node-clock.test.ts"],
	),
	mutation(
		"src/sensor/wake-up.ts",
		"\tforgetAfterColdBoot(node);\n",
		"",
		"a node does not announce itself after a reset that found nothing",
		["test/sensor/discovery"],
	),
	mutation(
		"src/sensor/exchange/report-exchange.ts",
		"\t\t\tcacheLimits(this.parts.retained.words, client.negotiated);\n\t\t\tif",
		"\t\t\tif",
		"a node forgets in sleep that its broker lacks QoS 2",
		["test/sensor/qos2.test.ts"],
	),
	mutation(
		"src/sensor/report/history-sender.ts",
		"\t\tif (this.wasLost()) return end + 1;\n",
		"",
		"over MQTT 3.1.1 a packet that is too large for the broker is sent for ever",
		["test/sensor/history.test.ts"],
	),
	mutation(
		"src/sensor/report/history-sender.ts",
		"return client.negotiated.version === 4 && outbox",
		"return outbox",
		"a history that was lost once goes in as many packets as it has reports",
		["test/sensor/history.test.ts"],
	),
	mutation(
		"src/sensor/report/history-sender.ts",
		"outbox.record.wasSent && !this.isResent();",
		"outbox.record.wasSent;",
		"a message that is sent again over MQTT 3.1.1 is another one in its session",
		["test/sensor/history.test.ts"],
	),
	mutation(
		"src/sensor/report/history-sender.ts",
		"outbox.record.wasSent && !this.isResent();",
		"!this.isResent();",
		"over MQTT 3.1.1 no report shares a message",
		["test/sensor/history.test.ts"],
	),
	mutation(
		"firmware/sntp.ts",
		"return timeMs >= EARLIEST_SET_CLOCK_MS ? timeMs : NaN;",
		"return timeMs;",
		"a router's clock of 1970 counts as the time",
		["test/firmware/time-request.test.ts"],
	),
	mutation(
		"src/sensor/retained/sample-window.ts",
		"return value - value === 0 ? value : NaN;",
		"return value;",
		"an infinite mean is reported",
		["test/sensor/averaging.test.ts"],
	),
	mutation(
		"src/sensor/measure/sampler.ts",
		'return "an error without a text";',
		'throw new Error("it has no text");',
		"a driver that throws a symbol stops all other sensors",
		["test/sensor/node.test.ts"],
	),
];
