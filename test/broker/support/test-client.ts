import { generate, type IPublishPacket, type Packet, parser } from "mqtt-packet";
import type { VirtualHost, VirtualSocket } from "./virtual-host";

type PacketFields = Record<string, unknown> & { cmd: string };

/** A client on a virtual connection; mqtt-packet, independent of the broker, writes and reads packets. */
export class TestClient {
	readonly host: VirtualHost;
	readonly socket: VirtualSocket;
	readonly version: 4 | 5;
	/** Received packets, in order. */
	readonly packets: Packet[] = [];
	/** The broker has closed the connection. */
	closed = false;
	readonly #parser: ReturnType<typeof parser>;

	constructor(host: VirtualHost, version: 4 | 5 = 5) {
		this.host = host;
		this.version = version;
		this.socket = host.connect();
		this.#parser = parser({ protocolVersion: version });
		this.#parser.on("packet", (packet) => this.packets.push(packet));
		this.#parser.on("error", (error) => {
			throw error;
		});
		const onReadable = this.socket.options.onReadable!;
		this.socket.options = {
			onReadable: (bytes) => {
				onReadable(bytes);
				this.#readAvailable();
			},
			onError: () => {
				this.closed = true;
			},
		};
	}

	/** Sends CONNECT and returns CONNACK, if it was received. */
	connect(clientId: string, fields: Record<string, unknown> = {}): Packet | undefined {
		this.send({
			cmd: "connect",
			protocolId: "MQTT",
			protocolVersion: this.version,
			clean: true,
			clientId,
			keepalive: 60,
			...fields,
		});
		return this.shift("connack");
	}

	/** Sends a packet and runs the host. */
	send(fields: PacketFields): this {
		return this.sendRaw(this.encode(fields));
	}

	encode(fields: PacketFields): Uint8Array {
		return new Uint8Array(generate(fields as unknown as Packet, { protocolVersion: this.version }));
	}

	sendRaw(bytes: Uint8Array): this {
		this.socket.room = Number.POSITIVE_INFINITY;
		if (!this.socket.ended) this.socket.write(bytes);
		this.host.run();
		return this;
	}

	publish(topic: string, payload: string, fields: Record<string, unknown> = {}): this {
		return this.send({ cmd: "publish", topic, payload, qos: 0, retain: false, dup: false, ...fields });
	}

	subscribe(
		topic: string,
		options: Record<string, unknown> = {},
		properties?: Record<string, unknown>,
	): Packet | undefined {
		this.send({
			cmd: "subscribe",
			messageId: 1,
			subscriptions: [{ topic, qos: 0, ...options }],
			...(properties && { properties }),
		});
		return this.shift("suback");
	}

	/** Removes the first received packet of a kind and returns it. */
	shift(kind: string): Packet | undefined {
		this.host.run();
		const index = this.packets.findIndex((packet) => packet.cmd === kind);
		return index < 0 ? undefined : this.packets.splice(index, 1)[0];
	}

	/** Removes all received messages and returns them as "topic=payload". */
	messages(): string[] {
		return this.publishes().map((packet) => `${packet.topic}=${packet.payload}`);
	}

	publishes(): IPublishPacket[] {
		this.host.run();
		const result: IPublishPacket[] = [];
		for (let packet = this.shift("publish"); packet; packet = this.shift("publish"))
			result.push(packet as IPublishPacket);
		return result;
	}

	/** Stops reading until thaw(). */
	freeze(): void {
		this.socket.frozen = true;
	}

	thaw(): void {
		this.socket.frozen = false;
		this.socket.options.onReadable!(this.socket.available);
		this.host.run();
	}

	/** Closes the connection with a FIN, without DISCONNECT. */
	drop(): void {
		this.socket.close();
		this.host.run();
	}

	#readAvailable(): void {
		const { socket } = this;
		if (socket.frozen || socket.available === 0) return;
		const bytes = new Uint8Array(socket.available);
		socket.unread = 0;
		socket.read(bytes);
		this.#parser.parse(Buffer.from(bytes));
	}
}
