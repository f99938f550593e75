import type { Storage } from "../../device";
import type { Core } from "../core";
import type { Saver } from "../saver";
import { Tables } from "../tables";
import { KeptMessages } from "./kept-messages";
import { KeptQueues } from "./kept-queues";
import { KeptSessions } from "./kept-sessions";
import { KeptSubscriptions } from "./kept-subscriptions";
import { KeptValues } from "./kept-values";
import { Lifetime } from "./lifetime";
import { Vault } from "./vault";

/**
 * Keeps in storage what outlives a restart: what new subscribers are handed, and lasting sessions with their subscriptions, waiting messages and wills.
 * Changes are noted in RAM as they happen, and stored together by save(), so that a value that comes every second is not written every second.
 */
export class Keeper implements Saver {
	readonly #core: Core;
	readonly #vault: Vault;
	readonly #lifetime: Lifetime;
	readonly #sessions: KeptSessions;
	readonly #subscriptions: KeptSubscriptions;
	readonly #queues: KeptQueues;
	readonly #values: KeptValues;
	failing = false;

	/** Restores what is stored into the broker's empty pools. @throws what the storage throws */
	constructor(core: Core, storage: Storage) {
		const { settings } = core;
		const vault = new Vault(core.memory, storage, [
			settings.retainedTopics,
			settings.sessions,
			settings.subscriptions,
			settings.queuedMessages,
			settings.queuedMessages,
		]);
		const tables = new Tables(768);
		vault.open(tables);
		const lifetime = new Lifetime(core.clock, core.host, vault);
		const messages = new KeptMessages(vault.body, lifetime);
		this.#core = core;
		this.#vault = vault;
		this.#lifetime = lifetime;
		this.#sessions = new KeptSessions(core, tables, vault, lifetime, messages);
		this.#subscriptions = new KeptSubscriptions(core, vault);
		this.#queues = new KeptQueues(core, vault, messages);
		core.queues.number(tables, settings.queuedMessages);
		this.#values = new KeptValues(core, vault, messages);
		lifetime.begin();
		this.restore();
	}

	get waits(): boolean {
		return this.#lifetime.waits;
	}

	get changed(): boolean {
		const { ledgers } = this.#vault;
		for (let i = 0; i < ledgers.length; i++) if (ledgers[i].changed) return true;
		return false;
	}

	save(): void {
		const { counters, host, memory } = this.#core;
		const vault = this.#vault;
		const writes = vault.writes;
		try {
			this.age();
			this.#sessions.save();
			this.#subscriptions.save();
			this.#queues.save();
			this.#values.save();
			this.#lifetime.stamp();
			vault.commit();
			this.failing = false;
		} catch (error) {
			vault.abandon();
			counters.storageFailed++;
			if (!this.failing) host.trace(`broker: state is not stored: ${error}`);
			this.failing = true;
		}
		counters.storageWrites += vault.writes - writes;
		memory.open();
	}

	private restore(): void {
		const sessions = this.#sessions;
		const lost = [sessions.restore(), this.#subscriptions.restore(sessions), this.#queues.restore(sessions), this.#values.restore()];
		sessions.close();
		if (lost.some((count) => count > 0))
			this.#core.host.trace(
				`broker: not restored, as the pools or rules have no place for them: ${lost[0]} sessions, ${lost[1]} subscriptions, ${lost[2]} messages, ${lost[3]} values`,
			);
		this.save();
	}

	private age(): void {
		const missed = this.#lifetime.catchUp();
		if (missed === 0) return;
		this.#sessions.age(missed);
		this.#values.age(missed);
		this.#queues.age(missed);
	}
}
