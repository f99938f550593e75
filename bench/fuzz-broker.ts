/**
 * Sends mutated packets of recorded conversations to a broker:
 * `node --import tsx bench/fuzz-broker.ts [--engine xs|node] [packets] [seed]`.
 */
import { parseArgs } from "node:util";
import { type Engine, fuzz } from "../test/broker/support/fuzz";

const { values, positionals } = parseArgs({
	options: { engine: { type: "string", default: "xs" } },
	allowPositionals: true,
});
const engine = values.engine as Engine;
if (engine !== "xs" && engine !== "node") throw new RangeError(`--engine ${engine}: neither xs nor node`);
const packets = Number(positionals[0] ?? 1_000_000);
const seed = Number(positionals[1] ?? 1);
const start = performance.now();
const { packets: sent, memory } = await fuzz(engine, packets, seed);
const used =
	memory === undefined
		? ""
		: `; ${memory.slots} slots and ${memory.chunks} chunk bytes in use, stack peak ${memory.stack}`;
console.log(
	`${engine}: ${sent} mutated packets, seed ${seed}: no crash, no leak, no other connection touched; ${Math.round((performance.now() - start) / 1000)} s${used}`,
);
