import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import mqtt from "mqtt";
import { BrokerProcess } from "../cli/broker-process";
import { mosquittoInstalled, receiveUntil } from "../support/mosquitto";

const skip = mosquittoInstalled || process.env.FIREFLY_REQUIRE_PEERS ? false : "mosquitto is not installed";
const firmware = fileURLToPath(new URL("../../firmware/manifest.json", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "firefly-persistence-"));
after(() => rmSync(folder, { recursive: true, force: true }));
let folders = 0;

/** A manifest that stores everything before it is acknowledged: a power cut at any time loses nothing. */
const careful = join(folder, "manifest.json");
writeFileSync(
	careful,
	JSON.stringify({
		include: [firmware],
		config: {
			firefly: { role: "broker", listen: { anonymous: true, persist: true, persistInterval: "0s" } },
		},
	}),
);

/**
 * Receives and acknowledges `count` queued messages of the session. mosquitto_sub would also subscribe, and
 * if it exits before SUBACK the system discards acknowledgements that the broker has not read yet.
 */
async function receiveMessages(url: string, protocolVersion: 4 | 5, count: number): Promise<string[]> {
	const received: string[] = [];
	const client = mqtt.connect(url, {
		protocolVersion,
		clientId: "away",
		clean: false,
		reconnectPeriod: 0,
		...(protocolVersion === 5 && { properties: { sessionExpiryInterval: 3600 } }),
	});
	await new Promise<void>((resolve, reject) => {
		client.on("error", reject);
		client.on("message", (topic, payload) => {
			if (received.push(`${topic} ${payload}`) === count) resolve();
		});
	});
	await client.endAsync();
	return received;
}

function mosquitto(tool: "pub" | "sub", ...args: string[]): Promise<string> {
	return new Promise((resolve, reject) => {
		execFile(
			`mosquitto_${tool}`,
			["-h", "127.0.0.1", ...args],
			{ timeout: 120_000 },
			(error, stdout, stderr) => {
				if (error !== null) reject(new Error(stdout + stderr));
				else resolve(stdout);
			},
		);
	});
}

/** A broker that can be restarted on the same directory. */
class RestartableBroker {
	#broker: BrokerProcess;
	readonly #args: readonly string[];

	private constructor(broker: BrokerProcess, args: readonly string[]) {
		this.#broker = broker;
		this.#args = args;
	}

	static async start(t: TestContext, ...args: string[]): Promise<RestartableBroker> {
		const all = ["--port", "0", "--data", join(folder, `data${folders++}`), ...args];
		const restartable = new RestartableBroker(await BrokerProcess.start(all), all);
		t.after(() => restartable.#broker.kill());
		return restartable;
	}

	pub(...args: string[]): Promise<string> {
		return mosquitto("pub", "-p", this.#port, ...args);
	}

	sub(...args: string[]): Promise<string> {
		return mosquitto("sub", "-p", this.#port, ...args);
	}

	/** The messages that a subscriber receives until a message that is published then. */
	receive(filter: string, ...args: readonly string[]): Promise<string[]> {
		const marker = filter.replace("#", "marker");
		return receiveUntil(marker, Number(this.#port), [...args, "-t", filter]);
	}

	async restart(signal: NodeJS.Signals): Promise<void> {
		const [code, errors] = await this.#broker.stop(signal);
		assert.deepEqual([code, errors], [signal === "SIGKILL" ? null : 0, ""]);
		this.#broker = await BrokerProcess.start(this.#args);
	}

	async end(): Promise<void> {
		assert.deepEqual(await this.#broker.stop(), [0, ""]);
	}

	get url(): string {
		return `mqtt://127.0.0.1:${this.#port}`;
	}

	get #port(): string {
		return String(this.#broker.ports.mqtt);
	}
}

for (const engine of ["node", "xs"] as const) {
	describe(`firefly broker --engine ${engine} --data, and mosquitto's clients`, { skip }, () => {
		for (const [name, signal, version, args] of [
			["stopped in good order, at any time", "SIGINT", "mqttv311", []],
			["killed, storing before it acknowledges", "SIGKILL", "mqttv5", ["--config", careful]],
		] as const) {
			test(`${name}: retained values are restored, except those that were cleared`, async (t) => {
				const broker = await RestartableBroker.start(t, "--engine", engine, ...args);
				await broker.pub("-t", "a/kept", "-m", "first", "-r", "-q", "1");
				await broker.pub("-t", "a/gone", "-m", "x", "-r", "-q", "1");
				await broker.pub("-t", "a/passing", "-m", "x", "-q", "1");
				await broker.restart(signal);
				assert.deepEqual((await broker.receive("#")).sort(), ["a/gone x", "a/kept first"]);
				await broker.pub("-t", "a/gone", "-n", "-r", "-q", "1");
				await broker.pub("-t", "a/kept", "-m", "second", "-r", "-q", "2");
				await broker.restart(signal);
				assert.deepEqual(await broker.receive("#"), ["a/kept second"]);
				await broker.end();
			});

			test(`${name}: a ${version} session keeps its subscriptions and queued messages`, async (t) => {
				const broker = await RestartableBroker.start(t, "--engine", engine, ...args);
				const session = [
					"-V",
					version,
					"-c",
					"-i",
					"away",
					"-q",
					"1",
					...(version === "mqttv5" ? ["-x", "3600"] : []),
				];
				await broker.sub(...session, "-t", "news/+", "-t", "more/#", "-E");
				await broker.pub("-t", "news/1", "-m", "before", "-q", "1");
				await broker.pub("-t", "other", "-m", "not subscribed", "-q", "1");
				await broker.restart(signal);
				await broker.pub("-t", "more/2", "-m", "between", "-q", "2");
				await broker.restart(signal);
				await broker.pub("-t", "news/3", "-m", "after", "-q", "1");
				assert.deepEqual(await receiveMessages(broker.url, version === "mqttv5" ? 5 : 4, 3), [
					"news/1 before",
					"more/2 between",
					"news/3 after",
				]);
				// The client exits after it has sent its last acknowledgement; this round trip ensures that the
				// broker has processed it.
				await broker.pub("-t", "other", "-m", "x", "-q", "1");
				await broker.restart(signal);
				const repeated = await broker.receive("unheard/#", ...session);
				assert.deepEqual(repeated, [], "what was delivered does not come again");
				await broker.end();
			});
		}

		test("killed under load: acknowledged messages stay retained and in sessions", async (t) => {
			const broker = await RestartableBroker.start(t, "--engine", engine, "--config", careful);
			const session = {
				protocolVersion: 5,
				clientId: "away",
				clean: false,
				properties: { sessionExpiryInterval: 3600 },
				reconnectPeriod: 0,
			} as const;
			const away = await mqtt.connectAsync(broker.url, session);
			await away.subscribeAsync("count", { qos: 1 });
			await away.endAsync();
			const acknowledged: string[] = [];
			let last = 0;
			for (const count of [1, 3, 6]) {
				const client = await mqtt.connectAsync(broker.url, { reconnectPeriod: 0 });
				client.on("error", () => {});
				for (let i = 0; i < count; i++) {
					await client.publishAsync("count", String(++last), { qos: 1, retain: true });
					acknowledged.push(String(last));
				}
				// A message that is in flight when the broker is killed.
				client.publish("count", String(++last), { qos: 1, retain: true }, () => {});
				await broker.restart("SIGKILL");
				client.end(true);
				const found = await broker.sub("-t", "count", "-C", "1");
				assert.ok(
					[`${last - 1}\n`, `${last}\n`].includes(found),
					`${found}, where ${last - 1} was acknowledged`,
				);
			}
			await broker.pub("-t", "count", "-m", "end", "-q", "1");
			const received: string[] = [];
			const back = mqtt.connect(broker.url, session);
			await new Promise<void>((resolve) => {
				back.on("message", (_, payload) => {
					received.push(payload.toString());
					if (received.at(-1) === "end") resolve();
				});
			});
			assert.deepEqual(
				received.filter((value) => acknowledged.includes(value)),
				acknowledged,
			);
			await back.endAsync();
			await broker.end();
		});

		test("killed: the next broker publishes the will of a client that was connected", async (t) => {
			const broker = await RestartableBroker.start(t, "--engine", engine, "--config", careful);
			const client = await mqtt.connectAsync(broker.url, {
				protocolVersion: 5,
				clientId: "willed",
				clean: false,
				properties: { sessionExpiryInterval: 3600 },
				will: { topic: "last/words", payload: Buffer.from("gone"), qos: 1, retain: true },
				reconnectPeriod: 0,
			});
			client.on("error", () => {});
			await broker.restart("SIGKILL");
			assert.equal(await broker.sub("-t", "last/#", "-v", "-C", "1"), "last/words gone\n");
			await broker.end();
		});
	});
}
