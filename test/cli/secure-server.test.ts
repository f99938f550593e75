import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { after, describe, test } from "node:test";
import tls from "node:tls";
import { HANDSHAKES, HANDSHAKES_OF_ONE, SecureServer } from "../../sim/desk/secure-server";
import { selfSigned } from "../support/self-signed";

const { certificate, key } = selfSigned();

describe("TLS handshakes that are begun and never ended", () => {
	const taken: net.Socket[] = [];
	const server = new SecureServer({ port: 0, certificate: Buffer.from(certificate), key: Buffer.from(key) }, 60_000, (socket) => {
		taken.push(socket);
		socket.on("error", () => {});
	});
	const sockets: net.Socket[] = [];
	after(() => {
		for (const socket of [...sockets, ...taken]) socket.destroy();
		server.close();
	});

	const port = once(server.server.listen(0, "127.0.0.1"), "listening").then(() => (server.server.address() as AddressInfo).port);

	async function idle(count: number, localAddress: string): Promise<net.Socket[]> {
		const made: net.Socket[] = [];
		for (let i = 0; i < count; i++) {
			const socket = net.connect({ port: await port, host: "127.0.0.1", localAddress });
			socket.on("error", () => {});
			await once(socket, "connect");
			made.push(socket);
			sockets.push(socket);
		}
		return made;
	}

	async function handshake(localAddress: string): Promise<tls.TLSSocket> {
		const raw = net.connect({ port: await port, host: "127.0.0.1", localAddress });
		const socket = tls.connect({ socket: raw, ca: certificate, servername: "localhost" });
		sockets.push(raw, socket);
		await once(socket, "secureConnect");
		return socket;
	}

	/** Waits until the server has come to know of what happened. */
	async function settled(count: number): Promise<void> {
		while (server.unfinished !== count) await new Promise((resolve) => setTimeout(resolve, 2));
	}

	test("one address has half of the room, and its oldest give way", async () => {
		const first = await idle(HANDSHAKES_OF_ONE, "127.0.0.1");
		await settled(HANDSHAKES_OF_ONE);
		assert.ok(first.every(({ destroyed }) => !destroyed));
		const gone = once(first[0], "close");
		await handshake("127.0.0.1");
		await gone;
		await settled(HANDSHAKES_OF_ONE - 1);
		assert.equal(taken.length, 1);
		assert.equal(first.filter(({ destroyed }) => destroyed).length, 1);
	});

	test("where there is no room at all the oldest gives way; those who are done do not count", async () => {
		const before = sockets.filter((socket) => !(socket instanceof tls.TLSSocket) && !socket.destroyed).length;
		await idle(HANDSHAKES_OF_ONE, "127.0.0.2");
		await idle(HANDSHAKES - server.unfinished, "127.0.0.3");
		await settled(HANDSHAKES);
		assert.ok(before > 0);
		const gone = once(sockets[1], "close");
		const secure = await handshake("127.0.0.4");
		await gone;
		await settled(HANDSHAKES - 1);
		const echoed = once(taken.at(-1)!, "data");
		secure.write("still open");
		assert.equal(String((await echoed)[0]), "still open");
	});

	test("who speaks no TLS, or goes, makes room", async () => {
		for (const socket of sockets) socket.destroy();
		await settled(0);
		const [plain] = await idle(1, "127.0.0.1");
		await settled(1);
		const gone = once(plain, "close");
		plain.resume().write("GET / HTTP/1.1\r\n\r\n");
		await gone;
		await settled(0);
	});
});
