import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import mqtt from "mqtt";
import { PcapFile } from "../../sim/capture/pcap-file";
import type { TimedEvent } from "../../sim/report/events";
import { type RunOptions, runSimulation } from "../../sim/run";
import { Mosquitto, mosquittoInstalled } from "../support/mosquitto";
import { CaptureFile, comparable, skipWithoutTshark } from "../support/tshark";

type PacketEvent = TimedEvent & { readonly type: "packet" };

const MANIFEST = fileURLToPath(new URL("../../manifest.json", import.meta.url));
const skipWithoutMosquitto =
	mosquittoInstalled || process.env.FIREFLY_REQUIRE_PEERS ? false : "mosquitto is not installed";

/** Runs a configuration and captures what passes. @returns the packets */
async function capture(
	path: string,
	firefly: object,
	options: Pick<RunOptions, "broker" | "duration" | "signal" | "listening" | "speed">,
): Promise<PacketEvent[]> {
	const events: TimedEvent[] = [];
	const pcap = new PcapFile(path, assert.ifError);
	await runSimulation({
		manifest: {
			path: MANIFEST,
			json: { include: ["./firmware/manifest.json"], config: { firefly } },
			overrides: {},
		},
		seed: 1,
		engine: "node",
		packets: true,
		pcap,
		listener: { event: (event) => void events.push(event) },
		...options,
	});
	pcap.close();
	return events.filter((event) => event.type === "packet");
}

describe("captures of this machine's network", { skip: skipWithoutTshark }, () => {
	const folder = mkdtempSync(join(tmpdir(), "firefly-capture-"));
	after(() => rmSync(folder, { recursive: true }));

	test("a node that reports to mosquitto", { skip: skipWithoutMosquitto }, async (t) => {
		const mosquitto = await Mosquitto.start();
		t.after(() => mosquitto.stop());
		const path = join(folder, "mosquitto.pcap");
		const url = `mqtt://127.0.0.1:${mosquitto.port}`;
		const sensors = [{ name: "a", driver: "virtual", property: "a", every: "60s", qos: 1 }];
		const packets = await capture(
			path,
			{ id: "node", wifi: { ssid: "s" }, broker: { url }, topic: "t/{sensor}", sensors },
			{ broker: new URL(url), speed: "max", duration: 90_000 },
		);
		const file = new CaptureFile(path, [mosquitto.port]);
		assert.deepEqual(file.problems, []);
		assert.deepEqual(file.packets, packets.map(comparable));
		assert.ok(packets.length >= 5);
		for (const { node, client, sender, packet } of packets) {
			assert.deepEqual([node, client], ["node", undefined]);
			if (packet === "PUBLISH") assert.equal(sender, "client");
			if (packet === "CONNACK" || packet === "PUBACK") assert.equal(sender, "broker");
		}
		const ports = file.fields("tcp.flags.syn == 1 && tcp.flags.ack == 0", "tcp.dstport").flat();
		assert.deepEqual([...new Set(ports)], [String(mosquitto.port)]);
	});

	test("a client of this machine at the simulated broker", async () => {
		const path = join(folder, "gateway.pcap");
		const done = new AbortController();
		let brokerPort = 0;
		const visit = async (port: number): Promise<void> => {
			brokerPort = port;
			const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, {
				clientId: "visitor",
				reconnectPeriod: 0,
			});
			await client.publishAsync("v", "1", { qos: 2 });
			await client.endAsync();
			const lost = mqtt.connect(`mqtt://127.0.0.1:${port}`, { clientId: "lost", reconnectPeriod: 0 });
			await new Promise((resolve) => lost.once("connect", resolve));
			lost.end(true);
			done.abort();
		};
		const packets = await capture(
			path,
			{ role: "broker", listen: { anonymous: true } },
			{
				speed: 1,
				duration: 300_000,
				signal: done.signal,
				listening: (port, number) => {
					if (number === 0) void visit(port);
				},
			},
		);
		assert.equal(done.signal.aborted, true);
		const file = new CaptureFile(path, [brokerPort]);
		assert.deepEqual(file.problems, []);
		assert.deepEqual(file.packets, packets.map(comparable));
		assert.deepEqual(
			packets.filter(({ clientId }) => clientId === "visitor").map(({ packet }) => packet),
			["CONNACK", "PUBLISH", "PUBREC", "PUBREL", "PUBCOMP", "DISCONNECT"],
		);
		for (const { node, client } of packets) {
			assert.equal(node, "broker");
			assert.match(client ?? "", /^127\.0\.0\.1:\d+$/);
		}
	});
});
