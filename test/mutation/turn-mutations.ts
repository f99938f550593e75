import { type Mutation, mutation } from "./mutation";

/** Bugs of the broker's budget of a turn, and of what waits for one. Each was a defect that was mended. */
export const turnMutations: readonly Mutation[] = [
	mutation(
		"src/broker/timeouts.ts",
		"const TURN_PAUSE_MS = 1;",
		"const TURN_PAUSE_MS = 10;",
		"work that is left to the next turn waits for 10 ms",
		["test/broker/turn-budget.test.ts"],
	),
	mutation(
		"src/broker/broker.ts",
		"\t\t\tif (reader.packetsLeft <= 0) reader.packetsLeft = 1;\n",
		"",
		"a client that asks for stored values without end keeps others from being closed",
		["test/broker/turn-budget.test.ts"],
	),
	mutation(
		"src/broker/delivery/retained-fill.ts",
		"if (core.retainedPaused === 0) core.retainedPaused = connection.index;",
		"core.retainedPaused = 1;",
		"a client that asks without end holds back the stored values of others",
		["test/broker/turn-budget.test.ts"],
	),
	mutation(
		"src/broker/delivery/retained-fill.ts",
		"reader.handler!.onInternalError(connection, error);",
		"throw error;",
		"an exception leaves others without stored values",
		["test/broker/turn-budget.test.ts"],
	),
	mutation(
		"src/broker/handlers/session-end.ts",
		"\t\t\t\treader.packetsLeft--;\n",
		"",
		"sessions that expire at once take one turn for all of their wills",
		["test/broker/turn-budget.test.ts"],
	),
	mutation(
		"src/broker/delivery/retained-fill.ts",
		"\t\t\tqueues.lost(session) === 0\n",
		"\t\t\ttrue\n",
		"a value that found no room while stored ones were waiting never comes",
		["test/broker/turn-budget.test.ts"],
	),
	mutation(
		"src/broker/delivery/retained-fill.ts",
		"\t\t\trecord <= store.records &&\n",
		"",
		"a subscriber of $SYS whose values wait for further turns gets none",
		["test/broker/turn-budget.test.ts"],
	),
	mutation(
		"src/broker/timeouts.ts",
		"const END_COST = 8;",
		"const END_COST = 1;",
		"clients that time out at once are all closed in one turn",
		["test/broker/turn-budget.test.ts"],
	),
	mutation(
		"src/broker/handlers/subscribe-handler.ts",
		"\t\tthis.#core.reader.packetsLeft -= count; // each is as much work as a packet\n",
		"",
		"SUBSCRIBE with a hundred filters takes a turn of a second",
		["test/broker/xs-turns.test.ts"],
	),
	mutation(
		"src/broker/delivery/retained-fill.ts",
		"\t\treader.packetsLeft -= EXAMINED;\n\t\t// One",
		"\t\t// One",
		"stored values for a new subscription take one turn, however many there are",
		["test/broker/turn-budget.test.ts"],
	),
	mutation(
		"sim/service/node-pools.ts",
		"turnPackets: 8192,",
		"turnPackets: 512,",
		"a flood to many subscribers at a desk leaves in as many writes as there are subscribers",
		["test/broker/turn-budget.test.ts"],
	),
];
