import { generate, type IPublishPacket, type Packet, parser } from "mqtt-packet";
import type { NetworkPeer } from "../../support/network-peer";
import type { FuzzHost } from "./fuzz-host";
import { MQTT_PORT } from "./fuzz-settings";

/** An MQTT 5.0 client on the network of the fuzz tests; mqtt-packet reads and writes its packets. */
export class QueuePeer {
	readonly id: string;
	readonly packets: Packet[] = [];
	readonly #host: FuzzHost;
	#socket: NetworkPeer | undefined;
	#lastId = 0;

	constructor(host: FuzzHost, id: string) {
		this.#host = host;
		this.id = id;
	}

	get connected(): boolean {
		return this.#socket !== undefined && !this.#socket.ended;
	}

	/** Connects with a session that lasts. @returns whether the broker accepted it */
	connect(receiveMaximum = 65_535): boolean {
		this.drop();
		this.packets.length = 0;
		const packetParser = parser({ protocolVersion: 5 });
		packetParser.on("packet", (packet) => this.packets.push(packet));
		this.#socket = this.#host.connectAlone(MQTT_PORT);
		this.#socket.onData = (bytes) => packetParser.parse(Buffer.from(bytes));
		this.#host.run();
		this.send({
			cmd: "connect",
			protocolId: "MQTT",
			protocolVersion: 5,
			clientId: this.id,
			clean: false,
			keepalive: 0,
			properties: { sessionExpiryInterval: 20, receiveMaximum },
		});
		return (this.take("connack") as { reasonCode?: number } | undefined)?.reasonCode === 0;
	}

	/** Resets the connection. */
	drop(): void {
		this.#socket?.reset();
		this.#socket = undefined;
		this.#host.run();
	}

	/** Stops or resumes reading. */
	freeze(frozen: boolean): void {
		if (frozen && this.#socket !== undefined) this.#socket.frozen = true;
		else this.#socket?.thaw();
		this.#host.run();
	}

	send(fields: Record<string, unknown> & { cmd: string }): void {
		if (!this.connected) return;
		this.#socket!.write(generate(fields as unknown as Packet, { protocolVersion: 5 }));
		this.#host.run();
	}

	subscribe(topic: string, qos: number): void {
		this.send({ cmd: "subscribe", messageId: this.#nextId(), subscriptions: [{ topic, qos }] });
		this.take("suback");
	}

	/**
	 * Publishes, and completes the exchange.
	 * @returns the reason code of PUBACK or PUBREC, if it is complete
	 */
	publish(topic: string, payload: string, qos: number, retain: boolean): number | undefined {
		const messageId = this.#nextId();
		this.send({ cmd: "publish", topic, payload, qos, retain, dup: false, messageId });
		if (qos === 0) return undefined;
		const answer = this.take(qos === 1 ? "puback" : "pubrec") as { reasonCode?: number } | undefined;
		const code = answer?.reasonCode ?? (answer === undefined ? undefined : 0);
		if (qos === 2 && code !== undefined && code < 0x80) {
			this.send({ cmd: "pubrel", messageId });
			if (this.take("pubcomp") === undefined) return undefined;
		}
		return code;
	}

	/** Sends a QoS 2 message and never releases it. */
	publishUnreleased(topic: string, payload: string, messageId: number): void {
		this.send({ cmd: "publish", topic, payload, qos: 2, retain: false, dup: false, messageId });
	}

	/** Receives everything and completes all exchanges. @returns the payloads, in order */
	receive(): string[] {
		const got: string[] = [];
		for (let packet = this.packets.shift(); packet !== undefined; packet = this.packets.shift()) {
			const { messageId } = packet;
			if (packet.cmd === "publish") {
				const { qos, payload } = packet as IPublishPacket;
				got.push(String(payload));
				if (qos !== 0) this.send({ cmd: qos === 1 ? "puback" : "pubrec", messageId });
			} else if (packet.cmd === "pubrel") this.send({ cmd: "pubcomp", messageId });
		}
		return got;
	}

	/** Removes the first received packet of a kind and returns it. */
	take(kind: string): Packet | undefined {
		const index = this.packets.findIndex(({ cmd }) => cmd === kind);
		return index < 0 ? undefined : this.packets.splice(index, 1)[0];
	}

	#nextId(): number {
		this.#lastId = (this.#lastId % 0x7fff) + 1;
		return this.#lastId;
	}
}
