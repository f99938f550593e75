import assert from "node:assert/strict";
import { test } from "node:test";
import { MINUTE } from "../support/payloads";
import { commandBoard, executed } from "./support";

/** One-way latency of the test's network is 10 ms. */
const LATENCY = 10;

/** From CONNACK's arrival to the end of the last connection, ms. */
function listened({ board, broker }: ReturnType<typeof commandBoard>): number {
	const openedAt = board.events("opened").at(-1)?.at ?? Infinity;
	return broker.endedAt - LATENCY - openedAt;
}

for (const version of [4, 5] as const)
	test(`nothing is queued, MQTT ${version}: the node listens for commandWindow after CONNACK, and no longer`, () => {
		for (const [commandWindow, ms] of [
			["0.3s", 300],
			["1s", 1000],
			["0s", 0],
		] as const) {
			const setup = commandBoard({ sleep: { commandWindow } }, { version });
			setup.board.run(MINUTE + 5000);
			assert.equal(listened(setup), ms);
			assert.equal(setup.board.events("opened").at(-1)?.details[0], true);
		}
	});

test("Session Present is 0: the node leaves as soon as the subscription is acknowledged", () => {
	const setup = commandBoard();
	setup.board.run(5000);
	assert.equal(setup.board.events("opened").at(-1)?.details[0], false);
	assert.ok(listened(setup) < 4 * LATENCY, `${listened(setup)}`);
});

test("CONNACK announces that nothing is queued: the node leaves at once, in two round trips", () => {
	const awake = [{ commands: {} }, { commands: undefined }].map((firefly) => {
		const setup = commandBoard(firefly, { announces: true });
		setup.board.run(MINUTE + 5000);
		assert.equal(listened(setup), 0);
		return setup.board.events("sleep").at(-1)?.details[2];
	});
	assert.equal(awake[0], awake[1]);
});

test("CONNACK announces messages: the node stays until they have come, however long commandWindow is", () => {
	const { board, broker } = commandBoard({ sleep: { commandWindow: "0s" } }, { announces: true });
	board.run(MINUTE / 2);
	for (let i = 0; i < 5; i++) broker.send("identify", { qos: i % 3 === 0 ? 2 : 1 });
	board.run(MINUTE);
	assert.equal(executed(board).length, 5);
	assert.equal(broker.waiting, 0);
	assert.ok(broker.endedAt - broker.openedAt < 20 * LATENCY);
});

test("CONNACK announces messages that never come: the node waits for acknowledgeTimeout, and reports go on", () => {
	const setup = commandBoard({ broker: { acknowledgeTimeout: "2s" } }, { announces: true });
	const { board, broker } = setup;
	board.run(MINUTE / 2);
	broker.withholds = true;
	broker.send("identify");
	board.run(MINUTE);
	assert.equal(listened(setup), 2000);
	assert.equal(board.events("failed").length, 0);
	broker.withholds = false;
	board.run(MINUTE);
	assert.deepEqual(executed(board), ["identify"]);
});

test("a message lengthens the window: the next one may follow it", () => {
	const { board, broker } = commandBoard({ sleep: { commandWindow: "0.3s" } });
	board.run(MINUTE / 2);
	for (let i = 0; i < 6; i++) {
		const at = MINUTE + 240 + i * 250;
		board.network.clock.after(at - board.time, () => broker.send("identify"));
	}
	board.run(MINUTE);
	assert.equal(executed(board).length, 6);
	assert.equal(broker.connections, 2);
});

test("a broker that never stops sending: awakeLimit ends the wake, nothing is lost, nothing is executed twice", () => {
	const { board, broker } = commandBoard({
		sleep: { awakeLimit: "4s" },
		broker: { connectTimeout: "2s", acknowledgeTimeout: "2s" },
	});
	board.run(MINUTE / 2);
	let sent = 0;
	const flood = (): void => {
		if (sent++ < 100) broker.send({ command: "identify", id: sent });
		if (sent < 100) board.network.clock.after(200, flood);
	};
	board.network.clock.after(MINUTE / 2 + 250, flood);
	board.run(MINUTE);
	assert.ok(board.longestAwakeMs <= 4100, `${board.longestAwakeMs}`);
	board.run(60 * MINUTE);
	const ids = broker.answers
		.filter(({ payload }) => payload.duplicate === undefined)
		.map(({ payload }) => payload.id);
	assert.equal(new Set(ids).size, 100);
	assert.equal(executed(board).length, 100);
	assert.equal(board.reportCounts.lost, 0);
});
