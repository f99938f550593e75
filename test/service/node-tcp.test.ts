import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, test } from "node:test";
import tls from "node:tls";
import { nodeListener } from "../../sim/service/node-listener";
import { NodeTCP } from "../../sim/service/node-tcp";
import type { TCP, TCPOptions } from "../../src/device";
import { selfSigned } from "../support/self-signed";

interface ConnectedPair {
	readonly tcp: TCP;
	readonly peer: Socket;
	close(): void;
}

const { certificate, key } = selfSigned();
const secure = { port: 0, certificate: Buffer.from(certificate), key: Buffer.from(key) };

/**
 * A socket from a listener, and its peer.
 * @param first data that the peer sends before its connection is taken over
 */
async function connectPair(
	protocol: "tcp" | "tls",
	callbacks: Omit<TCPOptions, "from">,
	first?: Uint8Array,
): Promise<ConnectedPair> {
	let resolvePort!: (port: number) => void;
	let resolveConnection!: () => void;
	const portPromise = new Promise<number>((resolve) => {
		resolvePort = resolve;
	});
	const connectionPromise = new Promise<void>((resolve) => {
		resolveConnection = resolve;
	});
	const NodeListener = nodeListener({
		addresses: ["127.0.0.1"],
		handshakeTimeoutMs: 60_000,
		listening: (_number, port, securePort) => resolvePort(securePort ?? port),
		failed: assert.fail,
		...(protocol === "tls" ? { secure } : {}),
	});
	const listener = new NodeListener({ port: 0, onReadable: () => resolveConnection() });
	const port = await portPromise;
	const peer =
		protocol === "tls"
			? tls.connect({ port, host: "127.0.0.1", ca: certificate })
			: connect(port, "127.0.0.1");
	peer.on("error", () => {});
	await Promise.all([once(peer, protocol === "tls" ? "secureConnect" : "connect"), connectionPromise]);
	if (first !== undefined) {
		peer.write(first);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
	const tcp = new NodeTCP({ from: listener.read()!, ...callbacks });
	return {
		tcp,
		peer,
		close() {
			tcp.close();
			peer.destroy();
			listener.close();
		},
	};
}

/** Resolves once the condition is true. */
async function waitUntil(condition: () => boolean): Promise<void> {
	while (!condition()) await new Promise(setImmediate);
}

for (const protocol of ["tcp", "tls"] as const) {
	describe(`a socket of Node, ${protocol}`, () => {
		test("data received before the takeover is reported after onWritable", async () => {
			const callbackLog: string[] = [];
			const { close } = await connectPair(
				protocol,
				{
					onReadable: (bytes) => callbackLog.push(`${bytes} to read`),
					onWritable: () => callbackLog.push("room"),
				},
				Uint8Array.of(1, 2, 3),
			);
			assert.deepEqual(callbackLog, []);
			await waitUntil(() => callbackLog.length === 2);
			assert.deepEqual(callbackLog, ["room", "3 to read"]);
			close();
		});

		test("a peer whose data is not read is stopped; all data is then read in order", async () => {
			const size = 20_000_000;
			let available = 0;
			const { tcp, peer, close } = await connectPair(protocol, {
				onReadable: (bytes) => {
					available = bytes;
				},
			});
			const sent = Buffer.alloc(size);
			for (let i = 0; i < size; i++) sent[i] = i % 251;
			peer.write(sent);
			await waitUntil(() => available >= 131_072);
			for (let i = 0; i < 50; i++) await new Promise(setImmediate);
			assert.ok(available < 131_072 + 65_536, `${available} bytes`);
			assert.ok(peer.writableLength > 0);

			const received = Buffer.alloc(size);
			for (let at = 0, turn = 1; at < size; turn++) {
				await waitUntil(() => available > 0);
				// Some reads take a whole chunk, some a small part, some span several chunks
				const wanted = Math.min(available, (turn * 7919) % 100_000);
				const piece = new Uint8Array(wanted === 0 ? 1 : wanted);
				assert.equal(tcp.read(piece), piece.length);
				received.set(piece, at);
				at += piece.length;
				available -= piece.length;
			}
			assert.ok(received.equals(sent));
			assert.equal(tcp.read(new Uint8Array(1)), undefined);
			close();
		});

		test("a write above the room is refused; onWritable is called again once the peer has read", async () => {
			let room = 0;
			let calls = 0;
			const { tcp, peer, close } = await connectPair(protocol, {
				onWritable: (bytes) => {
					room = bytes;
					calls++;
				},
			});
			await waitUntil(() => calls === 1);
			const whole = room;
			const bytes = new Uint8Array(10_000);
			let sent = 0;
			// Data accepted by the system is no longer counted in the next turn
			while (room >= bytes.length) {
				room = tcp.write(bytes)!;
				sent += bytes.length;
				if (room < whole / 2) await new Promise(setImmediate);
			}
			assert.throws(() => tcp.write(new Uint8Array(room + 1)), /would block/);
			let received = 0;
			peer.on("data", (chunk) => {
				received += chunk.length;
			});
			await waitUntil(() => calls > 1 && received === sent && room === whole);
			close();
		});

		test("data written before close() arrives, then the end; no callback follows", async () => {
			let callbackCount = 0;
			const { tcp, peer, close } = await connectPair(protocol, {
				onWritable: () => callbackCount++,
				onReadable: () => callbackCount++,
				onError: () => callbackCount++,
			});
			await waitUntil(() => callbackCount === 1);
			const chunks: Buffer[] = [];
			peer.on("data", (chunk) => chunks.push(chunk));
			tcp.write(Uint8Array.of(1, 2));
			tcp.write(new Uint8Array(50_000));
			tcp.close();
			assert.throws(() => tcp.write(Uint8Array.of(3)), /invalid/);
			assert.throws(() => tcp.read(new Uint8Array(1)), /invalid/);
			peer.write("too late");
			await once(peer, "end");
			const received = Buffer.concat(chunks);
			assert.equal(received.length, 50_002);
			assert.deepEqual([...received.subarray(0, 3)], [1, 2, 0]);
			assert.equal(callbackCount, 1);
			close();
		});

		test("a peer that goes on sending after close() gets what was written, and no reset", async () => {
			const { tcp, peer, close } = await connectPair(protocol, {});
			const chunks: Buffer[] = [];
			const errors: Error[] = [];
			peer.on("error", (error) => errors.push(error));
			peer.on("data", (chunk) => chunks.push(chunk));
			peer.pause();
			peer.write(new Uint8Array(50_000));
			await waitUntil(() => peer.writableLength === 0);
			tcp.write(new Uint8Array(20_000).fill(7));
			tcp.close();
			for (let i = 0; i < 20; i++) {
				peer.write(new Uint8Array(1000));
				await new Promise(setImmediate);
			}
			peer.resume();
			await once(peer, "end");
			assert.equal(Buffer.concat(chunks).length, 20_000);
			assert.deepEqual(errors, []);
			close();
		});

		test("a peer that floods a closed socket is cut", async () => {
			const { tcp, peer, close } = await connectPair(protocol, {});
			tcp.close();
			const cut = once(peer, "close");
			const flood = setInterval(() => {
				if (peer.writable && peer.writableLength === 0) peer.write(new Uint8Array(65_536));
			}, 1);
			await cut;
			clearInterval(flood);
			close();
		});

		test("a peer that half-closes is reported once, and is not written to any more", async () => {
			let gone = 0;
			const { tcp, peer, close } = await connectPair(protocol, { onError: () => gone++ });
			peer.end();
			await waitUntil(() => gone > 0);
			assert.equal(tcp.write(Uint8Array.of(1)), undefined);
			peer.destroy();
			await new Promise((resolve) => setTimeout(resolve, 20));
			assert.equal(gone, 1);
			close();
		});
	});
}
