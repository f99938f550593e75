import { test } from "node:test";
import { fuzz } from "./support/fuzz";

for (const [engine, packets] of [
	["node", 10_000],
	["xs", 4_000],
] as const) {
	test(`${engine}, mutated packets: no crash, no leak, other clients unaffected`, async (t) => {
		for (const seed of [1, 2]) {
			const { memory } = await fuzz(engine, packets / 2, seed, 500);
			if (memory !== undefined)
				t.diagnostic(
					`${memory.slots} slots and ${memory.chunks} chunk bytes in use, stack peak ${memory.stack}`,
				);
		}
	});
}
