import type { Scheduler } from "../../../sim/clock/scheduler";
import type { JSONObject } from "../../../sim/manifest/manifest-reader";
import type { VirtualHost, VirtualNetwork } from "../../../sim/network/virtual";
import type { Draw } from "../draw";
import { type Episode, EpisodeRun, type Wait } from "./episode";
import type { GuestPlan, GuestProblem } from "./guest-plan";
import { type ConnectFields, ScriptedClient, type UnreleasedIds, type Version } from "./scripted-client";

/** Within which the broker answers whom nothing disturbs, ms. */
export const ANSWER_MS = 3000;
/** After the last answer, until what it has caused has arrived, ms. */
export const SETTLING_MS = 500;

/** What a guest is placed into. */
export interface GuestSurroundings {
	readonly scheduler: Scheduler;
	readonly network: VirtualNetwork;
	readonly plan: GuestPlan;
	/** Its choices. */
	readonly draw: Draw;
	/** Of the broker. */
	readonly address: string;
	/** Of the broker, as it is configured. */
	readonly listen: JSONObject;
	/** Its first host, and a second one. */
	readonly addresses: readonly [string, string];
	/** When its last episode may begin, ms since 1970. */
	readonly until: number;
}

/** The broker has not done what it owed. */
class Owed extends Error {}

/** A neighbour whose script checks what it gets, episode after episode. */
export abstract class Guest {
	readonly problems: GuestProblem[] = [];
	/** Episodes that have ended, those with a problem left out. */
	passed = 0;
	protected readonly draw: Draw;
	protected readonly listen: JSONObject;
	protected readonly hosts: readonly [VirtualHost, VirtualHost];
	readonly #surroundings: GuestSurroundings;
	#run: EpisodeRun | undefined;
	#clients: ScriptedClient[] = [];
	#lastId = 0;

	constructor(surroundings: GuestSurroundings) {
		const { network, addresses, draw, listen } = surroundings;
		this.#surroundings = surroundings;
		this.draw = draw;
		this.listen = listen;
		this.hosts = [network.host(addresses[0]), network.host(addresses[1])];
	}

	start(): void {
		const { scheduler, plan } = this.#surroundings;
		scheduler.after(plan.at, () => this.#begin());
	}

	/** One episode, from connections to their ends; what is wrong is thrown, by {@link owe}. */
	protected abstract episode(): Episode;

	protected get now(): number {
		return this.#surroundings.scheduler.now;
	}

	/** A new packet identifier of this episode. */
	protected nextId(): number {
		return ++this.#lastId;
	}

	/** Opens a connection. @param host index of its host */
	protected connect(
		version: Version,
		clientId: string,
		fields: ConnectFields = {},
		host: 0 | 1 = 0,
		unreleased?: UnreleasedIds,
	): ScriptedClient {
		const { address, plan } = this.#surroundings;
		const login =
			plan.login === undefined ? {} : { username: plan.login[0], password: Buffer.from(plan.login[1]) };
		const all = { ...login, ...fields };
		const client = new ScriptedClient(this.hosts[host], address, version, clientId, all, unreleased);
		client.onChange = () => this.#run?.notify();
		this.#clients.push(client);
		return client;
	}

	/** Waits for CONNACK. */
	protected *accepted(client: ScriptedClient): Generator<Wait, void, boolean> {
		yield* this.waitFor(() => client.isAccepted || client.hasEnded, "CONNACK");
		this.owe(client.isAccepted, `CONNACK 0, and not ${client.connackCode}`);
	}

	/** Waits for the last acknowledgement of a packet. @returns its codes */
	protected *answer(client: ScriptedClient, id: number): Generator<Wait, readonly number[], boolean> {
		yield* this.waitFor(() => client.acknowledged.has(id) || client.hasEnded, `answer to packet ${id}`);
		const codes = client.acknowledged.get(id);
		this.owe(codes !== undefined, `a connection that lasts, and not its end (${client.disconnectCode})`);
		return codes!;
	}

	protected *waitFor(until: () => boolean, what: string): Generator<Wait, void, boolean> {
		this.owe(yield { ms: ANSWER_MS, until }, `${what} within ${ANSWER_MS} ms`);
	}

	/** Says what is owed, where it is not so. */
	protected owe(isSo: boolean, what: string): void {
		if (!isSo) throw new Owed(what);
	}

	#begin(): void {
		const { scheduler, plan, until } = this.#surroundings;
		const from = scheduler.now;
		if (from > until) return;
		this.#lastId = 0;
		this.#run = new EpisodeRun(scheduler, this.episode(), (error) => {
			this.#run = undefined;
			if (error === undefined) this.passed++;
			else if (error instanceof Owed) this.problems.push({ from, to: scheduler.now, text: error.message });
			else throw error;
			for (const client of this.#clients) client.close();
			this.#clients = [];
			scheduler.after(this.draw.integer(plan.pause >> 1, plan.pause), () => this.#begin());
		});
	}
}
