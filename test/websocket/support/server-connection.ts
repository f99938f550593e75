import assert from "node:assert/strict";
import { type HostSocket, RECEIVE_WINDOW, SEND_ROOM } from "../../../sim/network/socket";
import { type VirtualHost, VirtualNetwork } from "../../../sim/network/virtual";
import type { TCP, TCPConstructor, TCPOptions } from "../../../src/device";
import { NetworkPeer } from "../../support/network-peer";
import { NetworkTCP } from "../../support/network-sockets";
import { VirtualClock } from "../../support/virtual-clock";

const PORT = 8080;
const NO_BYTES = new Uint8Array(0);

export interface ServerConnectionOptions {
	readonly clock?: VirtualClock;
	/** Send room of the server's socket, bytes. */
	readonly sendRoom?: number;
	/** The peer does not read, and has left so much of the send room: {@link ServerConnection.readByPeer}. */
	readonly room?: number;
	/** The server's socket calls onWritable only once. */
	readonly isWritableOnce?: boolean;
}

/**
 * A server's connection on the simulator's network, without latency, the test at its other end, and a record
 * of how the server uses its socket.
 */
export class ServerConnection {
	readonly clock: VirtualClock;
	readonly server: VirtualHost;
	readonly peer: NetworkPeer;
	/** The socket as the listener has accepted it. */
	readonly from: NetworkTCP;
	/** Class that takes it over. */
	readonly io: TCPConstructor;
	/** Callbacks of the server. */
	options: TCPOptions = {};
	writes = 0;
	/** Calls of close(). */
	closed = 0;
	readonly #socket: HostSocket;
	#sent: Buffer[] = [];
	#received: Buffer[] = [];
	#delivered = 0;
	#read = 0;

	constructor({
		clock = new VirtualClock(),
		sendRoom = SEND_ROOM,
		room,
		isWritableOnce = false,
	}: ServerConnectionOptions = {}) {
		this.clock = clock;
		const network = new VirtualNetwork(this.clock.scheduler, { latency: 0 });
		this.server = network.host("10.0.0.1");
		this.server.sendRoom = sendRoom;
		const listener = this.server.listen(PORT, () => {});
		this.peer = new NetworkPeer(network.host("10.0.0.2").connect("10.0.0.1", PORT));
		this.run();
		this.#socket = listener.accept()!;
		this.from = new NetworkTCP(this.#socket);
		if (room !== undefined) this.#fill(sendRoom - room);
		this.peer.onData = (bytes) => this.#received.push(Buffer.from(bytes));
		this.io = this.#observedClass(isWritableOnce);
	}

	run(): void {
		this.clock.advance(0);
	}

	/** The peer sends bytes. */
	deliver(bytes: Uint8Array): void {
		this.#delivered += bytes.length;
		this.peer.write(bytes);
		this.run();
	}

	/** The peer, which did not read so far, reads so many bytes: that much room becomes free. */
	readByPeer(bytes: number): void {
		assert.ok(this.peer.frozen);
		this.peer.read(bytes);
		this.run();
	}

	/** The peer closes the connection. */
	end(): void {
		this.peer.close();
		this.run();
	}

	/** The peer resets the connection, and the server's socket knows, but has not called onError yet. */
	loseUnnoticed(): void {
		this.peer.reset();
		while (this.#socket.write(NO_BYTES) !== undefined) assert.ok(this.clock.scheduler.step(this.clock.now));
	}

	/** Bytes that the peer has sent and the server has not read. */
	get unread(): number {
		return this.#delivered - this.#read;
	}

	/** Bytes written since the last call; a peer that reads has received them. */
	takeSent(): Buffer {
		this.run();
		const sent = Buffer.concat(this.#sent.splice(0));
		if (!this.peer.frozen) assert.deepEqual(Buffer.concat(this.#received.splice(0)), sent);
		return sent;
	}

	/** Fills the peer's window, and so many bytes of the send room. */
	#fill(bytes: number): void {
		this.peer.frozen = true;
		for (const count of [RECEIVE_WINDOW, bytes]) {
			this.from.write(new Uint8Array(count));
			this.run();
		}
	}

	#observedClass(isWritableOnce: boolean): TCPConstructor {
		const connection = this;
		return class extends NetworkTCP implements TCP {
			constructor(options: TCPOptions) {
				const from = options.from as NetworkTCP;
				let wasWritable = false;
				super(from.socket, {
					...options,
					onWritable: (bytes) => {
						if (!(isWritableOnce && wasWritable)) options.onWritable?.(bytes);
						wasWritable = true;
					},
				});
				from.release();
				connection.options = options;
			}

			override read(buffer: Uint8Array): number | undefined {
				const count = super.read(buffer);
				connection.#read += count ?? 0;
				return count;
			}

			override write(buffer: Uint8Array): number | undefined {
				const room = super.write(buffer);
				connection.writes++;
				if (room !== undefined) connection.#sent.push(Buffer.from(buffer));
				return room;
			}

			override close(): void {
				connection.closed++;
				super.close();
			}
		};
	}
}
