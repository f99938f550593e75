import { generate, type IPublishPacket, type Packet, parser } from "mqtt-packet";
import type { NetworkPeer } from "../../support/network-peer";
import type { SimulatedHost } from "./simulated-host";

const NO_BYTES = new Uint8Array(0);

type PacketFields = Record<string, unknown> & { cmd: string };

/** A client on the simulated network; mqtt-packet, independent of the broker, writes and reads packets. */
export class TestClient {
	readonly host: SimulatedHost;
	readonly socket: NetworkPeer;
	readonly version: 4 | 5;
	/** Received packets, in order. */
	readonly packets: Packet[] = [];
	/** The broker has closed the connection. */
	closed = false;

	/** @param address of the client */
	constructor(host: SimulatedHost, version: 4 | 5 = 5, address?: string) {
		this.host = host;
		this.version = version;
		this.socket = host.connect(1883, address);
		const packetParser = parser({ protocolVersion: version });
		packetParser.on("packet", (packet) => this.packets.push(packet));
		packetParser.on("error", (error) => {
			throw error;
		});
		this.socket.onData = (bytes) => packetParser.parse(Buffer.from(bytes));
		this.socket.onEnd = () => {
			this.closed = true;
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
		this.socket.write(bytes);
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

	/** Bytes that the broker may write to it now. */
	get brokerRoom(): number {
		return this.socket.remote.write(NO_BYTES) ?? 0;
	}

	/** Stops reading until thaw(). */
	freeze(): void {
		this.socket.frozen = true;
	}

	thaw(): void {
		this.socket.thaw();
		this.host.run();
	}

	/** Closes the connection without DISCONNECT. */
	drop(): void {
		this.socket.close();
		this.host.run();
	}
}
