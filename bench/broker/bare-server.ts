/**
 * Baseline cost of Node's sockets: a server that accepts every CONNECT and SUBSCRIBE without parsing it and
 * forwards all other chunks to all subscribers. It matches no topics and splits no packets, so that no broker
 * on Node's streams can be cheaper per read and the resulting writes. For QoS 0.
 */
import { createServer, type Socket } from "node:net";

const CONNACK = Uint8Array.of(0x20, 2, 0, 0);
const SUBACK = Uint8Array.of(0x90, 3, 0, 1, 0);

const subscribers = new Set<Socket>();
const server = createServer({ noDelay: true }, (socket) => {
	socket.on("error", () => {});
	socket.on("close", () => subscribers.delete(socket));
	socket.on("data", (chunk) => {
		const type = chunk[0]! >> 4;
		if (type === 1) socket.write(CONNACK);
		else if (type === 8) {
			subscribers.add(socket);
			socket.write(SUBACK);
		} else for (const subscriber of subscribers) subscriber.write(chunk);
	});
});
server.listen(0, "127.0.0.1", () => {
	const address = server.address();
	if (address !== null && typeof address === "object")
		process.stdout.write(`listening on mqtt://127.0.0.1:${address.port}\n`);
});
process.on("SIGTERM", () => process.exit());
