import assert from "node:assert/strict";
import { chmodSync, existsSync, readdirSync } from "node:fs";
import { createConnection } from "node:net";
import { basename, dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { addonPath } from "../../sim/xs/build";
import { PseudoTerminal } from "../support/pseudo-terminal";
import { cli, Project } from "./project";

const quoted = (text: string): string => `'${text}'`;
const firefly = `exec ${quoted(process.execPath)} ${quoted(cli)}`;

describe("firefly sim on a terminal", () => {
	const project = new Project();
	after(() => project.remove());
	const open = (command: string, columns = 80, rows = 24, env: NodeJS.ProcessEnv = {}): PseudoTerminal =>
		new PseudoTerminal(command, columns, rows, { cwd: project.directory, env: { ...process.env, ...env } });

	test("addresses are whole and answer; keys act; q ends with a summary on a clean screen", async () => {
		const terminal = open(`${firefly} sim --engine node`);
		try {
			await terminal.until("both addresses", ({ text }) => /127\.0\.0\.1:\d+\/$/m.test(text));
			const [, port] = /mqtt:\/\/127\.0\.0\.1:(\d+)$/m.exec(terminal.screen.text)!;
			await new Promise<void>((resolve, reject) => {
				const socket = createConnection(Number(port), "127.0.0.1", () => resolve(void socket.destroy()));
				socket.on("error", reject);
			});
			terminal.type(" ");
			await terminal.until("a pause", ({ lines }) => lines[0]!.includes("paused"));
			terminal.type(" +");
			await terminal.until("a higher speed", ({ lines }) => lines[0]!.endsWith("× 10"));
			terminal.type("w");
			await terminal.until("an outage", ({ lines }) => lines[0]!.endsWith("Wi-Fi out"));
			terminal.type("?");
			await terminal.until("the keys", ({ text }) => text.includes("outage of the broker"));
			assert.ok(terminal.screen.alternate);
			assert.equal(terminal.screen.lines.filter((line) => line.includes("Firefly")).length, 1);
			terminal.type("p");
			await terminal.until("power off", ({ text }) => /^›greenhouse-\w+ +off /m.test(text));
			terminal.type("q");
			assert.equal(await terminal.ended(), 0);
			assert.ok(!terminal.screen.alternate && terminal.screen.cursorVisible);
			// The next wake comes 10 s later, at this speed 1 s: on a busy machine before the last key.
			assert.match(terminal.screen.text, /^1 node, [\d.]+ \w+ simulated: \d+ wakes?, /m);
			assert.doesNotMatch(terminal.screen.text, /\? keys/);
		} finally {
			terminal.kill();
		}
	});

	test("a smaller window: the frame is drawn anew, and nothing of the old one is left", async () => {
		// The window changes when the first frame is there: `stty` is called from a second process.
		const resize = `(while [ ! -e resize ]; do sleep 0.1; done; stty cols 70 rows 20 <"$TTY") & `;
		const terminal = open(`${resize}${firefly} sim --engine node --speed 60`, 120, 30);
		try {
			await terminal.until("a frame", ({ lines }) => lines[29]!.includes("? keys"));
			terminal.screen.resize(70, 20);
			project.write("resize", "");
			const marks = /Firefly|\? keys/;
			await terminal.until(
				"one new frame",
				({ lines }) =>
					lines[0]!.includes("Firefly") &&
					lines[19]!.includes("? keys") &&
					lines.filter((line) => marks.test(line)).length === 2,
			);
			terminal.type("\x03");
			assert.equal(await terminal.ended(), 0);
		} finally {
			terminal.kill();
		}
	});

	test("Ctrl-C while XS is built: a bar until then, one line, exit code 130, and nothing is left", async () => {
		const compiler = join(project.directory, "slow compiler");
		project.write(
			"slow compiler",
			`#!/bin/sh\n[ "$1" = --version ] && { echo slow; exit 0; }\n: >${quoted(join(project.directory, "started"))}\ntrap 'echo "a compiler error" >&2; exit 1' INT\nsleep 1000 & wait\n`,
		);
		chmodSync(compiler, 0o755);
		const terminal = open(`${firefly} sim`, 80, 24, { CC: compiler });
		try {
			await terminal.until("a bar", ({ text }) => /building the XS engine.* {2}░+ 0 of \d+$/m.test(text));
			assert.ok(!terminal.screen.alternate, "a frame is drawn while XS is built");
			while (!existsSync(join(project.directory, "started"))) await new Promise(setImmediate);
			terminal.type("\x03");
			assert.equal(await terminal.ended(), 130);
			assert.match(
				terminal.screen.text.replace("^C", "").trim(),
				/^interrupted while the XS engine was built; the next start begins it again$/,
			);
		} finally {
			terminal.kill();
		}
		const build = dirname(addonPath({ compiler }));
		const left = readdirSync(dirname(build)).filter((name) => name.startsWith(basename(build)));
		assert.deepEqual(left, []);
	});
});
