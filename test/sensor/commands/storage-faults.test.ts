import assert from "node:assert/strict";
import { test } from "node:test";
import type { Storage } from "../../../src/device";
import { PowerCutStorage } from "../../broker/support/power-cut-storage";
import { MINUTE } from "../support/payloads";
import { commandBoard } from "./support";

/** Calls of storage in the run below, and a few more. */
const MOST_CALLS = 40;

for (const extent of ["that call alone", "that call, and all later ones for ten minutes"])
	for (const outbox of ["rtc", "flash"])
		test(`outbox in ${outbox}: any call of storage fails, ${extent}: reports and commands go on, each command is answered`, () => {
			let reached = 0;
			for (let failing = 1; failing <= MOST_CALLS; failing++) {
				const { board, broker } = commandBoard({ outbox: { storage: outbox } });
				const kept = new PowerCutStorage();
				let calls = 0;
				let failsUntil = 0;
				const check = (): void => {
					if (++calls === failing) failsUntil = extent === "that call alone" ? 0 : board.time + 10 * MINUTE;
					if (calls === failing || board.time < failsUntil) throw new Error("flash is worn out");
				};
				const open = (): Storage => {
					check();
					const storage = kept.open();
					const checked =
						<A extends unknown[], R>(call: (...args: A) => R) =>
						(...args: A): R => {
							check();
							return call(...args);
						};
					return {
						read: checked((key, buffer) => storage.read(key, buffer)),
						write: checked((key, value) => storage.write(key, value)),
						delete: checked((key) => storage.delete(key)),
						close: checked(() => storage.close()),
					};
				};
				board.storage = { open };
				const set = (id: string, every: string): void => {
					const settings = { sensors: [{ name: "temperature", every }] };
					broker.send({ command: "set", id, settings });
				};
				board.run(MINUTE / 2);
				set("first", "30s");
				board.run(3 * MINUTE);
				set("second", "20s");
				board.run(3 * MINUTE);
				board.losePower();
				board.run(MINUTE);
				set("third", "1m");
				board.run(11 * MINUTE);
				if (calls >= failing) reached++;
				const where = `call ${failing}`;
				assert.equal(board.events("failed").length, 0, where);
				assert.deepEqual(
					broker.answers.map(({ payload: { id } }) => id).filter((id) => id !== undefined),
					["first", "second", "third"],
					where,
				);
				assert.ok(broker.reports.filter(({ at }) => at > board.time - 10 * MINUTE).length >= 10, where);
				assert.ok(board.longestAwakeMs < 1000, where);
			}
			assert.ok(reached >= 20, `${reached} calls have failed`);
		});
