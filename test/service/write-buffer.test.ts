import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { describe, test } from "node:test";
import fc from "fast-check";
import { WriteBuffer } from "../../sim/service/write-buffer";

/** A socket and its peer. */
async function connectSockets(): Promise<{
	readonly socket: Socket;
	readonly peer: Socket;
	readonly writes: number[];
	close(): void;
}> {
	const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as { readonly port: number };
	const peer = connect(port, "127.0.0.1");
	const [socket] = (await once(server, "connection")) as [Socket];
	const writes: number[] = [];
	const { write } = socket;
	socket.write = ((bytes: Uint8Array) => {
		writes.push(bytes.length);
		return write.call(socket, bytes);
	}) as Socket["write"];
	return {
		socket,
		peer,
		writes,
		close() {
			socket.destroy();
			peer.destroy();
			server.close();
		},
	};
}

async function receive(peer: Socket, size: number): Promise<Buffer> {
	const chunks: Buffer[] = [];
	for (let receivedBytes = 0; receivedBytes < size; ) {
		const chunk: Buffer | null = peer.read();
		if (chunk === null) await once(peer, "readable");
		else {
			chunks.push(chunk);
			receivedBytes += chunk.length;
		}
	}
	return Buffer.concat(chunks);
}

describe("write buffer", () => {
	test("added data is sent in one write, unchanged by later changes of the source", async () => {
		const { socket, peer, writes, close } = await connectSockets();
		const outbox = WriteBuffer.acquire();
		const bytes = Uint8Array.of(1, 2, 3);
		outbox.add(bytes, socket);
		bytes.fill(9);
		outbox.add(bytes.subarray(0, 2), socket);
		assert.equal(outbox.length, 5);
		outbox.flushAndRelease(socket);
		assert.deepEqual(writes, [5]);
		assert.deepEqual([...(await receive(peer, 5))], [1, 2, 3, 9, 9]);
		close();
	});

	test("data of any sizes arrives in order, also while the peer does not read", async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(fc.integer({ min: 1, max: 40_000 }), { maxLength: 40 }),
				fc.array(fc.boolean()),
				async (sizes, releases) => {
					const { socket, peer, close } = await connectSockets();
					const expected: Buffer[] = [];
					let outbox = WriteBuffer.acquire();
					for (const [i, size] of sizes.entries()) {
						const bytes = Buffer.alloc(size, i + 1);
						expected.push(Buffer.from(bytes));
						outbox.add(bytes, socket);
						bytes.fill(0);
						if (releases[i] !== true) continue;
						outbox.flushAndRelease(socket);
						outbox = WriteBuffer.acquire();
					}
					outbox.flushAndRelease(socket);
					const all = Buffer.concat(expected);
					assert.ok((await receive(peer, all.length)).equals(all));
					close();
				},
			),
			{ numRuns: 40 },
		);
	});

	test("nothing is written to a closed socket", async () => {
		const { socket, writes, close } = await connectSockets();
		const outbox = WriteBuffer.acquire();
		outbox.add(Uint8Array.of(1), socket);
		socket.destroy();
		outbox.flushAndRelease(socket);
		assert.deepEqual(writes, []);
		assert.equal(WriteBuffer.acquire().length, 0);
		close();
	});
});
