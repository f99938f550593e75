import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { hashPassword } from "../../cli/passwd/hash";
import { mosquittoInstalled, receiveUntil } from "../support/mosquitto";
import { selfSigned } from "../support/self-signed";
import { BrokerProcess } from "./broker-process";
import { Project } from "./project";

const firmware = fileURLToPath(new URL("../../firmware/manifest.json", import.meta.url));

function manifest(listen: object): string {
	return JSON.stringify({ include: [firmware], config: { firefly: { role: "broker", listen } } });
}

function client(port: number, options: IClientOptions = {}): Promise<MqttClient> {
	return mqtt.connectAsync(
		`${options.protocol ?? "mqtt"}://127.0.0.1:${port}`,
		{ reconnectPeriod: 0, ...options },
		false,
	);
}

/** Publishes one message and waits for its return. */
async function echo(a: MqttClient, topic: string): Promise<string> {
	const message = new Promise<string>((resolve) =>
		a.once("message", (_, payload) => resolve(payload.toString())),
	);
	await a.subscribeAsync(topic, { qos: 1 });
	await a.publishAsync(topic, `on ${topic}`, { qos: 1 });
	return message;
}

function nextMessage(a: MqttClient): Promise<void> {
	return new Promise((resolve) => a.once("message", () => resolve()));
}

function mosquitto(
	tool: "pub" | "sub",
	...args: string[]
): Promise<{ readonly code: number; readonly output: string }> {
	return new Promise((resolve) => {
		execFile(`mosquitto_${tool}`, ["-h", "127.0.0.1", ...args], (error, stdout, stderr) => {
			resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
		});
	});
}

const addresses = Object.values(networkInterfaces()).flatMap((each = []) => each);
const hasIPv6Loopback = addresses.some(({ address }) => address === "::1");
const otherAddresses = addresses
	.filter(({ internal, scopeid = 0 }) => !internal && scopeid === 0)
	.map(({ address }) => address);

const users = { anna: hashPassword("apple", 100), ben: hashPassword("banana", 100) };
const acl = [
	{ deny: "all", topic: "secret/#" },
	{ allow: "all", topic: "home/{user}/#" },
	{ allow: "subscribe", topic: "#", user: "anna" },
];

for (const engine of ["node", "xs"] as const) {
	describe(`firefly broker --engine ${engine}`, () => {
		test("no configuration: all clients are allowed on a free port, SIGINT exits with code 0", async () => {
			const broker = await BrokerProcess.start(["--port", "0", "--engine", engine]);
			for (const protocolVersion of [4, 5] as const) {
				const a = await client(broker.ports.mqtt!, { protocolVersion });
				assert.equal(await echo(a, "a/b"), "on a/b");
				await a.endAsync();
			}
			const left = await client(broker.ports.mqtt!);
			const closed = new Promise<void>((resolve) => left.once("close", () => resolve()));
			assert.deepEqual(await broker.stop(), [0, ""]);
			await closed;
		});

		test("no configuration: both loopbacks are served, no other address is, and the output says so", {
			skip: !hasIPv6Loopback,
		}, async () => {
			const broker = await BrokerProcess.start(["--port", "0", "--ws-port", "0", "--engine", engine], 2);
			const { mqtt: port, ws } = broker.ports;
			assert.equal(
				broker.output,
				[
					...["mqtt://127.0.0.1", "mqtt://[::1]"].map((url) => `listening on ${url}:${port}\n`),
					...["ws://127.0.0.1", "ws://[::1]"].map((url) => `listening on ${url}:${ws}\n`),
					...["http://127.0.0.1", "http://[::1]"].map((url) => `status page: ${url}:${ws}/\n`),
				].join(""),
			);
			const four = await client(port!);
			const six = await mqtt.connectAsync(`mqtt://[::1]:${port}`, { reconnectPeriod: 0 }, false);
			await four.subscribeAsync("a");
			const message = nextMessage(four);
			await six.publishAsync("a", "hello");
			await message;
			const web = connect({ port: ws!, host: "::1" });
			await once(web, "connect");
			web.destroy();
			for (const address of otherAddresses)
				await assert.rejects(
					once(connect({ port: port!, host: address }), "connect"),
					{ code: "ECONNREFUSED" },
					address,
				);
			await Promise.all([four.endAsync(), six.endAsync()]);
			assert.deepEqual(await broker.stop(), [0, ""]);
		});

		test("a configuration: every address of the machine is printed, and answers", async () => {
			const project = new Project({ "open.json": manifest({ anonymous: true }) });
			after(() => project.remove());
			const args = ["--config", `${project.directory}/open.json`, "--port", "0", "--ws-port", "0"];
			const broker = await BrokerProcess.start([...args, "--engine", engine], 2);
			const urls = [...broker.output.matchAll(/(mqtt|ws|http):\/\/(\S+):(\d+)/g)];
			for (const scheme of ["mqtt", "ws", "http"]) {
				const hosts = urls.filter(([, name]) => name === scheme).map(([, , host]) => host!);
				for (const address of ["127.0.0.1", ...otherAddresses])
					assert.ok(
						hosts.includes(address.includes(":") ? `[${address}]` : address),
						`${scheme}: ${address}`,
					);
			}
			for (const [url, , host, port] of urls) {
				const socket = connect({ host: host!.replace(/[[\]]/g, ""), port: Number(port) });
				await assert.doesNotReject(once(socket, "connect"), url);
				socket.destroy();
			}
			assert.deepEqual(await broker.stop(), [0, ""]);
		});

		test("--verbose: who connects, leaves, is lost or refused, with address, user and reason", async () => {
			const project = new Project({ "users.json": manifest({ users, acl }) });
			after(() => project.remove());
			const args = [
				"--config",
				`${project.directory}/users.json`,
				"--port",
				"0",
				"--ws-port",
				"0",
				"--verbose",
			];
			const broker = await BrokerProcess.start([...args, "--engine", engine], 2);
			const { mqtt: port, ws } = broker.ports;
			const login = { username: "anna", password: "apple" };
			const logged = async (line: RegExp): Promise<void> => {
				while (!line.test(broker.output)) await new Promise((resolve) => setTimeout(resolve, 20));
			};
			const at = String.raw`^\d{4}-\d\d-\d\d [\d:.]{12}  `;
			const from = String.raw`from 127\.0\.0\.1:\d+`;
			const line = (text: string): RegExp => new RegExp(`${at}${text}$`, "m");
			await assert.rejects(client(port!, { ...login, password: "pear", clientId: "one" }));
			await logged(
				line(`refused "one" ${from}, user "anna", MQTT 3\\.1\\.1: 0x86 Bad User Name or Password`),
			);
			await assert.rejects(client(port!, { clientId: "two", protocolVersion: 5 }));
			await logged(line(`refused "two" ${from}, MQTT 5\\.0: 0x[0-9a-f]{2} [A-Z][\\w ]+`));
			const three = await client(ws!, { ...login, clientId: "three", protocol: "ws" });
			await logged(line(`connected "three" ${from}, user "anna", MQTT 3\\.1\\.1`));
			await three.endAsync();
			await logged(line(`left "three" ${from}, user "anna", MQTT 3\\.1\\.1`));
			const first = await client(port!, { ...login, clientId: "four", protocolVersion: 5 });
			first.on("error", () => {});
			const second = await client(port!, { ...login, clientId: "four", protocolVersion: 5 });
			await logged(line(`closed "four" ${from}, user "anna", MQTT 5\\.0: 0x8e Session taken over`));
			second.stream.destroy();
			await logged(line(`lost "four" .*: the client (closed|reset) the connection without DISCONNECT`));
			const stranger = connect({ host: "127.0.0.1", port: port! });
			stranger.on("error", () => {}).write(Buffer.from([0x10, 5, 1, 2, 3, 4, 5]));
			await logged(line(String.raw`malformed packet of 127\.0\.0\.1:\d+: CONNECT .*`));
			assert.doesNotMatch(broker.output, /apple|pear/);
			assert.equal((await broker.stop())[0], 0);
		});

		test("a configuration with the settings of the broker only", async () => {
			const project = new Project({
				"broker.json": JSON.stringify({ config: { firefly: { listen: { users } } } }),
			});
			after(() => project.remove());
			const file = `${project.directory}/broker.json`;
			const broker = await BrokerProcess.start(["--config", file, "--port", "0", "--engine", engine]);
			await assert.rejects(client(broker.ports.mqtt!));
			const anna = await client(broker.ports.mqtt!, { username: "anna", password: "apple" });
			assert.equal(await echo(anna, "a"), "on a");
			await anna.endAsync();
			assert.deepEqual(await broker.stop(), [0, ""]);
		});

		test("--ws: clients connect over WebSocket", async () => {
			const broker = await BrokerProcess.start(["--port", "0", "--ws-port", "0", "--engine", engine], 2);
			const a = await client(broker.ports.ws!, { protocol: "ws" });
			assert.equal(await echo(a, "a/b"), "on a/b");
			await a.endAsync();
			assert.deepEqual(await broker.stop("SIGTERM"), [0, ""]);
		});

		test("users and rules of a manifest apply to mosquitto's clients", {
			skip: !mosquittoInstalled,
		}, async () => {
			const project = new Project({ "broker.json": manifest({ users, acl }) });
			after(() => project.remove());
			const broker = await BrokerProcess.start([
				"--config",
				`${project.directory}/broker.json`,
				"--port",
				"0",
				"--engine",
				engine,
			]);
			const to = ["-p", String(broker.ports.mqtt)];
			for (const version of ["mqttv311", "mqttv5"]) {
				const anna = [...to, "-V", version, "-u", "anna", "-P", "apple"];
				const ben = [...to, "-V", version, "-u", "ben", "-P", "banana"];
				assert.deepEqual(await mosquitto("pub", ...ben, "-t", "home/ben/x", "-m", version, "-r", "-q", "1"), {
					code: 0,
					output: "",
				});
				await mosquitto("pub", ...ben, "-t", "home/anna/x", "-m", "not his", "-r", "-q", "1");
				await mosquitto("pub", ...anna, "-t", "secret/x", "-m", "not hers", "-r", "-q", "1");
				assert.deepEqual(
					await receiveUntil("home/ben/marker", broker.ports.mqtt!, [...anna, "-t", "#"], ben),
					[`home/ben/x ${version}`],
				);
				assert.match(
					(await mosquitto("sub", ...ben, "-t", "home/anna/#", "-W", "60")).output,
					/denied|rejected/i,
				);
				assert.match(
					(await mosquitto("pub", ...to, "-V", version, "-t", "x", "-m", "x")).output,
					/not authori[sz]ed/i,
				);
			}
			assert.match(
				(await mosquitto("pub", ...to, "-u", "anna", "-P", "banana", "-t", "x", "-m", "x")).output,
				/bad user name or password/i,
			);
			assert.deepEqual(await broker.stop(), [0, ""]);
		});

		test("--data keeps retained messages; a second broker on the directory exits with 1", async () => {
			const project = new Project();
			after(() => project.remove());
			const args = ["--port", "0", "--engine", engine, "--data", `${project.directory}/state/of/things`];
			const broker = await BrokerProcess.start(args);
			const a = await client(broker.ports.mqtt!);
			await a.publishAsync("a/b", "kept", { qos: 1, retain: true });
			const second = await project.run(["broker", ...args]);
			assert.deepEqual([second.code, second.stdout], [1, ""]);
			assert.match(
				second.stderr,
				/^\S+state\/of\/things cannot be used: it is in use by process \d+; if that is no broker, remove \S+lock\n$/,
			);
			await a.endAsync();
			assert.deepEqual(await broker.stop("SIGTERM"), [0, ""]);
			const successor = await BrokerProcess.start(args);
			const b = await client(successor.ports.mqtt!);
			const message = new Promise<string>((resolve) =>
				b.once("message", (_, payload) => resolve(payload.toString())),
			);
			await b.subscribeAsync("#");
			assert.equal(await message, "kept");
			await b.endAsync();
			assert.deepEqual(await successor.stop(), [0, ""]);
			assert.deepEqual(readdirSync(`${project.directory}/state/of/things`), ["state"]);
		});

		test("a damaged bit in the state: one line says where, and the other values are there", async () => {
			const project = new Project();
			after(() => project.remove());
			const args = ["--port", "0", "--engine", engine, "--data", `${project.directory}/data`];
			const state = `${project.directory}/data/state`;
			const broker = await BrokerProcess.start(args);
			const a = await client(broker.ports.mqtt!);
			for (const topic of ["one", "two", "three"])
				await a.publishAsync(topic, `value of ${topic}`, { qos: 1, retain: true });
			await a.endAsync();
			assert.deepEqual(await broker.stop(), [0, ""]);
			const bytes = readFileSync(state);
			const at = bytes.indexOf("value of one");
			bytes[at] = bytes[at]! ^ 1;
			writeFileSync(state, bytes);
			const successor = await BrokerProcess.start(args);
			const b = await client(successor.ports.mqtt!);
			const received: string[] = [];
			b.on("message", (_, payload) => received.push(payload.toString()));
			await b.subscribeAsync("#");
			await b.publishAsync("last", "last", { qos: 1 });
			while (!received.includes("last")) await nextMessage(b);
			await b.endAsync();
			assert.deepEqual(received.sort(), ["last", "value of three", "value of two"]);
			const [code, errors] = await successor.stop();
			const [, start, end] =
				/^\S+data\/state: the file is damaged at bytes (\d+) to (\d+); \d+ undamaged records are restored; it is kept as state\.damaged\n$/.exec(
					errors,
				) ?? [];
			assert.ok(code === 0 && Number(start) <= at && at <= Number(end), errors);
			assert.deepEqual(readFileSync(`${state}.damaged`), bytes);
		});

		test("no room on the disk at the start: the broker serves, says so, and stores once there is room", {
			skip: process.platform !== "linux",
		}, async () => {
			const project = new Project();
			after(() => project.remove());
			const args = ["--port", "0", "--engine", engine, "--data", `${project.directory}/data`];
			const broker = await BrokerProcess.start(args, 1, ["prlimit", "--fsize=0:"]);
			const a = await client(broker.ports.mqtt!);
			await a.publishAsync("a/b", "kept", { qos: 1, retain: true });
			assert.equal(await echo(a, "c"), "on c");
			execFileSync("prlimit", ["--fsize=unlimited:", "--pid", String(broker.pid)]);
			await a.publishAsync("a/c", "kept too", { qos: 1, retain: true });
			await a.endAsync();
			const [code, errors] = await broker.stop();
			assert.equal(code, 0, errors);
			assert.match(errors, /^broker: state is not stored: .*EFBIG.*\n$/);
			const successor = await BrokerProcess.start(args);
			const b = await client(successor.ports.mqtt!);
			const received: string[] = [];
			b.on("message", (topic) => received.push(topic));
			await b.subscribeAsync("a/#");
			while (received.length < 2) await nextMessage(b);
			await b.endAsync();
			assert.deepEqual(await successor.stop(), [0, ""]);
		});

		test("listen.persist stores in .firefly beside the manifest; else nothing is written", async () => {
			const project = new Project({
				"persist/manifest.json": manifest({ anonymous: true, persist: true }),
				"plain/manifest.json": manifest({ anonymous: true }),
			});
			after(() => project.remove());
			for (const [name, expected] of [
				["persist", [".firefly", "manifest.json"]],
				["plain", ["manifest.json"]],
			] as const) {
				const directory = `${project.directory}/${name}`;
				const broker = await BrokerProcess.start([
					"--config",
					`${directory}/manifest.json`,
					"--port",
					"0",
					"--engine",
					engine,
				]);
				assert.deepEqual(await broker.stop(), [0, ""]);
				assert.deepEqual(readdirSync(directory).sort(), expected);
			}
		});

		test("a port that is in use: exit code 1 and one line", async () => {
			const server = createServer().listen(0, "127.0.0.1");
			await once(server, "listening");
			const { port } = server.address() as { port: number };
			const project = new Project();
			const outcome = await project.run([
				"broker",
				"--port",
				String(port),
				"--engine",
				engine,
				"--data",
				"state",
			]);
			assert.ok(!existsSync(`${project.directory}/state/lock`), "and no lock is left behind");
			assert.deepEqual(outcome, {
				code: 1,
				stdout: "",
				stderr: `port ${port} is in use by another program\n`,
			});
			server.close();
			project.remove();
		});
	});
}

describe("TLS", () => {
	const { certificate, key } = selfSigned();
	const project = new Project({
		"broker.json": manifest({
			users,
			acl,
			port: 0,
			tls: { port: 0, certificate: "certificate.pem", key: "key.pem" },
		}),
		"lost.json": manifest({
			anonymous: true,
			port: 0,
			tls: { port: 0, certificate: "lost.pem", key: "key.pem" },
		}),
		"mixed.json": manifest({
			anonymous: true,
			port: 0,
			tls: { port: 0, certificate: "key.pem", key: "key.pem" },
		}),
		"certificate.pem": certificate,
		"key.pem": key,
	});
	after(() => project.remove());

	test("a second port serves the same broker; clients without CA or TLS are rejected", async () => {
		const broker = await BrokerProcess.start(
			["--config", `${project.directory}/broker.json`, "--engine", "node"],
			2,
		);
		const { mqtt: plainPort, mqtts } = broker.ports;
		const login = { username: "anna", password: "apple" };
		const secure = await client(mqtts!, { protocol: "mqtts", ca: certificate, ...login });
		const plain = await client(plainPort!, login);
		const received = new Promise<number>((resolve) =>
			secure.once("message", (_, payload) => resolve(payload.length)),
		);
		await secure.subscribeAsync("#");
		await plain.publishAsync("home/anna/x", "y".repeat(5000), { qos: 1 });
		assert.equal(await received, 5000);
		await assert.rejects(client(mqtts!, { protocol: "mqtts", ...login, connectTimeout: 2000 }));
		await assert.rejects(client(mqtts!, { ...login, connectTimeout: 2000 }));
		assert.equal(await echo(secure, "home/anna/z"), "on home/anna/z");
		await Promise.all([secure.endAsync(), plain.endAsync()]);
		assert.deepEqual(await broker.stop(), [0, ""]);
	});

	test("missing or mismatched files, and an engine without TLS: exit code 1 and one line", async () => {
		const rows: readonly (readonly [string, string, RegExp])[] = [
			["lost.json", "node", /^\S+lost\.pem: does not exist\n$/],
			["mixed.json", "node", /^listen\.tls: .+\n$/],
			["broker.json", "xs", /^listen\.tls: XS has no TLS here; use --engine node\n$/],
		];
		for (const [file, engine, expected] of rows) {
			const { code, stdout, stderr } = await project.run(["broker", "--config", file, "--engine", engine]);
			assert.deepEqual([code, stdout], [1, ""]);
			assert.match(stderr, expected);
		}
	});
});

test("configurations that cannot be served: exit code 1, the reason and no stack trace", async () => {
	const project = new Project({
		"nobody.json": JSON.stringify({
			include: [firmware],
			config: { firefly: { sensors: [], role: "sensor" } },
		}),
		"closed.json": manifest({ acl: [] }),
		"tls.json": manifest({ anonymous: true, tls: { certificate: "a.pem", key: "a.pem" } }),
		"wrong.json": manifest({ users: { anna: "apple" }, acl: [{ allow: "read", topic: "#" }] }),
	});
	const rows: readonly (readonly [readonly string[], number, RegExp])[] = [
		[["--config", "lost.json"], 1, /^lost\.json: does not exist; firefly new DIR makes a project, .*\n$/],
		[
			["--config", "closed.json"],
			1,
			/a broker without users lets nobody in; add one with "firefly passwd NAME --manifest FILE"/,
		],
		[
			["--config", "wrong.json"],
			1,
			/users\.anna: the value is not a password hash; firefly passwd makes one\n.*"read" is not one of "publish"/,
		],
		[["--data", "closed.json"], 1, /^\S+closed\.json cannot be used: it is not a directory\n$/],
		[["--port", "70000"], 2, /^error: option '--port <number>' argument '70000' is invalid/],
		[["--port", "1883", "--ws-port", "1883"], 2, /^error: --ws-port 1883 is --port too; each needs/],
		[
			["--ws-port", "1883"],
			1,
			/^MQTT over WebSocket cannot have port 1883, which is that of MQTT over TCP too\n$/,
		],
		[
			["--config", "tls.json", "--ws-port", "8883", "--engine", "node"],
			1,
			/^MQTT over WebSocket cannot have port 8883, which is that of MQTT over TLS too\n$/,
		],
		[["--engine", "v8"], 2, /^error: option '--engine <name>'/],
		[["now"], 2, /^error: too many arguments/],
	];
	for (const [args, expected, message] of rows) {
		const { code, stdout, stderr } = await project.run(["broker", ...args]);
		assert.deepEqual([code, stdout], [expected, ""], args.join(" "));
		assert.match(stderr, message);
		assert.doesNotMatch(stderr, /^\s+at /m);
	}
	project.remove();
});
