import { generate, type Packet, parser } from "mqtt-packet";
import type { HostSocket } from "../../sim/network/socket";
import type { Simulation } from "../../sim/simulation";

/** A client on the simulation's network that publishes commands, and collects the answers. */
export class VirtualCommander {
	readonly answers: { topic: string; payload: unknown; correlation: string | undefined }[] = [];
	readonly #version: 4 | 5;
	readonly #socket: HostSocket;
	#nextId = 2;

	/** Connects to the broker beside the node. @param topics of answers */
	constructor(simulation: Simulation, version: 4 | 5, topics: readonly string[]) {
		this.#version = version;
		const decoder = parser({ protocolVersion: version });
		const socket = simulation.network.host("192.168.1.77").connect(simulation.brokerHosts[0].address, 1883);
		this.#socket = socket;
		let isConnected = false;
		socket.handler = {
			writable: () => {
				if (isConnected) return;
				isConnected = true;
				this.#send({
					cmd: "connect",
					clientId: "commander",
					protocolId: "MQTT",
					protocolVersion: version,
					clean: true,
					keepalive: 0,
				});
			},
			readable: (count) => {
				const bytes = new Uint8Array(count);
				socket.read(bytes);
				decoder.parse(Buffer.from(bytes));
			},
			failed: () => {},
		};
		decoder.on("packet", (packet: Packet) => {
			if (packet.cmd === "connack")
				this.#send({
					cmd: "subscribe",
					messageId: 1,
					subscriptions: topics.map((topic) => ({ topic, qos: 1 })),
				});
			if (packet.cmd !== "publish") return;
			const correlation = packet.properties?.correlationData?.toString();
			this.answers.push({ topic: packet.topic, payload: JSON.parse(packet.payload.toString()), correlation });
			if (packet.qos === 1) this.#send({ cmd: "puback", messageId: packet.messageId as number });
		});
	}

	/** Publishes with QoS 1 or 2. The broker's PUBREC is answered at once. */
	publish(
		topic: string,
		payload: string,
		qos: 1 | 2,
		response?: { topic: string; correlation: string },
	): void {
		const messageId = this.#nextId++;
		this.#send({
			cmd: "publish",
			topic,
			payload,
			qos,
			messageId,
			dup: false,
			retain: false,
			...(response && this.#version === 5
				? {
						properties: { responseTopic: response.topic, correlationData: Buffer.from(response.correlation) },
					}
				: {}),
		});
		if (qos === 2) this.#send({ cmd: "pubrel", messageId });
	}

	#send(packet: Packet): void {
		this.#socket.write(new Uint8Array(generate(packet, { protocolVersion: this.#version })));
	}
}
