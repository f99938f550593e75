import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import mqtt from "mqtt";
import { packetText } from "../../sim/capture/packet-text";
import type { TimedEvent } from "../../sim/report/events";
import { formatTime } from "../../sim/report/format";
import { mosquittoInstalled } from "../support/mosquitto";
import { CaptureFile, comparable, skipWithoutTshark } from "../support/tshark";
import { BrokerProcess } from "./broker-process";
import { Project } from "./project";

type PacketEvent = TimedEvent & { readonly type: "packet" };

const project = new Project();
after(() => project.remove());

const skipWithoutMosquitto =
	mosquittoInstalled || process.env.FIREFLY_REQUIRE_PEERS ? false : "mosquitto is not installed";

/** Whether a line of the report is a packet. */
function isPacket(line: string): boolean {
	return /[→←]/.test(line);
}

for (const engine of ["node", "xs"] as const) {
	describe(`firefly sim --packets --engine ${engine}`, () => {
		const sim = ["sim", "--speed", "max", "--seed", "7", "--for", "2m", "--engine", engine];
		const pcap = `sim-${engine}.pcap`;
		/** Lines of a run with the packets, and of one without them. */
		let text: readonly string[] = [];
		let plainText: readonly string[] = [];
		let json: readonly string[] = [];
		let plainJSON: readonly string[] = [];

		before(async () => {
			const lines = async (...args: string[]): Promise<string[]> => {
				const { code, stdout, stderr } = await project.run([...sim, ...args]);
				assert.deepEqual([code, stderr], [0, ""]);
				return stdout.split("\n");
			};
			text = await lines("--packets");
			plainText = await lines();
			json = await lines("--packets", "--json", "--pcap", pcap);
			plainJSON = await lines("--json");
		});

		const packetEvents = (): PacketEvent[] =>
			json
				.filter((line) => line !== "")
				.map((line): TimedEvent => JSON.parse(line))
				.filter((event) => event.type === "packet");

		test("each packet of the node is one line, at the time of sending", () => {
			const lines = text.filter(isPacket);
			const start = Date.parse(`${lines[0]?.slice(0, 23)}Z`);
			const name = "greenhouse-02f1ef1f0001";
			assert.deepEqual(
				lines.slice(0, 9).map((line) => {
					const [time, node, packet] = line.split("  ");
					assert.equal(node, name);
					return `+${Date.parse(`${time}Z`) - start} ${packet?.replace(/"\d+(\.\d+)?"/, "VALUE")}`;
				}),
				[
					`+0 → CONNECT 5.0 client ${name}, clean start, keep alive 60 s {receive maximum 16}`,
					`+0 → PUBLISH q1 r id 2 home/${name}/temperature VALUE`,
					`+0 → PUBLISH q1 r id 3 home/${name}/humidity VALUE`,
					`+0 → PUBLISH q1 r id 4 home/${name}/battery VALUE`,
					"+4 ← CONNACK {receive maximum 16, maximum packet size 512}",
					"+4 ← PUBACK id 2",
					"+4 ← PUBACK id 3",
					"+4 ← PUBACK id 4",
					"+8 → DISCONNECT",
				],
			);
		});

		test("the other lines, the summary and the other events are the same as without", () => {
			assert.deepEqual(
				text.filter((line) => !isPacket(line)),
				plainText,
			);
			assert.deepEqual(
				json.filter((line) => !line.includes('"type":"packet"')),
				plainJSON,
			);
		});

		test("--json: packets are events", () => {
			assert.deepEqual(
				packetEvents().map((event) => `${formatTime(event.time)}  ${event.node}  ${packetText(event)}`),
				text.filter(isPacket),
			);
		});

		test("tshark finds the same packets in --pcap, and no fault", { skip: skipWithoutTshark }, () => {
			const events = packetEvents();
			const capture = new CaptureFile(join(project.directory, pcap));
			assert.deepEqual(capture.problems, []);
			assert.ok(events.length > 20);
			assert.deepEqual(capture.packets, events.map(comparable));
			assert.deepEqual(
				[...new Set(capture.fields("mqtt", "frame.time_epoch").flat())],
				[...new Set(events.map(({ time }) => `${(time / 1000).toFixed(3)}000000`))],
			);
		});
	});

	describe(`firefly broker --packets --engine ${engine}`, () => {
		test("the packets of mosquitto's clients are those that tshark finds", {
			skip: skipWithoutMosquitto || skipWithoutTshark,
		}, async (t) => {
			const pcap = join(project.directory, `broker-${engine}.pcap`);
			const broker = await BrokerProcess.start(
				["--port", "0", "--ws-port", "0", "--engine", engine, "--packets", "--pcap", pcap],
				2,
			);
			t.after(() => broker.kill());
			const { mqtt: port = 0, ws = 0 } = broker.ports;
			const server = ["-h", "127.0.0.1", "-p", String(port)];
			const subscription = ["-i", "sub", "-q", "1", "-C", "2", "-W", "120", "-t", "a/#"];
			const subscriber = spawn("mosquitto_sub", [...server, ...subscription]);
			const ended = once(subscriber, "exit");
			while (!broker.output.includes("← SUBACK")) {
				assert.equal(subscriber.exitCode, null);
				await setTimeout(20);
			}
			const publish = promisify(execFile);
			const login = ["-u", "anna", "-P", "secret"];
			await publish("mosquitto_pub", [
				...server,
				"-i",
				"p",
				...login,
				"-q",
				"2",
				"-r",
				"-t",
				"a/b",
				"-m",
				"21.4",
			]);
			await publish("mosquitto_pub", [...server, "-i", "q", "-V", "5", "-t", "a/c", "-m", "\u001b[2J"]);
			await ended;
			const page = await fetch(`http://127.0.0.1:${ws}/`);
			await page.text();
			const client = await mqtt.connectAsync(`ws://127.0.0.1:${ws}`, { clientId: "web", reconnectPeriod: 0 });
			await client.publishAsync("w", "from a browser", { qos: 1 });
			await client.endAsync();
			assert.deepEqual(await broker.stop(), [0, ""]);
			const stdout = broker.output;
			assert.doesNotMatch(stdout, /secret/);

			const lines = stdout.split("\n").filter(isPacket);
			const clientOf = (name: string): string =>
				lines.find((line) => line.includes(`client ${name},`))?.split("  ")[1] ?? "none";
			const of = (name: string): string[] =>
				lines
					.map((line) => line.split("  "))
					.filter(
						([, client, packet]) =>
							client?.split(" ")[0] === clientOf(name) && !/ WebSocket/.test(packet ?? ""),
					)
					.map(([, , packet]) => packet ?? "");
			assert.deepEqual(of("p"), [
				"→ CONNECT 3.1.1 client p, clean start, keep alive 60 s, user anna, password: 6 bytes",
				"← CONNACK",
				'→ PUBLISH q2 r id 1 a/b "21.4"',
				"← PUBREC id 1",
				"→ PUBREL id 1",
				"← PUBCOMP id 1",
				"→ DISCONNECT",
			]);
			const [connect, connack, ...rest] = of("q");
			assert.equal(connect, "→ CONNECT 5.0 client q, clean start, keep alive 60 s {receive maximum 20}");
			assert.match(connack ?? "", /^← CONNACK \{receive maximum 16, maximum packet size \d+/);
			assert.deepEqual(rest, ['→ PUBLISH q0 a/c "\\u{1b}[2J"', "→ DISCONNECT"]);
			assert.deepEqual(of("sub").slice(0, 5), [
				"→ CONNECT 3.1.1 client sub, clean start, keep alive 60 s",
				"← CONNACK",
				"→ SUBSCRIBE id 1 a/# q1",
				"← SUBACK id 1 q1",
				'← PUBLISH q1 id 1 a/b "21.4"',
			]);
			assert.ok(lines.some((line) => / 127\.0\.0\.1:\d+ sub {2}← PUBLISH q1 id 1 a\/b/.test(line)));
			assert.deepEqual(
				of("web").map((line) => line.replace(/ id \d+/, "")),
				[
					"→ HTTP GET /",
					"← HTTP 101 Switching Protocols",
					"→ CONNECT 3.1.1 client web, clean start, keep alive 60 s",
					"← CONNACK",
					'→ PUBLISH q1 w "from a browser"',
					"← PUBACK",
					"→ DISCONNECT",
				],
			);
			assert.equal(lines.filter((line) => line.endsWith("← HTTP 200 OK")).length, 1);

			const capture = new CaptureFile(pcap, [port], [ws]);
			assert.deepEqual(capture.problems, []);
			// tshark decodes no MQTT over WebSocket, but its frames.
			assert.ok(capture.frames("websocket.masked_payload").length >= 3);
			const web = clientOf("web");
			const plain = lines.filter((line) => !line.includes(` HTTP `) && !line.includes(` ${web} `));
			assert.deepEqual(
				capture.packets.map((packet) => packet.split(" ")[0]),
				plain.map((line) => / [→←] (\w+)/.exec(line)?.[1]),
			);
		});
	});
}

describe("--pcap", () => {
	test("a file that cannot be created", async () => {
		for (const command of [
			["sim", "--speed", "max"],
			["broker", "--port", "0"],
		]) {
			const { code, stderr } = await project.run([...command, "--pcap", "missing/a.pcap"]);
			assert.equal(code, 1);
			assert.match(stderr, /^--pcap missing\/a\.pcap: ENOENT: .*\n$/);
		}
	});

	test("a disk that is full ends the capture, and the run goes on", async () => {
		const sim = ["sim", "--speed", "max", "--for", "1m", "--engine", "node"];
		const { code, stdout, stderr } = await project.run([...sim, "--pcap", "/dev/full"]);
		assert.equal(code, 0);
		assert.match(stderr, /^--pcap \/dev\/full: ENOSPC: .*; the capture ends here\n$/);
		assert.equal(stdout, (await project.run(sim)).stdout);
	});
});
