import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { transpile } from "../../sim/manifest/transpiler";
import { Machine, type ModuleSource, prepare, Root } from "../../sim/xs/index";
import { hashOf } from "./password-hash";

const projectRoot = fileURLToPath(new URL("../..", import.meta.url));

/** Script for the machine: two users, four rules, one session; its steps are called by number. */
const benchSource = `
import { Rules } from "src/broker/access/rules";
import { Users } from "src/broker/access/users";
import { Login } from "src/broker/access/login";
import { Packet } from "src/mqtt/packet";
import { utf8 } from "src/mqtt/utf8";
const HASHES = ["%1", "%2"];
let rules, login, onTimer, authResult;
const packet = new Packet();
const topic = utf8("home/node-1/climate/temperature");
const filter = utf8("home/+/climate/#");
const keep = (step) => native("keep").call(undefined, step);
keep(() => {
	const users = new Users([{ name: "anna", hash: HASHES[0] }, { name: "ben", hash: HASHES[1] }]);
	const memory = utf8("node-1");
	rules = new Rules([
		{ effect: "deny", action: "all", topic: "secret/#" },
		{ effect: "deny", action: "all", topic: "home/{user}-x/#", client: "node-2" },
		{ effect: "allow", action: "publish", topic: "home/{id}/#", user: "anna" },
		{ effect: "allow", action: "subscribe", topic: "home/#" },
	], users, { identifierStart: () => 0, identifierEnd: () => 6 }, memory);
	const timer = { set(callback) { onTimer = callback; return 1; }, schedule() {}, clear() {} };
	const host = { timer, time: { ticks: 0, delta: () => 0 } };
	login = new Login(host, { nowMs: 0, tick() {} }, users, 16);
	login.onAuthResult = (connection, code) => { authResult = code; };
	packet.bytes = utf8("annaapple");
	packet.connectFlags = 0xc0;
	packet.usernameEnd = 4;
	packet.passwordStart = 4;
	packet.passwordEnd = 9;
	return 0;
});
keep((count) => {
	let allowed = 0;
	for (let i = 0; i < count; i++) {
		if (rules.mayPublish(1, 1, topic, 0, topic.length)) allowed++;
		if (rules.mayReceive(2, 1, topic, 0, topic.length)) allowed++;
		if (rules.maySubscribe(2, 1, filter, 0, filter.length)) allowed++;
	}
	return allowed;
});
keep(() => {
	authResult = -1;
	const code = login.check(packet, 1, 1);
	if (code !== -1) return code;
	while (authResult === -1) onTimer();
	return authResult;
});
`;

test("on XS: rules and logins allocate nothing, and their state takes at most 9216 bytes", async (t) => {
	await prepare();
	const modules = new Map<string, ModuleSource>();
	const addModule = (name: string): void => {
		const path = `${projectRoot}/${name}.ts`;
		const { code } = transpile(readFileSync(path, "utf8"), path);
		modules.set(name, { source: code, path });
	};
	addModule("src/backoff");
	for (const folder of [
		"src/mqtt",
		"src/mqtt/decode",
		"src/crypto",
		"src/config",
		"src/broker/access",
		"src/broker/pool",
		"src/text",
	])
		for (const file of readdirSync(`${projectRoot}/${folder}`))
			if (file.endsWith(".ts")) addModule(`${folder}/${file.slice(0, -3)}`);
	const preloadedNames = [
		"rules",
		"users",
		"login",
		"topic-patterns",
		"login-failures",
		"guess-limit",
		"proven-peers",
		"placeholder-levels",
	].map((name) => `src/broker/access/${name}`);
	modules.set("bench", {
		source: benchSource.replace("%1", hashOf("apple")).replace("%2", hashOf("banana")),
		path: "bench",
	});
	const handles: number[] = [];
	const machine = new Machine(
		new Root({ modules, preload: [...preloadedNames, "src/backoff", "src/mqtt/packet"], natives: ["keep"] }),
		{
			creation: { slots: 8192, chunks: 262_144, stack: 512, keys: 64 },
			clock: () => 1_700_000_000_000,
			seed: 1,
			natives: {
				keep: (handle) => {
					handles.push(handle as number);
				},
			},
		},
	);
	machine.import("bench");
	const usedBytes = () => {
		machine.collect();
		return machine.statistics.slots.used * 16 + machine.statistics.chunks.used;
	};
	const sizeBefore = usedBytes();
	machine.call(handles[0]!);
	const sizeOfAccessState = usedBytes() - sizeBefore;
	t.diagnostic(`two users and four rules: ${sizeOfAccessState} bytes`);
	assert.ok(sizeOfAccessState <= 9216);
	assert.equal(machine.call(handles[1]!, 10), 30);
	const before = machine.statistics;
	assert.equal(machine.call(handles[1]!, 1000), 3000);
	const after = machine.statistics;
	t.diagnostic(`a decision: ${Math.round((after.computrons - before.computrons) / 3000)} computrons`);
	assert.deepEqual(
		[after.slots.allocated - before.slots.allocated, after.chunks.allocated - before.chunks.allocated],
		[0, 0],
	);
	assert.equal(machine.call(handles[2]!), 0);
	const first = machine.statistics;
	t.diagnostic(`a first login of 100 iterations: ${first.computrons - after.computrons} computrons`);
	assert.equal(machine.call(handles[2]!), 0);
	const second = machine.statistics;
	t.diagnostic(`a later login: ${second.computrons - first.computrons} computrons`);
	assert.deepEqual(
		[second.slots.allocated - first.slots.allocated, second.chunks.allocated - first.chunks.allocated],
		[0, 0],
	);
	machine.destroy();
});
