/** Programs written for the SDK's class, with real brokers on real sockets. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connectAsync } from "mqtt";
import { MQTTClient } from "../../../src/client/ecma419/mqtt-client";
import type { ControlMessage } from "../../../src/client/ecma419/options";
import { nodeDevice } from "../../support/node-device";
import { liveBrokers } from "../live-brokers";
import { bytes, environment, type ProgramOptions, text } from "./support";

const { network, platform } = environment(nodeDevice());

/** Runs a program until it calls `done`. */
function run(
	program: (create: (options: ProgramOptions) => MQTTClient, done: () => void) => void,
): Promise<void> {
	const clients: MQTTClient[] = [];
	return new Promise<void>((resolve, reject) => {
		program((options) => {
			const client = new MQTTClient(
				{
					host: "localhost",
					onError: (error) => reject(error ?? new Error("the broker ended the connection")),
					...network,
					...options,
				},
				platform,
			);
			clients.push(client);
			return client;
		}, resolve);
	}).finally(() => {
		for (const client of clients) client.close();
	});
}

for (const broker of liveBrokers)
	describe(`${broker.name}: a program for the SDK's class`, { skip: broker.skip }, () => {
		test("subscribes, unsubscribes, publishes in two parts and in many, pings, all in one turn", async () => {
			const live = await broker.start();
			const { port } = live;
			const log: string[] = [];
			const large = 15 * 1024;
			const received = new Map<string, string>();
			const complete = new Set<string>();
			let topic = "";
			let remain = 0;
			let counter = 0;
			try {
				await run((create, done) => {
					const doneIfComplete = (): void => {
						const answered = ["PUBCOMP 3", "PINGRESP", "PUBACK 1234"].every((entry) => log.includes(entry));
						if (answered && complete.size === 2 && log.some((entry) => entry.startsWith("PUBREL "))) done();
					};
					create({
						port,
						id: "ecma-419 mqtt test",
						keepalive: 60_000,
						will: { topic: "foo/bar/will", message: bytes("born"), QoS: 0, retain: 0 },
						onControl(message: ControlMessage) {
							const names = Object.entries(MQTTClient).filter(([, value]) => value === message.operation);
							log.push(`${names[0][0]} ${message.id ?? ""}`.trim());
							doneIfComplete();
							if (message.operation !== MQTTClient.CONNACK) return;
							this.write(null, {
								operation: MQTTClient.SUBSCRIBE,
								items: [{ topic: "foo/bar/+", QoS: 2 }, { topic: "bar/foo" }],
							});
							this.write(null, {
								operation: MQTTClient.UNSUBSCRIBE,
								items: [{ topic: "frogs" }, { topic: "bar/foo" }],
							});
							this.write(bytes("SM"), { topic: "foo/bar/small", byteLength: 6, QoS: 2 });
							this.write(bytes("ALL\n"));
							this.write(null, { operation: MQTTClient.PINGREQ });
							remain = large;
							this.write(bytes("XXL"), { topic: "foo/bar/xxl", byteLength: 3 + remain, QoS: 1, id: 1234 });
						},
						onReadable(count, options) {
							if (options.topic !== undefined) {
								topic = options.topic;
								received.set(topic, "");
							}
							received.set(topic, received.get(topic) + text(this.read(count)));
							if (!options.more) complete.add(topic);
							doneIfComplete();
						},
						onWritable(count) {
							if (!remain) return;
							const repeat = Math.min(count, remain);
							remain -= repeat;
							counter = (counter % 26) + 1;
							this.write(bytes(String.fromCharCode(64 + counter).repeat(repeat)));
						},
					});
				});
			} finally {
				await live.stop();
			}
			assert.equal(received.get("foo/bar/small"), "SMALL\n");
			assert.match(received.get("foo/bar/xxl") ?? "", /^XXL[A-Z]{15360}$/);
			assert.equal(log[0], "CONNACK");
			for (const expected of ["SUBACK 1", "UNSUBACK 2", "PUBREC 3", "PUBCOMP 3", "PINGRESP", "PUBACK 1234"])
				assert.ok(log.includes(expected), `${expected}: ${log.join(", ")}`);
			assert.ok(
				log.some((entry) => entry.startsWith("PUBREL ")),
				log.join(", "),
			);
		});

		test("ends without DISCONNECT: the broker publishes the will; with DISCONNECT it does not", async () => {
			const live = await broker.start();
			const { port } = live;
			const watcher = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 });
			const wills: string[] = [];
			watcher.on("message", (topic) => wills.push(topic));
			try {
				await watcher.subscribeAsync("will/#");
				const arrived = new Promise<void>((resolve) => watcher.once("message", () => resolve()));
				await run((create, done) => {
					create({
						port,
						id: "polite",
						will: { topic: "will/polite", message: "gone" },
						onControl(message: ControlMessage) {
							if (message.operation === MQTTClient.CONNACK)
								this.write(null, { operation: MQTTClient.DISCONNECT });
						},
						onClose: done,
					});
				});
				await run((create, done) => {
					create({
						port,
						id: "rude",
						will: { topic: "will/rude", message: "gone" },
						onControl(message: ControlMessage) {
							if (message.operation !== MQTTClient.CONNACK) return;
							this.close();
							done();
						},
					});
				});
				await arrived;
			} finally {
				await watcher.endAsync();
				await live.stop();
			}
			assert.deepEqual(wills, ["will/rude"]);
		});

		test("takes its time: unread messages wait in the broker and in TCP, and none is lost", async () => {
			const live = await broker.start();
			const { port } = live;
			const publisher = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 });
			const received: number[] = [];
			try {
				await run((create, done) => {
					const client = create({
						port,
						id: "slow",
						onControl(message: ControlMessage) {
							if (message.operation === MQTTClient.CONNACK)
								this.write(null, { operation: MQTTClient.SUBSCRIBE, items: [{ topic: "numbers", QoS: 1 }] });
							else if (message.operation === MQTTClient.SUBACK)
								for (let i = 0; i < 12; i++) publisher.publish("numbers", String(i), { qos: 1 });
						},
						onReadable() {
							setTimeout(() => {
								received.push(Number(text(client.read())));
								if (received.length === 12) done();
							}, 1);
						},
					});
				});
			} finally {
				await publisher.endAsync();
				await live.stop();
			}
			assert.deepEqual(
				received,
				Array.from({ length: 12 }, (_, i) => i),
			);
		});
	});
