import { generate, type IConnectPacket, type IPublishPacket, type Packet, parser } from "mqtt-packet";
import type { HostSocket } from "../../../sim/network/socket";
import type { VirtualHost } from "../../../sim/network/virtual";

export type Version = 4 | 5;

/** What CONNECT has beside the client identifier; MQTT 3.1.1 leaves properties out. */
export type ConnectFields = Partial<
	Pick<IConnectPacket, "clean" | "keepalive" | "will" | "properties" | "username" | "password">
>;

/** A message as it came, and when. */
export interface Delivery {
	readonly topic: string;
	readonly payload: string;
	readonly qos: number;
	readonly retain: boolean;
	readonly dup: boolean;
	/** Message Expiry Interval, s; absent: none. */
	readonly expiry?: number;
}

/** Messages of QoS 2 that have arrived and are not released yet, by packet identifier: of a session. */
export type UnreleasedIds = Set<number>;

const PORT = 1883;
const RECEIPT = { 1: "puback", 2: "pubrec" } as const;

/**
 * One connection of a client that does as MQTT says: it acknowledges what comes, releases what it sends, and
 * notes both. It uses mqtt-packet, which shares no code with the code under test.
 */
export class ScriptedClient {
	readonly deliveries: Delivery[] = [];
	/** Reason codes of packets that were acknowledged to the end, by packet identifier; SUBACK has several. */
	readonly acknowledged = new Map<number, readonly number[]>();
	/** CONNACK has accepted it; undefined: it has not come yet. */
	sessionPresent: boolean | undefined;
	/** Return code of CONNACK; undefined: none has come. */
	connackCode: number | undefined;
	/** Reason code of the broker's DISCONNECT; undefined: none has come. */
	disconnectCode: number | undefined;
	/** The connection has ended, by whomever. */
	hasEnded = false;
	/** Whatever comes is ignored, as if it were lost on its way. */
	isDeaf = false;
	/** Called after anything of the above has changed. */
	onChange: () => void = () => {};
	readonly version: Version;
	readonly #socket: HostSocket;
	readonly #unreleased: UnreleasedIds;
	#room = 0;
	#unsent: Buffer[] = [];

	/** @param unreleased of its session, where that has begun before */
	constructor(
		host: VirtualHost,
		address: string,
		version: Version,
		clientId: string,
		{ properties, ...fields }: ConnectFields,
		unreleased: UnreleasedIds = new Set(),
	) {
		this.version = version;
		this.#unreleased = unreleased;
		this.#socket = host.connect(address, PORT);
		const decoder = parser({ protocolVersion: version });
		decoder.on("packet", (packet: Packet) => this.#receive(packet));
		this.#socket.handler = {
			writable: (room) => {
				this.#room = room;
				this.#flush();
			},
			readable: (bytes) => {
				const buffer = Buffer.alloc(bytes);
				const count = this.#socket.read(buffer) ?? 0;
				if (this.isDeaf) return;
				decoder.parse(buffer.subarray(0, count));
				this.onChange();
			},
			failed: () => {
				this.hasEnded = true;
				this.onChange();
			},
		};
		this.send({
			cmd: "connect",
			protocolId: "MQTT",
			protocolVersion: version,
			clientId,
			clean: true,
			keepalive: 60,
			...fields,
			...(version === 5 && properties !== undefined ? { properties } : {}),
		});
	}

	get isAccepted(): boolean {
		return this.connackCode === 0 && !this.hasEnded;
	}

	send(packet: Packet): void {
		this.sendBytes(this.encode(packet));
	}

	encode(packet: Packet): Buffer {
		return generate(packet, { protocolVersion: this.version });
	}

	/** Sends bytes as soon as there is room. */
	sendBytes(bytes: Buffer): void {
		if (this.hasEnded) return;
		this.#unsent.push(bytes);
		this.#flush();
	}

	publish(
		topic: string,
		payload: string,
		qos: 0 | 1 | 2,
		messageId: number,
		retain = false,
		expiry?: number,
	): void {
		this.send({
			cmd: "publish",
			topic,
			payload,
			qos,
			retain,
			dup: false,
			...(qos === 0 ? {} : { messageId }),
			...(expiry === undefined || this.version === 4
				? {}
				: { properties: { messageExpiryInterval: expiry } }),
		});
	}

	/** Closes the socket; no DISCONNECT, which {@link send} has sent before, or not. */
	close(): void {
		if (this.hasEnded) return;
		this.hasEnded = true;
		this.#socket.close();
	}

	#flush(): void {
		if (this.#room === 0) return;
		for (let bytes = this.#unsent[0]; bytes !== undefined; bytes = this.#unsent[0]) {
			if (bytes.length > this.#room) return;
			this.#unsent.shift();
			try {
				this.#room = this.#socket.write(bytes) ?? 0;
			} catch {
				// It has ended, and `failed` follows what is unread
				this.#unsent = [];
				return;
			}
		}
	}

	#receive(packet: Packet): void {
		switch (packet.cmd) {
			case "connack":
				this.connackCode = packet.reasonCode ?? packet.returnCode;
				this.sessionPresent = packet.sessionPresent;
				break;
			case "publish":
				this.#take(packet);
				break;
			case "pubrel":
				this.#unreleased.delete(packet.messageId!);
				this.send({ cmd: "pubcomp", messageId: packet.messageId! });
				break;
			case "pubrec":
				if ((packet.reasonCode ?? 0) >= 0x80) this.#acknowledge(packet.messageId!, [packet.reasonCode!]);
				else this.send({ cmd: "pubrel", messageId: packet.messageId! });
				break;
			case "puback":
			case "pubcomp":
				this.#acknowledge(packet.messageId!, [packet.reasonCode ?? 0]);
				break;
			case "suback":
			case "unsuback":
				this.#acknowledge(packet.messageId!, (packet.granted ?? []) as readonly number[]);
				break;
			case "disconnect":
				this.disconnectCode = packet.reasonCode ?? 0;
				break;
		}
	}

	#acknowledge(messageId: number, codes: readonly number[]): void {
		this.acknowledged.set(messageId, codes);
	}

	#take({ topic, payload, qos, retain, dup, messageId, properties }: IPublishPacket): void {
		const expiry = properties?.messageExpiryInterval;
		if (qos > 0) this.send({ cmd: RECEIPT[qos as 1 | 2], messageId: messageId! });
		if (qos === 2 && this.#unreleased.has(messageId!)) return;
		if (qos === 2) this.#unreleased.add(messageId!);
		this.deliveries.push({
			topic,
			payload: payload.toString(),
			qos,
			retain,
			dup,
			...(expiry === undefined ? {} : { expiry }),
		});
	}
}
