import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { after, describe, test } from "node:test";
import tls from "node:tls";
import { MAX_HANDSHAKES, MAX_HANDSHAKES_PER_NETWORK, SecureServer } from "../../sim/service/secure-server";
import { selfSigned } from "../support/self-signed";

const { certificate, key } = selfSigned();

describe("TLS handshakes that are started and never completed", () => {
	const acceptedSockets: net.Socket[] = [];
	const server = new SecureServer(
		{ port: 0, certificate: Buffer.from(certificate), key: Buffer.from(key) },
		60_000,
		(socket) => {
			acceptedSockets.push(socket);
			socket.on("error", () => {});
		},
	);
	const sockets: net.Socket[] = [];
	after(() => {
		for (const socket of [...sockets, ...acceptedSockets]) socket.destroy();
		server.close();
	});

	const port = once(server.server.listen(0, "127.0.0.1"), "listening").then(
		() => (server.server.address() as AddressInfo).port,
	);

	async function openIdleConnections(count: number, localAddress: string): Promise<net.Socket[]> {
		const openedSockets: net.Socket[] = [];
		for (let i = 0; i < count; i++) {
			const socket = net.connect({ port: await port, host: "127.0.0.1", localAddress });
			socket.on("error", () => {});
			await once(socket, "connect");
			openedSockets.push(socket);
			sockets.push(socket);
		}
		return openedSockets;
	}

	async function handshake(localAddress: string): Promise<tls.TLSSocket> {
		const raw = net.connect({ port: await port, host: "127.0.0.1", localAddress });
		const socket = tls.connect({ socket: raw, ca: certificate, servername: "localhost" });
		sockets.push(raw, socket);
		await once(socket, "secureConnect");
		return socket;
	}

	/** Waits until the server has processed connections and disconnections. */
	async function waitForSockets(count: number): Promise<void> {
		while (server.pendingHandshakes !== count) await new Promise((resolve) => setTimeout(resolve, 2));
	}

	test("one address may use half of the limit; above it its oldest handshake is evicted", async () => {
		const first = await openIdleConnections(MAX_HANDSHAKES_PER_NETWORK, "127.0.0.1");
		await waitForSockets(MAX_HANDSHAKES_PER_NETWORK);
		assert.ok(first.every(({ destroyed }) => !destroyed));
		const gone = once(first[0], "close");
		await handshake("127.0.0.1");
		await gone;
		await waitForSockets(MAX_HANDSHAKES_PER_NETWORK - 1);
		assert.equal(acceptedSockets.length, 1);
		assert.equal(first.filter(({ destroyed }) => destroyed).length, 1);
	});

	test("at the overall limit the oldest handshake is evicted; completed ones do not count", async () => {
		const before = sockets.filter((socket) => !(socket instanceof tls.TLSSocket) && !socket.destroyed).length;
		const pending = server.pendingHandshakes;
		await openIdleConnections(MAX_HANDSHAKES_PER_NETWORK, "127.0.0.2");
		// A client is connected before the server has taken its connection.
		await waitForSockets(pending + MAX_HANDSHAKES_PER_NETWORK);
		await openIdleConnections(MAX_HANDSHAKES - server.pendingHandshakes, "127.0.0.3");
		await waitForSockets(MAX_HANDSHAKES);
		assert.ok(before > 0);
		const gone = once(sockets[1], "close");
		const secure = await handshake("127.0.0.4");
		await gone;
		await waitForSockets(MAX_HANDSHAKES - 1);
		const echoed = once(acceptedSockets.at(-1)!, "data");
		secure.write("still open");
		assert.equal(String((await echoed)[0]), "still open");
	});

	test("a peer without TLS, or one that disconnects, frees its place", async () => {
		for (const socket of sockets) socket.destroy();
		await waitForSockets(0);
		const [plain] = await openIdleConnections(1, "127.0.0.1");
		await waitForSockets(1);
		const gone = once(plain, "close");
		plain.resume().write("GET / HTTP/1.1\r\n\r\n");
		await gone;
		await waitForSockets(0);
	});
});
