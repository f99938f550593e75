import mqtt from "mqtt-packet";
import { BenchClient } from "./bench-client";
import type { RunningBroker } from "./brokers";
import type { Scenario } from "./scenarios";

const PUBACK_SIZE = 4;
/** Time without progress after which a phase has failed, ms. */
const STALL_TIMEOUT_MS = 5000;

/**
 * Sends messages for `durationMs`.
 * @returns CPU time of the broker per delivery, µs
 */
export async function runPhase(
	broker: RunningBroker,
	scenario: Scenario,
	durationMs: number,
): Promise<number> {
	const load = await PhaseLoad.open(broker.port, scenario);
	try {
		await load.run(durationMs / 10); // lets buffers and connections reach their size
		const before = broker.process.cpuTimesNs;
		const deliveries = await load.run(durationMs);
		return broker.process.cpuSpentUs(before) / deliveries;
	} finally {
		await load.close();
	}
}

/** The clients of one phase. */
class PhaseLoad {
	readonly #port: number;
	readonly #scenario: Scenario;
	readonly #publishers: readonly BenchClient[];
	readonly #subscribers: readonly BenchClient[];
	/** The burst of each publisher. */
	readonly #bursts: readonly Uint8Array[];
	/**
	 * Bytes of a delivery: equal to the publication, because flags do not change the size and all topics have
	 * the same length.
	 */
	readonly #size: number;
	/** Outstanding bytes of all clients. */
	#missing = 0;
	#onComplete: () => void = () => {};

	private constructor(
		port: number,
		scenario: Scenario,
		publishers: readonly BenchClient[],
		subscribers: readonly BenchClient[],
	) {
		this.#port = port;
		this.#scenario = scenario;
		this.#publishers = publishers;
		this.#subscribers = subscribers;
		this.#bursts = publishers.map((_, i) =>
			Buffer.concat(
				Array.from({ length: scenario.burst }, (_, j) =>
					publication(scenario, i, j + 1, "x".repeat(scenario.payload)),
				),
			),
		);
		this.#size = this.#bursts[0].length / scenario.burst;
		const count = (chunk: Uint8Array): void => this.#onReceived(chunk.length);
		for (const peer of publishers) peer.onData = count;
		for (const peer of subscribers) peer.onData = scenario.qos === 0 ? count : this.#acknowledger(peer);
	}

	static async open(port: number, scenario: Scenario): Promise<PhaseLoad> {
		const connect = (name: string, count: number, clean = true) =>
			Promise.all(Array.from({ length: count }, (_, i) => BenchClient.connect(port, `${name}${i}`, clean)));
		const subscribers = await connect("subscriber", scenario.subscribers, !scenario.persistent);
		await Promise.all(subscribers.map((peer) => peer.subscribe(scenario.filter, scenario.qos)));
		return new PhaseLoad(port, scenario, await connect("publisher", scenario.publishers), subscribers);
	}

	/** @returns deliveries in about `durationMs` */
	async run(durationMs: number): Promise<number> {
		const { burst, publishers, subscribers } = this.#scenario;
		const start = performance.now();
		let deliveries = 0;
		let lastDeliveries = 0;
		const watch = setInterval(() => {
			if (deliveries === lastDeliveries)
				throw new Error(`${this.#scenario.name}: ${this.#missing} bytes did not come`);
			lastDeliveries = deliveries;
		}, STALL_TIMEOUT_MS);
		while (performance.now() - start < durationMs) {
			await this.#burst();
			deliveries += burst * publishers * subscribers;
		}
		clearInterval(watch);
		return deliveries;
	}

	/** Disconnects; removes sessions and retained messages. */
	async close(): Promise<void> {
		if (this.#scenario.retain) {
			this.#missing = PUBACK_SIZE * this.#publishers.length;
			const cleared = new Promise<void>((resolve) => {
				this.#onComplete = resolve;
			});
			for (const peer of this.#subscribers) peer.close();
			for (const [i, peer] of this.#publishers.entries()) peer.send(publication(this.#scenario, i, 1, ""));
			await cleared;
		}
		for (const peer of [...this.#publishers, ...this.#subscribers]) peer.close();
		if (!this.#scenario.persistent) return;
		for (let i = 0; i < this.#subscribers.length; i++)
			(await BenchClient.connect(this.#port, `subscriber${i}`)).close();
	}

	#burst(): Promise<void> {
		const { burst, qos, subscribers } = this.#scenario;
		const publishers = this.#publishers;
		this.#missing = publishers.length * burst * (this.#size * subscribers + (qos === 0 ? 0 : PUBACK_SIZE));
		return new Promise((resolve) => {
			this.#onComplete = resolve;
			for (let i = 0; i < publishers.length; i++) publishers[i].send(this.#bursts[i]);
		});
	}

	#onReceived(bytes: number): void {
		this.#missing -= bytes;
		if (this.#missing === 0) this.#onComplete();
		else if (this.#missing < 0) throw new Error(`${this.#scenario.name}: more came than was asked for`);
	}

	/** Sends a PUBACK for each delivery, those of a chunk in one write. */
	#acknowledger(peer: BenchClient): (chunk: Uint8Array) => void {
		const size = this.#size;
		// the packet identifier follows the topic
		const high = size - this.#scenario.payload - 2;
		const packet = new Uint8Array(size);
		const answers = new Uint8Array(PUBACK_SIZE * this.#scenario.burst * this.#publishers.length);
		let at = 0;
		return (chunk) => {
			let answered = 0;
			for (const byte of chunk) {
				packet[at++] = byte;
				if (at < size) continue;
				at = 0;
				answers.set([0x40, 2, packet[high], packet[high + 1]], answered);
				answered += PUBACK_SIZE;
			}
			if (answered > 0) peer.send(answers.slice(0, answered));
			this.#onReceived(chunk.length);
		};
	}
}

function publication(
	{ topic, qos, retain }: Scenario,
	publisher: number,
	messageId: number,
	payload: string,
): Buffer {
	return mqtt.generate({
		cmd: "publish",
		topic: topic(publisher),
		payload,
		qos,
		retain,
		dup: false,
		...(qos === 0 ? {} : { messageId }),
	});
}
