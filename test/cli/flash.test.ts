import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, closeSync, constants, existsSync, openSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { permissionText } from "../../cli/serial/port";
import { root } from "../firmware/import-graph";
import { BoardProject } from "./board-tools";
import { PseudoTerminal, pseudoTerminalSkip } from "./pseudo-terminal";

const windows = process.platform === "win32" && "its stand-ins are scripts";

async function projectWithPort(): Promise<{ made: BoardProject; port: string }> {
	const made = new BoardProject();
	const terminal = await PseudoTerminal.open();
	after(async () => {
		await terminal.close();
		made.remove();
	});
	return { made, port: terminal.port };
}

describe("firefly flash", { skip: windows || pseudoTerminalSkip }, () => {
	test("builds, then calls esptool with what ESP-IDF has written for it", async () => {
		const { made, port } = await projectWithPort();
		const { code, stdout, stderr } = await made.run(
			["flash", "esp32c3", "--port", port, "--console", "--baud", "921600"],
			made.environment,
		);
		assert.equal(code, 0, stderr);
		assert.deepEqual(
			made.calls.map(({ tool }) => tool),
			["mcconfig", "idf.py", "idf.py", "esptool"],
		);
		const esptool = made.calls.at(-1);
		assert.deepEqual(esptool?.args, [
			...["--chip", "esp32c3", "--port", port, "--baud", "921600"],
			..."--before default-reset --after hard-reset write-flash".split(" "),
			..."--flash-mode dio --flash-size 4MB --flash-freq 80m".split(" "),
			...["0x0", "bootloader/bootloader.bin", "0x8000", "partition_table/partition-table.bin"],
			...["0x10000", "xs_esp32.bin"],
		]);
		assert.match(esptool?.cwd ?? "", /xsProj-esp32c3\/build$/);
		assert.match(stderr, /^Hash of data verified\.$/m);
		assert.equal(
			stdout,
			`esp32c3 on ${port} runs the new image; npx firefly monitor --port ${port} shows what it does\n`,
		);
	});

	test("--json: the image and the port", async () => {
		const { made, port } = await projectWithPort();
		const { code, stdout } = await made.run(["flash", "esp32c3", "-p", port, "--json"], made.environment);
		assert.equal(code, 0);
		const flashed = JSON.parse(stdout) as { port: string; image: { bytes: number } };
		assert.deepEqual([flashed.port, flashed.image.bytes], [port, 1_100_000]);
	});

	test("a board that does not answer: what to press", async () => {
		const { made, port } = await projectWithPort();
		const { code, stderr } = await made.run(["flash", "esp32c3", "--port", port], {
			...made.environment,
			FAKE_NO_BOARD: "1",
		});
		assert.equal(code, 1);
		assert.match(
			stderr,
			/esptool failed, exit code 2: the board does not answer: hold BOOT, press and release/,
		);
	});

	for (const { title, args, environment = {}, message } of [
		{ title: "no port", args: [], message: /^--port is needed/m },
		{
			title: "a port that is not there",
			args: ["-p", "/dev/ttyUSB77"],
			message: /^there is no \/dev\/ttyUSB77/m,
		},
		{ title: "a file", args: ["-p", "manifest.json"], message: /^manifest\.json is no serial port/m },
		...(existsSync("/sys/dev/char")
			? [
					{
						title: "another device, which programs have open",
						args: ["-p", "/dev/null"],
						message: /^\/dev\/null is no serial port/m,
					},
				]
			: []),
		{
			title: "an old esptool",
			args: ["-p", "/dev/ttyUSB77"],
			environment: { FAKE_ESPTOOL: "v4.8.1" },
			message: /^esptool is v4\.8: 5 or later is needed; ESP-IDF's export\.sh/m,
		},
	])
		test(`${title}: told before anything is built`, async () => {
			const made = new BoardProject();
			after(() => made.remove());
			const { code, stderr } = await made.run(["flash", "esp32c3", ...args], {
				...made.environment,
				...environment,
			});
			assert.equal(code, 1);
			assert.match(stderr, message);
			assert.deepEqual(made.calls, []);
		});

	test("without esptool: where it comes from", async () => {
		const { made, port } = await projectWithPort();
		const bin = join(made.directory, "bare");
		made.write("bare/readme", "");
		for (const tool of ["git", "bash"])
			symlinkSync(spawnSync("which", [tool]).stdout.toString().trim(), join(bin, tool));
		const { code, stderr } = await made.run(["flash", "esp32c3", "-p", port], {
			...made.environment,
			PATH: bin,
		});
		assert.equal(code, 1);
		assert.match(stderr, /^esptool is not on PATH: ESP-IDF's export\.sh puts it there/m);
		assert.match(stderr, /^idf\.py is not on PATH/m);
	});

	test("a port that another program has open: its name", { skip: process.platform !== "linux" }, async () => {
		const { made, port } = await projectWithPort();
		const fd = openSync(port, constants.O_RDWR | constants.O_NOCTTY);
		const holder = spawn("sleep", ["600"], { stdio: ["ignore", "ignore", "ignore", fd] });
		closeSync(fd);
		after(() => holder.kill());
		await once(holder, "spawn");
		const { code, stderr } = await made.run(["flash", "esp32c3", "-p", port], made.environment);
		assert.equal(code, 1);
		assert.match(
			stderr,
			new RegExp(`^${port} is in use by sleep, process ${holder.pid}: end that program first$`, "m"),
		);
	});

	test("a port that may not be read: the group that may", async () => {
		const { port } = await projectWithPort();
		chmodSync(port, 0);
		// root may read everything.
		const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
		const program = `import("${join(root, "cli/serial/port.ts")}").then(({ requirePort }) => requirePort(${JSON.stringify(port)}))
			.catch((error) => console.log(error.name + ": " + error.message))`;
		const { stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", "-e", program], {
			cwd: root,
			encoding: "utf8",
			env: { ...process.env, TSX_DISABLE_CACHE: "1" },
			...user,
		});
		assert.match(stdout, /^Failure: \S+ may not read and write \/dev\//, stderr);
	});
});

test("what to do about a permission names the group, unless it is root's", () => {
	assert.equal(
		permissionText("/dev/ttyUSB0", "dialout", "ada"),
		"ada may not read and write /dev/ttyUSB0, which belongs to the group dialout: sudo usermod -aG dialout ada, then log in again",
	);
	assert.equal(permissionText("/dev/x", "root", "ada"), "ada may not read and write /dev/x");
});
