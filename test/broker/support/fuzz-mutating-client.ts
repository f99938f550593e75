import type { NetworkPeer } from "../../support/network-peer";
import type { FrameWriter } from "./fuzz-frame-writer";
import type { FuzzHost } from "./fuzz-host";
import type { Mutator, Random } from "./fuzz-mutator";
import type { Conversation, Recordings } from "./fuzz-recordings";
import { MQTT_PORT, WEB_PORT } from "./fuzz-settings";

/** Replays one recorded conversation after another, with mutations. */
export class MutatingClient {
	readonly #host: FuzzHost;
	readonly #random: Random;
	readonly #mutator: Mutator;
	readonly #frames: FrameWriter;
	readonly #recordings: Recordings;
	readonly #packet = new Uint8Array(1024);
	readonly #framed = new Uint8Array(2048);
	/** Connections left open, without FIN or reset. */
	readonly #abandoned: NetworkPeer[];
	#socket: NetworkPeer | undefined;
	#conversation!: Conversation;
	/** Packets are sent in WebSocket frames. */
	#overWebSocket = false;
	/** The upgrade request has not been sent yet. */
	#upgradePending = false;
	#nextPacket = 0;

	constructor(
		host: FuzzHost,
		random: Random,
		mutator: Mutator,
		frames: FrameWriter,
		recordings: Recordings,
		abandoned: NetworkPeer[],
	) {
		this.#host = host;
		this.#random = random;
		this.#mutator = mutator;
		this.#frames = frames;
		this.#recordings = recordings;
		this.#abandoned = abandoned;
	}

	/** Sends the next packet. @returns how many mutated packets were sent: 0 or 1 */
	step(): number {
		const socket = this.#socket;
		if (socket === undefined) {
			this.#connect();
			return 0;
		}
		if (socket.ended || this.#nextPacket === this.#conversation.packets.length) {
			this.disconnect();
			return 0;
		}
		if (this.#random.oneIn(3)) socket.frozen = true;
		else socket.thaw();
		return this.#send(socket);
	}

	/** Ends the connection: with a FIN, with a reset, or by abandoning it. */
	disconnect(): void {
		const socket = this.#socket;
		if (socket === undefined) return;
		this.#socket = undefined;
		const random = this.#random;
		if (socket.ended) return;
		if (random.oneIn(4)) {
			socket.frozen = true;
			this.#abandoned.push(socket);
			return;
		}
		if (random.oneIn(2)) socket.reset();
		else socket.close();
		this.#host.run();
		// a FIN behind half a packet is not noticed, and without keep alive no timeout follows
		if (!socket.socket.terminated) this.#abandoned.push(socket);
	}

	#connect(): void {
		const { conversations, requests } = this.#recordings;
		const conversation = this.#random.pick(this.#random.oneIn(16) ? requests : conversations);
		this.#conversation = conversation;
		this.#overWebSocket = !conversation.http && this.#random.oneIn(2);
		this.#upgradePending = this.#overWebSocket;
		this.#nextPacket = 0;
		this.#socket = this.#host.connect(this.#overWebSocket || conversation.http ? WEB_PORT : MQTT_PORT);
		this.#host.run();
	}

	#send(socket: NetworkPeer): number {
		const random = this.#random;
		const packet = this.#packet;
		const upgrading = this.#upgradePending;
		this.#upgradePending = false;
		const first = this.#nextPacket === 0;
		const source = upgrading
			? random.pick(this.#recordings.upgrades)
			: this.#conversation.packets[this.#nextPacket++]!;
		// some packets are omitted
		if (!first && random.oneIn(10)) return 0;
		packet.set(source, 0);
		let end = source.length;
		let sent = 0;
		// the first packet is damaged less often, as the broker then reads little of the rest
		if (first ? random.oneIn(3) : !random.oneIn(4)) {
			end = this.#mutator.damage(packet, end);
			if (!upgrading && !this.#conversation.http && random.oneIn(2))
				this.#mutator.fixRemainingLength(packet, end);
			sent = 1;
		}
		if (upgrading || !this.#overWebSocket) {
			this.#sendInPieces(socket, packet, end);
			return sent;
		}
		const framed = this.#framed;
		end = Math.min(this.#frames.writeMessage(framed, packet, end, random.oneIn(3)), framed.length - 16);
		if (random.oneIn(first ? 16 : 8)) {
			end = this.#mutator.damage(framed, end);
			sent = 1;
		}
		this.#sendInPieces(socket, framed, end);
		return sent;
	}

	/** Sends bytes in one chunk or two; resets the connection if there is no room for them. */
	#sendInPieces(socket: NetworkPeer, bytes: Uint8Array, end: number): void {
		const random = this.#random;
		const cut = random.oneIn(3) ? random.below(end + 1) : 0;
		for (const piece of [bytes.slice(0, cut), bytes.slice(cut, end)]) {
			if (piece.length === 0) continue;
			socket.write(piece);
			this.#host.run();
			if (socket.hasUnsent) socket.reset();
		}
		this.#host.run();
	}
}
