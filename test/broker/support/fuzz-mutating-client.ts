import type { FrameWriter } from "./fuzz-frame-writer";
import type { Mutator, Random } from "./fuzz-mutator";
import type { Channel, FuzzNetwork } from "./fuzz-network";
import type { Conversation, Recordings } from "./fuzz-recordings";
import { MQTT_PORT, WEB_PORT } from "./fuzz-settings";

/** Replays one recorded conversation after another, with mutations. */
export class MutatingClient {
	readonly #network: FuzzNetwork;
	readonly #random: Random;
	readonly #mutator: Mutator;
	readonly #frames: FrameWriter;
	readonly #recordings: Recordings;
	readonly #packet = new Uint8Array(1024);
	readonly #framed = new Uint8Array(2048);
	/** Connections left open, without FIN or reset. */
	readonly #abandoned: Channel[];
	#channel: Channel | undefined;
	#conversation!: Conversation;
	/** Packets are sent in WebSocket frames. */
	#overWebSocket = false;
	/** The upgrade request has not been sent yet. */
	#upgradePending = false;
	#nextPacket = 0;

	constructor(
		network: FuzzNetwork,
		random: Random,
		mutator: Mutator,
		frames: FrameWriter,
		recordings: Recordings,
		abandoned: Channel[],
	) {
		this.#network = network;
		this.#random = random;
		this.#mutator = mutator;
		this.#frames = frames;
		this.#recordings = recordings;
		this.#abandoned = abandoned;
	}

	/** Sends the next packet. @returns how many mutated packets were sent: 0 or 1 */
	step(): number {
		const channel = this.#channel;
		if (channel === undefined) {
			this.#connect();
			return 0;
		}
		if (channel.closed || this.#nextPacket === this.#conversation.packets.length) {
			this.disconnect();
			return 0;
		}
		if (channel.options === undefined) return 0; // not accepted yet
		const random = this.#random;
		channel.frozen = random.oneIn(3);
		return this.#send(channel);
	}

	/** Ends the connection: with a FIN, with a reset, or by abandoning it. */
	disconnect(): void {
		const channel = this.#channel;
		if (channel === undefined) return;
		this.#channel = undefined;
		const random = this.#random;
		if (channel.closed) channel.disconnect(false);
		else if (random.oneIn(4)) {
			channel.frozen = true;
			this.#abandoned.push(channel);
		} else channel.disconnect(random.oneIn(2) || channel.frozen);
		this.#network.run();
		// a FIN behind half a packet is not noticed, and without keep alive no timeout follows
		if (!channel.closed && !this.#abandoned.includes(channel)) this.#abandoned.push(channel);
	}

	#connect(): void {
		const { conversations, requests } = this.#recordings;
		const conversation = this.#random.pick(this.#random.oneIn(16) ? requests : conversations);
		this.#conversation = conversation;
		this.#overWebSocket = !conversation.http && this.#random.oneIn(2);
		this.#upgradePending = this.#overWebSocket;
		this.#nextPacket = 0;
		this.#channel = this.#network.connect(this.#overWebSocket || conversation.http ? WEB_PORT : MQTT_PORT);
		this.#network.run();
	}

	#send(channel: Channel): number {
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
			this.#sendInPieces(channel, packet, end);
			return sent;
		}
		const framed = this.#framed;
		end = Math.min(this.#frames.writeMessage(framed, packet, end, random.oneIn(3)), framed.length - 16);
		if (random.oneIn(first ? 16 : 8)) {
			end = this.#mutator.damage(framed, end);
			sent = 1;
		}
		this.#sendInPieces(channel, framed, end);
		return sent;
	}

	/** Sends bytes in one chunk or two. */
	#sendInPieces(channel: Channel, bytes: Uint8Array, end: number): void {
		const random = this.#random;
		const cut = random.oneIn(3) ? random.below(end + 1) : 0;
		if (cut > 0) {
			if (!channel.deliver(bytes, 0, cut)) channel.disconnect(true);
			this.#network.run();
		}
		if (!channel.deliver(bytes, cut, end)) channel.disconnect(true);
		this.#network.run();
	}
}
