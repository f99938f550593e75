import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { connectAsync } from "mqtt";
import { generate, type IConnectPacket, type Packet } from "mqtt-packet";
import { nodeListener } from "../../sim/service/node-listener";
import { NodeTCP } from "../../sim/service/node-tcp";
import { BrokerProcess } from "./broker-process";

/** Messages that take many turns, and more than one chunk of the socket. */
const BURST = 12_000;

for (const closeMethod of ["end", "resetAndDestroy"] as const) {
	test(`a peer that disconnects in the middle of a packet is reported (${closeMethod})`, async () => {
		const { promise: portPromise, resolve: resolvePort } = withResolvers<number>();
		const { promise: errorPromise, resolve: resolveError } = withResolvers<string>();
		const Listener = nodeListener({
			addresses: ["127.0.0.1"],
			handshakeTimeoutMs: 60_000,
			listening: (_number, port) => resolvePort(port),
			failed: (error) => resolveError(error.message),
		});
		const listener = new Listener({
			port: 0,
			onReadable: () => {
				const tcp = new NodeTCP({
					from: listener.read()!,
					// The rest of the packet never arrives.
					onReadable: (bytes) => {
						tcp.read(new Uint8Array(bytes));
						peer[closeMethod]();
					},
					onError: () => {
						tcp.close();
						resolveError("gone");
					},
				});
			},
		});
		const peer = connect(await portPromise, "127.0.0.1");
		peer.on("error", () => {});
		await once(peer, "connect");
		peer.write(Uint8Array.of(0x10, 50, 0, 4));
		assert.equal(await errorPromise, "gone");
		peer.destroy();
		listener.close();
	});
}

test("a burst of more than a turn, then the end: the broker on Node handles all of it", async (t) => {
	const broker = await BrokerProcess.start(["--engine", "node", "--port", "0"]);
	t.after(() => broker.stop());
	const subscriber = await connectAsync(`mqtt://127.0.0.1:${broker.ports.mqtt}`);
	await subscriber.subscribeAsync(["burst/last", "burst/will"]);
	// Packets are handled in order: the last one is handled after all others.
	const first = new Promise<string>((resolve) => subscriber.on("message", resolve));
	const packets: Packet[] = [{ cmd: "connect", clientId: "burst", protocolId: "MQTT", protocolVersion: 4 }];
	for (let i = 0; i < BURST; i++)
		packets.push({ cmd: "publish", topic: "burst/a", payload: `${i}`, qos: 0, dup: false, retain: false });
	packets[0] = {
		...(packets[0] as IConnectPacket),
		will: { topic: "burst/will", payload: Buffer.from("lost"), qos: 0, retain: false },
	};
	packets.push({ cmd: "publish", topic: "burst/last", payload: "", qos: 0, dup: false, retain: false });
	packets.push({ cmd: "disconnect" });
	const peer = connect(broker.ports.mqtt!, "127.0.0.1");
	peer.on("error", () => {});
	peer.resume();
	peer.end(Buffer.concat(packets.map((packet) => generate(packet))));
	assert.equal(await first, "burst/last");
	await subscriber.endAsync();
});

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
	let resolve!: (value: T) => void;
	const promise = new Promise<T>((done) => {
		resolve = done;
	});
	return { promise, resolve };
}
