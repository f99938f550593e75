import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { nodeListener } from "../../sim/service/node-listener";
import { NodeTCP } from "../../sim/service/node-tcp";

for (const closeMethod of ["end", "resetAndDestroy"] as const) {
	test(`a peer that disconnects in the middle of a packet is reported (${closeMethod})`, async () => {
		const { promise: portPromise, resolve: resolvePort } = withResolvers<number>();
		const { promise: errorPromise, resolve: resolveError } = withResolvers<string>();
		const Listener = nodeListener({
			addresses: ["127.0.0.1"],
			handshakeTimeoutMs: 1000,
			listening: (_number, port) => resolvePort(port),
			failed: (error) => resolveError(error.message),
		});
		const listener = new Listener({
			port: 0,
			onReadable: () => {
				const tcp = new NodeTCP({
					from: listener.read()!,
					// The rest of the packet never arrives.
					onReadable: () => void peer[closeMethod](),
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

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
	let resolve!: (value: T) => void;
	const promise = new Promise<T>((done) => {
		resolve = done;
	});
	return { promise, resolve };
}
