import assert from "node:assert/strict";
import { test } from "node:test";
import { headerSize, REAL_RETRY, WORD_GENERATION, WORD_WAKES } from "../../src/sensor/retained/layout";
import { RetainedState } from "../../src/sensor/retained/retained-state";
import { createFragileMemory, ResetError } from "./support/fragile-memory";

test("the newest commit applies, also where the count of commits wraps around, and after a reset at any byte", () => {
	for (const start of [0, 0x7fff_fffc, 0xffff_fffc])
		for (let cut = 0; cut < 400; cut += 9) {
			const memory = createFragileMemory(headerSize(2) + 256);
			const state = new RetainedState(memory.memory, 2, 7, 256);
			assert.equal(state.restore(), "garbage");
			state.words[WORD_GENERATION] = start;
			for (let i = 1; i <= 8; i++) {
				state.words[WORD_WAKES] = i;
				state.reals[REAL_RETRY] = i;
				state.sensors.fill(i);
				state.commit();
				const restored = new RetainedState(memory.memory, 2, 7, 256);
				assert.equal(restored.restore(), "valid");
				assert.deepEqual(
					[restored.words[WORD_WAKES], restored.reals[REAL_RETRY], restored.sensors[3]],
					[i, i, i],
					`${i} commits from ${start}`,
				);
				// A later commit that a reset cuts off leaves this one, whole.
				const torn = new RetainedState(memory.memory, 2, 7, 256);
				torn.restore();
				torn.words[WORD_WAKES] = torn.reals[REAL_RETRY] = 100;
				torn.sensors.fill(100);
				memory.writeBudget = cut;
				try {
					torn.commit();
				} catch (error) {
					assert.ok(error instanceof ResetError);
				}
				memory.writeBudget = Infinity;
				const after = new RetainedState(memory.memory, 2, 7, 256);
				assert.equal(after.restore(), "valid");
				const wakes = after.words[WORD_WAKES];
				assert.ok(wakes === i || wakes === 100, `${wakes}`);
				assert.deepEqual([after.reals[REAL_RETRY], after.sensors[3]], [wakes, wakes]);
			}
		}
});
