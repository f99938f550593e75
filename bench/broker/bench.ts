/**
 * CPU time per delivery and memory per client of `firefly broker --engine node`, mosquitto and aedes, in turns in one run:
 * `node --import tsx bench/broker/bench.ts [--quick] [--cpu-prof DIRECTORY]`. Linux only. On a busy machine only the ratios mean something.
 */
import { parseArgs } from "node:util";
import { brokerKinds, type RunningBroker } from "./brokers";
import { measureMemory } from "./memory";
import { phase } from "./phase";
import { pinLoad, pinned } from "./process";
import { scenarios } from "./scenarios";
import { heading, median, row } from "./table";

const { values: options } = parseArgs({ options: { quick: { type: "boolean", default: false }, "cpu-prof": { type: "string" } } });
const rounds = options.quick ? 2 : 7;
/** Of one phase, ms. */
const duration = options.quick ? 180 : 600;
const idle = options.quick ? 200 : 800;

const profile = options["cpu-prof"];
const kinds = brokerKinds(profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`]);
const names = kinds.map(({ name }) => name);
const brokers: RunningBroker[] = [];
pinLoad();
try {
	for (const kind of kinds) brokers.push(await kind.start());
	process.stdout.write(pinned ? "brokers on core 0, load on core 1\n\n" : "not pinned: taskset or a second core is missing\n\n");
	const memory = [];
	for (const broker of brokers) memory.push(await measureMemory(broker, idle));

	const cpu = scenarios.map(() => brokers.map((): number[] => []));
	for (let round = 0; round <= rounds; round++)
		for (const [i, scenario] of scenarios.entries())
			for (let turn = 0; turn < brokers.length; turn++) {
				const which = (turn + round) % brokers.length;
				const used = await phase(brokers[which], scenario, duration);
				if (round > 0) cpu[i][which].push(used); // the first is for compilers to warm up
			}

	heading("CPU time per delivery, µs", names);
	for (const [i, { name }] of scenarios.entries()) row(name, cpu[i].map(median), 2);
	process.stdout.write("\n");
	heading("memory", names);
	row(
		"resident before the first client, MiB",
		memory.map(({ base }) => base),
		1,
	);
	row(
		`per idle client (of ${idle}), KiB`,
		memory.map(({ client }) => client),
		2,
	);
} finally {
	for (const broker of brokers) await broker.stop();
}
