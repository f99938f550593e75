/** An other broker whose every packet a test decides on, on the virtual network. */
import { generate, type Packet, parser } from "mqtt-packet";
import type { VirtualHost } from "../../sim/network/virtual";
import { NetworkPeer } from "../support/network-peer";
import type { VirtualWorld } from "./virtual-world";

const PORT = 1883;

export class ScriptedHub {
	readonly address: string;
	/** Packets of all connections. */
	readonly packets: Packet[] = [];
	/** Fields of CONNACK. */
	connack: Record<string, unknown> = {};
	/** Whether CONNECT has an answer; without one the test gives it. */
	answersConnect = true;
	/** Answers a packet; CONNECT and SUBSCRIBE have answers already. */
	onPacket: (packet: Packet) => void = () => {};
	/** Reason code of SUBACK. */
	granted = 1;
	/** That of the last connection. */
	peer!: NetworkPeer;
	readonly #host: VirtualHost;
	readonly #version: 4 | 5;

	constructor(world: VirtualWorld, version: 4 | 5 = 5) {
		const { address, host } = world.addHost();
		this.address = address;
		this.#host = host;
		this.#version = version;
		const listener = host.listen(PORT, () => {
			for (let socket = listener.accept(); socket !== undefined; socket = listener.accept())
				this.#serve(new NetworkPeer(socket));
		});
	}

	set isReachable(reachable: boolean) {
		this.#host.up = reachable;
	}

	send(fields: Record<string, unknown>): void {
		this.peer.write(
			new Uint8Array(generate(fields as unknown as Packet, { protocolVersion: this.#version })),
		);
	}

	/** Types of the packets since the last call. */
	takeTypes(): string[] {
		return this.packets.splice(0).map(({ cmd }) => cmd);
	}

	#serve(peer: NetworkPeer): void {
		this.peer = peer;
		const packets = parser({ protocolVersion: this.#version });
		packets.on("packet", (packet) => {
			this.packets.push(packet);
			if (packet.cmd === "connect") {
				if (this.answersConnect)
					this.send({
						cmd: "connack",
						sessionPresent: false,
						[this.#version === 4 ? "returnCode" : "reasonCode"]: 0,
						...this.connack,
					});
			}
			if (packet.cmd === "subscribe")
				this.send({ cmd: "suback", messageId: packet.messageId, granted: [this.granted] });
			this.onPacket(packet);
		});
		peer.onData = (bytes) => packets.parse(Buffer.from(bytes));
	}
}
