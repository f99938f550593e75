import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { BrokerHost } from "../support/broker-host";
import { Display, skipWithoutSimulator } from "../support/moddable";
import { freePort } from "../support/mosquitto";

const root = fileURLToPath(new URL("../..", import.meta.url));
const cli = join(root, "cli/firefly.mjs");
/** Kept, so that only what has changed is compiled again. */
const project = join(root, ".cache/mcsim-test");
/** Far above what a loaded machine needs for a build from nothing, ms. */
const BUILD_TIMEOUT_MS = 540_000;
const WAIT_TIMEOUT_MS = 120_000;

/** `firefly mcsim`, with its lines. */
class Simulator {
	readonly lines: string[] = [];
	readonly #process: ChildProcess;
	readonly #ended: Promise<void>;
	#onLine: () => void = () => {};

	constructor(display: string, home: string) {
		this.#process = spawn(process.execPath, [cli, "mcsim", join(project, "manifest.json")], {
			env: { ...process.env, DISPLAY: display, HOME: home, XDG_STATE_HOME: join(home, "state") },
			stdio: ["ignore", "pipe", "pipe"],
		});
		for (const stream of [this.#process.stdout!, this.#process.stderr!])
			createInterface({ input: stream }).on("line", (line) => {
				this.lines.push(line);
				this.#onLine();
			});
		this.#ended = new Promise((resolve) => this.#process.once("close", () => resolve()));
	}

	/** Waits until as many lines match. */
	async waitFor(pattern: RegExp, count = 1, timeoutMs = WAIT_TIMEOUT_MS): Promise<string[]> {
		const matches = () => this.lines.filter((line) => pattern.test(line));
		await new Promise<void>((resolve, reject) => {
			const fail = (reason: string) =>
				reject(new Error(`${reason} before ${count} lines ${pattern}:\n${this.lines.join("\n")}`));
			const timeout = setTimeout(() => fail("time-out"), timeoutMs);
			void this.#ended.then(() => fail("mcsim ended"));
			this.#onLine = () => {
				if (matches().length < count) return;
				clearTimeout(timeout);
				resolve();
			};
			this.#onLine();
		});
		return matches();
	}

	async stop(): Promise<void> {
		this.#process.kill("SIGINT");
		await this.#ended;
	}
}

describe("the firmware in mcsim", () => {
	const home = mkdtempSync(join(tmpdir(), "firefly-mcsim-test-"));
	after(() => rmSync(home, { recursive: true, force: true }));

	const title = "reports wait through real restarts until there is a broker, and none is lost";
	test(title, { skip: skipWithoutSimulator }, async () => {
		const port = await freePort();
		const sensor = { driver: "virtual", every: "1s", unit: "°C" };
		mkdirSync(project, { recursive: true });
		writeFileSync(
			join(project, "manifest.json"),
			JSON.stringify({
				include: [join(root, "firmware/manifest.json"), join(root, "firmware/drivers/virtual/manifest.json")],
				config: {
					firefly: {
						id: "node",
						wifi: { ssid: "desk" },
						// aedes does not speak MQTT 5.0.
						broker: { url: `mqtt://127.0.0.1:${port}`, version: 4 },
						topic: "desk/{id}",
						payload: "json",
						backoff: { minimum: "1s", maximum: "2s" },
						sensors: [{ ...sensor, name: "temperature", property: "thermometer.temperature" }],
					},
				},
			}),
		);
		const display = await Display.open();
		const simulator = new Simulator(display.name, home);
		try {
			await simulator.waitFor(/^built, \d+ files compiled/, 1, BUILD_TIMEOUT_MS);
			await simulator.waitFor(/^firefly [\d.]+: node, role sensor, MAC 0200\w{8}, 1 sensor, reports to/);
			assert.match(
				(await simulator.waitFor(/is simulated/))[0]!,
				/^firefly: virtual is simulated: its values come from the panel$/,
			);
			await simulator.waitFor(/^firefly: asleep for .*, [3-9] reports waiting/);
			const wakes = simulator.lines.filter((line) => line === "firefly: awake").length;
			assert.ok(wakes >= 2, `${wakes} wakes`);
			const broker = await BrokerHost.start(port);
			try {
				await simulator.waitFor(/^firefly: report 6 acknowledged/);
				const sequence = broker.messages.map(({ payload }) => (JSON.parse(payload) as { seq: number }).seq);
				assert.deepEqual(
					sequence.slice(0, 6),
					[1, 2, 3, 4, 5, 6],
					"each report once, from the first after power-on",
				);
			} finally {
				await broker.close();
			}
		} finally {
			await simulator.stop();
			display.close();
		}
	});
});
