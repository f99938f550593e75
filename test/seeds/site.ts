import type { Scheduler } from "../../sim/clock/scheduler";
import type { JSONObject } from "../../sim/manifest/manifest-reader";
import type { VirtualNetwork } from "../../sim/network/virtual";
import { Draw } from "./draw";
import { MISSING_MESSAGES, PlaceProbe } from "./place-probe";
import { PoolProbe } from "./pool-probe";
import type { BoardPlan, ClientPlan, SeedPlan } from "./seed-plan";
import { WellBehavedClient } from "./well-behaved-client";

const SUBSCRIBER_START_MS = 500;
const PUBLISHER_START_MS = 12_000;
/** Longest text of a published message, in characters. */
const LONGEST_PAYLOAD = 40;

/** What one broker and its clients have done. */
export interface SiteRun {
	/** Name of the broker's board. */
	readonly board: string;
	readonly subscriber: WellBehavedClient;
	readonly publisher: WellBehavedClient;
	/** `$SYS/broker/…` after all clients have gone and everything has expired. */
	readonly pools: ReadonlyMap<string, string>;
}

/** What is around a broker. */
export interface SitePlan {
	readonly board: BoardPlan;
	/** Its hosts: this, and a last number each. */
	readonly hosts: { readonly subscriber: string; readonly publisher: string; readonly probes: string };
	readonly clients: readonly [subscriber: ClientPlan, publisher: ClientPlan];
	/** To which the subscriber subscribes. */
	readonly filters: readonly string[];
	/** On which the publisher publishes, one for each QoS. */
	readonly topics: readonly string[];
	/** When the publisher has published its last message, ms from the start. */
	readonly publishUntil: number;
	/** Separates the streams of sites; empty for the first one. */
	readonly label: string;
	/** Sessions that stay: those of bridges to it. */
	readonly lastingSessions: number;
}

/** A broker's well-behaved clients, and what looks at its pools in the end. */
export class Site implements SiteRun {
	readonly board: string;
	readonly subscriber: WellBehavedClient;
	readonly publisher: WellBehavedClient;
	readonly pools = new Map<string, string>();
	readonly #scheduler: Scheduler;
	readonly #network: VirtualNetwork;
	readonly #plan: SitePlan;
	readonly #draw: Draw;

	constructor(scheduler: Scheduler, network: VirtualNetwork, { seed }: SeedPlan, plan: SitePlan) {
		const { board, hosts, clients, filters, label } = plan;
		const client = (address: string, plan: ClientPlan, filters: readonly string[]): WellBehavedClient =>
			new WellBehavedClient(scheduler, network.host(address), plan.role, board.address, plan, filters);
		this.board = board.name;
		this.#scheduler = scheduler;
		this.#network = network;
		this.#plan = plan;
		this.#draw = new Draw(seed, `messages${label}`);
		this.subscriber = client(hosts.subscriber, clients[0], filters);
		this.publisher = client(hosts.publisher, clients[1], []);
	}

	start(): void {
		this.#scheduler.after(SUBSCRIBER_START_MS, () => this.subscriber.start());
		this.#scheduler.after(PUBLISHER_START_MS, () => this.publisher.start());
		let count = 0;
		const { clients, topics, publishUntil } = this.#plan;
		const startedAt = this.#scheduler.now;
		const draw = this.#draw;
		const publish = (): void => {
			const qos = draw.pick([0, 1, 2] as const);
			const text = `${++count}`.padEnd(draw.integer(0, LONGEST_PAYLOAD), ".");
			this.publisher.publish(topics[qos]!, text, qos, draw.chance(0.2));
			if (this.#scheduler.now - startedAt < publishUntil) this.#scheduler.after(clients[1].interval, publish);
		};
		this.#scheduler.after(PUBLISHER_START_MS, publish);
	}

	stop(): void {
		this.subscriber.stop();
		this.publisher.stop();
	}

	/** Fills {@link pools}. @param runFor lets time pass, ms */
	checkPools(runFor: (ms: number) => void): void {
		const { board, hosts, clients, lastingSessions } = this.#plan;
		const host = this.#network.host(hosts.probes);
		const probe = new PoolProbe(this.#scheduler, host, board.address, clients[0].login);
		probe.start();
		runFor(PoolProbe.DURATION_MS);
		probe.stop();
		const sessions = Number((board.firefly.listen as JSONObject).sessions) - lastingSessions;
		const places = new PlaceProbe(this.#scheduler, host, board.address, sessions, clients[0].login);
		places.start();
		runFor(places.duration);
		for (const [topic, value] of probe.values) this.pools.set(topic, value);
		this.pools.set(MISSING_MESSAGES, String(places.missing));
	}
}
