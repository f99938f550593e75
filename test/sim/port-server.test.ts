import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { networkInterfaces } from "node:os";
import { describe, test } from "node:test";
import { LOOPBACKS, PortServer } from "../../sim/network/port-server";

const hasIPv6Loopback = Object.values(networkInterfaces())
	.flatMap((each = []) => each)
	.some(({ address }) => address === "::1");

interface Opened {
	readonly server: PortServer;
	readonly port: number;
	readonly addresses: readonly string[] | undefined;
}

/** Opens a server that ends each connection. */
function open(port: number, addresses: readonly string[] | undefined): Promise<Opened> {
	return new Promise((resolve, reject) => {
		const server: PortServer = new PortServer(
			net.createServer((socket) => socket.end()),
			{},
			{
				port,
				addresses,
				listening: (port, addresses) => resolve({ server, port, addresses }),
				failed: reject,
			},
		);
	});
}

async function assertServed(port: number, host: string): Promise<void> {
	const socket = net.connect({ port, host });
	socket.resume();
	await once(socket, "end");
}

describe("one port on several addresses", { skip: !hasIPv6Loopback }, () => {
	test("a port that the machine chooses is the same on both loopbacks, and closed on both", async () => {
		const { server, port, addresses } = await open(0, LOOPBACKS);
		assert.deepEqual(addresses, ["127.0.0.1", "::1"]);
		for (const host of LOOPBACKS) await assertServed(port, host);
		server.close();
		for (const host of LOOPBACKS) await assert.rejects(assertServed(port, host), { code: "ECONNREFUSED" });
	});

	test("an address that the machine does not have is left out", async () => {
		const { server, port, addresses } = await open(0, ["127.0.0.1", "2001:db8::1", "::1"]);
		assert.deepEqual(addresses, LOOPBACKS);
		await assertServed(port, "::1");
		server.close();
	});

	test("a given port that is in use on the second address is an error", async () => {
		const other = net.createServer().listen(0, "::1");
		await once(other, "listening");
		const { port } = other.address() as net.AddressInfo;
		await assert.rejects(open(port, LOOPBACKS), { code: "EADDRINUSE" });
		await assert.rejects(assertServed(port, "127.0.0.1"), { code: "ECONNREFUSED" });
		other.close();
	});

	test("undefined: all addresses", async () => {
		const { server, port, addresses } = await open(0, undefined);
		assert.equal(addresses, undefined);
		for (const host of LOOPBACKS) await assertServed(port, host);
		server.close();
	});
});
