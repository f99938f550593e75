import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { pbkdf2Sync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { readAnswer } from "../../cli/board/board-summary";
import { commandTopics } from "../../cli/board/command-topics";
import { root } from "../firmware/import-graph";
import { Mosquitto, mosquittoInstalled } from "../support/mosquitto";
import { BrokerProcess } from "./broker-process";
import { cli, Project } from "./project";

const ID = "shed-020082d9aee4";

function manifest(firefly: object = {}): string {
	const include = ["firmware/manifest.json", "firmware/drivers/virtual/manifest.json"];
	const config = {
		firefly: {
			id: "shed-{mac}",
			wifi: { ssid: "net" },
			broker: { url: "mqtt://192.0.2.1" },
			commands: {},
			sensors: [{ name: "temperature", driver: "virtual", property: "thermometer.temperature", every: "1s" }],
			...firefly,
		},
	};
	return JSON.stringify({ include: include.map((name) => join(root, name)), config });
}

const project = new Project({
	"board.json": manifest(),
	"connected.json": manifest({ sleep: { mode: "none" } }),
	"rare.json": manifest({
		sensors: [{ name: "temperature", driver: "virtual", property: "thermometer.temperature", every: "1h" }],
	}),
	"silent.json": manifest({
		sensors: [{ name: "t", driver: "virtual", property: "thermometer.temperature", every: "1s", delta: 1 }],
	}),
	"plain.json": manifest({ commands: undefined }),
	"broker.json": manifest({
		role: "broker",
		listen: { anonymous: true },
		broker: undefined,
		sensors: undefined,
		commands: undefined,
	}),
});
const children = new Set<ChildProcess>();
after(async () => {
	for (const child of children) child.kill("SIGKILL");
	project.remove();
});

/** A line of mosquitto's password file: PBKDF2 with SHA-512. */
function mosquittoUser(name: string, password: string): string {
	const salt = randomBytes(12);
	const hash = pbkdf2Sync(password, salt, 101, 64, "sha512");
	return `${name}:$7$101$${salt.toString("base64")}$${hash.toString("base64")}\n`;
}

interface Running {
	readonly child: ChildProcess;
	readonly text: () => string;
	readonly ended: Promise<number | null>;
}

function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
	const child = spawn(process.execPath, [cli, ...args], {
		cwd: project.directory,
		env: { ...process.env, ...env },
		stdio: ["ignore", "pipe", "pipe"],
	});
	children.add(child);
	let output = "";
	for (const stream of [child.stdout, child.stderr])
		stream.on("data", (data) => {
			output += data;
		});
	const ended = once(child, "close").then(([code]) => {
		children.delete(child);
		return code as number | null;
	});
	return { child, text: () => output, ended };
}

/** A node of the manifest on this machine's network, that has reported. */
async function startBoard(file: string, url: string, env: NodeJS.ProcessEnv = {}): Promise<Running> {
	const board = start(["sim", "--manifest", file, "--broker", url, "--engine", "node", "--json"], env);
	while (!board.text().includes('"type":"acknowledged"')) {
		assert.equal(board.child.exitCode, null, board.text());
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	return board;
}

async function stop({ child, ended }: Running): Promise<void> {
	child.kill("SIGINT");
	await ended;
}

/** The id of the board that runs. */
function idOf({ text }: Running): string {
	return /"node":"(shed-[0-9a-f]{12})"/.exec(text())![1]!;
}

describe("firefly monitor --summary --broker", () => {
	test("mosquitto, with user and password: the board's counts beside the simulated ones", {
		skip: !mosquittoInstalled && "mosquitto is not installed",
	}, async () => {
		const login = { FIREFLY_BROKER_USERNAME: "desk", FIREFLY_BROKER_PASSWORD: "s3cret-word" };
		project.write("users", mosquittoUser("desk", "s3cret-word"));
		// It reads the file as a user of its own.
		chmodSync(project.directory, 0o755);
		const users = `password_file ${join(project.directory, "users")}`;
		const mosquitto = await Mosquitto.start(["allow_anonymous false", users]);
		const url = `mqtt://127.0.0.1:${mosquitto.port}`;
		const board = await startBoard("board.json", url, login);
		const args = ["monitor", "--summary", "--manifest", "board.json", "--broker", url, "--id", idOf(board)];
		const text = await project.run(args, login);
		assert.equal(text.code, 0, text.stderr);
		assert.match(
			text.stderr,
			/sleeps, and answers in its next report, within 1 s; waiting until .* Ctrl-C ends\./,
		);
		assert.match(text.stdout, /^ +board +simulated\n/);
		for (const label of ["observed", "wakes", "joins", "awake", "joining", "with the broker"])
			assert.match(text.stdout, new RegExp(`^ *${label} +[\\d.,]+.* [\\d.,]+`, "m"));
		const json = await project.run([...args, "--json"], login);
		const { type, board: counts, simulated } = JSON.parse(json.stdout);
		assert.equal(type, "summary");
		// Where the machine is busy, a wake may take longer than the second until the next sample.
		assert.ok(counts.wakes >= 2 && counts.samples >= counts.wakes && counts.acknowledged >= 1, json.stdout);
		assert.ok(counts.awake.joining > 0 && counts.awake.broker > 0 && simulated.wakes > 0);
		const wrong = await project.run(args, { ...login, FIREFLY_BROKER_PASSWORD: "other-word" });
		assert.equal(wrong.code, 1);
		assert.match(wrong.stderr, /not authorized/i);
		await stop(board);
		await mosquitto.stop();
	});

	test("Firefly's broker, and a board that stays connected: it answers at once; --for limits the wait", async () => {
		const broker = await BrokerProcess.start(["--port", "0"]);
		const url = `mqtt://127.0.0.1:${broker.ports.mqtt}`;
		const board = await startBoard("connected.json", url);
		const args = ["monitor", "--summary", "--broker", url, "--id", idOf(board), "--json"];
		const answer = await project.run([...args, "--manifest", "connected.json"]);
		assert.equal(answer.code, 0, answer.stderr);
		assert.match(answer.stderr, /is connected, and answers at once/);
		assert.equal(JSON.parse(answer.stdout).board.wakes, 1);
		await stop(board);
		// Its session stays, but nobody answers.
		const silent = await project.run([...args, "--manifest", "silent.json", "--for", "1s"]);
		assert.equal(silent.code, 1);
		assert.match(silent.stderr, /for which its deadbands set no bound; waiting until/);
		assert.match(silent.stderr, /shed-\w+ has not answered within 1 s: it is away/);
		const waiting = start([...args, "--manifest", "rare.json"]);
		while (!waiting.text().includes("waiting until")) await new Promise((resolve) => setTimeout(resolve, 50));
		waiting.child.kill("SIGINT");
		assert.equal(await waiting.ended, 130);
		assert.match(waiting.text(), /within 60 min; waiting until/);
		const nobody = await project.run([...args.slice(0, -2), ID, "--manifest", "board.json"]);
		assert.equal(nobody.code, 1);
		assert.match(nobody.stderr, /no node listens at firefly\/shed-020082d9aee4\/command/);
		await broker.stop();
	});

	test("what cannot work is refused, with what to do", async () => {
		const args = ["monitor", "--summary", "--manifest"];
		const rows: readonly (readonly [readonly string[], RegExp])[] = [
			[[...args, "board.json", "--broker"], /each board has another id, shed-\{mac\}: --id says which/],
			[[...args, "board.json", "--broker", "--id", "hall"], /--id hall is no id of this manifest/],
			[[...args, "plain.json", "--broker", "--id", ID], /needs "commands": \{\}/],
			[[...args, "broker.json", "--broker"], /makes a broker/],
			[["monitor", "--broker", "--manifest", "board.json"], /it goes with --summary/],
			[[...args, "board.json", "--id", ID, "--port", "/dev/null"], /--id is for --broker/],
		];
		for (const [row, message] of rows) {
			const { code, stderr } = await project.run(row);
			assert.equal(code, 1, row.join(" "));
			assert.match(stderr, message);
		}
		const closed = await project.run([...args, "board.json", "--broker", "mqtt://127.0.0.1:1", "--id", ID]);
		assert.equal(closed.code, 1);
		assert.match(closed.stderr, /connection/i);
	});
});

test("topics of one node: its id tells what stands for the placeholders", () => {
	const template = { id: "a.{chip}-{mac}", topic: "t/a.{chip}-{mac}/{mac}", answer: "{chip}" };
	assert.deepEqual(commandTopics(template, "a.esp32-c3-020082d9aee4"), {
		id: "a.esp32-c3-020082d9aee4",
		topic: "t/a.esp32-c3-020082d9aee4/020082d9aee4",
		answer: "esp32-c3",
	});
	assert.throws(() => commandTopics(template, "axesp32-020082d9aee4"), /no id of this manifest/);
	const fixed = { id: "shed", topic: "c/{mac}", answer: "a" };
	assert.throws(() => commandTopics(fixed, undefined), /has a placeholder that the id shed lacks/);
	assert.deepEqual(commandTopics({ ...fixed, topic: "c" }, undefined), {
		id: "shed",
		topic: "c",
		answer: "a",
	});
});

test("answers that anybody may send: whatever is none is left out", () => {
	for (const text of ["", "7", "null", "{", "[]", '{"ok":1}'])
		assert.equal(readAnswer(text), undefined, text);
	assert.deepEqual(readAnswer('{"ok":false,"id":7,"error":"no"}'), {
		id: 7,
		problem: "no",
		counts: undefined,
	});
	for (const summary of ["{}", "7", '{"observed":"x"}', '{"observed":-1}'])
		assert.equal(readAnswer(`{"ok":true,"summary":${summary}}`)?.counts, undefined);
});
