import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { replayManifest } from "../../cli/replay-manifest";
import type { TimedEvent } from "../../sim/report/events";
import { runSimulation } from "../../sim/run";
import { freePort, Mosquitto, mosquittoInstalled } from "../support/mosquitto";
import { CuttingProxy } from "./cutting-proxy";
import { officeRecording } from "./office-recording";
import { type Report, Subscriber } from "./subscriber";

const own = fileURLToPath(new URL("../../manifest.json", import.meta.url));
const HOUR = 3_600_000;
const AWAKE_LIMIT = 8000;
const skip = mosquittoInstalled || process.env.FIREFLY_REQUIRE_PEERS ? false : "mosquitto is not installed";
const { path, rows } = officeRecording();

async function replay(port: number, onEvent: (event: TimedEvent) => void = () => {}): Promise<TimedEvent[]> {
	const broker = new URL(`mqtt://127.0.0.1:${port}`);
	const loaded = replayManifest(path, own, {}, { broker_url: broker.href });
	assert.ok("manifest" in loaded);
	const events: TimedEvent[] = [];
	await runSimulation({
		manifest: loaded.manifest,
		duration: undefined,
		speed: "max",
		seed: 1,
		replay: path,
		broker,
		engine: "xs",
		listener: {
			event(event) {
				events.push(event);
				onEvent(event);
			},
		},
	});
	return events;
}

function count(events: readonly TimedEvent[], type: TimedEvent["type"]): number {
	return events.filter((event) => event.type === type).length;
}

function countRepeated(events: readonly TimedEvent[]): number {
	return events.filter((event) => event.type === "publish" && event.again).length;
}

/**
 * Asserts that the node sent each report once, and again only where its events say so. It counts at the
 * proxy: a mosquitto that is stopped or killed may also repeat deliveries to the subscriber.
 */
function assertPublished(proxy: CuttingProxy, events: readonly TimedEvent[]): void {
	assert.equal(proxy.published, rows.length + countRepeated(events));
}

/** Asserts that every row of the recording arrived with its own sequence number, time and values. */
function assertNothingLost(reports: readonly Report[], events: readonly TimedEvent[]): void {
	const first = new Map<number, Report>();
	for (const report of reports) {
		const known = first.get(report.seq);
		if (known) assert.deepEqual(report, known, "a repeated report is the same report");
		else first.set(report.seq, report);
	}
	assert.equal(first.size, rows.length);
	rows.forEach((row, index) => {
		const { seq, time, ...values } = first.get(index + 1) ?? { seq: 0, time: null };
		assert.equal(seq, index + 1);
		assert.deepEqual(values, row, `row ${index}`);
		assert.ok(time !== null && new Date(time).toISOString() === time, `time of row ${index}: ${time}`);
		const grid = Date.parse(time) % 60_000;
		assert.ok(grid < 3000 || grid > 57_000, `${time} is on the minute`);
	});
	assert.equal(count(events, "accepted"), rows.length);
	assert.equal(count(events, "acknowledged"), rows.length);
	assert.equal(count(events, "dropped"), 0);
	assert.equal(count(events, "crash"), 0);
}

/** Asserts that no wake exceeded its limit, boot not included. */
function assertAwakeLimit(events: readonly TimedEvent[]): void {
	let woken = 0;
	for (const { type, time } of events) {
		if (type === "wake") woken = time;
		else if (type === "sleep") assert.ok(time - woken <= AWAKE_LIMIT + 500, `awake for ${time - woken} ms`);
	}
}

describe("the recording of an office, on XS, to mosquitto", { skip }, () => {
	test(`all ${rows.length} rows arrive once, with their values`, async (t) => {
		const mosquitto = await Mosquitto.start();
		t.after(() => mosquitto.stop());
		const subscriber = await Subscriber.start(`mqtt://127.0.0.1:${mosquitto.port}`);
		t.after(() => subscriber.end());
		const events = await replay(mosquitto.port);
		const reports = await subscriber.waitForReports(rows.length);
		assert.equal(reports.length, rows.length);
		assertNothingLost(reports, events);
		assertAwakeLimit(events);
		assert.equal(count(events, "failed"), 0);
	});

	test("mosquitto stopped for an hour: nothing is lost, and no wake exceeds its limit", async (t) => {
		const broker = await RestartableMosquitto.start();
		t.after(() => broker.dispose());
		const subscriber = await Subscriber.start(`mqtt://127.0.0.1:${broker.port}`);
		t.after(() => subscriber.end());
		const proxy = await CuttingProxy.start(broker.port);
		t.after(() => proxy.stop());
		let stopped = 0;
		let downtimeMs = 0;
		const events = await replay(proxy.port, ({ time, type }) => {
			if (type !== "sleep") return;
			if (stopped === 0 && time > Date.UTC(2015, 1, 3, 12)) {
				stopped = time;
				broker.stop();
				proxy.refuse();
			} else if (stopped > 0 && downtimeMs === 0 && time - stopped >= HOUR) {
				downtimeMs = time - stopped;
				broker.restart();
				void proxy.listen();
			}
		});
		const reports = await subscriber.waitForReports(rows.length);
		assert.ok(downtimeMs >= HOUR);
		assertPublished(proxy, events);
		const failed = events.filter((event) => event.type === "failed");
		assert.ok(failed.length > 0 && failed.every((event) => event.fault === "transport"));
		assertNothingLost(reports, events);
		assertAwakeLimit(events);
	});

	test("mosquitto killed before PUBACK: the report is sent again, nothing is lost", async (t) => {
		const broker = await RestartableMosquitto.start();
		t.after(() => broker.dispose());
		const subscriber = await Subscriber.start(`mqtt://127.0.0.1:${broker.port}`);
		t.after(() => subscriber.end());
		const proxy = await CuttingProxy.start(broker.port);
		t.after(() => proxy.stop());
		const kills = new Set([40, 41, 500, 1700]);
		let acknowledged = 0;
		let forwarded = 0;
		let brokerDown = false;
		proxy.onAcknowledge = async () => {
			if (!kills.delete(++acknowledged)) {
				forwarded++;
				return false;
			}
			// mosquitto writes its file a moment after it acknowledges: what it has delivered cannot be lost.
			await subscriber.waitForCount(forwarded);
			broker.stop("SIGKILL");
			brokerDown = true;
			return true;
		};
		const events = await replay(proxy.port, ({ type }) => {
			if (type !== "sleep" || !brokerDown) return;
			brokerDown = false;
			broker.restart();
		});
		const reports = await subscriber.waitForReports(rows.length);
		assert.equal(kills.size, 0);
		const again = countRepeated(events);
		assert.ok(again >= 4, "what was not acknowledged was sent again");
		assertPublished(proxy, events);
		t.diagnostic(`${again} sent again; ${reports.length - rows.length} arrived twice`);
		assertNothingLost(reports, events);
		assertAwakeLimit(events);
	});
});

/**
 * A mosquitto that keeps its subscribers' sessions across restarts. Its methods block until mosquitto has
 * stopped or started, so that simulated time stands still meanwhile.
 */
class RestartableMosquitto {
	readonly port: number;
	readonly #settings: string;
	#process: number;

	private constructor(port: number, settings: string, process: number) {
		this.port = port;
		this.#settings = settings;
		this.#process = process;
	}

	static async start(): Promise<RestartableMosquitto> {
		const folder = mkdtempSync(join(tmpdir(), "mosquitto-"));
		const port = await freePort();
		const started = new RestartableMosquitto(port, folder, 0);
		started.restart();
		return started;
	}

	restart(): void {
		const script = `
			cd "$1"; PATH="$PATH:/usr/sbin"
			[ -f conf ] || printf 'listener %s 127.0.0.1\\nallow_anonymous true\\npersistence true\\npersistence_location %s/\\nautosave_interval 1\\nautosave_on_changes true\\n${process.getuid?.() === 0 ? "user root\\n" : ""}' "$2" "$1" > conf
			mosquitto -c conf >/dev/null 2>&1 & echo $!
			until mosquitto_pub -p "$2" -t '$up' -n 2>/dev/null; do kill -0 $! || exit 1; sleep 0.05; done`;
		const { status, stdout } = spawnSync("sh", ["-c", script, "sh", this.#settings, String(this.port)], {
			encoding: "utf8",
			stdio: ["ignore", "pipe", "ignore"],
		});
		assert.equal(status, 0, "mosquitto starts");
		this.#process = Number(stdout.trim());
	}

	stop(signal: NodeJS.Signals = "SIGTERM"): void {
		process.kill(this.#process, signal);
		spawnSync("sh", ["-c", `while kill -0 ${this.#process} 2>/dev/null; do sleep 0.02; done`]);
	}

	dispose(): void {
		this.stop("SIGKILL");
		rmSync(this.#settings, { recursive: true, force: true });
	}
}
