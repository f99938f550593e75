import { generate, type IPublishPacket, type Packet, parser } from "mqtt-packet";
import type { NetworkPeer } from "../../support/network-peer";
import type { VirtualNetwork } from "../../support/virtual-network";

export interface SessionBrokerOptions {
	readonly version?: 4 | 5;
	/** Whether CONNACK says how many messages are queued, as Firefly's broker does. */
	readonly announces?: boolean;
	readonly port?: number;
}

/** The present connection, up to a cut. */
type Writer = Pick<NetworkPeer, "write">;

/** A message for the node. */
interface Queued {
	readonly packet: IPublishPacket;
	phase: "queued" | "sent" | "received";
}

export interface Answer {
	readonly at: number;
	readonly topic: string;
	readonly payload: { readonly [key: string]: unknown };
	readonly correlation: string | undefined;
	readonly dup: boolean;
}

export interface MessageOptions {
	readonly qos?: 0 | 1 | 2;
	readonly topic?: string;
	readonly responseTopic?: string;
	readonly correlation?: string;
}

/** Bytes in one direction of the next connection, after which it is cut. */
export interface Cut {
	readonly direction: "to the broker" | "to the node";
	readonly bytes: number;
}

/**
 * A broker on the virtual network with one persistent session, which queues messages and repeats them until
 * they are acknowledged. It uses mqtt-packet, which shares no code with the code under test.
 */
export class SessionBroker {
	readonly answers: Answer[] = [];
	readonly reports: { readonly at: number; readonly topic: string; readonly payload: string }[] = [];
	readonly packets: Packet[] = [];
	/** Arrival time of the last packet, and of the end of the last connection, ms. */
	lastAt = 0;
	endedAt = 0;
	openedAt = 0;
	connections = 0;
	/** Topic filters of all SUBSCRIBEs. */
	readonly subscriptions: string[] = [];
	/** Delivered with RETAIN to each new subscription. */
	retained: string | undefined;
	/** A reason code for SUBSCRIBE instead of success. */
	subscribeResult: number | undefined;
	/** Topics whose messages are not acknowledged. */
	silentTopic: string | undefined;
	/** Applies to the next connection; undefined once it was made. */
	cut: Cut | undefined;
	/** PUBREC is not answered. */
	holdsPubrel = false;
	/** Packet identifier of the next message. */
	nextId = 1;
	/** What is queued is announced, and not sent. */
	withholds = false;
	/** Connections that were cut. */
	cutCount = 0;
	hasSession = false;
	/** The reason code of CONNACK. */
	refusal = 0;
	readonly #network: VirtualNetwork;
	readonly #options: SessionBrokerOptions;
	readonly #queue: Queued[] = [];
	#peer: Writer | undefined;

	constructor(network: VirtualNetwork, options: SessionBrokerOptions = {}) {
		this.#network = network;
		this.#options = options;
		network.serve(options.port ?? 1883, (peer) => this.#accept(peer));
	}

	/** Messages that the node has not acknowledged. */
	get waiting(): number {
		return this.#queue.length;
	}

	/** Publishes to the node: at once if it is connected, else when it comes. */
	send(payload: string | Buffer | object, options: MessageOptions = {}): void {
		const { qos = 1, topic = "firefly/node/command", responseTopic, correlation } = options;
		const packet: IPublishPacket = {
			cmd: "publish",
			topic,
			payload: typeof payload === "string" || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload),
			qos,
			dup: false,
			retain: false,
			...(qos > 0 ? { messageId: this.nextId++ } : {}),
			...(this.#version === 5 && (responseTopic !== undefined || correlation !== undefined)
				? {
						properties: {
							...(responseTopic === undefined ? {} : { responseTopic }),
							...(correlation === undefined ? {} : { correlationData: Buffer.from(correlation) }),
						},
					}
				: {}),
		};
		const queued: Queued = { packet, phase: "queued" };
		this.#queue.push(queued);
		if (this.#peer !== undefined && !this.withholds) this.#deliver(queued);
	}

	loseSession(): void {
		this.hasSession = false;
		this.#queue.length = 0;
	}

	get #version(): 4 | 5 {
		return this.#options.version ?? 5;
	}

	#accept(peer: NetworkPeer): void {
		this.connections++;
		this.openedAt = this.#network.clock.now;
		const { cut } = this;
		this.cut = undefined;
		const room = { in: Infinity, out: Infinity };
		if (cut !== undefined) room[cut.direction === "to the broker" ? "in" : "out"] = cut.bytes;
		const decoder = parser({ protocolVersion: this.#version });
		const limited: Writer = {
			write: (bytes) => {
				if (room.out <= 0) return;
				const part = bytes.subarray(0, room.out);
				room.out -= part.length;
				peer.write(part);
				if (room.out <= 0) this.#cutOff(peer);
			},
		};
		this.#peer = limited;
		decoder.on("packet", (packet: Packet) => {
			if (this.#peer !== limited) return;
			this.packets.push(packet);
			this.lastAt = this.#network.clock.now;
			this.#answer(packet, peer);
		});
		peer.onData = (bytes) => {
			if (room.in <= 0) return;
			const part = bytes.subarray(0, room.in);
			room.in -= part.length;
			decoder.parse(Buffer.from(part));
			if (room.in <= 0) this.#cutOff(peer);
		};
		peer.onEnd = () => this.#end(peer);
	}

	#cutOff(peer: NetworkPeer): void {
		this.cutCount++;
		this.#end(peer);
	}

	#end(peer: NetworkPeer): void {
		this.endedAt = this.#network.clock.now;
		this.#peer = undefined;
		peer.end();
	}

	#write(packet: Packet, peer = this.#peer): void {
		peer?.write(new Uint8Array(generate(packet, { protocolVersion: this.#version })));
	}

	#deliver(queued: Queued): void {
		const { packet, phase } = queued;
		if (phase === "received") {
			this.#write({ cmd: "pubrel", messageId: packet.messageId as number, reasonCode: 0 });
			return;
		}
		queued.phase = "sent";
		if (packet.qos === 0) this.#queue.splice(this.#queue.indexOf(queued), 1);
		this.#write({ ...packet, dup: phase === "sent" });
	}

	#answer(packet: Packet, peer: NetworkPeer): void {
		switch (packet.cmd) {
			case "connect": {
				const sessionPresent = this.hasSession && !packet.clean;
				this.hasSession = true;
				const queued = String(this.#queue.length);
				this.#write({
					cmd: "connack",
					sessionPresent: sessionPresent && this.refusal === 0,
					reasonCode: this.refusal,
					returnCode: this.refusal,
					...(this.#options.announces && sessionPresent && this.#version === 5
						? { properties: { userProperties: { "firefly-queued": queued } } }
						: {}),
				});
				if (this.refusal > 0) this.#end(peer);
				else if (!this.withholds) for (const message of [...this.#queue]) this.#deliver(message);
				break;
			}
			case "subscribe":
				this.subscriptions.push(...packet.subscriptions.map(({ topic }) => topic));
				this.#write({
					cmd: "suback",
					messageId: packet.messageId as number,
					granted: packet.subscriptions.map(({ qos }) => this.subscribeResult ?? qos),
				});
				if (this.retained !== undefined)
					this.#write({
						cmd: "publish",
						topic: packet.subscriptions[0].topic,
						payload: this.retained,
						qos: 0,
						dup: false,
						retain: true,
					});
				break;
			case "publish":
				this.#take(packet);
				if (packet.qos === 1 && packet.topic !== this.silentTopic)
					this.#write({ cmd: "puback", messageId: packet.messageId as number, reasonCode: 0 });
				break;
			case "puback":
			case "pubcomp":
				this.#remove(packet.messageId as number);
				break;
			case "pubrec": {
				const message = this.#queue.find(({ packet: { messageId } }) => messageId === packet.messageId);
				if (message !== undefined) message.phase = "received";
				if (!this.holdsPubrel)
					this.#write({ cmd: "pubrel", messageId: packet.messageId as number, reasonCode: 0 });
				break;
			}
			case "pingreq":
				this.#write({ cmd: "pingresp" });
				break;
			case "disconnect":
				this.#end(peer);
				break;
		}
	}

	#remove(messageId: number): void {
		const index = this.#queue.findIndex(({ packet }) => packet.messageId === messageId);
		if (index >= 0) this.#queue.splice(index, 1);
	}

	#take({ topic, payload, properties, dup }: IPublishPacket): void {
		const at = this.#network.clock.now;
		const text = payload.toString();
		if (!text.startsWith("{")) this.reports.push({ at, topic, payload: text });
		else
			this.answers.push({
				at,
				topic,
				payload: JSON.parse(text),
				correlation: properties?.correlationData?.toString(),
				dup,
			});
	}
}
