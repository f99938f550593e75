import assert from "node:assert/strict";
import { test } from "node:test";
import { MINUTE } from "../support/payloads";
import type { Cut } from "../support/session-broker";
import { commandBoard, executed } from "./support";

/** The largest number of bytes in one direction of the exchange that is cut. */
const LONGEST = 400;

for (const version of [4, 5] as const)
	for (const qos of [1, 2] as const)
		for (const announces of version === 5 ? [false, true] : [false])
			test(`the connection is cut at every byte of the exchange, MQTT ${version}, QoS ${qos}${announces ? ", announced" : ""}: each command is executed once and answered`, () => {
				for (const direction of ["to the broker", "to the node"] as const) {
					const { board, broker } = commandBoard(
						{ sleep: { commandWindow: "0.3s" } },
						{ version, announces },
					);
					board.run(MINUTE / 2);
					let cuts = 0;
					for (let bytes = 1; bytes < LONGEST; bytes++) {
						const cut: Cut = { direction, bytes };
						broker.cut = cut;
						const before = executed(board).length;
						const answersBefore = broker.answers.length;
						broker.send("identify", { qos, responseTopic: "host/x", correlation: String(bytes) });
						broker.send("identify", { qos, responseTopic: "host/x", correlation: `${bytes}b` });
						board.run(10 * MINUTE);
						const at = `${direction} ${bytes}`;
						assert.equal(executed(board).length - before, 2, at);
						const answers = broker.answers.slice(answersBefore);
						assert.ok(answers.length >= 2, at);
						if (version === 5)
							assert.deepEqual(
								[...new Set(answers.map(({ correlation }) => correlation))].sort(),
								[String(bytes), `${bytes}b`].sort(),
								at,
							);
						assert.equal(broker.waiting, 0, at);
						if (broker.cutCount === cuts) break;
						cuts = broker.cutCount;
					}
					assert.ok(cuts > 80 && cuts < LONGEST - 1, `${cuts} cuts ${direction}`);
					assert.equal(board.reportCounts.lost, 0);
				}
			});

test("the node is reset at every byte that it writes to retained memory during the exchange: executed at least once, answered", () => {
	for (const qos of [1, 2] as const) {
		const { board, broker } = commandBoard({ sleep: { commandWindow: "0.3s" } });
		board.run(MINUTE / 2);
		let resets = 0;
		for (let budget = 0; budget < 3000; budget += 7) {
			const before = executed(board).length;
			const answersBefore = broker.answers.length;
			broker.send({ command: "identify", id: budget }, { qos });
			board.retained.writeBudget = budget;
			board.run(2 * MINUTE);
			if (board.retained.writeBudget === Infinity) resets++;
			board.retained.writeBudget = Infinity;
			board.run(8 * MINUTE);
			const count = executed(board).length - before;
			assert.ok(count === 1 || count === 2, `${count} at ${budget}`);
			assert.ok(broker.answers.length > answersBefore, `no answer at ${budget}`);
			assert.equal(broker.waiting, 0);
		}
		assert.ok(resets > 100, `${resets} resets`);
		assert.equal(board.reportCounts.waiting, 0);
	}
});
