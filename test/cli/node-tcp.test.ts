import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { nodeListener } from "../../sim/desk/node-listener";
import { NodeTCP } from "../../sim/desk/node-tcp";

for (const how of ["end", "resetAndDestroy"] as const) {
	test(`a peer that goes in the middle of a packet is gone, whatever it left unread (${how})`, async () => {
		const { promise: listening, resolve: listens } = promised<number>();
		const { promise: told, resolve: tell } = promised<string>();
		const Listener = nodeListener({
			address: "127.0.0.1",
			handshakeTimeout: 1000,
			listening: (_number, port) => listens(port),
			failed: (error) => tell(error.message),
		});
		const listener = new Listener({
			port: 0,
			onReadable: () => {
				const tcp = new NodeTCP({
					from: listener.read()!,
					// The rest of the packet is never going to come.
					onReadable: () => void peer[how](),
					onError: () => {
						tcp.close();
						tell("gone");
					},
				});
			},
		});
		const peer = connect(await listening, "127.0.0.1");
		peer.on("error", () => {});
		await once(peer, "connect");
		peer.write(Uint8Array.of(0x10, 50, 0, 4));
		assert.equal(await told, "gone");
		peer.destroy();
		listener.close();
	});
}

function promised<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
	let resolve!: (value: T) => void;
	const promise = new Promise<T>((done) => {
		resolve = done;
	});
	return { promise, resolve };
}
