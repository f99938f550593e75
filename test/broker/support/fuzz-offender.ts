import type { Frames } from "./fuzz-frames";
import type { Mutator, Random } from "./fuzz-mutator";
import type { Channel, Net } from "./fuzz-net";
import type { Conversation, Recordings } from "./fuzz-recordings";
import { MQTT_PORT, WEB_PORT } from "./fuzz-settings";

/** Goes through one conversation after another, not as it was recorded. */
export class Offender {
	readonly #net: Net;
	readonly #random: Random;
	readonly #mutator: Mutator;
	readonly #frames: Frames;
	readonly #recordings: Recordings;
	readonly #packet = new Uint8Array(1024);
	readonly #framed = new Uint8Array(2048);
	/** Connections that were left without a word. */
	readonly #ghosts: Channel[];
	#channel: Channel | undefined;
	#conversation!: Conversation;
	/** Its packets go into frames. */
	#web = false;
	/** A request for a WebSocket is still to be sent. */
	#asking = false;
	#next = 0;

	constructor(net: Net, random: Random, mutator: Mutator, frames: Frames, recordings: Recordings, ghosts: Channel[]) {
		this.#net = net;
		this.#random = random;
		this.#mutator = mutator;
		this.#frames = frames;
		this.#recordings = recordings;
		this.#ghosts = ghosts;
	}

	/** Sends the next packet. @returns how many mutated packets were sent: 0 or 1 */
	step(): number {
		const channel = this.#channel;
		if (channel === undefined) {
			this.#connect();
			return 0;
		}
		if (channel.closed || this.#next === this.#conversation.packets.length) {
			this.leave();
			return 0;
		}
		if (channel.options === undefined) return 0; // waits to be accepted
		const random = this.#random;
		channel.frozen = random.once(3);
		return this.#send(channel);
	}

	/** Goes: with a FIN, with a reset, or without a word. */
	leave(): void {
		const channel = this.#channel;
		if (channel === undefined) return;
		this.#channel = undefined;
		const random = this.#random;
		if (channel.closed) channel.leave(false);
		else if (random.once(4)) {
			channel.frozen = true;
			this.#ghosts.push(channel);
		} else channel.leave(random.once(2) || channel.frozen);
		this.#net.run();
	}

	#connect(): void {
		const { conversations, requests } = this.#recordings;
		const conversation = this.#random.of(this.#random.once(16) ? requests : conversations);
		this.#conversation = conversation;
		this.#web = !conversation.http && this.#random.once(2);
		this.#asking = this.#web;
		this.#next = 0;
		this.#channel = this.#net.connect(this.#web || conversation.http ? WEB_PORT : MQTT_PORT);
		this.#net.run();
	}

	#send(channel: Channel): number {
		const random = this.#random;
		const packet = this.#packet;
		const asking = this.#asking;
		this.#asking = false;
		const first = this.#next === 0;
		const source = asking ? random.of(this.#recordings.upgrades) : this.#conversation.packets[this.#next++]!;
		// some are left out
		if (!first && random.once(10)) return 0;
		packet.set(source, 0);
		let end = source.length;
		let sent = 0;
		// what comes first is damaged less often, as little follows then
		if (first ? random.once(3) : !random.once(4)) {
			end = this.#mutator.damage(packet, end);
			if (!asking && !this.#conversation.http && random.once(2)) this.#mutator.repair(packet, end);
			sent = 1;
		}
		if (asking || !this.#web) {
			this.#give(channel, packet, end);
			return sent;
		}
		const framed = this.#framed;
		end = Math.min(this.#frames.message(framed, packet, end, random.once(3)), framed.length - 16);
		if (random.once(first ? 16 : 8)) {
			end = this.#mutator.damage(framed, end);
			sent = 1;
		}
		this.#give(channel, framed, end);
		return sent;
	}

	/** Sends bytes in one piece or two. */
	#give(channel: Channel, bytes: Uint8Array, end: number): void {
		const random = this.#random;
		const cut = random.once(3) ? random.below(end + 1) : 0;
		if (cut > 0) {
			if (!channel.give(bytes, 0, cut)) channel.leave(true);
			this.#net.run();
		}
		if (!channel.give(bytes, cut, end)) channel.leave(true);
		this.#net.run();
	}
}
