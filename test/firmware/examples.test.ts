import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { build, type Plugin } from "esbuild";
import mqtt, { type MqttClient } from "mqtt";
import { Broker } from "../../src/broker/broker";
import { defaults } from "../../src/config/defaults";
import { nodeHost } from "../broker/support/node-host";
import { freePort } from "../support/mosquitto";
import { root } from "./import-graph";

interface ExampleManifest {
	readonly include: readonly string[];
	readonly config: Readonly<Record<string, unknown>>;
}

interface Library {
	readonly modules: Readonly<Record<string, string>>;
}

/** Where the examples' modules of the SDK are in a test. */
const PLATFORM = "exampleplatform";

const readJSON = <Content>(path: string): Content =>
	JSON.parse(readFileSync(join(root, path), "utf8")) as Content;

/** Resolves modules from the library that an example includes, and the SDK's to the platform. */
function modulesPlugin(libraryPath: string): Plugin {
	const manifest = readJSON<Library & { platforms?: { "...": Library } }>(libraryPath);
	const modules = { ...manifest.modules, ...manifest.platforms?.["..."].modules };
	return {
		name: "modules",
		setup({ onResolve, onLoad }) {
			onResolve({ filter: /^[^./]/ }, ({ path, importer }) => {
				// What the platform itself imports is Node's.
				if (path.startsWith("node:") || /\/(?:sim|test)\//.test(importer)) return { path, external: true };
				const target = modules[path];
				if (target === undefined) return { path, namespace: PLATFORM };
				return { path: join(root, dirname(libraryPath), `${target}.ts`) };
			});
			onLoad({ filter: /.*/, namespace: PLATFORM }, ({ path }) => ({
				contents: `export default globalThis.${PLATFORM}[${JSON.stringify(path)}];`,
			}));
		},
	};
}

/** The platform of an example on Node, as source text. @param config `mc/config` */
function platformCode(config: object, opensSockets: boolean): string {
	return `import { nodeHost } from ${JSON.stringify(join(root, "test/broker/support/node-host.ts"))};
import { nodeDevice } from ${JSON.stringify(join(root, "test/support/node-device.ts"))};
const host = nodeHost();
const soon = (ms) => Math.min(ms, 100);
globalThis.trace = (...parts) => process.stdout.write(parts.join(""));
globalThis.${PLATFORM} = {
	// A client opens its socket, a broker takes over those of its listener.
	"embedded:io/socket/tcp": ${opensSockets ? "nodeDevice()" : "host"}.tcp.io,
	"embedded:io/socket/listener": host.listener.io,
	"mc/config": ${JSON.stringify(config)},
	net: { resolve: (host, callback) => callback(host, host) },
	time: host.time,
	timer: { ...host.timer, set: (callback, delay, repeat = 0) => host.timer.set(callback, soon(delay), soon(repeat)) },
};
await import("./main.js");`;
}

/** An example that runs on Node, in a process of its own. */
class RunningExample {
	/** What it has traced. */
	output = "";
	readonly #child: ChildProcess;
	#changed = (): void => {};

	private constructor(child: ChildProcess) {
		this.#child = child;
		for (const stream of [child.stdout!, child.stderr!])
			stream.setEncoding("utf8").on("data", (text: string) => {
				this.output += text;
				this.#changed();
			});
		child.on("exit", () => this.#changed());
	}

	/** @param config what replaces values of the manifest's `config` */
	static async start(name: string, config: Readonly<Record<string, unknown>>): Promise<RunningExample> {
		const manifest = readJSON<ExampleManifest>(`examples/${name}/manifest.json`);
		const library = manifest.include.find((path) => path.startsWith("../../src/"))!.replace("../../", "");
		const { outputFiles } = await build({
			stdin: {
				contents: platformCode({ ...manifest.config, ...config }, name === "client"),
				resolveDir: join(root, "examples", name),
			},
			bundle: true,
			write: false,
			platform: "node",
			format: "esm",
			logLevel: "silent",
			plugins: [modulesPlugin(library)],
		});
		const child = spawn(process.execPath, ["--input-type=module", "-"], { stdio: "pipe" });
		child.stdin.end(outputFiles[0]!.contents);
		return new RunningExample(child);
	}

	/** Waits until it has traced something. */
	async until(pattern: RegExp): Promise<void> {
		while (!pattern.test(this.output)) {
			if (this.#child.exitCode !== null) throw new Error(`the example ended: ${this.output}`);
			await new Promise<void>((resolve) => {
				this.#changed = resolve;
			});
		}
	}

	stop(): void {
		this.#child.kill("SIGKILL");
	}
}

function nextMessage(client: MqttClient): Promise<string> {
	return new Promise((resolve) => {
		client.once("message", (topic, payload) => resolve(`${topic} ${payload}`));
	});
}

test("the examples have no error of types", () => {
	const { status, stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), ["-p", "examples"], {
		cwd: root,
		encoding: "utf8",
	});
	assert.equal(status, 0, stdout);
});

test("examples/broker: with its one include it is a broker that serves clients", async () => {
	const port = await freePort();
	const listen = { port, webSocket: 0, anonymous: true };
	const example = await RunningExample.start("broker", { firefly: { role: "broker", listen } });
	try {
		await example.until(/^broker: port \d+, WebSocket and status page on port \d+$/m);
		const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`);
		const message = nextMessage(client);
		await client.subscribeAsync("a/#");
		await client.publishAsync("a/b", "hello", { qos: 1 });
		assert.equal(await message, "a/b hello");
		await example.until(/^broker: 1 messages$/m);
		await client.endAsync();
	} finally {
		example.stop();
	}
});

test("examples/client: publishes, subscribes, and receives what it has published", async () => {
	const broker = new Broker(nodeHost(), { ...defaults.listen, anonymous: true, port: 0 });
	broker.start();
	while (broker.port === 0) await new Promise(setImmediate);
	const watcher = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`);
	const received = nextMessage(watcher);
	await watcher.subscribeAsync("example/#");
	const example = await RunningExample.start("client", { broker: "127.0.0.1", port: String(broker.port) });
	try {
		assert.equal(await received, "example/count 1");
		await example.until(/^connected\nreceived example\/count 1$/m);
	} finally {
		example.stop();
	}
	await watcher.endAsync();
	broker.stop();
});

test("examples/client: after an outage with more messages waiting than may be in flight, subscribes again", async () => {
	const port = await freePort();
	const listen = { ...defaults.listen, anonymous: true, port };
	const before = new Broker(nodeHost(), listen);
	before.start();
	const example = await RunningExample.start("client", { broker: "127.0.0.1", port: String(port) });
	const after = new Broker(nodeHost(), listen);
	try {
		await example.until(/^received example\/count 1$/m);
		before.stop();
		// As often as it publishes: it tries again and publishes every tenth of a second here.
		await example.until(/(?:not connected: .*\n){15}/);
		after.start();
		await example.until(/not connected: .*\nconnected\nreceived example\/count \d+$/m);
	} finally {
		example.stop();
		after.stop();
	}
});

test("examples/node: check finds no problem, and the simulator runs firmware and own code", () => {
	const firefly = (...args: string[]) =>
		spawnSync(process.execPath, [join(root, "cli/firefly.mjs"), ...args], { cwd: root, encoding: "utf8" });
	const manifest = "examples/node/manifest.json";
	assert.equal(firefly("check", manifest).status, 0);
	const { status, stdout } = firefly(
		"sim",
		"--manifest",
		manifest,
		"--for",
		"1m",
		"--speed",
		"max",
		"--engine",
		"node",
	);
	assert.equal(status, 0);
	assert.match(stdout, / {2}example-02f1ef1f0001 {2}\| the light is on$/m);
	assert.match(stdout, / {2}example\/example-02f1ef1f0001\/temperature = [\d.]+$/m);
});
