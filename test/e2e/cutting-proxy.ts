import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { freePort } from "../support/mosquitto";

const PUBLISH = 3;
const PUBACK = 4;

/** A proxy between a node and its broker that can withhold the broker's answers. */
export class CuttingProxy {
	/** The same while it refuses and listens again. */
	readonly port: number;
	/** The broker's port, for further connections. */
	target: number;
	/** Number of PUBLISH packets that the node has sent. */
	published = 0;
	/** Called after each PUBLISH of the node. */
	onPublish: () => void = () => {};
	/**
	 * Called for each PUBACK of the broker, which waits for the result; true drops it and all later data and
	 * ends both connections.
	 */
	onAcknowledge: () => boolean | Promise<boolean> = () => false;
	readonly #server = createServer((node) => this.#relay(node, connect(this.target, "127.0.0.1")));
	readonly #sockets = new Set<Socket>();

	private constructor(port: number, target: number) {
		this.port = port;
		this.target = target;
	}

	static async start(target: number): Promise<CuttingProxy> {
		for (;;) {
			const proxy = new CuttingProxy(await freePort(), target);
			try {
				await proxy.listen();
				return proxy;
			} catch (error) {
				if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
			}
		}
	}

	/** Refuses connections, as the port of a stopped broker does, until {@link listen}. */
	refuse(): void {
		this.#server.close();
	}

	async listen(): Promise<void> {
		this.#server.listen(this.port, "127.0.0.1");
		await once(this.#server, "listening");
	}

	stop(): void {
		this.#server.close();
		for (const socket of this.#sockets) socket.destroy();
	}

	#relay(node: Socket, broker: Socket): void {
		let isCut = false;
		for (const socket of [node, broker]) {
			this.#sockets.add(socket);
			socket.setNoDelay(true);
			socket.on("error", () => {});
			socket.on("close", () => this.#sockets.delete(socket));
		}
		node.on("close", () => broker.destroy());
		broker.on("close", () => cut());
		eachPacket(node, (packet) => {
			if (!isCut) broker.write(packet);
			if (packet[0] >> 4 !== PUBLISH) return;
			this.published++;
			this.onPublish();
		});
		let earlier = Promise.resolve();
		eachPacket(broker, (packet) => {
			earlier = earlier.then(async () => {
				if (isCut) return;
				if (packet[0] >> 4 === PUBACK && (await this.onAcknowledge())) cut();
				else node.write(packet);
			});
		});
		/** The node is read to its end, so that everything it has sent is counted. */
		function cut(): void {
			if (isCut) return;
			isCut = true;
			broker.destroy();
			// After the packets that wait for an acknowledgement.
			void earlier.then(() => node.end());
		}
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
