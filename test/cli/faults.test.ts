import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { Project } from "./project";

describe("firefly sim --fault", () => {
	const project = new Project();
	after(() => project.remove());
	const quick = ["sim", "--speed", "max", "--engine", "node", "--for", "6h"];
	const faults = ["--fault", "wifi:10m@1h", "--fault", "broker:2h@2h"];

	test("the run ends with what was lost, delayed and dropped, and what the faults cost", async () => {
		const { code, stdout, stderr } = await project.run([...quick, ...faults]);
		assert.deepEqual([code, stderr], [0, ""]);
		assert.match(stdout, /^2026-01-01 01:00:00\.000 {2}\S+ {2}fault wifi:10m@1h begins$/m);
		assert.match(stdout, /^2026-01-01 04:00:00\.000 {2}\S+ {2}fault broker:2h@2h is over$/m);
		const lines = stdout.trimEnd().split("\n").slice(-3);
		assert.equal(lines[0], "faults       wifi:10m@1h, broker:2h@2h");
		assert.match(
			lines[1]!,
			/^ +0 reports lost; \d+ delayed, by [\d.]+ (min|h) at most; dropped \d+ by dropOldest; 0 waiting$/,
		);
		assert.match(
			lines[2]!,
			/^ +they cost \+[\d.,]+ mC \(\+[\d.]+ %\): \d+ instead of \d+ days on the battery$/,
		);
	});

	test("--json: the same bytes twice, with the same figures", async () => {
		const run = async () => (await project.run([...quick, ...faults, "--json"])).stdout;
		const first = await run();
		assert.equal(await run(), first);
		const events = first
			.trimEnd()
			.split("\n")
			.map((line) => JSON.parse(line));
		const { rehearsal, acknowledged, dropped, lost } = events.at(-1);
		assert.deepEqual(rehearsal.faults, ["wifi:10m@1h", "broker:2h@2h"]);
		assert.deepEqual([rehearsal.lost, rehearsal.lostWithPower, rehearsal.waiting, lost], [0, 0, 0, 0]);
		assert.deepEqual(rehearsal.dropped, { dropOldest: dropped });
		assert.ok(rehearsal.delayed > 100 && rehearsal.delayed < acknowledged + dropped);
		assert.ok(rehearsal.longestDelay > 600_000 && rehearsal.longestDelay <= 2.1 * 3_600_000);
		assert.ok(rehearsal.charge.withFaults > rehearsal.charge.without);
		assert.ok(rehearsal.battery.withFaults < rehearsal.battery.without);
		const quiet = (await project.run([...quick, "--json"])).stdout.trimEnd().split("\n").at(-1);
		const { energy, rehearsal: none } = JSON.parse(quiet ?? "");
		assert.equal(none, undefined);
		let charge = 0;
		for (const phase of Object.values(energy.phases)) charge += (phase as { charge: number }).charge;
		assert.ok(
			Math.abs(charge - rehearsal.charge.without) < 1e-6,
			"the run without faults is the one compared with",
		);
	});

	test("reports that were waiting when the power went are named as lost with it", async () => {
		const { stdout } = await project.run([...quick, "--fault", "wifi:1h@1h", "--fault", "power:1m@90m"]);
		assert.match(stdout, /\n +(\d+) reports lost \(\1 with the power: outbox\.storage is "rtc"\); /);
	});

	describe("a wrong fault: exit code 2, and what was probably meant", () => {
		const rows: readonly (readonly [fault: string, message: RegExp])[] = [
			["wfi:10m@2h", /there is no fault "wfi"; .*; did you mean "wifi"\?\n/],
			["brokr:2h@6h", /did you mean "broker"\?/],
			["wifi:10 minutes@2h", /"10 minutes" is no duration .*; did you mean "10m"\?/],
			["wifi:10m", /wifi needs its time after the start: wifi:10m@2h\.\n/],
			["wifi@2h", /wifi needs a duration: wifi:10m@2h\.\n/],
			[
				"reset@2h/brocker",
				/there is no board brocker; there are broker, greenhouse-.*; did you mean "broker"\?/,
			],
			["dns:1m@2h/broker", /dns concerns the whole network, and no board\.\n/],
		];
		for (const [fault, message] of rows)
			test(fault, async () => {
				const { code, stdout, stderr } = await project.run([...quick, "--fault", fault]);
				assert.deepEqual([code, stdout], [2, ""]);
				assert.match(stderr, /^error: option '--fault <spec>' argument '.*' is invalid\. /);
				assert.match(stderr, message);
			});
	});

	test("--help lists every kind of fault", async () => {
		const { stdout } = await project.run(["sim", "--help"]);
		for (const example of ["wifi:10m@2h", "loss=20%:10m@2h", "torn-write@2h"])
			assert.ok(stdout.includes(example), example);
	});
});
