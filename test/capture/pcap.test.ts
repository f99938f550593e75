import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { generate } from "mqtt-packet";
import { Capture } from "../../sim/capture/capture";
import { PcapFile } from "../../sim/capture/pcap-file";
import type { TracedPacket } from "../../sim/capture/traced-packet";
import { Scheduler } from "../../sim/clock/scheduler";
import type { HostSocket } from "../../sim/network/socket";
import { type VirtualHost, VirtualNetwork } from "../../sim/network/virtual";
import { CaptureFile, comparable, skipWithoutTshark } from "../support/tshark";

const START = Date.UTC(2026, 0, 1);
const CLIENT = "192.168.4.11";
const SERVER = "192.168.4.2";
const CONNECT = generate({
	cmd: "connect",
	protocolId: "MQTT",
	protocolVersion: 4,
	clean: true,
	clientId: "c",
	keepalive: 0,
});

function publish(payload: Buffer): Buffer {
	return generate({ cmd: "publish", topic: "t", payload, qos: 0, retain: false, dup: false });
}

describe("captures of the virtual network", { skip: skipWithoutTshark }, () => {
	const folder = mkdtempSync(join(tmpdir(), "firefly-pcap-"));
	after(() => rmSync(folder, { recursive: true }));
	let files = 0;

	/** Two hosts on a network that is captured. */
	class Bench {
		readonly path = join(folder, `${files++}.pcap`);
		readonly packets: TracedPacket[] = [];
		readonly scheduler = new Scheduler(START);
		readonly network: VirtualNetwork;
		readonly client: VirtualHost;
		readonly server: VirtualHost;
		/** What the server has received. */
		received = 0;
		accepted: HostSocket | undefined;
		readonly #pcap = new PcapFile(this.path, assert.ifError);

		constructor() {
			const capture = new Capture({
				now: () => this.scheduler.now,
				pcap: this.#pcap,
				packet: (_source, packet) => this.packets.push(packet),
			});
			this.network = new VirtualNetwork(this.scheduler, { tap: capture.tap(() => ({ node: "c" })) });
			this.client = this.network.host(CLIENT);
			this.server = this.network.host(SERVER);
		}

		/** @param read whether the server reads */
		listen(read = true): void {
			const listener = this.server.listen(1883, () => {
				const socket = listener.accept()!;
				this.accepted = socket;
				socket.handler = {
					readable: (count) => {
						if (!read) return;
						socket.read(new Uint8Array(count));
						this.received += count;
					},
					writable() {},
					failed: () => socket.close(),
				};
			});
		}

		/** Opens a connection that sends `bytes` and then stays open. */
		connect(bytes: Uint8Array): HostSocket {
			const socket = this.client.connect(SERVER, 1883);
			let at = 0;
			socket.handler = {
				readable: (count) => void socket.read(new Uint8Array(count)),
				writable: (room) => {
					const next = Math.min(bytes.length, at + room);
					if (next > at) socket.write(bytes.subarray(at, next));
					at = next;
				},
				failed: () => socket.close(),
			};
			return socket;
		}

		run(ms: number): void {
			const end = this.scheduler.now + ms;
			while (this.scheduler.step(end));
			this.scheduler.advance(end);
		}

		finish(): CaptureFile {
			this.#pcap.close();
			return new CaptureFile(this.path);
		}
	}

	test("handshake, data in segments of the maximum size, both FINs; times are simulated", () => {
		const bench = new Bench();
		bench.listen();
		const sent = Buffer.concat([
			CONNECT,
			publish(Buffer.alloc(100, "x")),
			publish(Buffer.alloc(20_000, "y")),
		]);
		const socket = bench.connect(sent);
		bench.run(1000);
		assert.equal(bench.received, sent.length);
		socket.close();
		bench.run(1000);
		const capture = bench.finish();
		assert.deepEqual(capture.problems, []);
		assert.deepEqual(capture.packets.slice(0, 2), bench.packets.slice(0, 2).map(comparable));
		assert.equal(capture.packets.length, 3);
		assert.deepEqual(
			capture
				.fields("frame.number <= 3", "ip.src", "tcp.flags.str", "frame.time_epoch")
				.map((row) => row.join(" ")),
			[
				`${CLIENT} ··········S· ${START / 1000}.000000000`,
				`${SERVER} ·······A··S· ${START / 1000}.004000000`,
				`${CLIENT} ·······A···· ${START / 1000}.008000000`,
			],
		);
		assert.equal(capture.frames("tcp.len > 1440").length, 0);
		assert.deepEqual(capture.fields("tcp.flags.fin == 1", "ip.src").flat(), [CLIENT, SERVER]);
		assert.equal(capture.frames("tcp.flags.reset == 1").length, 0);
	});

	test("a refused connection, and one whose server dies: RST", () => {
		const bench = new Bench();
		bench.connect(CONNECT);
		bench.run(100);
		bench.listen();
		bench.connect(CONNECT);
		bench.run(100);
		bench.server.resetConnections();
		bench.run(100);
		const capture = bench.finish();
		assert.deepEqual(capture.fields("tcp.flags.reset == 1", "ip.src", "tcp.stream"), [
			[SERVER, "0"],
			[SERVER, "1"],
		]);
		assert.equal(bench.packets.length, 1);
	});

	test("close with unread bytes: RST, with the sequence number that the peer expects", () => {
		const bench = new Bench();
		bench.listen(false);
		bench.connect(CONNECT);
		bench.run(100);
		bench.accepted?.close();
		bench.run(100);
		const capture = bench.finish();
		assert.deepEqual(capture.fields("tcp.flags.reset == 1", "ip.src", "tcp.seq", "tcp.ack"), [
			[SERVER, "1", String(1 + CONNECT.length)],
		]);
	});

	test("what is lost is sent again in the capture, and is one packet in the trace", () => {
		const bench = new Bench();
		bench.listen();
		const socket = bench.connect(CONNECT);
		bench.run(100);
		bench.server.up = false;
		socket.write(publish(Buffer.from("21.4")));
		bench.run(100);
		bench.server.up = true;
		bench.run(10_000);
		const capture = bench.finish();
		assert.equal(bench.received, CONNECT.length + 9);
		assert.deepEqual(
			bench.packets.map(({ packet }) => packet),
			["CONNECT", "PUBLISH"],
		);
		assert.equal(capture.frames("tcp.analysis.retransmission").length, 1);
		assert.equal(capture.frames("ip.checksum.status == 0 || tcp.checksum.status == 0").length, 0);
	});

	test("a device that vanishes sends nothing more", () => {
		const bench = new Bench();
		bench.listen();
		bench.connect(CONNECT);
		bench.run(100);
		bench.client.reset();
		bench.run(100);
		assert.equal(bench.finish().frames("tcp.flags.reset == 1 || tcp.flags.fin == 1").length, 0);
	});

	test("the same run gives the same bytes, which only their owner may read", () => {
		const capture = (): Buffer => {
			const bench = new Bench();
			bench.listen();
			bench.connect(CONNECT);
			bench.run(100);
			bench.finish();
			assert.equal(statSync(bench.path).mode & 0o777, 0o600);
			return readFileSync(bench.path);
		};
		assert.deepEqual(capture(), capture());
	});

	test("IPv6", () => {
		const path = join(folder, "6.pcap");
		const pcap = new PcapFile(path, assert.ifError);
		const { client, server } = pcap.connection(
			{
				client: { address: "fe80::1", port: 50_000 },
				server: { address: "2001:db8::ffff:1.2.3.4", port: 1883 },
			},
			() => START + 0.5,
		);
		client.segment(2, 0, new Uint8Array(0), 0, 1000);
		server.segment(18, 0, new Uint8Array(0), 0, 1000);
		client.segment(24, 0, CONNECT, 0, 1000);
		pcap.close();
		const capture = new CaptureFile(path);
		assert.deepEqual(capture.problems, []);
		assert.deepEqual(capture.fields("mqtt", "ipv6.src", "ipv6.dst", "mqtt.clientid", "frame.time_epoch"), [
			["fe80::1", "2001:db8::ffff:102:304", "c", `${START / 1000}.000500000`],
		]);
	});

	test("a write that fails ends the capture and not the run", () => {
		const failures: string[] = [];
		const pcap = new PcapFile("/dev/full", ({ message }) => failures.push(message));
		pcap.close();
		pcap.close();
		assert.equal(failures.length, 1);
		assert.match(failures[0]!, /ENOSPC/);
	});
});
