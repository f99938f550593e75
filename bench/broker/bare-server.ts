/**
 * Baseline cost of Node's sockets: a server that accepts every CONNECT and SUBSCRIBE without parsing it and
 * forwards all PUBLISHes to all subscribers, a chunk at a time. It matches no topics and keeps nothing; of
 * QoS 1 it answers as many packets as the chunk has, by the length of the first one, and drops what
 * subscribers answer. No broker on Node's streams can be cheaper per read and the resulting writes.
 */
import { createServer, type Socket } from "node:net";

const CONNACK = Uint8Array.of(0x20, 2, 0, 0);
const SUBACK = Uint8Array.of(0x90, 3, 0, 1, 0);

const PUBACK_SIZE = 4;
/** PUBACKs; the load counts their bytes. */
const acknowledgements = Buffer.alloc(PUBACK_SIZE * 64, Uint8Array.of(0x40, 2, 0, 1));

/** Packets in a chunk, all as long as the first. */
function packetsIn(chunk: Uint8Array): number {
	const size = chunk[1]! < 128 ? 2 + chunk[1]! : 3 + ((chunk[1]! & 127) | (chunk[2]! << 7));
	return Math.round(chunk.length / size);
}

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
		} else if (type === 3) {
			for (const subscriber of subscribers) subscriber.write(chunk);
			if ((chunk[0]! & 6) !== 0) socket.write(acknowledgements.subarray(0, PUBACK_SIZE * packetsIn(chunk)));
		}
	});
});
server.listen(0, "127.0.0.1", () => {
	const address = server.address();
	if (address !== null && typeof address === "object")
		process.stdout.write(`listening on mqtt://127.0.0.1:${address.port}\n`);
});
process.on("SIGTERM", () => process.exit());
