/**
 * CPU time per delivery and memory per client of `firefly broker --engine node`, mosquitto and aedes,
 * alternating in one run, with the cost of Node's sockets alone: `node --import tsx bench/broker/bench.ts
 * [--quick] [--only TEXT] [--cpu-prof DIRECTORY]`. Linux only. On a busy machine only the ratios are
 * meaningful.
 */
import { parseArgs } from "node:util";
import { brokerKinds, type RunningBroker } from "./brokers";
import { type MemoryUse, measureMemory } from "./memory";
import { runPhase } from "./phase";
import { canPin, pinLoad } from "./process";
import { scenarios } from "./scenarios";
import { heading, row } from "./table";

const { values: options } = parseArgs({
	options: {
		quick: { type: "boolean", default: false },
		only: { type: "string", default: "" },
		"cpu-prof": { type: "string" },
	},
});
const rounds = options.quick ? 3 : 12;
/** Rounds that are not counted, to warm up compilers. */
const warmUpRounds = 2;
/** Duration of one phase, ms. */
const durationMs = options.quick ? 180 : 400;
const warmUpMs = 400;
/** Number of idle clients. */
const idleClients = 800;

const profile = options["cpu-prof"];
const kinds = brokerKinds(profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`]);
const names = kinds.map(({ name }) => name);
const chosen = scenarios.filter(({ name }) => name.includes(options.only));
const brokers: RunningBroker[] = [];
pinLoad();
try {
	for (const kind of kinds) brokers.push(await kind.start());
	process.stdout.write(
		canPin ? "brokers on core 0, load on core 1\n" : "not pinned: taskset or a second core is missing\n",
	);
	process.stdout.write("medians of all rounds; ratios within each round: their median (and middle half)\n\n");
	const memory: MemoryUse[] = [];
	for (const broker of brokers) memory.push(await measureMemory(broker, idleClients));

	const cpu = chosen.map(() => brokers.map((): number[] => []));
	for (let round = -warmUpRounds; round < rounds; round++)
		for (const [i, scenario] of chosen.entries())
			for (let turn = 0; turn < brokers.length; turn++) {
				const which = (turn + round + warmUpRounds) % brokers.length;
				const used = await runPhase(brokers[which]!, scenario, round < 0 ? warmUpMs : durationMs);
				if (round >= 0) cpu[i]![which]!.push(used);
			}

	heading("CPU time per delivery, µs", names);
	for (const [i, { name }] of chosen.entries()) row(name, cpu[i]!, 2);
	process.stdout.write("\n");
	heading("memory", names);
	row(
		"resident before the first client, MiB",
		memory.map(({ baseMiB }) => [baseMiB]),
		1,
	);
	row(
		`per idle client of ${idleClients}, KiB`,
		memory.map(({ clientKiB }) => [clientKiB]),
		2,
	);
} finally {
	for (const broker of brokers) await broker.stop();
}
