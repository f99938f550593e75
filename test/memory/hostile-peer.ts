import { generate, type Packet, parser } from "mqtt-packet";
import type { VirtualHost } from "../../sim/network/virtual";
import { NetworkPeer } from "../support/network-peer";

type Fields = Record<string, unknown> & { cmd: string };

/**
 * A peer of the broker that may be hostile; mqtt-packet, independent of the broker, writes and reads packets.
 */
export class HostilePeer {
	/** Received packets, of a peer over TCP. */
	readonly packets: Packet[] = [];
	readonly #socket: NetworkPeer;
	readonly #web: boolean;
	readonly #parser = parser({ protocolVersion: 5 });
	#webSocketOpen = false;

	/** Whether the connection is over. */
	get closed(): boolean {
		return this.#socket.ended;
	}

	/** @param reads whether it reads what the broker sends @param web whether it speaks WebSocket */
	constructor(host: VirtualHost, address: string, port: number, web = false, reads = true) {
		this.#web = web;
		this.#socket = new NetworkPeer(host.connect(address, port));
		this.#socket.frozen = !reads;
		this.#socket.onData = (bytes) => this.#onBytes(bytes);
		this.#parser.on("packet", (packet) => this.#onPacket(packet));
		this.#parser.on("error", () => {});
		if (web)
			this.sendRaw(
				Buffer.from(
					`GET /mqtt HTTP/1.1\r\nHost: ${address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
						"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n" +
						"Sec-WebSocket-Version: 13\r\n\r\n",
				),
			);
	}

	/** @param fragments number of WebSocket frames that the packet is divided into */
	send(fields: Fields, fragments = 1): void {
		const bytes = new Uint8Array(generate(fields as unknown as Packet, { protocolVersion: 5 }));
		if (this.#web) this.#sendFrames(bytes, fragments);
		else this.sendRaw(bytes);
	}

	/** Sends the beginning of a packet, whose rest never follows. */
	sendPart(fields: Fields, share: number): void {
		const bytes = new Uint8Array(generate(fields as unknown as Packet, { protocolVersion: 5 }));
		const part = bytes.subarray(0, Math.ceil(bytes.length * share));
		if (this.#web) this.#sendFrames(part, 2);
		else this.sendRaw(part);
	}

	connect(clientId: string, fields: Record<string, unknown> = {}): void {
		this.send({
			cmd: "connect",
			protocolId: "MQTT",
			protocolVersion: 5,
			clean: true,
			clientId,
			keepalive: 60,
			...fields,
		});
	}

	sendRaw(bytes: Uint8Array): void {
		this.#socket.write(bytes);
	}

	close(): void {
		this.#socket.close();
	}

	#sendFrames(bytes: Uint8Array, fragments: number): void {
		const step = Math.max(1, Math.ceil(bytes.length / fragments));
		for (let start = 0; start < bytes.length; start += step) {
			const part = bytes.subarray(start, start + step);
			const head =
				part.length < 126
					? [0x82, 0x80 | part.length, 0, 0, 0, 0]
					: [0x82, 0xfe, part.length >> 8, part.length & 0xff, 0, 0, 0, 0];
			this.sendRaw(Uint8Array.from([...head, ...part]));
		}
	}

	#onBytes(bytes: Uint8Array): void {
		if (!this.#web) {
			this.#parser.parse(Buffer.from(bytes));
			return;
		}
		// A server's frames are not masked; each arrives whole here, as the broker writes it at once.
		let at = 0;
		if (!this.#webSocketOpen) {
			const end = Buffer.from(bytes).indexOf("\r\n\r\n");
			this.#webSocketOpen = end >= 0;
			at = end < 0 ? bytes.length : end + 4;
		}
		while (at + 2 <= bytes.length) {
			const short = bytes[at + 1]! & 0x7f;
			const length = short < 126 ? short : (bytes[at + 2]! << 8) | bytes[at + 3]!;
			at += short < 126 ? 2 : 4;
			this.#parser.parse(Buffer.from(bytes.subarray(at, at + length)));
			at += length;
		}
	}

	#onPacket(packet: Packet): void {
		this.packets.push(packet);
		const { cmd, messageId } = packet;
		if (cmd === "publish" && packet.qos === 1) this.send({ cmd: "puback", messageId });
		else if (cmd === "publish" && packet.qos === 2) this.send({ cmd: "pubrec", messageId });
		else if (cmd === "pubrec") this.send({ cmd: "pubrel", messageId });
		else if (cmd === "pubrel") this.send({ cmd: "pubcomp", messageId });
	}
}
