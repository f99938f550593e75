import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { Project } from "./project";

describe("the command line", () => {
	const project = new Project();
	after(() => project.remove());

	test("--help everywhere, exit code 0", async () => {
		for (const args of [
			["--help"],
			["help"],
			["sim", "--help"],
			["check", "--help"],
			["new", "--help"],
			["build", "--help"],
			["flash", "--help"],
			["monitor", "--help"],
			["help", "sim"],
		]) {
			const { code, stdout, stderr } = await project.run(args);
			assert.deepEqual([code, stderr], [0, ""], args.join(" "));
			assert.match(stdout, /^Usage: firefly/);
		}
	});

	test("the help of sim lists every documented option", async () => {
		const { stdout } = await project.run(["sim", "--help"]);
		for (const option of [
			"--manifest",
			"--for",
			"--speed",
			"--seed",
			"--nodes",
			"--replay",
			"--broker",
			"--engine",
			"--json",
		])
			assert.match(stdout, new RegExp(`${option}\\b`));
	});

	test("--version", async () => {
		const { code, stdout } = await project.run(["--version"]);
		assert.deepEqual([code, /^\d+\.\d+\.\d+\n$/.test(stdout)], [0, true]);
	});

	describe("wrong usage: exit code 2, one line of reason, no stack trace", () => {
		const rows: readonly (readonly [readonly string[], RegExp])[] = [
			[[], /^Usage: firefly/],
			[["fly"], /^error: unknown command 'fly'/],
			[["chek"], /^error: unknown command 'chek'\n\(Did you mean check\?\)/],
			[["--fast"], /^error: unknown option '--fast'/],
			[["check", "a", "b"], /^error: too many arguments/],
			[["check", "--nodes", "3"], /^error: unknown option '--nodes'/],
			[["sim", "--boards", "3"], /^error: unknown option '--boards'/],
			[
				["sim", "--nodes", "0"],
				/'--nodes <number>' argument '0' is invalid\. A whole number from 1 to 20 is needed/,
			],
			[["sim", "--nodes", "21"], /argument '21' is invalid/],
			[
				["sim", "--fault", "wifi"],
				/^error: option '--fault <spec>' argument 'wifi' is invalid\. wifi needs its time/,
			],
			[["build"], /^error: missing required argument 'target'/],
			[["flash", "esp32", "--baud", "fast"], /is invalid\. A speed from 300 to 4000000 bits a second/],
			[["monitor", "esp32"], /^error: too many arguments/],
			[["sim", "--scenario", "x"], /^error: unknown option '--scenario'/],
			[["sim", "now"], /^error: too many arguments/],
			[["sim", "--for"], /^error: option '--for <duration>' argument missing/],
			[
				["sim", "--for", "1 day"],
				/^error: option '--for <duration>' argument '1 day' is invalid\. Did you mean 1d\?/,
			],
			[["sim", "--for", "long"], /^error: option '--for <duration>' argument 'long' is invalid\. A duration/],
			[["sim", "--for", "0s"], /^error: option '--for <duration>' argument '0s' is invalid/],
			[["sim", "--speed", "fast"], /^error: option '--speed <factor>' argument 'fast' is invalid\. A factor/],
			[["sim", "--speed", "0"], /^error: option '--speed <factor>' argument '0' is invalid/],
			[["sim", "--speed", "-1"], /^error: option '--speed <factor>'/],
			[["sim", "--seed", "x"], /^error: option '--seed <number>' argument 'x' is invalid/],
			[["sim", "--seed", "4294967296"], /^error: option '--seed <number>'/],
			[
				["sim", "--broker", "localhost"],
				/^error: option '--broker <url>' argument 'localhost' is invalid\. It does not begin with mqtt:\/\//,
			],
			[
				["sim", "--broker", "mqtt://[::1]:1883"],
				/is invalid\. It has an IPv6 address, and a node connects over IPv4/,
			],
			[["sim", "--broker", "mqtt://u:p@h"], /^error: option '--broker <url>'/],
			[
				["sim", "--engine", "v8"],
				/^error: option '--engine <name>' argument 'v8' is invalid\. Allowed choices are xs, node/,
			],
		];
		for (const [args, expected] of rows) {
			test(args.join(" ") || "no command", async () => {
				const { code, stdout, stderr } = await project.run(args);
				assert.deepEqual([code, stdout], [2, ""]);
				assert.match(stderr, expected);
				assert.doesNotMatch(stderr, /^\s+at /m);
			});
		}
	});
});
