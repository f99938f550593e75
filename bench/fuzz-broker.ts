/** Sends mutated packets of recorded conversations to a broker: `node --import tsx bench/fuzz-broker.ts [packets] [seed]`. */
import { fuzz } from "../test/broker/support/fuzz";

const packets = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? 1);
const start = performance.now();
const sent = fuzz(packets, seed);
console.log(`${sent} mutated packets, seed ${seed}: no crash, no leak, no other connection touched; ${Math.round(performance.now() - start)} ms`);
