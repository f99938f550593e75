/** The firmware on simulated boards, reporting to a real broker. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { connectAsync, type MqttClient } from "mqtt";
import type { TimedEvent } from "../../sim/report/events";
import { runSimulation } from "../../sim/run";
import { Simulation } from "../../sim/simulation";
import { CuttingProxy } from "../e2e/cutting-proxy";
import { Mosquitto, mosquittoInstalled } from "../support/mosquitto";

const MANIFEST = fileURLToPath(new URL("../../manifest.json", import.meta.url));
const HOUR = 3_600_000;
const START = Date.UTC(2026, 1, 2, 14, 19);

/** A subscriber that collects the reports of a broker across several connections. */
class Subscriber {
	readonly reports: { seq: number; time: string; [column: string]: unknown }[] = [];
	/** Reports in each message that is an array. */
	readonly arrays: number[] = [];
	#client: MqttClient | undefined;

	async connect(port: number): Promise<void> {
		await this.end();
		const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 });
		this.#client = client;
		client.on("error", () => {});
		client.on("message", (_topic, payload) => {
			const content = JSON.parse(payload.toString());
			if (Array.isArray(content)) this.arrays.push(content.length);
			this.reports.push(...(Array.isArray(content) ? content : [content]));
		});
		await client.subscribeAsync("replay", { qos: 1 });
	}

	async end(): Promise<void> {
		await this.#client?.endAsync(true);
		this.#client = undefined;
	}

	/** Returns once all messages published before have arrived. */
	async waitForMarker(): Promise<void> {
		const done = new Promise<void>((resolve) =>
			this.#client?.on("message", (_topic, payload) => payload.toString() === '{"seq":0}' && resolve()),
		);
		await this.#client?.publishAsync("replay", '{"seq":0}', { qos: 1 });
		await done;
		this.reports.pop();
	}
}

function manifest(port: number, payload = "json") {
	const sensor = (name: string) => ({ name, driver: "replay", property: name, every: "60s", grid: true });
	const firefly = {
		id: "replay",
		wifi: { ssid: "replay" },
		broker: { url: `mqtt://127.0.0.1:${port}` },
		topic: "replay",
		payload,
		outbox: { size: 6000 },
		sensors: [sensor("a"), sensor("b")],
	};
	return {
		path: MANIFEST,
		json: { include: ["./firmware/manifest.json"], config: { firefly } },
		overrides: {},
	};
}

describe("a recording reported to mosquitto", {
	skip: mosquittoInstalled ? false : "mosquitto is not installed",
}, () => {
	const folder = mkdtempSync(join(tmpdir(), "firefly-replay-"));
	after(() => rmSync(folder, { recursive: true }));
	const count = 240;
	// Times are a second early or late, as from real loggers.
	const rows = Array.from({ length: count }, (_, i) => ({
		time: START + i * 60_000 + (i === 0 ? 0 : ((i * 7) % 3) * 1000 - 1000),
		a: 20 + i / 7,
		b: i % 2,
	}));
	const replay = join(folder, "rows.csv");
	const timestamp = (time: number): string => new Date(time).toISOString().slice(0, 19).replace("T", " ");
	writeFileSync(
		replay,
		`"date","a","b"\n${rows.map(({ time, a, b }, i) => `"${i}","${timestamp(time)}",${a},${b}\n`).join("")}`,
	);

	function assertRowsReported(subscriber: Subscriber, events: readonly TimedEvent[]): void {
		const bySequence = new Map(subscriber.reports.map((report) => [report.seq, report]));
		assert.deepEqual(
			[...bySequence.keys()].sort((x, y) => x - y),
			rows.map((_, i) => i + 1),
		);
		for (const [i, { a, b }] of rows.entries()) {
			const report = bySequence.get(i + 1)!;
			assert.deepEqual([report.a, report.b], [a, b]);
			// A wake for a retry may take the next sample a little early.
			assert.ok(Math.abs(Date.parse(report.time) - (START + i * 60_000)) < 10_000, report.time);
		}
		assert.equal(events.filter(({ type }) => type === "crash" || type === "limit").length, 0);
	}

	for (const engine of ["node", "xs"] as const) {
		test(`every row arrives once, with the values of the file, on ${engine}`, async (t) => {
			const broker = await Mosquitto.start();
			const subscriber = new Subscriber();
			t.after(async () => {
				await subscriber.end();
				await broker.stop();
			});
			await subscriber.connect(broker.port);
			const events: TimedEvent[] = [];
			const url = new URL(`mqtt://127.0.0.1:${broker.port}`);
			await runSimulation({
				manifest: manifest(broker.port),
				duration: undefined,
				speed: "max",
				seed: 3,
				engine,
				replay,
				broker: url,
				listener: { event: (event) => void events.push(event) },
			});
			await subscriber.waitForMarker();
			assertRowsReported(subscriber, events);
			assert.equal(subscriber.reports.length, count);
		});
	}

	for (const engine of ["node", "xs"] as const)
		test(`history on ${engine}: after three hours without the broker, the late reports share messages`, async (t) => {
			const broker = await Mosquitto.start();
			const subscriber = new Subscriber();
			const proxy = await CuttingProxy.start(broker.port);
			t.after(async () => {
				await subscriber.end();
				proxy.stop();
				await broker.stop();
			});
			await subscriber.connect(broker.port);
			const events: TimedEvent[] = [];
			let isAway = false;
			const simulation: Simulation = await Simulation.build({
				manifest: manifest(proxy.port, "history"),
				speed: "max",
				seed: 3,
				engine,
				replay,
				broker: new URL(`mqtt://127.0.0.1:${proxy.port}`),
				listener: {
					event(event) {
						events.push(event);
						if (isAway || event.type !== "sleep" || event.time < START + HOUR / 4) return;
						isAway = true;
						proxy.refuse();
						simulation.scheduler.after(3 * HOUR, () => {
							simulation.pace.holdRealTime();
							void proxy
								.listen()
								.then(() => simulation.pace.runExternalEvent(() => simulation.pace.releaseRealTime()));
						});
					},
				},
			});
			await simulation.run(undefined);
			simulation.dispose();
			await subscriber.waitForMarker();
			assertRowsReported(subscriber, events);
			assert.equal(subscriber.reports.length, count, "each once");
			const late = subscriber.arrays.filter((length) => length > 1);
			const lateReports = late.reduce((sum, length) => sum + length, 0);
			assert.ok(lateReports > 170, `${lateReports} late reports`);
			assert.ok(late.length <= lateReports / 5, `${late.length} messages`);
			const acknowledged = events.filter(({ type }) => type === "acknowledged").length;
			assert.equal(acknowledged, count);
		});

	test("a broker killed before PUBACK and away for an hour: one retransmission, nothing lost", async (t) => {
		let broker = await Mosquitto.start();
		const subscriber = new Subscriber();
		const proxy = await CuttingProxy.start(broker.port);
		t.after(async () => {
			await subscriber.end();
			proxy.stop();
			await broker.stop("SIGKILL");
		});
		await subscriber.connect(broker.port);
		const events: TimedEvent[] = [];
		let stage: "before" | "frozen" | "sending" | "killed" = "before";
		// The frozen broker is killed once a report has left for it.
		proxy.onPublish = () => {
			if (stage !== "sending") return;
			stage = "killed";
			proxy.refuse();
			broker.process.kill("SIGKILL");
		};
		const restart = async (): Promise<void> => {
			await broker.stop();
			broker = await Mosquitto.start();
			proxy.target = broker.port;
			await subscriber.connect(broker.port);
			// No report arrives before its subscriber.
			await proxy.listen();
		};
		const simulation: Simulation = await Simulation.build({
			manifest: manifest(proxy.port),
			speed: "max",
			seed: 3,
			engine: "xs",
			replay,
			broker: new URL(`mqtt://127.0.0.1:${proxy.port}`),
			listener: {
				event(event) {
					events.push(event);
					if (stage === "before" && event.type === "open" && event.time > START + 1.5 * HOUR) {
						stage = "frozen";
						broker.process.kill("SIGSTOP");
					} else if (stage === "frozen" && event.type === "publish") {
						stage = "sending";
						simulation.scheduler.after(HOUR, () => {
							simulation.pace.holdRealTime();
							void restart().then(() =>
								simulation.pace.runExternalEvent(() => simulation.pace.releaseRealTime()),
							);
						});
					}
				},
			},
		});
		await simulation.run(undefined);
		simulation.dispose();
		await subscriber.waitForMarker();
		assertRowsReported(subscriber, events);
		const repeated = events.filter((event) => event.type === "publish" && event.again);
		assert.ok(repeated.length >= 1);
		assert.ok(events.filter(({ type }) => type === "failed").length >= 2);
	});
});
