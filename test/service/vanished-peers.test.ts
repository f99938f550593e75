/** Connections that end anywhere in a packet, a frame or a request, on this machine's sockets. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import mqtt, { type MqttClient } from "mqtt";
import { generate } from "mqtt-packet";
import { nodePools } from "../../sim/service/node-pools";
import { Broker } from "../../src/broker/broker";
import { defaults } from "../../src/config/defaults";
import { nodeHost } from "../broker/support/node-host";
import { golden } from "../mqtt/golden";
import { bytes as toBytes } from "../mqtt/notation";
import { frame, request } from "../websocket/support/frames";

/** Connections that are open at once, well within the broker's limits. */
const BATCH = 40;
/** Wait for a condition, ms: far above what a machine with much other work needs. */
const TIMEOUT_MS = 60_000;
/** Ways in which a peer ends: with FIN, and with RST. */
const ENDINGS = ["end", "resetAndDestroy"] as const;

type Ending = (typeof ENDINGS)[number];

/** What a client sends before it ends; it waits for an answer to each part but the last. */
interface Peer {
	readonly name: string;
	readonly port: number;
	readonly ending: Ending;
	readonly parts: readonly Uint8Array[];
	/** Topic of its will. */
	readonly will?: string;
}

/** Packets of clients, other than CONNECT, and CONNECT. */
const rows = golden
	.filter(({ from }) => from === "client")
	.map(({ version, name, bytes }) => ({ version, name: `${version}, ${name}`, bytes: toBytes(bytes) }));
const packets = rows.filter(({ bytes }) => bytes[0]! >> 4 !== 1);
const connects = rows.filter(({ bytes }) => bytes[0]! >> 4 === 1);

let broker: Broker;
let watcher: MqttClient;
const wills = new Map<string, number>();
let peerCount = 0;

before(async () => {
	broker = new Broker(nodeHost(), {
		...defaults.listen,
		...nodePools,
		anonymous: true,
		keepAliveLimit: 0,
		port: 0,
		webSocket: 0,
	});
	broker.start();
	await waitUntil(() => broker.port > 0 && broker.webSocketPort > 0);
	watcher = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`, { reconnectPeriod: 0 });
	watcher.on("message", (topic) => wills.set(topic, (wills.get(topic) ?? 0) + 1));
	await watcher.subscribeAsync("will/#", { qos: 1 });
});

after(async () => {
	await watcher.endAsync();
	broker.stop();
	assert.equal(broker.counters.internalErrors, 0);
});

async function waitUntil(condition: () => boolean): Promise<boolean> {
	const end = performance.now() + TIMEOUT_MS;
	while (!condition()) {
		if (performance.now() > end) return false;
		await new Promise((resolve) => setTimeout(resolve, 2));
	}
	return true;
}

/** CONNECT without keep alive, with a will. */
function connectPacket(version: 4 | 5, will: string): Uint8Array {
	return generate({
		cmd: "connect",
		protocolId: "MQTT",
		protocolVersion: version,
		clean: true,
		clientId: will.replace("/", ""),
		keepalive: 0,
		will: { topic: will, payload: Buffer.from("gone"), qos: 1, retain: false },
	});
}

/** Connects, sends all parts and ends. */
async function vanish({ port, ending, parts }: Peer): Promise<void> {
	const socket: Socket = connect(port, "127.0.0.1");
	const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
	socket.on("error", () => {});
	await Promise.race([once(socket, "connect"), closed]);
	for (const part of parts.slice(0, -1)) {
		socket.write(part);
		await Promise.race([once(socket, "data"), closed]);
	}
	socket.resume();
	socket.write(parts.at(-1)!, () => socket[ending]());
	await closed;
}

/** Ends all peers, some at a time; each place becomes free, and each will is published once. */
async function assertNoticed(peers: readonly Peer[]): Promise<void> {
	assert.ok(peers.length > 0);
	for (let at = 0; at < peers.length; at += BATCH) {
		const batch = peers.slice(at, at + BATCH);
		wills.clear();
		await Promise.all(batch.map(vanish));
		const expected = batch.flatMap(({ will }) => (will === undefined ? [] : [will]));
		await waitUntil(() => broker.usage.sockets === 1 && wills.size >= expected.length);
		const missing = batch.filter(({ will }) => will !== undefined && wills.get(will) !== 1);
		assert.deepEqual(
			missing.map(({ name, ending }) => `${name}, ${ending}`),
			[],
			"peers without their will",
		);
		assert.equal(broker.usage.sockets, 1, `a place is free after ${batch[0]!.name} and those after it`);
	}
}

/** All ways to cut `bytes`, from `first` bytes to all but one, for peers that send `parts` before. */
function cuts(
	name: string,
	port: number,
	bytes: Uint8Array,
	first: number,
	partsBefore: (will: string) => readonly Uint8Array[],
): Peer[] {
	return ENDINGS.flatMap((ending) =>
		Array.from({ length: bytes.length - first }, (_, i) => {
			const will = `will/${++peerCount}`;
			const parts = partsBefore(will);
			return {
				name: `${name}, cut at ${first + i}`,
				port,
				ending,
				parts: [...parts, bytes.subarray(0, first + i)],
				...(parts.length > 0 && { will }),
			};
		}),
	);
}

describe("a peer that vanishes, by FIN and by RST, on the sockets of this machine", () => {
	test("after any byte of any packet: its will is published and its place free [MQTT-3.1.2-8]", async () => {
		await assertNoticed(
			packets.flatMap(({ version, name, bytes }) =>
				cuts(name, broker.port, bytes, 1, (will) => [connectPacket(version, will)]),
			),
		);
	});

	test("after any byte of CONNECT: its place is free", async () => {
		await assertNoticed(connects.flatMap(({ name, bytes }) => cuts(name, broker.port, bytes, 0, () => [])));
	});

	test("after any byte of a WebSocket frame: its will is published and its place free", async () => {
		const first = (version: 4 | 5, type: number): Uint8Array =>
			packets.find((row) => row.version === version && row.bytes[0]! >> 4 === type)!.bytes;
		const frames = [
			...[3, 8, 12].flatMap((type) => [first(4, type), first(5, type)]),
			// Its length takes two further bytes.
			toBytes(`30 { s't' '${"x".repeat(130)}' }`),
		].map((payload) => frame(2, payload));
		frames.push(frame(9, Buffer.from("ping")), frame(8, Uint8Array.of(3, 0xe8)));
		await assertNoticed(
			frames.flatMap((bytes) =>
				cuts(`frame ${Buffer.from(bytes).toString("hex")}`, broker.webSocketPort, bytes, 1, (will) => [
					request(),
					frame(2, connectPacket(4, will)),
				]),
			),
		);
	});

	test("after any byte of a request: its place is free", async () => {
		const page = Buffer.from("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
		await assertNoticed(
			[page, request()].flatMap((bytes) => cuts("request", broker.webSocketPort, bytes, 0, () => [])),
		);
	});
});
