import { generate, type IConnackPacket, type Packet, parser } from "mqtt-packet";
import type { NetworkPeer } from "../support/network-peer";
import type { VirtualNetwork } from "../support/virtual-network";

export interface BrokerScript {
	version?: 4 | 5;
	/** Fields merged into CONNACK. */
	connack?: Partial<IConnackPacket>;
	/** Handles a packet; returns false to let the broker answer. */
	answer?: (packet: Packet, connection: ScriptedConnection) => boolean;
	/** Called for each accepted connection. */
	accept?: (connection: ScriptedConnection) => void;
}

/** A connection of a scripted broker. */
export interface ScriptedConnection {
	readonly peer: NetworkPeer;
	/** Sends a packet. */
	send(packet: Packet): void;
	/** Sends any bytes. */
	sendBytes(...bytes: number[]): void;
	end(): void;
}

/**
 * A broker on the virtual network that answers at once. It uses mqtt-packet, which shares no code with the
 * code under test.
 */
export class ScriptedBroker {
	readonly packets: Packet[] = [];
	/** Arrival time of each packet, ms. */
	readonly times: number[] = [];
	readonly connections: ScriptedConnection[] = [];
	/** Number of connections that a client closed or reset. */
	endCount = 0;

	constructor(network: VirtualNetwork, port: number, script: BrokerScript = {}) {
		const options = { protocolVersion: script.version ?? 5 };
		network.serve(port, (peer) => {
			const connection: ScriptedConnection = {
				peer,
				send: (packet) => peer.write(new Uint8Array(generate(packet, options))),
				sendBytes: (...bytes) => peer.write(Uint8Array.from(bytes)),
				end: () => peer.end(),
			};
			this.connections.push(connection);
			const decoder = parser(options);
			decoder.on("packet", (packet: Packet) => {
				this.packets.push(packet);
				this.times.push(network.clock.now);
				if (script.answer?.(packet, connection) !== true) this.#respond(packet, connection, script);
			});
			peer.onData = (bytes) => void decoder.parse(Buffer.from(bytes));
			peer.onEnd = () => {
				this.endCount++;
				peer.end();
			};
			script.accept?.(connection);
		});
	}

	get commands(): string[] {
		return this.packets.map((packet) => packet.cmd);
	}

	#respond(packet: Packet, connection: ScriptedConnection, script: BrokerScript): void {
		switch (packet.cmd) {
			case "connect":
				connection.send({
					cmd: "connack",
					sessionPresent: false,
					reasonCode: 0,
					returnCode: 0,
					...script.connack,
				});
				break;
			case "publish":
				if (packet.qos === 1)
					connection.send({ cmd: "puback", messageId: packet.messageId as number, reasonCode: 0 });
				else if (packet.qos === 2)
					connection.send({ cmd: "pubrec", messageId: packet.messageId as number, reasonCode: 0 });
				break;
			case "pubrel":
				connection.send({ cmd: "pubcomp", messageId: packet.messageId as number, reasonCode: 0 });
				break;
			case "pingreq":
				connection.send({ cmd: "pingresp" });
				break;
			case "disconnect":
				connection.end();
				break;
		}
	}
}
