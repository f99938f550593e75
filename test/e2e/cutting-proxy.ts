import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

const PUBLISH = 3;
const PUBACK = 4;

/** A proxy between a node and its broker that can withhold the broker's answers. */
export class CuttingProxy {
	readonly port: number;
	/** Number of PUBLISH packets forwarded to the broker. */
	published = 0;
	/** Called for each PUBACK of the broker; true drops it and all later data and ends both connections. */
	onAcknowledge: () => boolean = () => false;
	readonly #server: Server;
	readonly #sockets = new Set<Socket>();

	private constructor(server: Server, target: number) {
		this.#server = server;
		this.port = (server.address() as AddressInfo).port;
		server.on("connection", (node) => this.#relay(node, connect(target, "127.0.0.1")));
	}

	static async start(target: number): Promise<CuttingProxy> {
		const server = createServer().listen(0, "127.0.0.1");
		await once(server, "listening");
		return new CuttingProxy(server, target);
	}

	/** Refuses connections, as the port of a stopped broker does, until {@link listen}. */
	refuse(): void {
		this.#server.close();
	}

	listen(): void {
		this.#server.listen(this.port, "127.0.0.1");
	}

	stop(): void {
		this.#server.close();
		for (const socket of this.#sockets) socket.destroy();
	}

	#relay(node: Socket, broker: Socket): void {
		for (const [socket, other] of [
			[node, broker],
			[broker, node],
		] as const) {
			this.#sockets.add(socket);
			socket.setNoDelay(true);
			socket.on("error", () => {});
			socket.on("close", () => {
				this.#sockets.delete(socket);
				other.destroy();
			});
		}
		eachPacket(node, (packet) => {
			if (packet[0] >> 4 === PUBLISH) this.published++;
			broker.write(packet);
		});
		eachPacket(broker, (packet) => {
			if (packet[0] >> 4 === PUBACK && this.onAcknowledge()) {
				node.destroy();
				broker.destroy();
			} else node.write(packet);
		});
	}
}

function eachPacket(socket: Socket, onPacket: (packet: Buffer) => void): void {
	let pending = Buffer.alloc(0);
	socket.on("data", (data) => {
		pending = Buffer.concat([pending, data]);
		for (
			let length = packetLength(pending);
			length > 0 && length <= pending.length && !socket.destroyed;
			length = packetLength(pending)
		) {
			onPacket(pending.subarray(0, length));
			pending = pending.subarray(length);
		}
	});
}

/** Length of the first packet, 0 while unknown. */
function packetLength(bytes: Buffer): number {
	let remaining = 0;
	for (let i = 1; i < Math.min(bytes.length, 5); i++) {
		remaining |= (bytes[i] & 0x7f) << (7 * (i - 1));
		if (bytes[i] < 128) return i + 1 + remaining;
	}
	return 0;
}
