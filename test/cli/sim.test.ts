import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { cli, Project } from "./project";

const own = fileURLToPath(new URL("../../manifest.json", import.meta.url));
const header = '"date","Temperature","CO2 (ppm)"\n';
const recording = `${header}"1","2015-02-02 14:19:00",23.7,749.2\n"2","2015-02-02 14:19:59",23.718,760.4\n"3","2015-02-02 14:21:00",23.73,769.666666666667\n`;

describe("firefly sim", () => {
	const project = new Project({
		"recording.csv": recording,
		"cut.csv": recording.slice(0, -25),
		"wrong.json": '{"config": {"firefly": {"role": "x"}}}',
	});
	after(() => project.remove());
	const quick = ["sim", "--speed", "max", "--engine", "node"];

	test("Firefly's own manifest runs from any folder and ends with a summary", async () => {
		const { code, stdout, stderr } = await project.run([...quick, "--for", "5m"]);
		assert.deepEqual([code, stderr], [0, ""]);
		assert.match(stdout, /broker {2}home\/greenhouse-\w{12}\/temperature = \d+(\.\d)?\n/);
		assert.match(stdout, /awake [\d.]+ s, temperature [\d.]+ °C, .*acknowledged; sleeps [\d.]+ s\n/);
		assert.match(stdout, /\n1 node, 5 min simulated: \d+ wakes, /);
		assert.match(stdout, / 0 lost; \d+ sent again\n/);
		assert.match(stdout, /\nawake {8}p50 /);
		assert.match(stdout, /\nnetwork {6}\d+ bytes a report; 2 round trips /);
		assert.match(stdout, /\nbattery .* days on 2,500 mAh/);
	});

	test("--for 10s: a final sleep is accounted, up to the limit", async () => {
		const { code, stdout } = await project.run([...quick, "--for", "10s"]);
		assert.equal(code, 0);
		assert.match(stdout, /\n1 node, 10 s simulated: 1 wake, /);
		assert.match(stdout, /\nbattery +2\d\.\d+ mA on average/);
	});

	test("the default engine is XS", async () => {
		const { code, stdout } = await project.run(["sim", "--speed", "max", "--for", "1m", "--json"]);
		assert.equal(code, 0);
		const summary = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
		assert.deepEqual([summary.type, summary.lost, summary.crashes], ["summary", 0, 0]);
		assert.ok(summary.acknowledged > 0);
	});

	test("--json: the same seed gives the same bytes, another seed gives others", async () => {
		const run = async (seed: string) =>
			(await project.run([...quick, "--for", "10m", "--json", "--seed", seed])).stdout;
		const first = await run("7");
		assert.equal(await run("7"), first);
		assert.notEqual(await run("8"), first);
		const events = first
			.trimEnd()
			.split("\n")
			.map((line) => JSON.parse(line));
		assert.ok(events.every(({ time, type }) => time >= Date.UTC(2026) && typeof type === "string"));
		for (const type of [
			"node",
			"boot",
			"wake",
			"sample",
			"accepted",
			"join",
			"open",
			"connected",
			"publish",
			"acknowledged",
			"exchange",
			"sleep",
			"value",
		])
			assert.ok(
				events.some((event) => event.type === type),
				type,
			);
		assert.equal(events.at(-1).lost, 0);
	});

	test("a recording supplies its own configuration", async () => {
		const { code, stdout, stderr } = await project.run([...quick, "--replay", "recording.csv", "--json"]);
		assert.deepEqual([code, stderr], [0, ""]);
		const events = stdout
			.trimEnd()
			.split("\n")
			.map((line) => JSON.parse(line));
		assert.deepEqual(
			events
				.find(({ type, role }) => type === "node" && role === "sensor")
				.sensors.map(({ name }: { name: string }) => name),
			["Temperature", "CO2_ppm_"],
		);
		const reports = events
			.filter(({ type, topic }) => type === "value" && topic === "firefly/recording")
			.map(({ payload }) => JSON.parse(payload));
		assert.ok(reports.some((report) => report.Temperature === 23.73 && report.CO2_ppm_ === 769.666666666667));
	});

	describe("failures: exit code 1, a reason, no stack trace", () => {
		const rows: readonly (readonly [readonly string[], RegExp])[] = [
			[["--manifest", "none.json"], /^none\.json: does not exist; firefly new DIR makes a project, .*\n$/],
			[
				["--manifest", "wrong.json"],
				/^wrong\.json:1:1 include: does not lead to .*\nwrong\.json:1:33 config\.firefly\.role: "x" is not one of .*\n$/,
			],
			[["--replay", "none.csv"], /none\.csv/],
			[["--replay", "cut.csv"], /cut\.csv:4: .*cut off here/],
			[["--replay", "recording.csv", "--manifest", own], /recording\.csv:1: no column for/],
		];
		for (const [args, expected] of rows) {
			test(args.join(" ").replace(own, "manifest.json"), async () => {
				const { code, stdout, stderr } = await project.run([...quick, "--for", "1m", ...args]);
				assert.equal(code, 1);
				assert.doesNotMatch(stdout, /simulated/);
				assert.match(stderr, expected);
				assert.doesNotMatch(stderr, /^\s+at /m);
			});
		}
	});

	for (const json of [false, true]) {
		test(`SIGINT ends it cleanly${json ? ", with --json" : ""}`, async () => {
			const child = spawn(process.execPath, [cli, "sim", "--engine", "node", ...(json ? ["--json"] : [])], {
				cwd: project.directory,
			});
			let stdout = "";
			let stderr = "";
			child.stderr.on("data", (data) => {
				stderr += data;
			});
			for await (const data of child.stdout) {
				stdout += data;
				if (/acknowledged/.test(stdout) && !child.killed) child.kill("SIGINT");
			}
			if (child.exitCode === null) await once(child, "exit");
			assert.deepEqual([child.exitCode, stderr], [0, ""]);
			assert.match(stdout, json ? /"type":"summary".*\}\n$/ : /\nbattery .*\n$/);
		});
	}

	test("Ctrl-C to the whole process group, with a fault: the summary, compared with a run without", async () => {
		const args = ["sim", "--engine", "node", "--for", "30d", "--speed", "60", "--fault", "wifi:1m@1s"];
		const child = spawn(process.execPath, [cli, ...args], { cwd: project.directory, detached: true });
		let stdout = "";
		let stderr = "";
		child.stderr.on("data", (data) => {
			stderr += data;
		});
		let isInterrupted = false;
		for await (const data of child.stdout) {
			stdout += data;
			if (!isInterrupted && /acknowledged/.test(stdout)) {
				isInterrupted = true;
				process.kill(-child.pid!, "SIGINT");
			}
		}
		if (child.exitCode === null) await once(child, "exit");
		assert.deepEqual([child.exitCode, stderr], [0, ""]);
		assert.match(stdout, /\nfaults +wifi:1m@1s\n.* 0 reports lost; /);
		assert.match(stdout, /\n +they cost .* days on the battery\n$/);
	});

	test("Ctrl-C while the firmware is compiled, to the whole process group: no word of the compiler", async () => {
		// Interrupts the group once the compiler has been asked for something.
		const hook = join(project.directory, "interrupts.mjs");
		writeFileSync(
			hook,
			`import child from "node:child_process";
			import { syncBuiltinESMExports } from "node:module";
			const { spawn } = child;
			child.spawn = (program, ...rest) => {
				const started = spawn(program, ...rest);
				if (/esbuild/.test(program)) {
					const { write } = started.stdin;
					started.stdin.write = (...data) => {
						if (process.listenerCount("SIGINT") > 0) {
							setImmediate(() => process.kill(-process.pid, "SIGINT"));
							started.stdin.write = write;
						}
						return write.apply(started.stdin, data);
					};
				}
				return started;
			};
			syncBuiltinESMExports();`,
		);
		const child = spawn(process.execPath, ["--import", hook, cli, "sim", "--engine", "node"], {
			cwd: project.directory,
			detached: true,
			stdio: ["ignore", "ignore", "pipe"],
		});
		let stderr = "";
		child.stderr.setEncoding("utf8").on("data", (text: string) => {
			stderr += text;
		});
		const [code] = await once(child, "close");
		assert.deepEqual([code, stderr], [130, "interrupted\n"]);
	});
});
