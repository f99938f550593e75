import assert from "node:assert/strict";
import type { NetworkPeer } from "../../support/network-peer";
import { FrameWriter } from "./fuzz-frame-writer";
import type { FuzzHost } from "./fuzz-host";
import { MutatingClient } from "./fuzz-mutating-client";
import { Mutator, Random } from "./fuzz-mutator";
import { type Recordings, recordings } from "./fuzz-recordings";
import { ReferenceClient } from "./fuzz-reference-client";
import { MQTT_PORT, settings, WEB_PORT } from "./fuzz-settings";
import type { Subject } from "./fuzz-subject";

/** Mutated packets between two exchanges of the reference clients. */
const CHECK_INTERVAL_PACKETS = 25;
const MUTATING_CLIENTS = 4;

/** A broker, clients that send mutated packets, and reference clients that must not be affected. */
export class FuzzHarness {
	readonly #subject: Subject;
	readonly #host: FuzzHost;
	readonly #random: Random;
	readonly #publishers: ReferenceClient[];
	readonly #subscribers: ReferenceClient[];
	readonly #shortLivedClients: ReferenceClient[];
	readonly #mutatingClients: MutatingClient[] = [];
	readonly #abandoned: NetworkPeer[] = [];
	#messageCount = 0;
	/** Pool usage before the first mutated packet. */
	#initialUsage: unknown;

	constructor(host: FuzzHost, subject: Subject, seed: number) {
		const random = new Random(seed);
		const frames = new FrameWriter(random);
		this.#host = host;
		this.#subject = subject;
		this.#random = random;
		this.#publishers = [
			new ReferenceClient(host, frames, 4, false, "witness-1"),
			new ReferenceClient(host, frames, 5, true, "witness-2"),
		];
		this.#subscribers = [
			new ReferenceClient(host, frames, 4, true, "witness-3"),
			new ReferenceClient(host, frames, 5, false, "witness-4"),
		];
		this.#shortLivedClients = [
			new ReferenceClient(host, frames, 5, true, "visitor-1"),
			new ReferenceClient(host, frames, 4, false, "visitor-2"),
		];
		for (const client of [...this.#publishers, ...this.#subscribers]) client.connect();
		for (const client of this.#subscribers) client.subscribe();
		const recordedTraffic = recordings();
		this.#fillPools(recordedTraffic);
		const mutator = new Mutator(random);
		for (let i = 0; i < MUTATING_CLIENTS; i++)
			this.#mutatingClients.push(
				new MutatingClient(host, random, mutator, frames, recordedTraffic, this.#abandoned),
			);
		this.checkRecovery();
		this.#initialUsage = subject.usage();
	}

	/** Sends `packets` mutated packets. */
	run(packets: number): void {
		const host = this.#host;
		const random = this.#random;
		for (let sent = 0, sinceCheck = 0; sent < packets; ) {
			const mutatedPackets = this.#mutatingClients[random.below(MUTATING_CLIENTS)]!.step();
			sent += mutatedPackets;
			sinceCheck += mutatedPackets;
			if (random.oneIn(8)) host.advance(random.below(4000));
			if (this.#abandoned.length > 2) {
				this.#abandoned.shift()!.reset();
				host.run();
			}
			if (sinceCheck < CHECK_INTERVAL_PACKETS) continue;
			sinceCheck = 0;
			this.#exchangeMessages();
		}
	}

	/** Disconnects all mutating clients, and fails unless pool usage is as at the start. */
	checkRecovery(): void {
		const host = this.#host;
		for (const mutatingClient of this.#mutatingClients) mutatingClient.disconnect();
		// clients of MQTT 3.1.1 without keep alive stay until others need their places
		for (const abandoned of this.#abandoned.splice(0)) abandoned.reset();
		host.run();
		// sessions expire; the reference clients send PINGREQ in between
		for (let i = 0; i < 2; i++) {
			host.advance(50_000_000);
			for (const client of this.#publishers) client.ping();
			for (const client of this.#subscribers) client.ping();
		}
		for (const shortLivedClient of this.#shortLivedClients) {
			shortLivedClient.connect();
			shortLivedClient.disconnect();
		}
		this.#clearRetained();
		this.#exchangeMessages();
		this.#clearRetained();
		assert.equal(this.#subject.internalErrors(), 0, "internal errors");
		if (this.#initialUsage !== undefined) assert.deepEqual(this.#subject.usage(), this.#initialUsage);
	}

	/** Uses all connections, logs in and requests the page, so that all objects created on demand exist. */
	#fillPools({ longestConnect, requests }: Recordings): void {
		const host = this.#host;
		const sockets: NetworkPeer[] = [];
		const openConnection = (port: number, bytes: Uint8Array) => {
			const socket = host.connect(port);
			sockets.push(socket);
			socket.write(bytes);
		};
		for (let i = 0; i < settings.webSockets; i++)
			openConnection(WEB_PORT, requests.at(-1 - (i & 1))!.packets[0]!);
		for (let i = 0; i < settings.connections + settings.handshakes; i++)
			openConnection(MQTT_PORT, longestConnect);
		host.run();
		host.advance(1000);
		for (const socket of sockets) socket.reset();
		host.run();
	}

	/** Every publisher publishes once; fails unless every subscriber gets the message. */
	#exchangeMessages(): void {
		for (const publisher of this.#publishers) {
			const count = ++this.#messageCount;
			const qos = count % 3;
			publisher.publish(qos, count);
			for (const subscriber of this.#subscribers) subscriber.expectMessage(qos, count);
			publisher.expectAcknowledgement(qos, count);
			publisher.ping();
		}
	}

	/** Clears the retained messages of all topics. */
	#clearRetained(): void {
		for (const topic of this.#subject.topics()) this.#publishers[0]!.clearRetained(topic);
		for (const subscriber of this.#subscribers) subscriber.discardOutput();
	}
}
