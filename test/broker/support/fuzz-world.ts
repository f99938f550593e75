import assert from "node:assert/strict";
import { Frames } from "./fuzz-frames";
import { Mutator, Random } from "./fuzz-mutator";
import type { Channel, Net } from "./fuzz-net";
import { Offender } from "./fuzz-offender";
import { type Recordings, recordings } from "./fuzz-recordings";
import { MQTT_PORT, settings, WEB_PORT } from "./fuzz-settings";
import type { Subject } from "./fuzz-subject";
import { Witness } from "./fuzz-witness";

/** Mutated packets between two rounds of the witnesses. */
const PAUSE = 25;
const OFFENDERS = 4;

/** A broker, clients that send it mutated packets, and others that must not notice. */
export class FuzzWorld {
	readonly #subject: Subject;
	readonly #net: Net;
	readonly #random: Random;
	readonly #publishers: Witness[];
	readonly #subscribers: Witness[];
	readonly #visitors: Witness[];
	readonly #offenders: Offender[] = [];
	readonly #ghosts: Channel[] = [];
	#count = 0;
	/** The pools when there were no offenders. */
	#usage: unknown;

	constructor(net: Net, subject: Subject, seed: number) {
		const random = new Random(seed);
		const frames = new Frames(random);
		this.#net = net;
		this.#subject = subject;
		this.#random = random;
		this.#publishers = [new Witness(net, frames, 4, false, "witness-1"), new Witness(net, frames, 5, true, "witness-2")];
		this.#subscribers = [new Witness(net, frames, 4, true, "witness-3"), new Witness(net, frames, 5, false, "witness-4")];
		this.#visitors = [new Witness(net, frames, 5, true, "visitor-1"), new Witness(net, frames, 4, false, "visitor-2")];
		for (const witness of [...this.#publishers, ...this.#subscribers]) witness.connect();
		for (const witness of this.#subscribers) witness.subscribe();
		const recorded = recordings();
		this.#crowd(recorded);
		const mutator = new Mutator(random);
		for (let i = 0; i < OFFENDERS; i++) this.#offenders.push(new Offender(net, random, mutator, frames, recorded, this.#ghosts));
		this.settle();
		this.#usage = subject.usage();
	}

	/** Sends so many mutated packets. */
	run(packets: number): void {
		const net = this.#net;
		const random = this.#random;
		for (let sent = 0, pause = 0; sent < packets; ) {
			const one = this.#offenders[random.below(OFFENDERS)]!.step();
			sent += one;
			pause += one;
			if (random.once(8)) net.advance(random.below(4000));
			if (this.#ghosts.length > 2) {
				this.#ghosts.shift()!.leave(true);
				net.run();
			}
			if (pause < PAUSE) continue;
			pause = 0;
			this.#round();
		}
	}

	/** Lets all offenders go, and fails unless the pools are as full as they were at first. */
	settle(): void {
		const net = this.#net;
		for (const offender of this.#offenders) offender.leave();
		// one and a half times the longest keepalive, by when those that left without a word have been found out; with the witnesses heard of in between
		for (let i = 0; i < 2; i++) {
			net.advance(50_000_000);
			for (const witness of this.#publishers) witness.ping();
			for (const witness of this.#subscribers) witness.ping();
		}
		while (this.#ghosts.length > 0) {
			const ghost = this.#ghosts.pop()!;
			if (!ghost.closed) throw new Error("a client that was silent for too long is still there");
			ghost.leave(false);
		}
		for (const visitor of this.#visitors) {
			visitor.connect();
			visitor.disconnect();
		}
		this.#clear();
		this.#round();
		this.#clear();
		assert.equal(this.#subject.internal(), 0, "internal errors");
		if (this.#usage !== undefined) assert.deepEqual(this.#subject.usage(), this.#usage);
	}

	/** Takes all places there are, logs in and looks at the page, so that what is made on demand has been made. */
	#crowd({ longest, requests }: Recordings): void {
		const net = this.#net;
		const channels: Channel[] = [];
		const open = (port: number, bytes: Uint8Array) => {
			const channel = net.connect(port);
			channels.push(channel);
			channel.give(bytes, 0, bytes.length);
		};
		for (let i = 0; i < settings.webSockets; i++) open(WEB_PORT, requests.at(-1 - (i & 1))!.packets[0]!);
		for (let i = 0; i < settings.connections + settings.handshakes; i++) open(MQTT_PORT, longest);
		net.run();
		net.advance(1000);
		for (const channel of channels) channel.leave(true);
		net.run();
	}

	/** Everyone publishes once, and everyone who subscribed gets it. */
	#round(): void {
		for (const publisher of this.#publishers) {
			const count = ++this.#count;
			const qos = count % 3;
			publisher.publish(qos, count);
			for (const subscriber of this.#subscribers) subscriber.receive(qos, count);
			publisher.acknowledged(qos, count);
			publisher.ping();
		}
	}

	/** Empties all topics. */
	#clear(): void {
		for (const topic of this.#subject.topics()) this.#publishers[0]!.clear(topic);
		for (const subscriber of this.#subscribers) subscriber.ignore();
	}
}
