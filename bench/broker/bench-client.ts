import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import mqtt from "mqtt-packet";

/** An MQTT 3.1.1 client with minimal overhead: it sends prepared packets and counts received bytes. */
export class BenchClient {
	/** Called with each received chunk. */
	onData: (chunk: Uint8Array) => void = () => {};
	readonly #socket: Socket;

	private constructor(socket: Socket) {
		this.#socket = socket;
		socket.on("data", (chunk) => this.onData(chunk));
	}

	/** @param clean whether it starts a clean session, which ends with the connection */
	static async connect(port: number, clientId: string, clean = true): Promise<BenchClient> {
		const socket = createConnection({ port, host: "127.0.0.1", noDelay: true });
		await once(socket, "connect");
		const peer = new BenchClient(socket);
		await peer.#request(
			mqtt.generate({
				cmd: "connect",
				clientId,
				clean,
				keepalive: 0,
				protocolId: "MQTT",
				protocolVersion: 4,
			}),
			4,
		);
		socket.on("close", () => {
			if (!socket.destroyed || socket.errored) throw new Error(`the broker closed ${clientId}`);
		});
		return peer;
	}

	/** @param filter must match no retained message */
	async subscribe(filter: string, qos: 0 | 1): Promise<void> {
		await this.#request(
			mqtt.generate({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: filter, qos }] }),
			5,
		);
	}

	send(bytes: Uint8Array): void {
		this.#socket.write(bytes);
	}

	/** Closes the connection without DISCONNECT. */
	close(): void {
		this.#socket.removeAllListeners("close").destroy();
	}

	/** Sends a packet and waits for a response of `size` bytes. */
	#request(packet: Uint8Array, size: number): Promise<void> {
		return new Promise((resolve, reject) => {
			const lost = (): void => reject(new Error("the broker closed the connection"));
			this.#socket.once("close", lost).once("error", reject);
			let received = 0;
			this.onData = (chunk) => {
				received += chunk.length;
				if (received < size) return;
				this.onData = () => {};
				this.#socket.off("close", lost).off("error", reject);
				resolve();
			};
			this.send(packet);
		});
	}
}
